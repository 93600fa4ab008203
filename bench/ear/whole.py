"""A captured load through the whole path, as fast as it goes: bytes, frames, steps, floor, journal, sink, PostgreSQL."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bench.stage import Stage
from service.core import clock, db, scope
from telephony.feed import Feed
from telephony.floor import Floor
from telephony.journal import Journal, Position
from telephony.sink import Sink

EXACT = 0.05
_ROWS = text("select call_key, caller_number, answered_by, disposition, answered_at, ended_at, live from call where switch = :switch")


@dataclass(frozen=True)
class Went:
    """How a load went: processor seconds of ours, seconds until heard and until stored, calls stored, and how many are not as they were."""

    spent: float
    heard: float
    stored: float
    calls: int
    wrong: int | None


def through(place: Stage, switch: str, chunks: list[bytes], capture: Path) -> Went:
    """Plays the reads at once and waits until the last call is stored; `wrong` is None where no truth lies beside the capture."""
    floor, feed, journal = Floor(), Feed(), Journal(place.settings.journal_dir / switch)
    sink = Sink(switch, db.engine(place.settings.dsn_app, name="bench", pool_size=3))
    sink.start()
    began, busy = time.monotonic(), time.process_time()
    journal.begin(time.time())
    for chunk in chunks:
        journal.write(chunk, time.time())
        changes = [change for event in feed.hear(chunk, clock.now()) for change in floor.hear(event)]
        sink.take(changes, Position(journal.position.segment, feed.offset))
    journal.sync()
    heard = time.monotonic() - began
    sink.stop(120.0)
    stored, spent = time.monotonic() - began, time.process_time() - busy
    journal.close()
    with db.begin(scope.ALL) as session:
        rows = {row.call_key: row for row in session.execute(_ROWS, {"switch": switch})}
    return Went(spent, heard, stored, len(rows), _wrong(rows, capture))


def _wrong(rows: dict[str, Any], capture: Path) -> int | None:
    beside = capture.with_name(capture.name.removesuffix(".gz").removesuffix(".ami") + ".expected.json")
    if not beside.exists():
        return None
    found = json.loads(beside.read_text())
    true = [dict(zip(found["columns"], row, strict=True)) for row in found["calls"]]
    return sum(not _agrees(rows.get(call["linkedid"]), call) for call in true) + len(rows.keys() - {call["linkedid"] for call in true})


def _agrees(row: Any, true: dict[str, Any]) -> bool:
    return (row is not None and not row.live and (row.disposition == "answered") == (true["disposition"] == "answered")
            and row.caller_number == true["caller_number"] and row.answered_by == true["agent"]
            and _near(row.answered_at, true["connected"]) and _near(row.ended_at, true["end"]))


def _near(at: Any, true: float | None) -> bool:
    return (at is None) == (true is None) and (true is None or abs(at.timestamp() - true) < EXACT)
