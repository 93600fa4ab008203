"""What is true afterwards: the switch's own truth, the journal's bytes, a replay and PostgreSQL's rows, held side by side."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.kill.board import Board
from bench.kill.firm import Firm
from bench.kill.watchers import Browser
from telephony import journal, replay
from telephony.simulator.session import BANNER
from telephony.simulator.truth import Truth
from telephony.switch import Switch

LAG = 1.0  # seconds by which a busy machine may send an event later than it is stamped
LOOK = 1.0  # seconds by which a busy machine may note too late that somebody listens
NEAR = 0.5  # seconds by which a stored length or moment may differ from the truth
_ID = re.compile(rb"\r\n(Dest)?(Uniqueid|Linkedid): ([^\r\n]+)")
_KINDS = {b"Event: Newchannel": "began", b"Event: Hangup": "ended"}

CALLS = """
    select c.*, array(select uniqueid from call_alias a where a.call_id = c.id) as names from call c order by c.id
"""
SAME = ("direction", "caller_number", "caller_name", "called", "queue", "disposition", "answered_by", "hangup_by")
SECONDS = ("wait_seconds", "talk_seconds", "total_seconds")
REPLAYED = ("direction", "caller_number", "called", "queue", "agent", "answered_by", "disposition", "hangup_by", "live",
            "end_certain", "provenance")
MOMENTS = {"start": "started_at", "queued": "queued_at", "connected": "answered_at", "end": "ended_at"}


@dataclass
class Heard:
    """What the journal's bytes say of one call: in which connections its first channel began and ended."""

    began: int | None = None
    ended: int | None = None

    @property
    def whole(self) -> bool:
        """True when nothing of the call can have been missed."""
        return self.began is not None and self.began == self.ended


@dataclass
class Journal:
    """The journal, read without the product's own understanding of it."""

    calls: dict[str, Heard] = field(default_factory=dict)
    last_reads: list[float] = field(default_factory=list)  # by connection
    snapshots: list[float] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "Journal":
        """Every frame that is whole, of every connection."""
        found = cls()
        for _, path in journal.segments(folder):
            data = path.read_bytes()
            if data.startswith(BANNER):
                found.last_reads.append(0.0)
            if data:
                found._segment(data, path)
        return found

    def _segment(self, data: bytes, path: Path) -> None:
        lines = path.with_name(path.name + ".times").read_text("ascii", "replace").splitlines()
        reads = [(int(offset), float(at)) for offset, at in (line.split() for line in lines if line.count(" ") == 1)]
        self.last_reads[-1] = reads[-1][1] if reads else 0.0
        shown = data.find(b"Event: CoreShowChannelsComplete")
        if shown >= 0 and len(self.snapshots) < len(self.last_reads):
            self.snapshots.append(max(at for offset, at in reads if offset <= shown))
        for frame in data.split(b"\r\n\r\n")[:-1]:
            if frame.startswith(b"Event: "):
                self._frame(frame)

    def _frame(self, frame: bytes) -> None:
        names = {(dest, kind): value.decode() for dest, kind, value in _ID.findall(frame)}
        for linkedid in {value for (_, kind), value in names.items() if kind == b"Linkedid"}:
            self.calls.setdefault(linkedid, Heard())
        own = names.get((b"", b"Uniqueid"))
        kind = _KINDS.get(frame.split(b"\r\n", 1)[0])
        if kind and own is not None and own == names.get((b"", b"Linkedid")):
            setattr(self.calls[own], kind, len(self.last_reads))


def findings(firm: Firm, board: Board, browsers: Sequence[Browser]) -> list[str]:
    """Everything that is not as it must be, once no call is up any more; one sentence each."""
    folder = firm.settings.journal_dir / "pbx1"
    read, truths = Journal.read(folder), {truth.linkedid: truth for truth in board.truths()}
    rows = firm.rows(CALLS)
    gaps = [(row.began_at, row.ended_at) for row in firm.rows("select began_at, ended_at from feed_gap order by id")]
    wrong = [
        *lost_or_doubled(rows, truths, read, board.heard),
        *dishonest(rows, truths, read, gaps),
        *unlike_replay(rows, folder),
        *unrecorded(board.heard, gaps),
        *pops(firm, rows, browsers),
    ]
    return wrong


def _owner(row: Any, truths: Iterable[str]) -> list[str]:
    return [name for name in row.names if name in truths]


