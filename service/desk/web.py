"""The agent desk: the caller beside the call, who it is, and the customer's page."""

from typing import Any

from flask import Blueprint, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import queries as calls
from service.core import asked, clock, db, identity, masking
from service.core.errors import Invalid
from service.core.identity import Identity
from service.desk import actions, figures, queries, shell, uncovering
from service.desk import found as finder
from service.parties import queries as parties
from service.parties.actions import LooksAlike, NewParty
from service.tickets import queries as tickets

bp = Blueprint("desk", __name__)
bp.record_once(shell.registered)


@bp.get("/desk")
def desk() -> ResponseReturnValue:
    """The desk with the person's own open tickets; calls come by themselves."""
    person = identity.require("desk.use")
    switches = [switch.name for switch in current_app.config["RINGDESK"].switches]
    with db.begin(person.scope) as session:
        own, unheard = _own_tickets(session, person), calls.unheard(session, switches)
    return render_template("desk/desk.html", **own, unheard=unheard)


@bp.get("/desk/mine")
def mine() -> ResponseReturnValue:
    """The person's own open tickets and their count, for a desk that is already open."""
    person = identity.require("desk.use")
    with db.begin(person.scope) as session:
        own = _own_tickets(session, person)
    return render_template("desk/mine.html", **own, again=True)


def _own_tickets(session: Session, person: Identity) -> dict[str, Any]:
    mine = tickets.TicketFilters(assignee_id=person.staff_id, open_only=True)
    rows = tickets.ticket_list(session, limit=30, filters=mine)
    return {"rows": rows, "names": parties.names(session, {row.party_id for row in rows})}


@bp.get("/desk/pops/<int:pop_id>")
def pop(pop_id: int) -> ResponseReturnValue:
    """The caller's details for the card that is already on the screen."""
    return _details(pop_id)


@bp.post("/desk/pops/<int:pop_id>/choose")
def choose(pop_id: int) -> ResponseReturnValue:
    """One of several possible customers is the one."""
    person = identity.require("desk.use")
    party, _colon, contact = request.form.get("choice", "").partition(":")
    party_id = _number(party)
    if party_id is None:
        raise Invalid(_("Choose the customer who calls."))
    with db.begin(person.scope) as session:
        actions.choose(session, pop_id, party_id, _number(contact), by=person, at=clock.now())
    return _details(pop_id)


@bp.post("/desk/pops/<int:pop_id>/attach")
def attach(pop_id: int) -> ResponseReturnValue:
    """The number is a known customer's from now on."""
    person = identity.require("party.write")
    party_id = _number(request.form.get("party_id", ""))
    if party_id is None:
        return _details(pop_id, {"party": _("Choose the customer first.")}, 422)
    try:
        with db.begin(person.scope) as session:
            contact = request.form.get("contact_name", "")
            actions.attach(session, pop_id, party_id, contact, by=person, at=clock.now())
    except Invalid as error:
        return _details(pop_id, error.fields or {"party": error.message}, 422)
    return _details(pop_id)


def _number(typed: str) -> int | None:
    """A whole number that a column can hold; signs that only look like digits are none."""
    return asked.whole(typed)


@bp.post("/desk/pops/<int:pop_id>/customer")
def create(pop_id: int) -> ResponseReturnValue:
    """A customer who has never called before is on file."""
    person = identity.require("party.write")
    try:
        with db.begin(person.scope) as session:
            number = queries.caller_number(queries.own_pop(session, pop_id, person)) or ""
            anyway = request.form.get("anyway") == "1"
            actions.create(session, pop_id, _new_party(number), by=person, at=clock.now(), anyway=anyway)
    except LooksAlike as error:
        return _details(pop_id, {"name": error.message, "alike": "1"}, 422)
    except Invalid as error:
        return _details(pop_id, error.fields or {"name": error.message}, 422)
    return _details(pop_id)


def _new_party(number: str) -> NewParty:
    form = request.form
    kind = "person" if form.get("kind") == "person" else "company"
    return NewParty(
        name=form.get("name", ""),
        phone=number,
        contact_name=form.get("contact_name", ""),
        kind=kind,
        address=form.get("address", ""),
        department=form.get("department", ""),
    )


def _details(pop_id: int, fields: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    person, now = identity.require("desk.use"), clock.now()
    with db.begin(person.scope) as session:
        caller = queries.caller(session, pop_id, person, figures.local(now).date())
    page = render_template("desk/caller.html", **_for_page(caller.customer), caller=caller, fields=fields or {})
    return page, status


def _for_page(customer: queries.Customer | None) -> dict[str, Any]:
    return {"customer": customer, "today": figures.local(clock.now()).date(), "typed": request.form}


@bp.post("/numbers/show")
def show_number() -> ResponseReturnValue:
    """One covered number or mail address is shown whole, and who asked for it is on record."""
    person, form = identity.require(masking.PHONE_REVEAL), request.form
    with db.begin(person.scope) as session:
        shown = uncovering.uncover(session, form.get("kind", ""), _number(form.get("id", "")) or 0, by=person, at=clock.now())
    return {"shown": shown}


@bp.get("/found")
def found() -> ResponseReturnValue:
    """What fits the letters typed into the field of the bar."""
    person, typed = identity.require(), request.args.get("q", "").strip()[:100]
    hits = finder.found(typed, person)
    serial = "" if hits else finder.new_serial(typed, person)
    return render_template("desk/found.html", hits=hits, typed=typed, serial=serial)
