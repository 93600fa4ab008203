"""Which calendar holds where, ready to be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.hours import rules
from service.hours.model import HoursCalendar, HoursDay, HoursSpan, HoursUse
from service.hours.rules import Calendar
from service.staff import queries as staff


@dataclass(frozen=True)
class Hours:
    """All calendars of the firm and who follows which; where nobody set hours, it is always open."""

    calendars: Mapping[int, Calendar] = field(default_factory=dict)
    uses: Mapping[tuple[int | None, str | None, str | None], int] = field(default_factory=dict)
    above: Mapping[int, int | None] = field(default_factory=dict)

    def of(self, branch_id: int | None, switch: str | None = None, *lines: str | None) -> Calendar | None:
        """The hours of the first of these lines that has any, else of the branch or the next above it, else of the firm."""
        keys: list[tuple[int | None, str | None, str | None]] = [(None, switch, line) for line in lines if line]
        while branch_id is not None:
            keys.append((branch_id, None, None))
            branch_id = self.above.get(branch_id)
        found = next((self.uses[key] for key in [*keys, (None, None, None)] if key in self.uses), None)
        return self.calendars.get(found) if found is not None else None


def is_open(calendar: Calendar | None, at: datetime) -> bool:
    """True when it is open then, or no hours are set."""
    return calendar is None or rules.is_open(calendar, at)


def open_seconds(calendar: Calendar | None, since: datetime, until: datetime) -> float:
    """The open seconds between the two; all of them where no hours are set."""
    return max((until - since).total_seconds(), 0.0) if calendar is None else rules.open_seconds(calendar, since, until)


def all_hours(session: Session) -> Hours:
    """The firm's hours, in four questions however many there are; in none of them a branch is hidden."""
    uses = {(use.of_branch, use.switch, use.line): use.calendar_id for use in session.scalars(select(HoursUse))}
    if not uses:
        return Hours()
    branches = staff.branches(session)
    return Hours(calendars(session), uses, {one.id: one.parent_id for one in branches.values()})


def calendars(session: Session) -> dict[int, Calendar]:
    """Each calendar by its id."""
    weeks: dict[int, list[list[rules.Span]]] = {}
    for span in session.scalars(select(HoursSpan).order_by(HoursSpan.opens)):
        weeks.setdefault(span.calendar_id, [[] for _ in range(7)])[span.weekday].append((span.opens, span.closes))
    days: dict[int, dict[object, int | None]] = {}
    for day in session.scalars(select(HoursDay)):
        days.setdefault(day.calendar_id, {})[day.day] = day.like_weekday
    rows = session.execute(select(HoursCalendar.id, HoursCalendar.zone))
    return {row.id: Calendar(ZoneInfo(row.zone), tuple(tuple(day) for day in weeks.get(row.id, [[]] * 7)), days.get(row.id, {})) for row in rows}  # type: ignore[arg-type]


@dataclass(frozen=True)
class Sheet:
    """One calendar as its page shows it."""

    id: int
    name: str
    zone: str
    week: tuple[str, ...]
    days: tuple[HoursDay, ...]
    uses: tuple[HoursUse, ...]


def sheets(session: Session) -> list[Sheet]:
    """Every calendar with its special days, the next ones first of all, and who follows it."""
    known = calendars(session)
    days = list(session.scalars(select(HoursDay).order_by(HoursDay.day.desc()).limit(2000)))
    uses = list(session.scalars(select(HoursUse).order_by(HoursUse.of_branch.nulls_first(), HoursUse.switch, HoursUse.line)))
    return [
        Sheet(
            row.id,
            row.name,
            row.zone,
            tuple(rules.written(day) for day in known[row.id].week),
            tuple(day for day in days if day.calendar_id == row.id),
            tuple(use for use in uses if use.calendar_id == row.id),
        )
        for row in session.scalars(select(HoursCalendar).order_by(HoursCalendar.id))
    ]
