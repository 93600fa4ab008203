"""Hears one switch for good: connects, writes down, understands, tells; starts where the last one stopped."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.actions import Doubted, Heard
from service.core import clock, db, scope, turns
from service.core.config import Settings, SwitchSettings
from service.core.single import Single
from telephony import backfill, journal, rereading, resync
from telephony.feed import Feed
from telephony.floor import Change, Floor
from telephony.journal import Journal, JournalError, JournalTaken, Position
from telephony.link import Fatal, Link, NoSwitch, NotLetIn
from telephony.orders import Orders
from telephony.sink import Sink
from telephony.switch import Switch

log = logging.getLogger(__name__)
SYNC_EVERY = 0.05
CHECK_EVERY = 10.0
TELL_EVERY = 3.0
PURGE_EVERY = 3600.0
STAND_BY = 1.0  # how often one that stands by looks whether it is its turn


class Listener:
    """One switch's ear. Everything but the sink's threads and the disk's fsync runs in one event loop."""

    def __init__(self, settings: Settings, switch: SwitchSettings, *, once: bool = False) -> None:
        self.switch, self.once = switch, once
        self.journal = Journal(settings.journal_dir / switch.name)
        self.floor = Floor(Switch(switch.name, switch.trunk_contexts, switch.extension_pattern))
        self.feed = Feed()
        self.feed.keep_answers = True
        bind = db.engine(settings.dsn_app, name=f"listen {switch.name}", pool_size=3)
        self.sink = Sink(switch.name, bind, Single(db.raw_dsn(settings.dsn_app), f"listen {switch.name}"), self._again)
        self.link = Link(host=switch.host, port=switch.port, username=switch.username, secret=switch.secret, ear=self)
        self.resync = resync.Resync(self.link.ask)
        self.orders = Orders(switch, bind, self.floor, acw=timedelta(seconds=settings.acw_seconds))
        self._bind = bind
        self._fresh = True  # the next read begins a segment
        self._up_at = 0.0
        self._gap_from: datetime | None = None
        self._doubted = 0
        self._since: datetime | None = None     # when the connection was made, or lost
        self._heard_at: datetime | None = None
        self._telling = False
        self._told = (0, 0)  # how many doubts of the feed and of the floor are known to the desk
        self._stored = 0  # the last segment that the store knows of

    def let_go(self) -> None:
        """Another one hears the switch: the folder and the right are free again."""
        self.journal.close()
        self.sink.release()
        self._bind.dispose()

    # ---- before the first connection --------------------------------------------------------------------

    def recover(self) -> None:
        """Read the journal again from the oldest call that was not stored with its end; nothing is told twice."""
        heard_at = journal.last_heard(self.journal.folder)
        cuts = resync.Cuts()
        for piece in rereading.pieces(self.journal.folder, self._low(), self.feed, self.floor):
            if piece.connected:
                cuts.connected()
            events = list(self.feed.hear(piece.data, piece.at))
            cuts.heard(events, piece.at)
            changes = [change for event in events for change in self.floor.hear(event)]
            self.orders.changed(changes, live=False)
            self.sink.take(changes, Position(piece.position.segment, self.feed.offset), pops=False)
        self.feed.answers.clear()
        self._told = (self.feed.doubted, self.floor.doubted)  # they were told when they were heard
        self.journal.follow(self._stored)
        self._remember(cuts)
        if heard_at is not None:
            self._deaf(cuts.began or heard_at, "the listener was stopped")

    def _again(self, since: Position, to: Position) -> Iterator[tuple[Change, Position]]:
        """The calls that ended between the two places, out of the journal: the store could not take them then."""
        return rereading.ended(self.journal.folder, since, to, self.floor.switch)

    def _remember(self, cuts: resync.Cuts) -> None:
        """Gaps of a listener that died before it could put them on record are on record."""
        found = [(began, ended, resync.gap_note(began, ended)) for began, ended in cuts.closed]
        if found:
            self.sink.errand(lambda session: actions.gaps_found(session, self.switch.name, found))

    def _low(self) -> Position:
        """The database's mark; while it is away the copy beside the journal, which is never ahead of it."""
        try:
            with db.begin(scope.ALL, self._bind) as session:
                mark = actions.checkpoint(session, self.switch.name)
        except Exception as error:
            log.warning("The database does not answer (%s); hearing begins without it", str(error).partition("\n")[0])
            return _read_mark(self._mark_file)
        self._stored = int(mark.segment) if mark else 0
        return Position.of(mark.low_segment, mark.low_offset) if mark else Position()

    @property
    def _mark_file(self) -> Path:
        return self.journal.folder / "mark"

    # ---- what the link tells ----------------------------------------------------------------------------

    def on_line(self) -> None:
        """What a connection brings has a segment of its own, and with it a snapshot is wanted.

        Not when the login is settled: a near switch has sent the whole snapshot by then.
        """
        self._fresh = True
        self.floor.alive(self.feed.alive_at)
        self.resync.connected()

    def _segment(self, now: float) -> None:
        """The next segment is open; not before there is something to write, or a switch that hangs up makes files for ever."""
        self.journal.begin(now)
        self.feed.reconnected()
        self._fresh = False

    def on_data(self, data: bytes) -> None:
        """Write down, understand, tell, in this order."""
        now = time.time()
        try:
            if self._fresh:
                self._segment(now)
            self.journal.write(data, now)
        except JournalError as error:
            raise Fatal(str(error)) from error
        self._understand(data, clock.now())
        if self.feed.endless:
            raise NoSwitch(f"{self.switch.host}:{self.switch.port} sent {self.feed.endless} bytes without a blank line, which no switch does: "
                           "check that this is the address of its manager interface.")
        self._fresh = self.journal.due(now) and self.feed.offset == self.journal.position.offset

    def _understand(self, data: bytes, at: datetime) -> None:
        self._heard_at = at
        changes, complete = [], False
        for event in self.feed.hear(data, at):
            changes += self.floor.hear(event)
            self.orders.heard(event)
            complete |= self.resync.heard(event, time.monotonic(), whole=self.floor.listed)
        if complete:
            self._gap_ends(at, "")  # before the position moves past it: what a checkpoint covers is on record
        self.sink.take(changes, Position(self.journal.position.segment, self.feed.offset))
        self.orders.changed(changes)
        if complete:
            self._show_all(at)
        self._answers(at)

    def _answers(self, at: datetime) -> None:
        """Settle what was asked; a snapshot that is not allowed is told, and the gap still has its end."""
        answers, self.feed.answers = self.feed.answers, []
        for headers in answers:
            self.link.protocol.answered(headers)
            refused = headers.get("response") == "Error" and "ermission" in headers.get("message", "")
            if refused and self.resync.wanted:
                self.resync.wanted = False
                log.error("The user %s may not list channels. Give it write=reporting in manager.conf; until then "
                          "calls that end in a gap stay open.", self.switch.username)
                self._gap_ends(at, "no snapshot")
                self._show_all(at)

    def on_up(self) -> None:
        """Logged in."""
        self._up_at, self._since = time.monotonic(), clock.now()
        log.info("%s is heard at %s:%d, as %s", self.switch.name, self.switch.host, self.switch.port, self.switch.username)

    def on_refused(self, why: str) -> None:
        """The log-in was not taken: an alarm and a slow retry, or the end of a run that is to be tried once."""
        sentence = (f"{self.switch.host} refuses the user {self.switch.username} ({why}). "
                    "Correct username or secret of this switch in the settings.")
        self._stay_out(sentence)

    def on_unreachable(self) -> None:
        """Nobody speaks AMI at that address; it is tried again for as long as it takes."""
        self._stay_out(f"{self.switch.host}:{self.switch.port} does not answer as a switch. Check the address, that it runs, "
                       "and that its manager.conf is enabled and permits this machine.")

    def _stay_out(self, sentence: str) -> None:
        if self.once:
            self.link.fail(NotLetIn(sentence))
        else:
            log.error("%s It is tried again until then.", sentence)

    def on_down(self, reason: str) -> None:
        """From now on nothing is heard."""
        log.warning("%s is not heard any more: %s.", self.switch.name, reason)
        self._since = clock.now()
        self._deaf(clock.now(), reason)

    def _deaf(self, at: datetime, reason: str) -> None:
        self._gap_from = self._gap_from or at
        self.sink.errand(lambda session: actions.gap_began(session, self.switch.name, at=at, reason=reason))

    def _gap_ends(self, at: datetime, note: str) -> None:
        words = note or resync.gap_note(self._gap_from, at)
        self._gap_from = None
        self.sink.errand(lambda session: actions.gap_ended(session, self.switch.name, at=at, note=words))
        if self.switch.files:
            self.sink.errand(lambda session: backfill.enqueue(session, self.switch.name, "after a gap", at=at))

    def _show_all(self, at: datetime) -> None:
        """The screens show what is up now, and nothing else."""
        self.sink.pops.refresh(list(self.floor.calls.values()), at)
        self.orders.resynced()

    # ---- the process ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hear until cancelled; raises Fatal or NotLetIn when going on makes no sense."""
        self.recover()
        self.sink.start()
        over = self.link.start()
        tasks = [asyncio.create_task(keep()) for keep in (self._keep_synced, self._keep_checked, self._keep_told, self.orders.run)]
        try:
            await asyncio.wait([over, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for done in (over, *tasks):
                if done.done():
                    done.result()
        finally:
            await self._end(tasks)

    async def _end(self, tasks: "list[asyncio.Task[None]]") -> None:
        self.link.stop()
        for task in tasks:
            task.cancel()
        await asyncio.to_thread(self.sink.stop)
        _write_mark(self._mark_file, self.sink.low())
        with suppress(JournalError):
            self.journal.close()
        self._bind.dispose()

    async def _keep_synced(self) -> None:
        """What was heard is on disk 50 ms later, and screens that missed something hear how things stand."""
        while True:
            await asyncio.sleep(SYNC_EVERY)
            if self._gap_from is None and self.sink.pops.take_missed():
                self._show_all(clock.now())
            if self.journal.dirty:
                try:
                    await asyncio.to_thread(self.journal.sync)
                except JournalError as error:
                    raise Fatal(str(error)) from error

    async def _keep_told(self) -> None:
        """How this listener stands is in the database a few seconds later, whoever asks."""
        while True:
            await asyncio.sleep(TELL_EVERY)
            if not self._telling:
                self._telling = True
                self.sink.errand(partial(self._stands, self._new_doubts()))

    def _new_doubts(self) -> list[Doubted]:
        """What was not believed since the last telling: as forged by a caller, or as not fitting what is known."""
        before, self._told = self._told, (self.feed.doubted, self.floor.doubted)
        kinds = ((self.feed.doubts, self._told[0] - before[0], True), (self.floor.doubts, self._told[1] - before[1], False))
        return [Doubted(one.reason, one.shown, is_forged) for doubts, new, is_forged in kinds
                for one in islice(doubts, max(len(doubts) - new, 0), None)]

    def _stands(self, doubts: list[Doubted], session: Session) -> None:
        now = clock.now()
        heard = Heard(self.link.authenticated, self._since, self._heard_at, self.feed.frames,
                      self.feed.doubted + self.floor.doubted, len(self.floor.calls))
        actions.history.feed_stands(session, self.switch.name, heard, at=now)
        actions.history.doubted(session, self.switch.name, doubts, at=now)
        self._telling = False

    async def _keep_checked(self) -> None:
        """Doubts get a snapshot, new doubts a line in the log, old segments an end."""
        purged_at = 0.0
        while True:
            await asyncio.sleep(1.0 if self.resync.wanted else CHECK_EVERY)
            now = time.monotonic()
            if self.link.authenticated:
                self.resync.remind(now, self._up_at)
            doubted = self.feed.doubted + self.floor.doubted
            if doubted != self._doubted:
                log.warning("%s: %d frames in all were forged or cannot be believed", self.switch.name, doubted)
            if self.link.authenticated and (self.feed.take_lost_sight() or self.floor.stragglers()):
                self.resync.doubt(now)
            self._doubted = doubted
            _write_mark(self._mark_file, self.sink.low())
            if now - purged_at > PURGE_EVERY:
                purged_at = now
                self.journal.purge(self.sink.low(), time.time())


def _read_mark(path: Path) -> Position:
    with suppress(OSError, ValueError):
        segment, offset = path.read_text("ascii").split()
        return Position(int(segment), int(offset))
    return Position()


def _write_mark(path: Path, low: Position) -> None:
    with suppress(OSError):  # a convenience: the database's mark is the truth
        path.write_text(f"{low.segment} {low.offset}\n", "ascii")


async def in_turn(settings: Settings, switch: SwitchSettings, *, once: bool = False) -> Listener:
    """Return the listener of the switch when no other hears it; until then this process stands by."""
    told = False
    while True:
        listener = _first_in(settings, switch, once)
        if listener is not None and await asyncio.to_thread(listener.sink.may_store):
            return listener
        if listener is not None:
            listener.let_go()
        if once:
            raise Fatal(f"Another listener hears {switch.name}. Stop it first, or leave out --once to stand by.")
        if not told:
            log.warning("Another listener hears %s; this one stands by and takes over when it ends.", switch.name)
        told = True
        await asyncio.sleep(STAND_BY)


def _first_in(settings: Settings, switch: SwitchSettings, once: bool) -> Listener | None:
    try:
        return Listener(settings, switch, once=once)
    except JournalTaken:
        return None


async def _hear(settings: Settings, switch: SwitchSettings, once: bool) -> None:
    await (await in_turn(settings, switch, once=once)).run()


async def _run_all(settings: Settings, switches: Sequence[SwitchSettings], once: bool) -> None:
    task = asyncio.gather(*(_hear(settings, switch, once) for switch in switches))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


def run(settings: Settings, switch: SwitchSettings | str | None = None, *, once: bool = False) -> int:
    """Hear one switch, or all of the settings, until a signal; return 0, or 1 after one sentence on standard error."""
    turns.short()
    turns.first()
    turns.settled()
    try:
        asyncio.run(_run_all(settings, _chosen(settings, switch), once))
    except (Fatal, NotLetIn, JournalError) as error:
        print(f"ringdesk listen: {error}", file=sys.stderr)
        return 1
    return 0


def _chosen(settings: Settings, switch: SwitchSettings | str | None) -> list[SwitchSettings]:
    if isinstance(switch, SwitchSettings):
        return [switch]
    found = [one for one in settings.switches if switch in (None, one.name)]
    if not found:
        raise Fatal("No such switch is set. Add [[switches]] with name, host, username and secret to the settings.")
    return found
