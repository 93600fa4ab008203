"""Which calls: one set of conditions for the list, its statistics and its export, so that they cannot disagree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service.calls.kpi.measures import ANSWERED, NAMES, Measures
from service.calls.kpi.queries import Since
from service.calls.model import Call
from service.core import phone
from service.core.kpi import Figures

SUPERVISION = "supervision"
MOST = 400  # rows of a table of figures
GROUPS = ("hour", "day", "queue", "agent", "line")


@dataclass(frozen=True)
class Filters:
    """What calls are narrowed to; empty means everything. Times are aware, `until` is left out."""

    party_id: int | None = None
    staff_id: int | None = None
    direction: str = ""
    disposition: str = ""
    outcome: str = ""
    reason: str = ""
    number: str = ""
    whole_number: bool = True
    queue: str = ""
    called: str = ""
    branch_id: int | None = None
    ticketed: bool | None = None
    recorded: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    switch: str = ""
    figure: str = ""
    measured_by: tuple[Since, ...] = ()


def conditions(wanted: Filters) -> list[ColumnElement[bool]]:
    """The conditions on a call; each of them holds."""
    found: list[ColumnElement[bool]] = [Call.started_at.is_not(None), Call.joined_to_id.is_(None)]
    for column, value in (
        (Call.party_id, wanted.party_id),
        (Call.staff_id, wanted.staff_id),
        (Call.disposition, wanted.disposition),
        (Call.outcome, wanted.outcome),
        (Call.reason, wanted.reason),
        (Call.queue, wanted.queue),
        (Call.switch, wanted.switch),
        (Call.called, wanted.called),
        (Call.branch_id, wanted.branch_id),
    ):
        if value:
            found.append(column == value)
    found += _way(wanted.direction)
    if wanted.ticketed is not None:
        found.append(Call.ticketed.is_(wanted.ticketed))
    if wanted.recorded is not None:
        recorded = Call.recorded.is_(True) & Call.answered_at.is_not(None)
        found.append(recorded if wanted.recorded else ~func.coalesce(recorded, False))
    if wanted.figure in NAMES:
        found.append(Measures(wanted.measured_by).condition(wanted.figure))
    return found + _span(wanted) + ([_has_number(wanted.number, whole=wanted.whole_number)] if wanted.number else [])


def _way(direction: str) -> list[ColumnElement[bool]]:
    """Who listens in speaks with nobody: such calls are shown to those who ask for them, and counted nowhere else."""
    if direction == SUPERVISION:
        return [Call.role == SUPERVISION]
    others = Call.role.is_distinct_from(SUPERVISION)
    return [others, Call.direction == direction] if direction else [others]


def _span(wanted: Filters) -> list[ColumnElement[bool]]:
    since = [Call.started_at >= wanted.since] if wanted.since else []
    return since + ([Call.started_at < wanted.until] if wanted.until else [])


def _has_number(part: str, *, whole: bool) -> ColumnElement[bool]:
    """Either side's number contains it, or is it, as it was dialled or as it is written internationally.

    Whoever sees no whole numbers must know the whole: digit by digit, a part would tell the rest.
    """
    if whole:
        written = phone.parse(part).e164 or part
        return or_(*(column == part for column in (Call.caller_number, Call.called)), *(column == written for column in (Call.caller_e164, Call.called_e164)))
    digits = "".join(letter for letter in part if letter.isdigit()) or part
    return or_(
        *(column.contains(part, autoescape=True) for column in (Call.caller_number, Call.called)),
        *(column.contains(digits, autoescape=True) for column in (Call.caller_e164, Call.called_e164)),
    )


def listed(wanted: Filters, before: tuple[datetime, int] | None = None) -> Select[Call]:
    """The calls, newest first, after the row that was seen last."""
    query = select(Call).where(*conditions(wanted))
    if before:
        query = query.where(tuple_(Call.started_at, Call.id) < before)
    return query.order_by(Call.started_at.desc(), Call.id.desc())


def parties(session: Session, wanted: Filters) -> set[int]:
    """Whose calls they are."""
    return {party for party in session.scalars(select(Call.party_id).where(*conditions(wanted)).distinct()) if party}


def each(session: Session, wanted: Filters, *, limit: int) -> Iterator[Call]:
    """Every call, newest first, read in portions so that memory stays flat."""
    yield from session.scalars(listed(wanted).limit(limit).execution_options(yield_per=1000))


class Sums(NamedTuple):
    """What a group of calls adds up to; ring and talk are seconds on average, None when there is nothing to average.

    `queued` are the key figures of those among them that were offered to a queue.
    """

    calls: int
    answered: int
    missed: int
    busy: int
    failed: int
    live: int
    ring: Decimal | None
    talk: Decimal | None
    queued: Figures

    @property
    def answer_rate(self) -> float | None:
        """Answered / (answered + missed + busy + failed), in percent; calls that go on are in neither."""
        ended = self.calls - self.live
        return 100 * self.answered / ended if ended else None


class Group(NamedTuple):
    """One row of the statistics: the hour, day, staff id, line or (switch, queue), and what its calls add up to."""

    key: object
    sums: Sums


class Spread(NamedTuple):
    """How long the answered of the queues waited: half of them no longer than p50, nine in ten no longer than p90."""

    p50: float | None
    p90: float | None


def sums(session: Session, wanted: Filters) -> Sums:
    """All of the calls together."""
    return _told(session.execute(select(*_sums(wanted)).where(*conditions(wanted))).one())


def spread(session: Session, wanted: Filters) -> Spread:
    """The waits of the answered among them."""
    parts = [func.percentile_cont(part).within_group(Call.wait_seconds).filter(ANSWERED) for part in (0.5, 0.9)]
    return Spread(*session.execute(select(*parts).where(*conditions(wanted))).one())


def grouped(session: Session, wanted: Filters, group: str, zone: str, *, limit: int = MOST) -> list[Group]:
    """The calls by hour of the day, local day, queue, agent (staff id) or line called; the sums of all groups are those of the list.

    Calls that came in on no line are one group, whose key is None.
    """
    local = func.timezone(zone, Call.started_at)
    keys: dict[str, tuple[Any, ...]] = {
        "hour": (func.extract("hour", local),),
        "day": (func.date(local),),
        "queue": (Call.switch, Call.queue),
        "agent": (Call.staff_id,),
        "line": (case((Call.direction == "inbound", Call.called)),),  # whom we called is no line of ours
    }
    key = keys[group]
    first = key[0].desc() if group == "day" else key[0] if group == "hour" else func.count().desc()
    rows = session.execute(select(*key, *_sums(wanted)).where(*conditions(wanted)).group_by(*key).order_by(first, *key).limit(limit))
    return [Group(_key(row[: len(key)]), _told(row[len(key) :])) for row in rows]


def _key(values: Sequence[Any]) -> object:
    """One value, or the pair that names a queue; None where the calls were in none."""
    if len(values) == 1:
        return values[0]
    return tuple(values) if values[1] is not None else None


def _told(row: Sequence[Any]) -> Sums:
    return Sums(*(*row[:8], Figures(*row[8:])))


def _sums(wanted: Filters) -> list[ColumnElement[Any]]:
    outcomes: list[ColumnElement[Any]] = [func.count(case((Call.outcome == name, 1))) for name in ("answered", "missed", "busy", "failed")]
    return [
        func.count(),
        *outcomes,
        func.count(case((Call.outcome.is_(None), 1))),
        func.avg(Call.ring_seconds),
        func.avg(Call.talk_seconds),
        *Measures(wanted.measured_by).sums(),
    ]
