"""The lists of visits and of plans."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from service.core import clock, lists
from service.core.identity import Identity
from service.core.lists import Action, Column, Empty, Filter, ListSpec, Told
from service.devices import queries as devices
from service.devices.queries import Device
from service.maintenance import actions, queries
from service.maintenance.model import MaintenancePlan, MaintenanceReminder
from service.maintenance.queries import PLAN_STATE, VISIT_STATE
from service.maintenance.words import rhythm
from service.parties import queries as parties
from service.staff import queries as staff


def _visits(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """Visits that wait, unless a state is asked for; nobody goes to a device that is retired, until it comes back."""
    gone = (MaintenanceReminder.state == "due") & exists().where(Device.id == MaintenanceReminder.device_id, Device.state == "retired")
    query = queries.visits().where(~gone)
    return query if "state" in wanted else query.where(MaintenanceReminder.state.in_(queries.OPEN))


def _told(session: Session, rows: Sequence[Any], wanted: Mapping[str, Any]) -> dict[str, Mapping[Any, Any]]:
    """Devices, their customers and the people in charge: one query each."""
    known = devices.by_id(session, {row.device_id for row in rows})
    owners = parties.names(session, {device.party_id for device in known.values()})
    return {
        "devices": {id_: f"{device.name} {device.model}".strip() for id_, device in known.items()},
        "serials": {id_: device.serial or device.number for id_, device in known.items()},
        "customers": {id_: owners.get(device.party_id, "") for id_, device in known.items()},
        "people": staff.names(session, {row.responsible_id for row in rows if row.responsible_id}),
    }


def _people(session: Session) -> Sequence[tuple[str, Any]]:
    return [(str(person.id), person.name) for person in staff.assignees(session)]


def _in_charge(session: Session) -> Sequence[tuple[str, Any]]:
    """Those who may be in charge, and behind them those who still are and may not any more."""
    able = _people(session)
    rest = staff.names(session, queries.in_charge_of_any(session) - {int(key) for key, _name in able})
    return [*able, *((str(key), name) for key, name in sorted(rest.items(), key=lambda one: one[1]))]


def _late(visit: Any, told: Told) -> bool:
    return visit.state in queries.OPEN and visit.due_on < clock.local(told.at).date()


def _whom(session: Session) -> Sequence[tuple[str, Any]]:
    return [("plan", _l("as each plan says")), *_people(session)]


def _make_ticket(session: Session, visit_id: int, whom: str, person: Identity, at: datetime) -> None:
    """The visit has its ticket, given to the one who was chosen, or as its plan says."""
    actions.dispatch(session, visit_id, assignee_id=None if whom == "plan" else int(whom), by=person.staff_id, at=at)


VISITS = lists.know(
    ListSpec(
        name="visits",
        title=_l("Maintenance"),
        address="/maintenance",
        permission="maintenance.read",
        rows=_visits,
        key=MaintenanceReminder.id,
        link=lambda visit: f"/maintenance/plans/{visit.plan_id}",
        cells="maintenance/cells.html",
        columns=(
            Column("due", _l("Due on"), lambda visit, _told: visit.due_on, "date", MaintenanceReminder.due_on, width=116, card="labelled"),
            Column("content", _l("What is done"), lambda visit, _told: visit.content, width=0, card="title"),
            Column("device", _l("Device"), lambda visit, told: told.name("devices", visit.device_id), width=200, card="quiet"),
            Column("serial", _l("Serial number"), lambda visit, told: told.name("serials", visit.device_id), width=140, card="off"),
            Column("customer", _l("Customer"), lambda visit, told: told.name("customers", visit.device_id), width=220, card="quiet"),
            Column("responsible", _l("In charge"), lambda visit, told: told.name("people", visit.responsible_id), width=110, card="quiet"),
            Column("state", _l("State"), lambda visit, told: str(_l("Overdue") if _late(visit, told) else VISIT_STATE[visit.state]), "state", MaintenanceReminder.state, width=110),
            Column("done", _l("Done on"), lambda visit, _told: visit.done_on, "date", MaintenanceReminder.done_on, True, 116, shown=False),
            Column("findings", _l("Found"), lambda visit, _told: visit.findings, width=240, shown=False, card="off"),
        ),
        filters=(
            Filter("state", _l("State"), "choice", lambda state: MaintenanceReminder.state == state, options=lambda _session: tuple(VISIT_STATE.items())),
            Filter("responsible", _l("In charge"), "choice", lambda text: MaintenancePlan.responsible_id == int(text), options=_in_charge),
            Filter("due_from", _l("Due from"), "day", lambda day: MaintenanceReminder.due_on >= day),
            Filter("due_to", _l("Due until"), "day", lambda day: MaintenanceReminder.due_on <= day),
            Filter("device", _l("Device"), "number", lambda id_: MaintenanceReminder.device_id == id_, form=False, names="devices"),
        ),
        sort="due",
        labels=_told,
        actions=(Action("dispatch", _l("Make tickets"), "ticket", "maintenance.write", _make_ticket, options=_whom, choose=_l("Person")),),
        empty=Empty("calendar-check", _l("No visit waits"), _l("Plans bring their visits here by themselves, as many days ahead as each plan says."), "/maintenance/plans", _l("See the plans")),
    )
)  # fmt: skip


def _ahead(plan: MaintenancePlan) -> date | None:
    return plan.next_due_on if plan.state == "active" else None


PLANS = lists.know(
    ListSpec(
        name="plans",
        title=_l("Maintenance plans"),
        address="/maintenance/plans",
        permission="maintenance.read",
        rows=lambda _session, _wanted: select(MaintenancePlan),
        key=MaintenancePlan.id,
        link=lambda plan: f"/maintenance/plans/{plan.id}",
        columns=(
            Column("number", _l("No."), lambda plan, _told: plan.number, "ref", MaintenancePlan.number, width=156),
            Column("content", _l("What is done"), lambda plan, _told: plan.content, width=0, card="title"),
            Column("rhythm", _l("How often"), lambda plan, _told: rhythm(plan.timing, plan.every), width=170, card="quiet"),
            Column("device", _l("Device"), lambda plan, told: told.name("devices", plan.device_id), width=200, card="quiet"),
            Column("customer", _l("Customer"), lambda plan, told: told.name("customers", plan.device_id), width=220, card="quiet"),
            Column("responsible", _l("In charge"), lambda plan, told: told.name("people", plan.responsible_id), width=110, card="off"),
            Column("next", _l("Next on"), lambda plan, _told: _ahead(plan), "date", MaintenancePlan.next_due_on, width=116, card="labelled"),
            Column("done", _l("Last done"), lambda plan, _told: plan.done_on, "date", MaintenancePlan.done_on, True, 116, card="off"),
            Column("state", _l("State"), lambda plan, _told: str(PLAN_STATE[plan.state]), "state", MaintenancePlan.state, width=100),
        ),
        filters=(
            Filter("q", _l("Number or words"), clause=lambda text: MaintenancePlan.number.contains(text, autoescape=True) | MaintenancePlan.content.icontains(text, autoescape=True)),
            Filter("state", _l("State"), "choice", lambda state: MaintenancePlan.state == state, options=lambda _session: tuple(PLAN_STATE.items())),
            Filter("responsible", _l("In charge"), "choice", lambda text: MaintenancePlan.responsible_id == int(text), options=_in_charge),
            Filter("device", _l("Device"), "number", lambda id_: MaintenancePlan.device_id == id_, form=False, names="devices"),
        ),
        sort="next",
        labels=_told,
        empty=Empty("calendar-repeat", _l("No plan yet"), _l("Open a device and give it a plan; its visits come by themselves."), permission="maintenance.write"),
    )
)  # fmt: skip
