"""A page says that somebody is in a field for a secret, and that they have left it."""

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.calls import queries as calls
from service.calls.model import AgentPop
from service.calls.orders.web import NoActor
from service.calls.pauses import actions
from service.core import clock, db, identity
from service.core.errors import NotFound
from service.core.identity import Identity

bp = Blueprint("pauses", __name__)


@bp.post("/recordings/pause")
def pause() -> ResponseReturnValue:
    """The recording of the talk at the person's own phone is to be silent, or that of an agent whom they supervise."""
    person, form = identity.require("desk.use"), request.form
    with db.begin(person.scope) as session:
        pop = calls.pop(session, int(form["pop"]) if form.get("pop", "").isdecimal() and len(form["pop"]) < 19 else 0)
        if pop is None or not _may(person, pop):
            raise NotFound(_("This call is not at your phone. Look for it in the list of calls."))
        _acts(pop.switch)
        row = actions.pause(session, pop, form.get("field", ""), key=form.get("key", ""), by=person.staff_id, at=clock.now())
        return actions.told(row)


def _may(person: Identity, pop: AgentPop) -> bool:
    """One's own talk, or one in scope of who may change what agents do."""
    return pop.staff_id == person.staff_id or person.may("floor.control", pop.branch_id)


def _acts(switch: str) -> None:
    switches = {one.name: one for one in current_app.config["RINGDESK"].switches}
    if switch not in switches or not switches[switch].acts:
        raise NoActor(_("This switch takes no orders. Ask an administrator to set actor_username and actor_secret."))


@bp.post("/recordings/resume")
def resume() -> ResponseReturnValue:
    """The field was left; what nobody knows of needs no answer, since a page that closes asks in passing."""
    person, form = identity.require("desk.use"), request.form
    with db.begin(person.scope) as session:
        row = actions.resume(session, form.get("key", ""), form.get("why", ""), by=person.staff_id, at=clock.now())
        return actions.told(row) if row else ("", 204)
