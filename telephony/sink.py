"""The ear tells the desk: pops at once, the store in batches behind them, neither ever in the way of hearing.

Two threads. Pops go out in a transaction of their own before anything is stored, and are dropped when they would come
too late to help. The store follows with the journal position in the same transaction, so that it can be taken up from
there after any crash; while PostgreSQL is away it waits, and nothing is told twice.
"""

import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.actions import Checkpoint, PhoneNews, Ring
from service.core import clock, db, scope
from service.core.single import Single
from telephony import facts
from telephony.floor import Change
from telephony.journal import Position
from telephony.livecall import Leg, LiveCall
from telephony.news import News, current, news
from telephony.rows import call_facts

log = logging.getLogger(__name__)
POP_LATE = 10.0      # seconds after which a pop would only startle
REFUSED_PAUSE = 30.0  # a pop that is refused is refused again, and the screens must not flicker for it
FLUSH = 0.2          # the store's breath: what changes within it is written once
CROWD = 60           # so many of the calls that go on are written in one breath; those that ended go first
BATCH = 200
IDLE_MARK = 10.0     # the checkpoint moves at least this often while events come
# Classes of SQLSTATE that say nothing of what was written: the line, the server's state, rights to sign in, a race, room.
_SERVER = frozenset({"08", "25", "28", "40", "53", "55", "57", "58"})


@dataclass(frozen=True)
class Stale:
    """After a snapshot: pops other than of these calls at these phones are over."""

    up: frozenset[tuple[str, str]]
    at: datetime


@dataclass(frozen=True)
class _Pop:
    news: PhoneNews | Stale
    born: float


