"""Orders to one's own phone: dial, pass on, park, hang up, listen in."""

from flask import Blueprint, current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import missed
from service.calls import queries as calls
from service.calls.agents import queries as agents
from service.calls.orders import actions
from service.calls.orders.actions import About
from service.calls.orders.model import PhoneOrder
from service.core import asked, clock, db, identity
from service.core.asked import back as back
from service.core.errors import DeskError, NotFound
from service.core.identity import Identity
from service.parties import queries as parties
from service.staff import queries as staff

bp = Blueprint("orders", __name__)


class NoActor(DeskError):
    """The switch takes no orders from us."""


@bp.post("/orders/dial")
def dial() -> ResponseReturnValue:
    """The person's phone will ring, and then the number; the call belongs to what it was begun from."""
    person = identity.require("call.dial")
    with db.begin(person.scope) as session:
        ready(session, person)
        about, name, known = _about(session)
        number = request.form.get("number", "") or known
        order = actions.dial(session, number, key=request.form.get("key", ""), by=person.staff_id, at=clock.now(), about=about, name=name)
        if about.kind == "missed_caller" and about.id:
            missed.taken(session, about.id, by=person.staff_id, at=clock.now())
        return told(order)


def _about(session: Session) -> tuple[About, str, str]:
    """What the form names, as far as it is in scope, what to show on the phone, and its number: no page needs to know it."""
    party_id, contact_id, call_id = (_id(name) for name in ("party", "contact", "call"))
    missed_id = _id("missed")
    if missed_id:
        caller = missed.waits(session, missed_id)
        return About(caller.party_id, None, "missed_caller", missed_id), parties.names(session, {caller.party_id or 0}).get(caller.party_id or 0, ""), caller.number
    found = calls.call(session, call_id) if call_id else None
    if call_id and found is None:
        raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
    if found is not None:
        party_id, contact_id = found.party_id, found.contact_id
    number = calls.customer_number(found.direction, found.caller_number, found.called) or "" if found else ""
    card = parties.card(session, party_id) if party_id else None
    if party_id and card is None and found is None:
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    kind, about_id = ("call", call_id) if call_id else ("contact", contact_id) if contact_id else ("party", party_id) if party_id else ("", None)
    if card is None:
        return About(None, None, kind, about_id), "", number
    contact = next((one.id for one in card.contacts if one.id == contact_id), None)
    own = next((one.raw for one in card.phones if one.id == _id("phone")), "")
    return About(card.party.id, contact, kind, about_id), card.party.name, own or number or next((one.raw for one in card.phones), "")


def _id(name: str) -> int | None:
    value = request.form.get(name, "")
    return asked.whole(value)


@bp.post("/orders/on-call")
def on_call() -> ResponseReturnValue:
    """The call at the person's own phone is passed on, parked or hung up."""
    person = identity.require("desk.use")
    form = request.form
    with db.begin(person.scope) as session:
        ready(session, person)
        pop = calls.pop(session, _id("pop") or 0)
        if pop is None or pop.staff_id != person.staff_id:
            raise NotFound(_("This call is not at your phone. Look for it in the list of calls."))
        order = actions.on_call(
            session, form.get("kind", ""), pop.call_key, key=form.get("key", ""), by=person.staff_id, at=clock.now(), to=form.get("to", "")
        )
        return told(order)


@bp.post("/agents/<int:staff_id>/listen")
def listen(staff_id: int) -> ResponseReturnValue:
    """The supervisor's phone will ring and hear the agent's; it is on record."""
    person = identity.require("floor.listen")
    form = request.form
    with db.begin(person.scope) as session:
        agent = agents.row(session, staff_id)
        if agent is None:
            raise NotFound(_("There is no such agent in your branches. Look for them on the wallboard."))
        ready(session, person)
        if agent.phase not in ("talking", "hold"):
            raise DeskError(_("Nobody talks at this phone now."))
        order = actions.listen_in(
            session,
            form.get("kind", ""),
            staff_id,
            (agent.switch, agent.extension),
            key=form.get("key", ""),
            by=person.staff_id,
            at=clock.now(),
        )
        return told(order)


def ready(session: Session, person: Identity) -> None:
    """Raises unless the person sits at a phone of a switch that takes orders."""
    seat = staff.extension_of(session, person.staff_id, clock.now())
    switches = {switch.name: switch for switch in current_app.config["RINGDESK"].switches}
    if seat is None:
        raise actions.NoSeat(_("You sit at no phone. Take a seat at the top right, then try again."))
    if seat[0] not in switches or not switches[seat[0]].acts:
        raise NoActor(_("This switch takes no orders. Ask an administrator to set actor_username and actor_secret."))


def told(order: PhoneOrder) -> ResponseReturnValue:
    """The order as a script or a person without one reads it."""
    if is_script():
        return actions.told(order)
    flash(_("Your phone will ring in a moment."))
    return redirect(back())


def is_script() -> bool:
    """True when our own script asks, and not a form."""
    return request.headers.get("Accept", "").startswith("application/json")
