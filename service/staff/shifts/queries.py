"""Who works when: the week as a grid, and who is on duty at a moment."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from service.core import clock
from service.core.scope import Scope
from service.staff.model import Department, Staff
from service.staff.shifts import rules
from service.staff.shifts.model import Leave, Shift, ShiftKind

MOST = 100  # people on one page of the week


def on_duty(session: Session, staff_ids: Collection[int], at: datetime) -> frozenset[int]:
    """Those of these people who work a shift at that moment and are not away."""
    day = clock.local(at).date()
    planned = (
        select(Shift.staff_id, Shift.day, ShiftKind.begins, ShiftKind.ends)
        .join(ShiftKind, ShiftKind.id == Shift.kind_id)
        .where(Shift.staff_id.in_(staff_ids), Shift.day.in_((day - timedelta(days=1), day)))
    )
    working = {row.staff_id for row in session.execute(planned) if rules.covers(row.day, row.begins, row.ends, at)}
    return frozenset(working - away(session, working, at))


def away(session: Session, staff_ids: Collection[int], at: datetime) -> frozenset[int]:
    """Those of these people who are on leave at that moment."""
    if not staff_ids:
        return frozenset()
    return frozenset(session.scalars(select(Leave.staff_id).where(Leave.staff_id.in_(staff_ids), Leave.since <= at, Leave.until > at)))


def kinds(session: Session, *, all_: bool = False) -> list[ShiftKind]:
    """The shifts that can be given, earliest first; with `all_` also those that no longer can."""
    query = select(ShiftKind).order_by(~ShiftKind.active, ShiftKind.begins, ShiftKind.name)
    return list(session.scalars(query if all_ else query.where(ShiftKind.active)))


@dataclass
class Line:
    """One person's week: by day the shift and whether they are away; `unit` is their department in both languages."""

    staff_id: int
    name: str
    unit: tuple[str, str]
    shifts: dict[date, int] = field(default_factory=dict)
    away: dict[date, Leave] = field(default_factory=dict)


@dataclass(frozen=True)
class Week:
    """Seven days from a Monday on and the people of some branches; `more` when there are too many for one page."""

    days: list[date]
    lines: list[Line]
    leaves: list[Leave]
    names: dict[int, str]
    more: bool


def week(session: Session, monday: date, scope: Scope, *, branch_id: int | None, department_id: int | None) -> Week:
    """The week as it is planned, for people whom the scope shows."""
    days = [monday + timedelta(days=number) for number in range(7)]
    people = _people(session, scope, branch_id, department_id)
    lines = {row.id: Line(row.id, row.name, (row.department or "", row.department_en or row.department or "")) for row in people[:MOST]}
    for shift in session.scalars(select(Shift).where(Shift.staff_id.in_(lines), Shift.day.in_(days))):
        lines[shift.staff_id].shifts[shift.day] = shift.kind_id
    since, until = rules.moment(days[0], 0), rules.moment(days[-1], 1440)
    asked = select(Leave).where(Leave.staff_id.in_(lines), Leave.since < until, Leave.until > since).order_by(Leave.since, Leave.id)
    leaves = list(session.scalars(asked))
    _mark(lines, leaves, days)
    return Week(days, list(lines.values()), leaves, {line.staff_id: line.name for line in lines.values()}, len(people) > MOST)


def _people(session: Session, scope: Scope, branch_id: int | None, department_id: int | None) -> list[Row[int, str, str, str]]:
    query = (
        select(Staff.id, Staff.name, Department.name.label("department"), Department.name_en.label("department_en"))
        .outerjoin(Department, Department.id == Staff.department_id)
        .where(Staff.active)
        .order_by(Staff.branch_id, Department.name, Staff.name, Staff.id)
        .limit(MOST + 1)
    )
    if scope.branches is not None:
        query = query.where(Staff.branch_id.in_(scope.branches))
    if branch_id:
        query = query.where(Staff.branch_id == branch_id)
    if department_id:
        query = query.where(Staff.department_id == department_id)
    return list(session.execute(query))


def _mark(lines: dict[int, Line], leaves: Iterable[Leave], days: list[date]) -> None:
    for leave in leaves:
        for day in days:
            if leave.since < rules.moment(day, 1440) and leave.until > rules.moment(day, 0):
                lines[leave.staff_id].away[day] = leave
