"""What truly became of each call, by the rows that the switch wrote while it happened; nothing here was heard over AMI."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from telephony.records import Cel, Form, cel, records

EXACT = 1.5  # seconds that the switch's own two tellings of a moment may lie apart: it stamps what it sends when it gets to it


@dataclass
class Call:
    """One caller: the number, who took the call, from when to when both spoke."""

    number: str
    agent: str | None = None
    connected: datetime | None = None
    ended: datetime | None = None


def calls(path: Path, begin: int = 0) -> dict[str, Call]:
    """Return each caller's call by its linkedid, of the rows written since that byte."""
    data, found, inside = path.read_bytes()[begin:], dict[str, Call](), defaultdict[str, set[str]](set)
    for row in _rows(data):
        if row.kind == "CHAN_START" and row.uniqueid == row.linkedid:
            found[row.linkedid] = Call(row.number)
        call = found.get(row.linkedid)
        if call is None:
            continue
        if row.kind == "BRIDGE_ENTER":
            inside[row.linkedid].add(row.uniqueid)
            if len(inside[row.linkedid]) == 2 and call.connected is None:
                call.connected = row.at
            if row.uniqueid != row.linkedid:
                call.agent = row.channel.partition("/")[2].rpartition("-")[0]
        elif row.kind == "HANGUP" and row.uniqueid == row.linkedid:
            call.ended = row.at
    return found


def _rows(data: bytes) -> Iterator[Cel]:
    for _, record in records(data):
        row = cel(record, Form())
        if row is not None:
            yield row


def wrong(true: dict[str, Call], told: dict[str, list[Any]]) -> dict[str, int]:
    """Return how many calls are missed, doubled, or told otherwise than they were."""
    found = {"missed": sum(key not in told for key in true), "doubled": sum(len(rows) > 1 for rows in told.values()),
             "strange": sum(key not in true for key in told), "open": sum(rows[0].live for rows in told.values())}
    both = [(call, told[key][0]) for key, call in true.items() if key in told]
    return found | {
        "number": sum(call.number != row.caller_number for call, row in both),
        "agent": sum(call.agent != row.answered_by for call, row in both),
        "outcome": sum((call.connected is not None) != (row.disposition == "answered") for call, row in both),
        "connected": sum(_apart(call.connected, row.answered_at) for call, row in both),
        "end": sum(_apart(call.ended, row.ended_at) for call, row in both),
    }


def apart(true: dict[str, Call], told: dict[str, list[Any]]) -> list[float]:
    """Return how many seconds each answer and end was heard from when it was written."""
    both = [(call, told[key][0]) for key, call in true.items() if key in told]
    pairs = [pair for call, row in both for pair in ((call.connected, row.answered_at), (call.ended, row.ended_at))]
    return [abs((one - other).total_seconds()) for one, other in pairs if one and other]


def _apart(one: datetime | None, other: datetime | None) -> bool:
    return (one is None) != (other is None) or (one is not None and other is not None and abs((one - other).total_seconds()) > EXACT)