def lost_or_doubled(rows: list[Any], truths: dict[str, Truth], read: Journal, heard: list[list[float]]) -> Iterator[str]:
    """Calls that the journal saw, or that must have been heard, and that are not exactly one row."""
    stored: dict[str, int] = {}
    for row in rows:
        owners = _owner(row, truths)
        if len(owners) != 1:
            yield f"row {row.id} ({row.call_key}) belongs to {len(owners)} calls of the switch"
        for name in owners:
            stored[name] = stored.get(name, 0) + 1
        if row.live:
            yield f"call {row.call_key} is still up in the books, the switch has none"
    yield from (f"call {name} is {times} rows" for name, times in stored.items() if times > 1)
    yield from (f"call {name} is in the journal and not in the books" for name in read.calls if name not in stored)
    for truth in truths.values():
        if truth.linkedid not in stored and _audible(truth, read, heard):
            yield f"call {truth.linkedid} was up while a listener was connected and is not in the books"


def _audible(truth: Truth, read: Journal, heard: list[list[float]]) -> bool:
    """True when the call lay in a connection, or was up when one had its snapshot."""
    assert truth.ended_at is not None
    for index, span in enumerate(heard[: len(read.snapshots)]):
        until = read.last_reads[index] - LAG
        if span[0] < truth.started_at and truth.ended_at < until:
            return True
        if truth.started_at < span[0] and truth.ended_at > read.snapshots[index]:
            return True
    return False


def dishonest(rows: list[Any], truths: dict[str, Truth], read: Journal, gaps: list[Any]) -> Iterator[str]:
    """Rows that say what is not so: exact where all was heard, and an unknown end only where it was not."""
    for row in rows:
        for name in _owner(row, truths):
            heard, truth = read.calls.get(name, Heard()), truths[name]
            if heard.whole:
                yield from _differences(row, truth, SAME, SECONDS)
                if row.provenance != "live" or not row.end_certain:
                    yield f"call {name} was heard whole and is told as {row.provenance}, end_certain {row.end_certain}"
            elif heard.ended is not None:
                told = (row.disposition, row.hangup_by, row.end_certain)
                unsaid = told == ("lost", None, False) and truth.disposition != "answered"  # who rang in the gap is unknown
                same = ("disposition", "hangup_by") if not unsaid else ()
                yield from _differences(row, truth, ("direction", "caller_number", *same), ())
                if not (row.end_certain or unsaid) or not _near(row.ended_at.timestamp(), truth.ended_at):
                    yield f"call {name}: its end was heard at {truth.ended_at}, the books say {row.ended_at}, {row.end_certain}"
            else:
                yield from _unknown_end(row, truth, gaps)


def _differences(row: Any, truth: Truth, same: Iterable[str], seconds: Iterable[str]) -> Iterator[str]:
    told = row._mapping
    for name in same:
        if told[name] != getattr(truth, name):
            yield f"call {truth.linkedid}: {name} is {told[name]!r} in the books and {getattr(truth, name)!r} in truth"
    for name in seconds:
        if not _near(told[name], getattr(truth, name)):
            yield f"call {truth.linkedid}: {name} is {told[name]} in the books and {getattr(truth, name)} in truth"


def _near(one: Any, other: Any) -> bool:
    return one is other if one is None or other is None else abs(float(one) - float(other)) < NEAR


def _unknown_end(row: Any, truth: Truth, gaps: list[Any]) -> Iterator[str]:
    """An end that fell into a gap is told as such: not certain, nobody blamed, its moment within the gap."""
    if row.end_certain:
        if (row.disposition, row.hangup_by) != (truth.disposition, truth.hangup_by):
            yield f"call {truth.linkedid}: its end was not heard, yet {row.disposition} by {row.hangup_by} is told as certain"
        return
    if row.disposition not in ("answered", "failed") or (row.disposition == "answered" and truth.disposition != "answered"):
        yield f"call {truth.linkedid}: its end was not heard, it was {truth.disposition} and is told as {row.disposition}"
    if row.hangup_by is not None:
        yield f"call {truth.linkedid}: its end was not heard, yet {row.hangup_by} is said to have hung up"
    at = row.ended_at
    lag = timedelta(seconds=LAG)  # the last thing heard is stamped a little before it is read
    if at is None or not any(began - lag <= at <= ended for began, ended in gaps if ended):
        yield f"call {truth.linkedid}: its end was not heard, and the books put it at {at}, outside every gap"


