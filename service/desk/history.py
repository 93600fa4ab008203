"""One line of time of a device: what was done to it, its tickets and their calls, its upkeep and patrols, each read by its own room and merged here.

A further source (such as repairs outside) is one more entry of SOURCES: it reads its rows before a moment and
id, newest first, as many as it is asked for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.calls import queries as calls
from service.devices import queries as devices
from service.maintenance import queries as maintenance
from service.maintenance.patrols import queries as patrols
from service.staff import queries as staff
from service.tickets import queries as tickets

LAST = 2**62  # after every id
RANKS = 16  # room for sources in a mark
Place = tuple[datetime, int]


@dataclass(frozen=True)
class Line:
    """Something that happened at that moment; lines of one moment stand in the order of their sources."""

    at: datetime
    rank: int
    id: int
    kind: str
    row: Any


Mark = tuple[datetime, int, int]  # moment, rank of the source, id
Read = Callable[[Session, int, Place | None, int], Sequence[tuple[datetime, int, Any]]]


@dataclass(frozen=True)
class History:
    """Lines newest first, who and which tickets and swaps they name, and where the next page begins."""

    lines: list[Line]
    people: dict[int, str]
    numbers: dict[int, str]
    swaps: dict[int, devices.DeviceSwap]
    others: dict[int, devices.Device]
    more: Mark | None


def _events(session: Session, device_id: int, until: Place | None, limit: int) -> list[tuple[datetime, int, Any]]:
    return [(row.at, row.id, row) for row in devices.events(session, device_id, until=until, limit=limit)]


def _tickets(session: Session, device_id: int, until: Place | None, limit: int) -> list[tuple[datetime, int, Any]]:
    return [(row.registered_at, row.id, row) for row in tickets.of_device(session, device_id, until=until, limit=limit)]


def _calls(session: Session, device_id: int, until: Place | None, limit: int) -> list[tuple[datetime, int, Any]]:
    names = tickets.calls_of_device(device_id)
    return [(row.started_at, row.id, row) for row in calls.calls_until(session, names, until=until, limit=limit) if row.started_at]


def _upkeep(session: Session, device_id: int, until: Place | None, limit: int) -> list[tuple[datetime, int, Any]]:
    return [(row.done_at, row.id, row) for row in maintenance.made_at(session, device_id, until=until, limit=limit) if row.done_at]


def _patrols(session: Session, device_id: int, until: Place | None, limit: int) -> list[tuple[datetime, int, Any]]:
    return [(row.at, row.id, row) for row in patrols.visits_of_device(session, device_id, until=until, limit=limit)]


SOURCES: tuple[tuple[str, Read], ...] = (("event", _events), ("ticket", _tickets), ("call", _calls), ("upkeep", _upkeep), ("patrol", _patrols))


def read(session: Session, device_id: int, *, until: Mark | None = None, limit: int = 30) -> History:
    """The next lines after that mark, whatever happened; the number of queries does not grow with them."""
    found = [
        Line(at, rank, row_id, kind, row)
        for rank, (kind, source) in enumerate(SOURCES)
        for at, row_id, row in source(session, device_id, _from(until, rank), limit + 1)
    ]
    found.sort(key=lambda line: (-line.at.timestamp(), line.rank, -line.id))
    lines = found[:limit]
    last = lines[-1] if len(found) > limit else None
    return _named(session, device_id, lines, (last.at, last.rank, last.id) if last else None)


def _from(until: Mark | None, rank: int) -> Place | None:
    """Where this source goes on: of the mark's own moment a source before it is through, one after it has all to come."""
    if until is None:
        return None
    at, reached, last = until
    return at, last if rank == reached else 0 if rank < reached else LAST


def _named(session: Session, device_id: int, lines: list[Line], more: Mark | None) -> History:
    rows = {kind: [line.row for line in lines if line.kind == kind] for kind, _source in SOURCES}
    people = {row.by_id for row in rows["event"]} | {row.staff_id for row in rows["call"]} | {row.assignee_id for row in rows["ticket"]}
    people |= {row.done_by_id for row in rows["upkeep"]} | {row.inspector_id for row in rows["patrol"]}
    swaps = devices.swaps(session, {row.swap_id for row in rows["event"] if row.swap_id})
    ends = {one for swap in swaps.values() for one in (swap.old_device_id, swap.new_device_id) if one and one != device_id}
    numbers = tickets.numbers(session, {row.ticket_id for row in rows["event"] if row.ticket_id})
    named = staff.names(session, {one for one in people if one is not None})
    return History(lines, named, numbers, swaps, devices.by_ids(session, ends), more)


def mark(place: Place | None) -> Mark | None:
    """The mark that an address carries as a moment and a number."""
    return (place[0], place[1] % RANKS, place[1] // RANKS) if place else None


def place(mark: Mark) -> Place:
    """The mark for an address."""
    return mark[0], mark[2] * RANKS + mark[1]
