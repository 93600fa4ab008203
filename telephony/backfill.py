"""What was not heard is read: a switch's own files fill the gaps and correct what was concluded.

CEL, queue_log and CDR, fetched first where they are not mounted, are read from where the last run stopped, ten minutes before that, and from before each gap that is
not filled; the calls that come of them meet those in the books. Running it twice changes nothing.
"""

import hashlib
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.calls.actions import CallFacts, Place, history
from service.core import clock, db, jobs, scope
from service.core.config import Settings, SwitchSettings
from service.core.errors import DeskError
from service.core.single import Single
from telephony import mirror
from telephony.derive import SETTLED, Derived, derive, slices
from telephony.journal import Position
from telephony.livecall import LiveCall
from telephony.logfile import Log, Mark
from telephony.records import Cdr, Form, Row
from telephony.retelling import UNKNOWN, Held
from telephony.rows import call_facts
from telephony.switch import Switch

log = logging.getLogger(__name__)
JOB = "backfill"
OVERLAP = timedelta(minutes=10)
FIRST = timedelta(days=1)      # how far back a first run reads when no gap is older
OLDEST = timedelta(days=92)    # an older gap is read for only when somebody names a moment
AROUND = timedelta(hours=1)    # calls that were heard so near to a gap say whether the files can be trusted with it
AFTER_GAP = timedelta(seconds=20)  # the switch writes a moment later than it speaks
BATCH = 200
Gap = tuple[int, datetime, datetime]  # id, began, ended
Progress = Callable[[str, int, int], None]


class NoFiles(DeskError):
    """Nothing can be read; the message says what to set."""


class Busy(DeskError):
    """Another run reads these files now."""


@dataclass(frozen=True)
class Outcome:
    """What a run read and what came of it."""

    switch: str
    records: int
    unreadable: int
    calls: int
    found: int
    mended: int
    filled: int
    note: str


def enqueue(session: Session, switch: str, why: str, *, at: datetime) -> None:
    """The switch's files will be read in a moment; one such run a minute is enough."""
    jobs.enqueue(session, JOB, {"switch": switch, "why": why}, at=at, run_at=at + AFTER_GAP, dedupe=f"{switch} {why} {at:%H:%M}", max_attempts=3)


def job(settings: Settings, args: dict[str, str]) -> None:
    """A run that was enqueued: after a gap, each hour, or from the page."""
    for switch in settings.switches:
        if switch.name == args["switch"] and switch.files:
            run(settings, switch, why=args["why"], at=clock.now())


def run(settings: Settings, switch: SwitchSettings, *, why: str, at: datetime, since: datetime | None = None,
        progress: Progress = lambda step, done, total: None) -> Outcome:
    """The switch's gaps are filled and its unsure calls corrected; raises NoFiles or Busy with a sentence."""
    if not switch.files:
        raise NoFiles(f"No file of {switch.name} is set. Name cel, queue_log and cdr under its [[switches]] (docs/backfill.md).")
    single = Single(db.raw_dsn(settings.dsn_app), f"backfill {switch.name}")
    if not single.held():
        raise Busy(f"The files of {switch.name} are being read by another run. Wait until it is done.")
    engine = db.engine(settings.dsn_app, name=f"backfill {switch.name}", pool_size=2)
    try:
        return Backfill(settings, switch, engine, at=at, progress=progress).run(why, since)
    finally:
        engine.dispose()
        single.release()


