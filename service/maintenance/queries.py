"""Plans, visits to come and visits made, as screens need them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from service.maintenance.model import MaintenancePlan as MaintenancePlan
from service.maintenance.model import MaintenanceReminder as MaintenanceReminder
from service.maintenance.words import rhythm as rhythm

OPEN = ("due", "dispatched")
PLAN_STATE: Mapping[str, LazyString] = {"active": _l("Active"), "paused": _l("Resting"), "ended": _l("Ended")}
VISIT_STATE: Mapping[str, LazyString] = {
    "due": _l("To dispatch"),
    "dispatched": _l("Ticket made"),
    "done": _l("Done"),
    "skipped": _l("Left out"),
}


@dataclass(frozen=True)
class Visit:
    """A reminder with its plan."""

    id: int
    plan_id: int
    plan_number: str
    content: str
    device_id: int
    due_on: date
    state: str
    ticket_id: int | None
    responsible_id: int | None
    responsible_branch_id: int | None
    done_on: date | None
    done_by_id: int | None
    findings: str
    passed: int
    reason: str
    branch_id: int


def visits() -> Select[*tuple[Any, ...]]:
    """The select behind every list of visits: columns in the order of Visit."""
    reminder, plan = MaintenanceReminder, MaintenancePlan
    return select(
        reminder.id, reminder.plan_id, plan.number, plan.content, reminder.device_id, reminder.due_on, reminder.state,
        reminder.ticket_id, plan.responsible_id, plan.responsible_branch_id, reminder.done_on, reminder.done_by_id,
        reminder.findings, reminder.passed, reminder.reason, reminder.branch_id,
    ).join(plan, plan.id == reminder.plan_id)


def made_at(session: Session, device_id: int, *, until: tuple[datetime, int] | None, limit: int) -> list[MaintenanceReminder]:
    """Visits made at the device, newest first, before a moment and id."""
    reminder = MaintenanceReminder
    query = select(reminder).where(reminder.device_id == device_id, reminder.state == "done")
    if until:
        at, last = until
        query = query.where((reminder.done_at < at) | ((reminder.done_at == at) & (reminder.id < last)))
    return list(session.scalars(query.order_by(reminder.done_at.desc(), reminder.id.desc()).limit(limit)))


def last_visits(session: Session, device_ids: Collection[int]) -> dict[int, Visit]:
    """The last visit made at each of these devices, in one query."""
    if not device_ids:
        return {}
    reminder = MaintenanceReminder
    done = visits().where(reminder.device_id.in_(device_ids), reminder.state == "done")
    query = done.ext(distinct_on(reminder.device_id)).order_by(reminder.device_id, reminder.done_on.desc(), reminder.id.desc())
    return {visit.device_id: visit for visit in (Visit(*row) for row in session.execute(query))}


def plans_of(session: Session, device_id: int) -> list[MaintenancePlan]:
    """The plans of a device, those that go on first."""
    query = select(MaintenancePlan).where(MaintenancePlan.device_id == device_id)
    return list(session.scalars(query.order_by(MaintenancePlan.state, MaintenancePlan.next_due_on, MaintenancePlan.id)))


def in_charge(session: Session, staff_id: int) -> int:
    """How many plans that go on have the person in charge."""
    mine = (MaintenancePlan.responsible_id == staff_id, MaintenancePlan.state == "active")
    return session.scalar(select(func.count()).select_from(MaintenancePlan).where(*mine)) or 0


def in_charge_of_any(session: Session) -> set[int]:
    """Who is in charge of plans that have not ended."""
    return {one for one in session.scalars(select(MaintenancePlan.responsible_id).where(MaintenancePlan.state != "ended").distinct()) if one}


def plan(session: Session, plan_id: int) -> MaintenancePlan | None:
    """The plan, or None when it is not there or not in scope."""
    return session.get(MaintenancePlan, plan_id)


def visits_of(session: Session, plan_id: int, limit: int = 50) -> list[Visit]:
    """All visits of a plan, newest due date first."""
    query = visits().where(MaintenanceReminder.plan_id == plan_id).order_by(MaintenanceReminder.due_on.desc()).limit(limit)
    return [Visit(*row) for row in session.execute(query)]


def visit(session: Session, visit_id: int) -> MaintenanceReminder | None:
    """The visit, or None when it is not there or not in scope."""
    return session.get(MaintenanceReminder, visit_id)
