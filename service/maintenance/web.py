"""The pages of maintenance: visits that wait, plans, and what becomes of them."""

import uuid
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.core import asked, clock, db, identity, lists
from service.core.editing import Stale, differing
from service.core.errors import DeskError, Invalid, NotFound
from service.devices import queries as devices
from service.maintenance import actions, queries, rules
from service.maintenance.lists import PLANS, VISITS
from service.maintenance.model import MaintenancePlan
from service.maintenance.schemas import Plan
from service.maintenance.words import rhythm
from service.parties import queries as parties
from service.staff import queries as staff

bp = Blueprint("maintenance", __name__, url_prefix="/maintenance")
READ, WRITE = "maintenance.read", "maintenance.write"
NAMES = {
    "content": _l("What is done"),
    "rhythm": _l("How often"),
    "starts_on": _l("Begins on"),
    "notice_days": _l("Days of notice"),
    "responsible_id": _l("In charge"),
    "responsible_branch_id": _l("Branch in charge"),
}


@bp.get("")
def visits() -> ResponseReturnValue:
    """Visits that wait, the oldest due date first."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        page = lists.page(session, VISITS, person, request.args)
    return render_template("maintenance/visits.html", page=page, today=clock.local(clock.now()).date())


@bp.get("/plans")
def plans() -> ResponseReturnValue:
    """All plans, the next due date first."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        page = lists.page(session, PLANS, person, request.args)
    return render_template("maintenance/plans.html", page=page)


@bp.get("/plans/new/<int:device_id>")
def new(device_id: int) -> ResponseReturnValue:
    """The form for a plan of one device."""
    identity.require(WRITE)
    return _form(device_id, None, _empty(), key=uuid.uuid4().hex)


@bp.post("/plans")
def create() -> ResponseReturnValue:
    """The device is looked after from now on."""
    person, device_id = identity.require(WRITE), number(request.form.get("device_id", "")) or 0
    plan, key = _read(), request.form.get("request_key", "").strip()[:64]
    try:
        with db.begin(person.scope) as session:
            plan_id = actions.plan(session, device_id, plan, by=person.staff_id, at=clock.now(), request_key=key or None)
    except Invalid as error:
        return _form(device_id, None, plan, error, key)
    flash(_("The plan is made. Its first visit comes by itself."))
    return redirect(f"/maintenance/plans/{plan_id}")


@bp.get("/plans/<int:plan_id>")
def show(plan_id: int) -> ResponseReturnValue:
    """One plan with its visits."""
    identity.require(READ)
    return _form(0, plan_id, None)


@bp.post("/plans/<int:plan_id>")
def change(plan_id: int) -> ResponseReturnValue:
    """The plan is as the form says."""
    person, plan = identity.require(WRITE), _read()
    try:
        with db.begin(person.scope) as session:
            actions.change(session, plan_id, plan, version=number(request.form.get("version", "")) or 0, by=person.staff_id, at=clock.now())
    except (Invalid, Stale) as error:
        return _form(0, plan_id, plan, error)
    flash(_("Saved."))
    return redirect(f"/maintenance/plans/{plan_id}")


@bp.post("/plans/<int:plan_id>/state")
def state(plan_id: int) -> ResponseReturnValue:
    """The plan goes on, rests, or has ended."""
    person = identity.require(WRITE)
    with db.begin(person.scope) as session:
        actions.set_state(session, plan_id, request.form.get("state", ""), by=person.staff_id, at=clock.now())
    return redirect(f"/maintenance/plans/{plan_id}")


@bp.post("/visits/<int:visit_id>/done")
def done(visit_id: int) -> ResponseReturnValue:
    """The visit was made without a ticket."""
    person, now = identity.require(WRITE), clock.now()
    day = _day(request.form.get("done_on", "")) or clock.local(now).date()
    with db.begin(person.scope) as session:
        actions.complete(session, visit_id, request.form.get("findings", ""), done_on=day, by=person.staff_id, at=now)
    flash(_("The visit is done; the plan goes on."))
    return redirect(_plan_of(visit_id))


@bp.post("/visits/<int:visit_id>/skip")
def skip(visit_id: int) -> ResponseReturnValue:
    """Nobody goes this time."""
    person = identity.require(WRITE)
    with db.begin(person.scope) as session:
        actions.skip(session, visit_id, request.form.get("reason", ""), by=person.staff_id, at=clock.now())
    flash(_("The visit is left out; the plan goes on."))
    return redirect(_plan_of(visit_id))


# ---- inside


def number(typed: str) -> int | None:
    """A whole number that a column can hold."""
    return asked.whole(typed)


def _day(typed: str) -> date | None:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if 1970 <= found.year < 9999 else None


def _empty() -> Plan:
    return Plan("", rules.MONTHLY, clock.local(clock.now()).day, clock.local(clock.now()).date())


def _read() -> Plan:
    """The plan as typed; what is no number or no day becomes one that is refused with its field."""
    form = request.form
    return Plan(
        content=form.get("content", "").strip(),
        timing=form.get("timing", ""),
        every=_small(form.get("every", "")),
        starts_on=_day(form.get("starts_on", "")) or date.min,
        notice_days=_small(form.get("notice_days", "")),
        responsible_id=number(form.get("responsible_id", "")),
        responsible_branch_id=number(form.get("responsible_branch_id", "")),
    )


def _small(typed: str) -> int:
    found = number(typed.strip())
    return found if found is not None and found < 10_000 else -1


def _plan_of(visit_id: int) -> str:
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        found = queries.visit(session, visit_id)
    return f"/maintenance/plans/{found.plan_id}" if found else "/maintenance"


def _told(session: Session, plan: MaintenancePlan | Plan) -> dict[str, object]:
    """The plan's fields in words."""
    return {name: getattr(plan, name, "") for name in NAMES} | {
        "rhythm": rhythm(plan.timing, plan.every),
        "responsible_id": staff.names(session).get(plan.responsible_id or 0),
        "responsible_branch_id": staff.branch_names(session).get(plan.responsible_branch_id or 0),
    }


def _form(device_id: int, plan_id: int | None, typed: Plan | None, error: DeskError | None = None, key: str = "") -> ResponseReturnValue:
    """The plan as it stands, or as it was typed beside what stands."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        row = queries.plan(session, plan_id) if plan_id else None
        if plan_id and row is None:
            raise NotFound(_("There is no such plan in your branches. Look for it in the list of plans."))
        device = devices.device(session, row.device_id if row else device_id)
        if device is None:
            raise NotFound(_("There is no such device in your branches. Look for it by its serial number."))
        page = render_template(
            "maintenance/plan.html",
            row=row,
            plan=typed or row,
            key=key,
            device=device,
            owner=parties.names(session, {device.party_id}).get(device.party_id, ""),
            visits=queries.visits_of(session, row.id) if row else [],
            people=staff.assignees(session, device.branch_id),
            names=staff.names(session),
            branches=staff.branches(session),
            fields=error.fields if isinstance(error, Invalid) else {},
            refusal=error.message if error else "",
            differs=differing(_told(session, row), _told(session, typed), NAMES) if isinstance(error, Stale) and row and typed else [],
            may_write=person.may(WRITE),
            timings=rules.TIMINGS,
            plan_state=queries.PLAN_STATE,
            visit_state=queries.VISIT_STATE,
            rhythm=rhythm,
        )
    return page, error.status if error else 200