class Backfill:
    """One run over one switch's files."""

    def __init__(self, settings: Settings, switch: SwitchSettings, engine: Engine, *, at: datetime, progress: Progress) -> None:
        self.settings, self.switch, self.at = settings, switch, at
        self.names = Switch(switch.name, switch.trunk_contexts, switch.extension_pattern)
        zone = ZoneInfo(switch.files_timezone) if switch.files_timezone else settings.timezone
        self.form = Form(tuple(switch.cel_columns), zone)
        self._bind, self._progress = engine, progress
        self._met, self._calls = history.Reconciled(0, 0), set[str]()
        self._names = set[str]()  # every id that the files know
        self._low = at

    def run(self, why: str, since: datetime | None) -> Outcome:
        """Read, derive, reconcile; the places move only when all of it is in the books."""
        with db.begin(scope.ALL, self._bind) as session:
            gaps = history.gaps_to_fill(session, self.switch.name, since=since or self.at - OLDEST)
            known = history.places(session, self.switch.name)
            unsure = history.unsure_since(session, self.switch.name, gaps[0][1]) if gaps else None
        first, from_places = self._since([*(began - OVERLAP for _, began, _ in gaps), *([unsure] if unsure else [])], known, since)
        with db.begin(scope.ALL, self._bind) as session:
            run_id = history.run_began(session, self.switch.name, why=why, since=first, at=self.at)
        logs = [Log(kind, path, self.form, _mark(known.get(kind)) if from_places else None, first)
                for kind, path in mirror.here(self.settings, self.switch).items()]
        try:
            missing = self._fetched(since or max(first, self.at - mirror.KEPT))
            self._read(logs, run_id, first, missing)
            told, note = self._judged(logs, gaps, missing, first)
            filled = self._done(logs, run_id, told, missing, note)
        except Exception as error:
            sentence = str(error) if isinstance(error, DeskError) else f"{type(error).__name__}: {error}"
            with db.begin(scope.ALL, self._bind) as session:
                history.run_ended(session, run_id, at=clock.now(), failed=sentence)
            raise
        return Outcome(self.switch.name, sum(one.read for one in logs), sum(one.bad for one in logs), len(self._calls),
                       self._met.found, self._met.mended, filled, note)

    def _since(self, wanted: Sequence[datetime], known: dict[str, Place], since: datetime | None) -> tuple[datetime, bool]:
        """From when on rows count, and whether the remembered places are early enough for that."""
        fresh = set(self.switch.files) - known.keys()
        low = min((place.low_at for place in known.values()), default=self.at - FIRST)
        first = since or min([low, *wanted])
        return first, not fresh and first >= low

    def _fetched(self, since: datetime) -> dict[str, str]:
        """What the switch wrote since then can be read here; returns a sentence for each file that cannot."""
        if not self.switch.files_url:
            return {}
        return mirror.fetch(self.settings, self.switch, since=since, at=self.at, progress=self._progress)

    def _read(self, logs: Sequence[Log], run_id: int, first: datetime, missing: dict[str, str]) -> None:
        """Each slice is derived and met with the books; `missing` has a sentence for each file that could not be read."""
        held: list[Row] = []
        for rows, until in slices([_rows(one, missing) for one in logs], self.at):
            held += rows
            with db.begin(scope.ALL, self._bind) as session:
                holds = history.holds_heard(session, self.switch.name, first - OVERLAP)
            derived = derive(held, [Held(one.names, one.extension, one.began_at, one.ended_at) for one in holds], self.names, until)
            self._meet(derived, run_id, logs)
            self._low = derived.low
            held = [row for row in held if _of(row) >= derived.low - OVERLAP]
        if len(missing) == len(logs):
            raise NoFiles(" ".join(missing.values()))

    def _meet(self, derived: Derived, run_id: int, logs: Sequence[Log]) -> None:
        """The calls are in the books, in batches, and how far the run has come."""
        facts = [told(self.switch.name, call, proven=call.key in derived.proven) for call in derived.calls]
        for begin in range(0, len(facts), BATCH):
            with db.begin(scope.ALL, self._bind) as session:
                met = history.reconcile(session, facts[begin : begin + BATCH], at=self.at)
            self._met = history.Reconciled(self._met.found + met.found, self._met.mended + met.mended)
        self._calls |= {fact.call_key for fact in facts}
        self._names |= {name for fact in facts for name in (fact.call_key, *fact.aliases)}
        read = sum(one.read for one in logs)
        self._progress(f"{self.switch.name} {derived.until:%m-%d %H:%M}", read, 0)
        with db.begin(scope.ALL, self._bind) as session:
            history.run_went(session, run_id, read_to=derived.until, records=read, unreadable=sum(one.bad for one in logs),
                             calls=len(self._calls), met=self._met)

    def _judged(self, logs: Sequence[Log], gaps: Sequence[Gap], missing: dict[str, str], first: datetime) -> tuple[list[Gap], str]:
        """The gaps that the files can be trusted to fill, since they know each call that was heard whole near them; and why not the others."""
        if missing:
            return [], " ".join(missing.values())
        with db.begin(scope.ALL, self._bind) as session:
            heard = history.heard_whole(session, self.switch.name, first + OVERLAP, self.at - 2 * SETTLED)
        lacking = {key: span for key, span in sorted(heard.items()) if key not in self._names}
        begins = max((one.begins for one in logs if one.begins and one.fresh), default=None)
        old = [gap for gap in gaps if begins is not None and gap[2] < begins]
        doubted = {key for key, span in lacking.items() for gap in gaps if _near(gap, [span])}
        told = [gap for gap in gaps if gap not in old and not _near(gap, lacking.values())]
        notes = [f"The files begin at {begins:%Y-%m-%d %H:%M}, after {len(old)} of the gaps; nothing tells of those any more."] if old else []
        if doubted or (lacking and not gaps):
            named = sorted(doubted or lacking)
            notes.append(f"{len(named)} calls that were heard are not in these files, {named[0]} for one. They are copied too seldom, leave calls "
                         "out (unanswered = yes in cdr.conf, events in cel.conf), or are another switch's; gaps near them stay open until then.")
        return told, " ".join(notes)

    def _done(self, logs: Sequence[Log], run_id: int, told: Sequence[Gap], missing: dict[str, str], note: str) -> int:
        """Places move, and the gaps that were told are filled."""
        low = min(self._low, self.at) - OVERLAP
        moved = {one.kind: Place(str(one.path), mark.inode, mark.offset, mark.known, mark.head, low)
                 for one in logs if one.kind not in missing and (mark := one.mark(low)) is not None}
        filled = [gap for gap, _, ended in told if ended <= self.at - SETTLED]
        with db.begin(scope.ALL, self._bind) as session:
            history.places_moved(session, self.switch.name, moved, at=self.at)
            history.gaps_filled(session, filled, at=self.at)
            history.run_ended(session, run_id, at=clock.now(), note=note)
        return len(filled)