class Sink:
    """Tells one switch's changes to the desk. `take` returns at once, whatever the database does."""

    def __init__(self, switch: str, bind: Engine, single: Single | None = None) -> None:
        self.switch, self._bind, self._single = switch, bind, single
        self.stored, self.popped, self.late, self.failed = 0, 0, 0, 0
        self.position = Position()
        self._pops: queue.SimpleQueue[_Pop | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._pending: dict[str, tuple[LiveCall, Position]] = {}
        self._first: dict[str, Position] = {}
        self._errands: list[Callable[[Session], object]] = []
        self._rung: dict[str, str] = {}
        self._away = False  # what the pop thread last saw of the database
        self._missed_from: float | None = None  # when the screens are worth a refresh, since something was not told
        self._marked = Position()
        self._marked_at = 0.0
        self._threads = [threading.Thread(target=self._tell, name=f"{switch} pops", daemon=True),
                         threading.Thread(target=self._store, name=f"{switch} store", daemon=True)]

    def may_store(self) -> bool:
        """True when no other listener stores this switch; while the database is away nobody can say so."""
        try:
            return self._single is None or self._single.held()
        except Exception as error:
            log.warning("The database does not answer (%s); %s is heard without it", _short(error), self.switch)
            return True

    def start(self) -> None:
        """Both threads run."""
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 4.0) -> None:
        """What can be stored is stored; the rest is in the journal."""
        self._stopping = True
        self._pops.put(None)
        self._wake.set()
        for thread in self._threads:
            thread.join(patience)
        self.release()

    def release(self) -> None:
        """Another listener may store the switch."""
        if self._single is not None:
            self._single.release()

    # ---- called by the listener's loop ------------------------------------------------------------------

    def take(self, changes: Iterable[Change], position: Position, *, pops: bool = True) -> None:
        """Everything up to `position` was heard; tell what changed."""
        with self._lock:
            for change in changes:
                if pops:
                    self._pop_all(news(change))
                self._keep(change, position)
            self.position = position
        self._wake.set()

    def _keep(self, change: Change, position: Position) -> None:
        call, here = change.new, Position(position.segment, change.offset)
        if change.old is not None and change.old.key != call.key:
            self._pending.pop(change.old.key, None)
            here = min(here, self._first.pop(change.old.key, here))
        self._first[call.key] = min(here, self._first.get(call.key, here))
        if change.old is None or change.old.key != call.key or _milestone(change.old, call) or call.key in self._pending:
            self._pending[call.key] = (call, Position(position.segment, change.offset))

    def errand(self, do: Callable[[Session], object]) -> None:
        """Have something else written in order with the calls, after those taken so far."""
        with self._lock:
            self._errands.append(do)
        self._wake.set()

    def refresh(self, calls: Iterable[LiveCall], at: datetime) -> None:
        """After a snapshot the screens show what is up now, and nothing else."""
        up: set[tuple[str, str]] = set()
        for call in calls:
            items = list(current(call, at))
            self._pop_all(items)
            up |= {(self._rung[item.leg.id], item.leg.party or "") for item in items if item.leg is not None}
        self._pops.put(_Pop(Stale(frozenset(up), at), time.monotonic()))

    def take_missed(self) -> bool:
        """True once when pops were lost and none wait: the screens need a refresh."""
        missed = self._missed_from is not None and time.monotonic() >= self._missed_from and self._pops.empty()
        if missed:
            self._missed_from = None
        return missed

    def _missed(self, pause: float = 0.0) -> None:
        self._missed_from = min(self._missed_from or math.inf, time.monotonic() + pause)

    # ---- pops -------------------------------------------------------------------------------------------

    def _pop_all(self, items: Iterable[News]) -> None:
        born = time.monotonic()
        for item in items:
            if item.leg is not None:
                self._pops.put(_Pop(self._telling(item, item.leg), born))
            for key in {self._rung.pop(leg) for leg in item.call.legs if leg in self._rung} if item.leg is None else ():
                self._pops.put(_Pop(PhoneNews("ended", Ring(self.switch, key), item.at or clock.now()), born))

    def _telling(self, item: News, leg: Leg) -> PhoneNews:
        ring = self._ring(item.call, self._rung.setdefault(leg.id, item.call.key), leg.party or "")
        return PhoneNews(item.kind, ring, item.at or clock.now(), item.reason)

    def _ring(self, call: LiveCall, key: str, extension: str) -> Ring:
        return Ring(self.switch, key, extension, facts.caller_number(call), facts.caller_name(call), facts.called(call),
                    call.queue, facts.direction(call))

    def _tell(self) -> None:
        """The pop thread: what waits together goes in one transaction."""
        while (first := self._pops.get()) is not None:
            batch = [first]
            while len(batch) < 50 and not self._pops.empty():
                more = self._pops.get()
                if more is None:
                    self._pops.put(None)
                    break
                batch.append(more)
            self._tell_batch(batch)

    def _tell_batch(self, batch: list[_Pop]) -> None:
        fresh = [pop for pop in batch if time.monotonic() - pop.born < POP_LATE]
        if len(fresh) < len(batch):
            self.late += len(batch) - len(fresh)
            self._missed()  # an end that is not told would let a phone ring on
        if not fresh or self._told(fresh):
            return
        for pop in fresh if len(fresh) > 1 else ():
            self._told([pop])

    def _told(self, pops: list[_Pop]) -> bool:
        try:
            with db.begin(scope.ALL, self._bind) as session:
                self._tell_all(session, [pop.news for pop in pops])
        except Exception as error:
            if not is_away(error):
                log.exception("A pop of %s was not told", self.switch)
                self.failed += 1
                if len(pops) == 1:
                    self._missed(REFUSED_PAUSE)
                return False
            if not self._away:
                log.warning("No pops for %s, the database does not answer: %s", self.switch, _short(error))
            self._away = True
            self._missed()
            time.sleep(0.2)
            return True  # what still rings when it answers is told anew; the page says that it is blind
        self.popped += len(pops)
        self._away = False
        return True

    def _tell_all(self, session: Session, news: list[PhoneNews | Stale]) -> None:
        """What lies between two snapshots is told together."""
        together: list[PhoneNews] = []
        for item in news:
            if isinstance(item, PhoneNews):
                together.append(item)
                continue
            actions.pops.tell(session, together)
            actions.pops.close_stale(session, self.switch, item.up, at=item.at)
            together = []
        actions.pops.tell(session, together)

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
                log.warning("The store of %s waits, the database does not take its calls: %s", self.switch, _short(error),
                            exc_info=not is_away(error))
                if self._stopping:
                    return
                time.sleep(pause)
                pause = min(pause * 2, 30.0)
                self._wake.set()

    def _waiting(self) -> bool:
        with self._lock:
            return bool(self._pending or self._errands)

    def _flush(self) -> None:
        if self._single is not None and not self._own():
            return
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
            self.failed += 1
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
            low = min((first for key, first in self._first.items() if key not in done), default=position)
        low = min(low, position)
        return Checkpoint(self.switch, position.name, position.offset, low.name, low.offset)

    def _done(self, taken: dict[str, tuple[LiveCall, Position]], position: Position, refused: int) -> None:
        with self._lock:
            for key, (call, _) in taken.items():
                if call.ended:
                    self._first.pop(key, None)
        self.stored += len(taken) - refused
        self._marked, self._marked_at = position, time.monotonic()

    def low(self) -> Position:
        """Return from where the journal is still needed."""
        with self._lock:
            return min([self._marked, *self._first.values()])


def _milestone(old: LiveCall, new: LiveCall) -> bool:
    """True for changes worth a row while the call goes on; the others travel with the next of these."""
    return (old.answered, old.queue, old.ended, old.recorded, old.recording, old.dialled, old.originated, old.moves, _apart(old)) != (
        new.answered, new.queue, new.ended, new.recorded, new.recording, new.dialled, new.originated, new.moves, _apart(new))


def _apart(call: LiveCall) -> bool:
    """The customer is held or parked: who watches the floor sees it while it lasts."""
    return bool(call.segments) and call.segments[-1].kind in ("hold", "park") and not call.segments[-1].ended


def is_away(error: Exception) -> bool:
    """True when a refusal is not about what was written: no answer, no room, no right to write, or another was first."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    state = getattr(error.orig, "pgcode", None)
    return state[:2] in _SERVER if state else isinstance(error, (OperationalError, InterfaceError))


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