def unlike_replay(rows: list[Any], folder: Path) -> Iterator[str]:
    """Calls of which the whole journal, played again, tells otherwise than the books."""
    played = replay.replay([path for _, path in journal.segments(folder)], Switch("pbx1"))
    calls = {call["linkedid"]: call for call in map(replay.told, played.in_order())}
    stored = {row.call_key: row for row in rows}
    yield from (f"call {key} is in a replay only" for key in calls.keys() - stored.keys())
    yield from (f"call {key} is not in a replay" for key in stored.keys() - calls.keys())
    for key in calls.keys() & stored.keys():
        told, row = calls[key], stored[key]._mapping
        for name in REPLAYED:
            if told[name] != row[name]:
                yield f"call {key}: {name} is {row[name]!r} in the books and {told[name]!r} in a replay"
        for name, column in MOMENTS.items():
            if not _near(told[name], row[column].timestamp() if row[column] else None):
                yield f"call {key}: {column} is {row[column]} in the books and {told[name]} in a replay"


def unrecorded(heard: list[list[float]], gaps: list[tuple[datetime, datetime | None]]) -> Iterator[str]:
    """Spans in which nobody listened to the switch and that no gap covers with both its bounds."""
    cuts = [(one[1], other[0]) for one, other in pairwise(heard)]
    for began, ended in cuts:
        if not any(a.timestamp() <= began and b and b.timestamp() >= ended - LOOK for a, b in gaps):
            yield f"nobody listened from {began:.2f} to {ended:.2f} and no gap covers that"
    if len(gaps) != len(cuts):
        yield f"the switch was unheard {len(cuts)} times and {len(gaps)} gaps are on record"


def pops(firm: Firm, rows: list[Any], browsers: Sequence[Browser]) -> Iterator[str]:
    """Pops that a browser never saw, that are two rows, or that ring on without a call."""
    found = firm.rows("select id, staff_id, extension, call_key, state from agent_pop order by id")
    calls = {name: row.id for row in rows for name in row.names}
    told: set[tuple[object, str]] = set()
    for pop in found:
        which = (calls.get(pop.call_key, pop.call_key), pop.extension)
        if which in told:
            yield f"the pop {pop.id} of call {pop.call_key} at {pop.extension} is a second one"
        told.add(which)
        if pop.state in ("ringing", "talking"):
            yield f"the pop {pop.id} of call {pop.call_key} is still {pop.state}"
    for browser in browsers:
        unseen = [pop.id for pop in found if pop.staff_id == browser.person and pop.id not in browser.seen]
        if unseen:
            yield f"person {browser.person} never saw the pops {unseen}"


def nights(firm: Firm) -> list[str]:
    """After a night that nobody disturbed: records that are open or unexplained, and files that nobody needs."""
    wrong = []
    for row in firm.rows("select id, state, reason, ended_at, generation from night_run order by id"):
        if row.ended_at is None or row.state not in ("published", "refused", "failed"):
            wrong.append(f"the night {row.id} is still {row.state}")
        elif (row.state == "published") != (row.generation is not None) or (row.state != "published") != bool(row.reason):
            wrong.append(f"the night {row.id} is {row.state}, generation {row.generation}, because {row.reason!r}")
    folder = firm.settings.warehouse_dir
    left = [path.name for path in folder.iterdir() if path.name != "current" and not re.fullmatch(r"gen-\d+\.duckdb", path.name)]
    if left:
        wrong.append(f"left in the archive: {', '.join(left)}")
    return wrong


def silent(firm: Firm, board: Board, troubled: list[tuple[float, float]]) -> list[str]:
    """Phones that rang while nothing was wrong and whose agent had no pop."""
    popped: dict[str, set[str]] = {}
    for row in firm.rows("select a.uniqueid, p.extension from agent_pop p join call_alias o on o.uniqueid = p.call_key "
                         "join call_alias a on a.call_id = o.call_id"):
        popped.setdefault(row.uniqueid, set()).add(row.extension)
    wrong = []
    for truth in board.truths():
        assert truth.ended_at is not None
        calm = not any(truth.started_at < b + LAG and truth.ended_at > a - LAG for a, b in troubled)
        missing = set(truth.agents_rung) - popped.get(truth.linkedid, set())
        if calm and missing:
            wrong.append(f"call {truth.linkedid} rang at {', '.join(sorted(missing))} and nobody was told")
    return wrong