def _near(gap: Gap, spans: Iterable[tuple[datetime, datetime]]) -> bool:
    """True when one of the spans lies within an hour of the gap."""
    return any(began < gap[2] + AROUND and ended > gap[1] - AROUND for began, ended in spans)


def told(switch: str, call: LiveCall, *, proven: bool = False) -> CallFacts:
    """Return the call as the books take it from the switch's own files, with a digest of all of it."""
    facts = call_facts(switch, call, Position())
    facts = replace(
        facts, provenance="backfilled", revision=0, recorded=None, recording_name=None,
        aliases=tuple(name for name in facts.aliases if not name.startswith("~")),
        mailbox=None if facts.mailbox == UNKNOWN else facts.mailbox,
        conference=None if facts.conference == UNKNOWN else facts.conference,
    )
    return replace(facts, derivation=hashlib.sha256(repr(facts).encode()).hexdigest()[:32], proven=proven)


def _mark(place: Place | None) -> Mark | None:
    return Mark(place.inode, place.offset, place.known, place.head) if place else None


def _rows(one: Log, missing: dict[str, str]) -> Iterator[Row]:
    if one.kind in missing:
        return
    try:
        yield from one.rows()
    except (EOFError, zlib.error):
        missing[one.kind] = f"A packed part of {one.path} is not whole, perhaps because it is being packed now; it is read again with the next run."
    except OSError as error:
        missing[one.kind] = f"{one.path} cannot be read ({error.strerror}); give this user the right, or correct {one.kind} in the settings."


def _of(row: Row) -> datetime:
    """When what the row tells began."""
    return row.start if isinstance(row, Cdr) else row.at

