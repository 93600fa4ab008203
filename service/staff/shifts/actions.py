"""Shifts are defined and given, leave is entered and taken back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.core import audit, clock, locks
from service.core import scope as scopes
from service.core.errors import DeskError, Invalid, NotFound
from service.core.scope import Scope
from service.staff import edits
from service.staff.model import Staff
from service.staff.shifts import rules
from service.staff.shifts.model import Leave, Shift, ShiftKind

LEAVES = ("annual", "sick", "personal", "training", "swap", "other")
LONGEST = 40
LONGEST_LEAVE = timedelta(days=400)


class PlanChanged(DeskError):
    """Somebody else planned the same day meanwhile."""


@dataclass(frozen=True)
class Kind:
    """A shift as a form describes it; minutes from midnight, None for what is no time of day."""

    name: str
    begins: int | None
    ends: int | None
    break_minutes: int | None = 0
    name_en: str = ""
    active: bool = True


@dataclass(frozen=True)
class Cell:
    """One person's day on the page: the shift that was shown and the one that was chosen, None for a free day."""

    staff_id: int
    day: date
    was: int | None
    now: int | None


@dataclass(frozen=True)
class Away:
    """Leave as a form describes it."""

    staff_id: int
    kind: str
    since: datetime | None
    until: datetime | None
    reason: str = ""


def define(session: Session, kind: Kind, *, by: int, at: datetime) -> int:
    """The shift can be given to people."""
    locks.hold(session, "shift kinds", "")
    values = _checked(session, kind, None)
    row = ShiftKind(**values)
    session.add(row)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="shift_kind", entity_id=row.id, new=values)
    return row.id


def redefine(session: Session, kind_id: int, kind: Kind, *, version: int, by: int, at: datetime) -> None:
    """The shift is as described, also where it was given already."""
    locks.hold(session, "shift kinds", "")
    row = session.get(ShiftKind, kind_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such shift. Look for it on the page of shifts."))
    values = _checked(session, kind, kind_id)
    saved: dict[str, object] = {name: getattr(row, name) for name in values}
    edits.check(row.version, version, saved, values)
    old, new = edits.changed(saved, values)
    for name, value in new.items():
        setattr(row, name, value)
    if new:
        row.version += 1
        audit.record(session, at=at, by=by, verb="changed", entity="shift_kind", entity_id=row.id, old=old, new=new)
    session.flush()


def plan(session: Session, cells: Sequence[Cell], *, within: Scope, by: int, at: datetime) -> int:
    """The days that were changed are planned so; returns how many. Nothing is kept when another planned one of them meanwhile."""
    locks.hold(session, "shifts", "")
    changed = [cell for cell in cells if cell.was != cell.now]
    people = _people(session, {cell.staff_id for cell in changed}, within)
    kinds = {row.id: row for row in session.scalars(select(ShiftKind))}
    held = _held(session, changed)
    for cell in changed:
        if held.get((cell.staff_id, cell.day)) != cell.was:
            raise PlanChanged(
                _("Somebody else planned %(name)s on %(day)s meanwhile. Nothing was saved; see the week as it is now.",
                  name=people[cell.staff_id].name, day=cell.day.isoformat())
            )
        if cell.now is not None and (cell.now not in kinds or not kinds[cell.now].active):
            raise Invalid(_("Choose one of the shifts."))
        _set(session, cell, people[cell.staff_id].branch_id)
    _told(session, changed, people, kinds, by, at)
    return len(changed)


def copy(session: Session, monday: date, staff_ids: Sequence[int], *, within: Scope, by: int, at: datetime) -> int:
    """Days that are free in this week are planned as in the week before; returns how many."""
    week = timedelta(days=7)
    days = [monday + timedelta(days=number) for number in range(7)]
    both = [*days, *(day - week for day in days)]
    rows = session.scalars(select(Shift).where(Shift.staff_id.in_(staff_ids), Shift.day.in_(both)))
    held = {(row.staff_id, row.day): row.kind_id for row in rows}
    usable = set(session.scalars(select(ShiftKind.id).where(ShiftKind.active)))
    cells = [
        Cell(staff_id, day, None, held[staff_id, day - week])
        for staff_id in staff_ids for day in days
        if (staff_id, day) not in held and held.get((staff_id, day - week)) in usable
    ]  # fmt: skip
    return plan(session, cells, within=within, by=by, at=at)


def enter_leave(session: Session, away: Away, *, within: Scope, by: int, at: datetime) -> int:
    """The person is away from one moment to the other; shifts in between stay planned and do not count."""
    wrong: dict[str, str] = {}
    if away.kind not in LEAVES:
        wrong["kind"] = _("Choose what kind of leave it is.")
    if away.since is None:
        wrong["since"] = _("Choose when it begins.")
    if away.until is None or (away.since and away.until <= away.since):
        wrong["until"] = _("It has to end after it begins.")
    elif away.since and away.until - away.since > LONGEST_LEAVE:
        wrong["until"] = _("At most 400 days at once.")
    if len(away.reason) > 200:
        wrong["reason"] = _("At most %(count)s letters.", count=200)
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)
    person = _people(session, {away.staff_id}, within)[away.staff_id]
    row = Leave(**asdict(away), by_id=by, at=at, branch_id=person.branch_id)
    session.add(row)
    session.flush()
    audit.record(session, at=at, by=by, verb="leave entered", entity="staff", entity_id=person.id, new=_plain(row), branch_id=person.branch_id)
    return row.id


