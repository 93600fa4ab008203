"""The ear tells the desk: pops at once, the store in batches behind them, neither ever in the way of hearing.

Two threads. Pops go out in a transaction of their own before anything is stored, and are dropped when they would come
too late to help. The store follows with the journal position in the same transaction, so that it can be taken up from
there after any crash; while PostgreSQL is away it waits, and nothing is told twice.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.actions import Checkpoint
from service.core import clock, db, scope
from service.core.single import Single
from telephony.floor import Change
from telephony.journal import Position
from telephony.livecall import LiveCall
from telephony.news import news
from telephony.pops import Pops
from telephony.refusal import is_away, short
from telephony.rows import call_facts

log = logging.getLogger(__name__)
FLUSH = 0.2          # the store's breath: what changes within it is written once
CROWD = 60           # so many of the calls that go on are written in one breath; those that ended go first
BATCH = 200
BACKLOG = 5000       # ended calls that wait in memory while the database is away; the journal has the others
IDLE_MARK = 10.0     # the checkpoint moves at least this often while events come

Again = Callable[[Position, Position], Iterable[tuple[Change, Position]]]


class Sink:
    """Tells one switch's changes to the desk. `take` returns at once, whatever the database does.

    `again` reads the journal again between two places. Without it all that the database does not take waits in memory.
    """

    def __init__(self, switch: str, bind: Engine, single: Single | None = None, again: Again | None = None) -> None:
        self.switch, self._bind, self._single, self._again = switch, bind, single, again
        self.stored, self.refused = 0, 0
        self.pops = Pops(switch, bind)
        self.position = Position()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._pending: dict[str, tuple[LiveCall, Position]] = {}
        self._first: dict[str, Position] = {}
        self._names: dict[str, frozenset[str]] = {}  # the channels of the same calls
        self._put_off: tuple[Position, Position] | None = None  # between these, calls wait in the journal alone
        self._catching_up: tuple[Position, Position] | None = None
        self._errands: list[Callable[[Session], object]] = []
        self._marked = Position()
        self._marked_at = 0.0
        self._thread = threading.Thread(target=self._store, name=f"{switch} store", daemon=True)

    def may_store(self) -> bool:
        """True when no other listener stores this switch; while the database is away nobody can say so."""
        try:
            return self._single is None or self._single.held()
        except Exception as error:
            log.warning("The database does not answer (%s); %s is heard without it", short(error), self.switch)
            return True

    def start(self) -> None:
        """Both threads run."""
        self.pops.start()
        self._thread.start()

    def stop(self, patience: float = 4.0) -> None:
        """What can be stored is stored; the rest is in the journal."""
        self._stopping = True
        self._wake.set()
        self.pops.stop(patience)
        self._thread.join(patience)
        self.release()

    def release(self) -> None:
        """Another listener may store the switch."""
        if self._single is not None:
            self._single.release()

    @property
    def failed(self) -> int:
        """How much was refused for good, calls and pops."""
        return self.refused + self.pops.failed

    # ---- called by the listener's loop ------------------------------------------------------------------

    def take(self, changes: Iterable[Change], position: Position, *, pops: bool = True) -> None:
        """Everything up to `position` was heard; tell what changed."""
        with self._lock:
            for change in changes:
                if pops:
                    self.pops.tell(news(change))
                self._keep(change, position)
            self.position = position
        self._wake.set()

    def _keep(self, change: Change, position: Position) -> None:
        call, here = change.new, Position(position.segment, change.offset)
        if change.old is not None and change.old.key != call.key:
            self._pending.pop(change.old.key, None)
            here = min(here, self._first.pop(change.old.key, here))
            self._names.pop(change.old.key, None)
        self._first[call.key] = min(here, self._first.get(call.key, here))
        self._names[call.key] = call.ids
        if change.old is None or change.old.key != call.key or _milestone(change.old, call) or call.key in self._pending:
            self._pending[call.key] = (call, Position(position.segment, change.offset))
        if call.ended and self._again is not None and len(self._pending) > BACKLOG:
            self._pending.pop(call.key, None)
            self._names.pop(call.key, None)
            self._put_off = _spanned(self._put_off, (self._first.pop(call.key), position))

    def errand(self, do: Callable[[Session], object]) -> None:
        """Have something else written in order with the calls, after those taken so far."""
        with self._lock:
            self._errands.append(do)
        self._wake.set()

    # ---- store ------------------------------------------------------------------------------------------

    def _store(self) -> None:
        """The store thread: batches with the checkpoint, with back-off while the database takes none."""
        pause = 0.5
        while not (self._stopping and not self._waiting()):
            self._wake.wait(IDLE_MARK)
            self._wake.clear()
            if not self._stopping:
                time.sleep(FLUSH)
            try:
                self._flush()
                pause = 0.5
                if self._waiting():
                    self._wake.set()
            except Exception as error:  # whatever it is: this thread must outlive it, and nothing is lost by waiting
                log.warning("The store of %s waits, the database does not take its calls: %s", self.switch, short(error),
                            exc_info=not is_away(error))
                if self._stopping:
                    return
                time.sleep(pause)
                pause = min(pause * 2, 30.0)
                self._wake.set()

    def _waiting(self) -> bool:
        with self._lock:
            return bool(self._pending or self._errands or (self._put_off and not self._stopping))

    def _flush(self) -> None:
        if self._single is not None and not self._own():
            return
        self._store_waiting()
        if self._put_off is not None:
            self._catch_up()

    def _store_waiting(self) -> None:
        """What waits in memory is stored."""
        while True:
            with self._lock:
                taken, errands, position = self._next_batch(), self._errands, self.position
                self._errands = []
            if not taken and not errands and not self._mark_due(position):
                return
            try:
                self._write(taken, errands, position)
            except BaseException:
                with self._lock:
                    self._pending = {**taken, **self._pending}
                    self._errands = errands + self._errands
                raise
            if len(taken) < BATCH:
                return

    def _catch_up(self) -> None:
        """What waits in the journal alone is stored; when that breaks off it waits on."""
        with self._lock:
            span, self._put_off = self._put_off, None
            self._catching_up = span
        assert span is not None
        whole = False
        try:
            whole = self._read_again(*span)
        finally:
            with self._lock:
                self._catching_up = None
                self._put_off = self._put_off if whole else _spanned(self._put_off, span)

    def _read_again(self, since: Position, to: Position) -> bool:
        """The calls that ended between the two places are stored, and between their batches what comes meanwhile."""
        assert self._again is not None
        log.warning("%s: the database is back; calls that were put off are read from the journal", self.switch)
        began, before, calls = time.monotonic(), self.stored, iter(self._again(since, to))
        while batch := list(islice(calls, BATCH)):
            here = self._in_memory()
            self._write({change.new.key: (change.new, at) for change, at in batch if here.isdisjoint(change.new.ids)}, [], self.position)
            self._store_waiting()
            if self._stopping:
                return False
        log.warning("%s: %d calls are stored since, in %.1f s", self.switch, self.stored - before, time.monotonic() - began)
        return True

    def _in_memory(self) -> set[str]:
        """The channels of calls that are known here from their beginning: read from the midst they would seem to end in it."""
        with self._lock:
            return set().union(*self._names.values())

    def _own(self) -> bool:
        """True when this process may store; another listener on the same switch keeps its right."""
        try:
            assert self._single is not None
            if self._single.held():
                return True
        except Exception as error:  # the driver's own errors: the server is away
            raise OperationalError("lock", None, error) from error
        log.error("Another listener stores %s. This one hears and keeps its journal; stop one of them.", self.switch)
        time.sleep(2.0)
        self._wake.set()
        return False

    def _next_batch(self) -> dict[str, tuple[LiveCall, Position]]:
        """What to write now: the calls that have ended, and of those that go on as many as a crowd has room for."""
        ended = [key for key, (call, _) in self._pending.items() if call.ended]
        going = [key for key, (call, _) in self._pending.items() if not call.ended]
        keys = (ended + (going if self._stopping else going[:CROWD]))[:BATCH]
        return {key: self._pending.pop(key) for key in keys}

    def _mark_due(self, position: Position) -> bool:
        return position != self._marked and (self._stopping or time.monotonic() - self._marked_at > IDLE_MARK)

    def _write(self, taken: dict[str, tuple[LiveCall, Position]], errands: list[Callable[[Session], object]],
               position: Position) -> None:
        mark, now, refused = self._checkpoint(taken, position), clock.now(), 0
        try:
            told = [call_facts(self.switch, call, at) for call, at in taken.values()]
            with db.begin(scope.ALL, self._bind) as session:
                actions.store_calls(session, told, mark, at=now)
                for do in errands:
                    do(session)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("A batch of %s was refused; its calls are tried one by one", self.switch)
            refused = self._write_singly(taken, errands, mark)
        self._done(taken, position, refused)

    def _write_singly(self, taken: dict[str, tuple[LiveCall, Position]], errands: list[Callable[[Session], object]],
                      mark: Checkpoint) -> int:
        """All that can be stored is; returns how many calls cannot. Raises when it is not they that are at fault."""
        refused = sum(self._is_refused(partial(self._store_one, call, at)) for call, at in taken.values())
        for do in errands:
            self._is_refused(do)
        with db.begin(scope.ALL, self._bind) as session:
            actions.store_calls(session, [], mark, at=clock.now())
        return refused

    def _store_one(self, call: LiveCall, at: Position, session: Session) -> None:
        actions.store_calls(session, [call_facts(self.switch, call, at)], None, at=clock.now())

    def _is_refused(self, do: Callable[[Session], object]) -> bool:
        """True when this alone is refused; when any call would be, the refusal is raised and all of them wait."""
        try:
            with db.begin(scope.ALL, self._bind) as session:
                do(session)
        except Exception as error:
            if is_away(error) or not self._takes_calls():
                raise
            log.exception("%s: one call was refused by the store; the journal has it", self.switch)
            self.refused += 1
            return True
        return False

    def _takes_calls(self) -> bool:
        """True when a call that nobody made could be stored: it is taken back before anybody sees it."""
        now = clock.now()
        made_up = call_facts(self.switch, LiveCall(key="probe", began_at=now), Position())
        try:
            with db.open_session(scope.ALL, self._bind) as session:  # never committed
                actions.store_calls(session, [made_up], None, at=now)
        except Exception:
            return False
        return True

    def _checkpoint(self, taken: dict[str, tuple[LiveCall, Position]], position: Position) -> Checkpoint:
        """Where a restart reads from: the beginning of the oldest call that is not stored with its end."""
        with self._lock:
            done = {key for key, (call, _) in taken.items() if call.ended}
            low = min([position, *(first for key, first in self._first.items() if key not in done), *self._waiting_from()])
        return Checkpoint(self.switch, position.name, position.offset, low.name, low.offset)

    def _done(self, taken: dict[str, tuple[LiveCall, Position]], position: Position, refused: int) -> None:
        with self._lock:
            for key, (call, _) in taken.items():
                if call.ended:
                    self._first.pop(key, None)
                    self._names.pop(key, None)
        self.stored += len(taken) - refused
        self._marked, self._marked_at = position, time.monotonic()

    def low(self) -> Position:
        """Return from where the journal is still needed."""
        with self._lock:
            return min([self._marked, *self._first.values(), *self._waiting_from()])

    def _waiting_from(self) -> list[Position]:
        """From where calls wait in the journal alone."""
        return [span[0] for span in (self._put_off, self._catching_up) if span is not None]


def _spanned(one: tuple[Position, Position] | None, other: tuple[Position, Position]) -> tuple[Position, Position]:
    """The stretch that holds both."""
    return (min(one[0], other[0]), max(one[1], other[1])) if one else other


def _milestone(old: LiveCall, new: LiveCall) -> bool:
    """True for changes worth a row while the call goes on; the others travel with the next of these."""
    return (old.answered, old.queue, old.ended, old.recorded, old.recording, old.dialled, old.originated, old.moves) != (
        new.answered, new.queue, new.ended, new.recorded, new.recording, new.dialled, new.originated, new.moves)
