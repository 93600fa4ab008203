"""The agent's own state, and a supervisor's hand on those of others."""

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.calls import queries as calls
from service.calls.agents import actions, queries
from service.calls.agents.model import AgentState
from service.calls.orders.web import back, is_script
from service.core import clock, db, identity, scope
from service.core.errors import Invalid, NotFound
from service.core.identity import Identity
from service.staff import queries as staff

bp = Blueprint("agents", __name__)


@bp.post("/settings/seat")
def seat() -> ResponseReturnValue:
    """The person sits at this extension from now on, is ready, and pops follow them there."""
    person = identity.require("desk.use")
    extension, switch = request.form.get("extension", "").strip(), request.form.get("switch", "").strip()
    if not (extension.isascii() and extension.isdigit()) or len(extension) > 10 or not switch:
        raise Invalid(_("Type the number of the phone in front of you."), {"extension": _("Digits only.")})
    if switch not in {known.name for known in current_app.config["RINGDESK"].switches}:
        raise Invalid(_("Ringdesk listens to no switch of this name. Choose one from the list."))
    with db.begin(scope.ALL) as session:
        actions.sign_in(session, person.staff_id, switch, extension, by=person.staff_id, at=clock.now())
        actions.watched(session, at=clock.now())
    return redirect(back())


@bp.post("/agent/state")
def own() -> ResponseReturnValue:
    """The agent is ready, pauses for a reason, has a minute more to write things down, or has left the seat."""
    person, now = identity.require("desk.use"), clock.now()
    what, _colon, reason = request.form.get("choice", "").partition(":")
    with db.begin(scope.ALL) as session:
        if what == "offline":
            actions.sign_out(session, person.staff_id, by=person.staff_id, at=now)
        elif what == "extend":
            actions.extend(session, person.staff_id, by=person.staff_id, at=now)
        else:
            actions.choose(session, person.staff_id, what, reason=reason, reasons=_reasons(), by=person.staff_id, at=now)
        actions.watched(session, at=now)
    return ("", 204) if is_script() and what != "offline" else redirect(back())


@bp.post("/agents/<int:staff_id>/state")
def force(staff_id: int) -> ResponseReturnValue:
    """A supervisor made the agent ready, sent them into a pause, or signed them out."""
    person, now = identity.require("floor.control"), clock.now()
    what, _colon, reason = request.form.get("choice", "").partition(":")
    _in_scope(person, staff_id)
    with db.begin(scope.ALL) as session:
        actions.force(session, staff_id, what, reason=reason, reasons=_reasons(), by=person.staff_id, at=now)
        actions.watched(session, at=now)
    return ("", 204) if is_script() else redirect(back())


@bp.get("/agents/<int:staff_id>")
def show(staff_id: int) -> ResponseReturnValue:
    """One agent: what they did today, and the queues that they serve."""
    person, now = identity.require("floor.watch"), clock.now()
    row = _in_scope(person, staff_id)
    midnight = clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    with db.begin(person.scope) as session:
        moves = queries.history(session, staff_id, midnight)
        served = queries.queues_of(session, staff_id, row.switch)
        labels = calls.queue_labels(session)
        names = staff.names(session, {staff_id, *(move.by_id for move in moves if move.by_id)})
    queues = sorted({name for switch, name in labels if switch == row.switch} | served)
    shown = {"agent": row, "moves": moves, "served": served, "queues": queues, "labels": labels, "names": names, "most": queries.MOST}
    return render_template("wallboard/agent.html", **shown)


@bp.post("/agents/<int:staff_id>/queues")
def serve(staff_id: int) -> ResponseReturnValue:
    """These are the queues that the person serves whenever they sit down at a phone."""
    person = identity.require("floor.control")
    row = _in_scope(person, staff_id)
    with db.begin(scope.ALL) as session:
        actions.serve(session, staff_id, row.switch, request.form.getlist("queue"), by=person.staff_id, at=clock.now())
    flash(_("The queues are set; who is signed in enters and leaves them now."))
    return redirect(f"/agents/{staff_id}")


def _in_scope(person: Identity, staff_id: int) -> AgentState:
    with db.begin(person.scope) as session:
        row = queries.row(session, staff_id)
    if row is None:
        raise NotFound(_("There is no such agent in your branches. Look for them on the wallboard."))
    return row


def _reasons() -> tuple[str, ...]:
    return tuple(current_app.config["RINGDESK"].pause_reasons)