def withdraw_leave(session: Session, leave_id: int, *, by: int, at: datetime) -> None:
    """The person is not away; the audit keeps that it was planned."""
    row = session.get(Leave, leave_id, with_for_update=True)
    if row is None:
        raise NotFound(_("There is no such leave. Load the week again."))
    audit.record(session, at=at, by=by, verb="leave withdrawn", entity="staff", entity_id=row.staff_id, old=_plain(row), branch_id=row.branch_id)
    session.delete(row)
    session.flush()


def _checked(session: Session, kind: Kind, kind_id: int | None) -> dict[str, object]:
    wrong: dict[str, str] = {}
    if not kind.name or len(kind.name) > LONGEST or len(kind.name_en) > LONGEST:
        wrong["name"] = _("Type a name of at most %(count)s letters.", count=LONGEST)
    elif session.scalars(select(ShiftKind.id).where(ShiftKind.name == kind.name, ShiftKind.id != (kind_id or 0))).first():
        wrong["name"] = _("There is a shift of this name.")
    if kind.begins is None:
        wrong["begins"] = _("Type a time such as 09:00.")
    if kind.ends is None:
        wrong["ends"] = _("Type a time such as 17:30.")
    begins, ends = kind.begins or 0, kind.ends or 0
    ends += rules.DAY if ends <= begins else 0  # it ends on the day after
    if kind.break_minutes is None or kind.break_minutes >= ends - begins:
        wrong["break_minutes"] = _("Minutes, fewer than the shift has.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)
    return asdict(kind) | {"begins": begins, "ends": ends}


def _people(session: Session, staff_ids: set[int], within: Scope) -> dict[int, Staff]:
    found = {row.id: row for row in session.scalars(select(Staff).where(Staff.id.in_(staff_ids))) if within.covers(row.branch_id)}
    if staff_ids - set(found):
        raise NotFound(_("There is no such person in your branches. Load the week again."))
    return found


def _held(session: Session, cells: Sequence[Cell]) -> dict[tuple[int, date], int]:
    people, days = {cell.staff_id for cell in cells}, {cell.day for cell in cells}
    shift = Shift.__table__.c
    wanted = select(shift.staff_id, shift.day, shift.kind_id).where(shift.staff_id.in_(people), shift.day.in_(days))
    with scopes.everywhere(session):  # a day that was planned in a former branch is planned too
        return {(row.staff_id, row.day): row.kind_id for row in session.execute(wanted)}


def follow(session: Session, staff_id: int, branch_id: int, *, at: datetime) -> None:
    """What is planned for the person from today on lies in the branch that they are of now; what was stays where it was."""
    today = clock.local(at).date()
    with scopes.everywhere(session):
        session.execute(update(Shift.__table__).where(Shift.__table__.c.staff_id == staff_id, Shift.__table__.c.day >= today).values(branch_id=branch_id))  # type: ignore[arg-type]
        session.execute(update(Leave.__table__).where(Leave.__table__.c.staff_id == staff_id, Leave.__table__.c.until > at).values(branch_id=branch_id))  # type: ignore[arg-type]


def _set(session: Session, cell: Cell, branch_id: int) -> None:
    if cell.now is None:
        session.execute(delete(Shift).where(Shift.staff_id == cell.staff_id, Shift.day == cell.day))
        return
    new = insert(Shift).values(staff_id=cell.staff_id, day=cell.day, kind_id=cell.now, branch_id=branch_id)
    session.execute(new.on_conflict_do_update(index_elements=["staff_id", "day"], set_={"kind_id": cell.now, "branch_id": branch_id}))


def _told(
    session: Session, cells: Sequence[Cell], people: dict[int, Staff], kinds: dict[int, ShiftKind], by: int, at: datetime
) -> None:
    """One line of the audit for each person, with the days before and after."""
    names = {number: kind.name for number, kind in kinds.items()}
    for person in people.values():
        mine = [cell for cell in cells if cell.staff_id == person.id]
        old = {cell.day.isoformat(): names.get(cell.was or 0) for cell in mine}
        new = {cell.day.isoformat(): names.get(cell.now or 0) for cell in mine}
        audit.record(session, at=at, by=by, verb="shifts planned", entity="staff", entity_id=person.id, old=old, new=new, branch_id=person.branch_id)
    session.flush()


def _plain(row: Leave) -> dict[str, object]:
    since, until = (f"{clock.local(moment):%Y-%m-%d %H:%M}" for moment in (row.since, row.until))
    return {"kind": row.kind, "since": since, "until": until, "reason": row.reason}
