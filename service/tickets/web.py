"""Tickets on screen: the list, the form, the page and its moves."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.calls import queries as calls
from service.core import clock, db, identity, lists, masking, pages, phone, scope
from service.core.errors import Invalid, NotFound
from service.core.identity import Identity
from service.devices import queries as devices
from service.parties import queries as parties
from service.sla import queries as sla
from service.staff import queries as staff
from service.tickets import actions, origins, queries, rules
from service.tickets.forms import TicketForm, number, typed
from service.tickets.lists import TICKETS

bp = Blueprint("tickets", __name__)


@dataclass(frozen=True)
class View:
    """One named way to look at the list."""

    code: str
    name: Any
    icon: str


VIEWS = (
    View("mine", _l("Assigned to me"), "user"),
    View("open", _l("All open"), "inbox"),
    View("registered", _l("To assign"), "user-question"),
    View("assigned", _l("To accept"), "hourglass"),
    View("accepted", _l("Accepted"), "user-check"),
    View("processing", _l("In progress"), "tool"),
    View("to_settle", _l("To settle"), "cash"),
    View("closed", _l("Closed"), "lock"),
    View("all", _l("All tickets"), "list-details"),
)


@bp.get("/tickets")
def index() -> ResponseReturnValue:
    """The list, narrowed by view, customer and words."""
    person = identity.require("ticket.read")
    with db.begin(person.scope) as session:
        page = lists.page(session, TICKETS, person, request.args)
    view = next(v for v in VIEWS if v.code == page.asked.wanted.get("view", "open"))
    return render_template("tickets/list.html", page=page, views=VIEWS, view=view)


@bp.get("/tickets/new")
def new() -> ResponseReturnValue:
    """The form with everything the call already told."""
    person = identity.require("ticket.write")
    with db.begin(person.scope) as session:
        form = _proposed(session, person)
        return _form(session, person, form)


def _proposed(session: Session, person: Identity) -> TicketForm:
    about = {"party_id": number("party"), "contact_id": number("contact"), "device_id": number("device"), "component_id": number("part")}
    form = TicketForm.model_validate(about | {"request_key": uuid.uuid4().hex})
    if number("pop"):
        return _from_pop(session, person, form)
    if number("call"):
        return _from_call(session, person, form)
    return form


def _from_pop(session: Session, person: Identity, form: TicketForm) -> TicketForm:
    pop = calls.pop(session, number("pop") or 0)
    if pop is None or pop.staff_id != person.staff_id:
        raise NotFound(_("This call is not at your phone. Look for it in the list of calls."))
    said = masking.shown_plain(person, _outside(pop))
    told = {"pop": pop.id, "party_id": pop.party_id, "contact_id": form.contact_id or pop.contact_id, "phone": said}
    return form.model_copy(update=told)


def _outside(call: calls.AgentPop | calls.Call) -> str:
    return calls.customer_number(call.direction, call.caller_number, call.called) or ""


def _from_call(session: Session, person: Identity, form: TicketForm) -> TicketForm:
    call = calls.call(session, number("call") or 0)
    if call is None:
        raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
    said = masking.shown_plain(person, _outside(call))
    told = {"call": call.id, "party_id": form.party_id or call.party_id, "contact_id": form.contact_id or call.contact_id, "phone": said}
    return form.model_copy(update=told)


def _form(
    session: Session, person: Identity, form: TicketForm, fields: dict[str, str] | None = None, refusal: str = ""
) -> str:
    card = parties.card(session, form.party_id) if form.party_id else None
    proposed = sla.proposed(card.party.grade) if card else "normal"
    return render_template(
        "tickets/form.html" if "HX-Request" in request.headers else "tickets/new.html",
        **{"values": form.model_copy(update={"priority": form.priority or proposed}), "card": card},
        **{"devices": _choice(session, form), "covered": _covered(session, form.device_id), "proposed": proposed},
        **{
            "assignees": _assignees(session, person, card.party.branch_id if card else None),
            "priorities": rules.PRIORITIES,
        },
        **{"types": rules.TYPES, "fields": fields or {}, "refusal": "" if fields else refusal},
        **{"linked": form.pop or form.call, "embedded": "HX-Request" in request.headers, "today": _today()},
    )


def _assignees(session: Session, person: Identity, branch_id: int | None) -> list[Any]:
    """Whom the person may give a ticket of that branch: anybody, or without that right only themselves."""
    everybody = person.may(rules.MOVES["assign"].permission, branch_id)
    return [one for one in staff.assignees(session, branch_id) if everybody or one.id == person.staff_id]


@bp.get("/tickets/cover")
def cover() -> ResponseReturnValue:
    """The warranty of the chosen device and of its components as of today, and what the customer is told of the charge."""
    person, form = identity.require("ticket.write"), TicketForm(pop=number("pop"), device_id=number("device_id"))
    with db.begin(person.scope) as session:
        return render_template("tickets/cover.html", values=form, fields={}, covered=_covered(session, form.device_id))


def _covered(session: Session, device_id: int | None) -> devices.Covered | None:
    row = devices.device(session, device_id) if device_id else None
    return devices.covered(session, [row], clock.local(clock.now()).date())[row.id] if row else None


def _choice(session: Session, form: TicketForm) -> list[devices.Device]:
    """The customer's devices, and the chosen one in any case."""
    rows = devices.devices_of(session, form.party_id) if form.party_id else []
    chosen = devices.device(session, form.device_id) if form.device_id and form.device_id not in {row.id for row in rows} else None
    return [*rows, *([chosen] if chosen and chosen.party_id == form.party_id else [])]


def _today() -> date:
    return clock.local(clock.now(), get_timezone()).date()


@bp.post("/tickets")
def register() -> ResponseReturnValue:
    """A ticket exists, linked to its call; the same form sent twice is one ticket."""
    person = identity.require("ticket.write")
    form = typed()
    try:
        with db.begin(person.scope) as session:
            _may_assign(session, person, form)
            call = _call(session, person, form)
            told = form.model_copy(update={"phone": _phone(person, form, _outside(call) if call else None)})
            new = told.to_new((call.switch, call.call_key) if call else None)
            ticket_id = actions.register(session, new, by=person.staff_id, at=clock.now())
    except Invalid as error:
        with db.begin(person.scope) as session:
            return _form(session, person, form, error.fields, error.message), 422
    return _registered(person, form, ticket_id)


def _phone(person: Identity, form: TicketForm, outside: str | None) -> str:
    """The number of the ticket: that of the call as it came, or one that somebody typed."""
    typed = masking.typed_phone(person, form.phone, outside)
    if typed and typed != outside and not phone.is_written(typed):
        raise Invalid(_("Type a phone number."), {"phone": _("Type a phone number.")})
    return typed


def _may_assign(session: Session, person: Identity, form: TicketForm) -> None:
    """Refused in words when the ticket is to be given to another and the person may not do that in the customer's branch."""
    if form.assignee_id in (None, person.staff_id):
        return
    card = parties.card(session, form.party_id) if form.party_id else None
    person.require_for(rules.MOVES["assign"].permission, card.party.branch_id if card else person.branch_id)


def _call(session: Session, person: Identity, form: TicketForm) -> calls.AgentPop | calls.Call | None:
    """What the form was opened from: a call at the person's own phone, or one of the list."""
    if form.pop:
        pop = calls.pop(session, form.pop)
        return pop if pop and pop.staff_id == person.staff_id else None
    return calls.call(session, form.call) if form.call else None


def _registered(person: Identity, form: TicketForm, ticket_id: int) -> ResponseReturnValue:
    with db.begin(person.scope) as session:
        page = queries.ticket_page(session, ticket_id)
    assert page is not None, "a ticket that was just registered"
    if "HX-Request" not in request.headers:
        _done()
        flash(_("Registered as %(number)s.", number=page.ticket.number))
        return redirect(f"/tickets/{ticket_id}")
    answer = make_response(
        render_template("tickets/saved.html", page=page, ticket=page.ticket, linked=form.pop or form.call)
    )
    return _told(answer, form.pop, page.ticket.number)


def _told(answer: Response, pop_id: int | None, ticket_number: str) -> Response:
    answer.headers["HX-Trigger"] = json.dumps({"ticket-saved": {"pop": pop_id, "number": ticket_number}})
    return answer


@bp.get("/tickets/<int:ticket_id>")
def show(ticket_id: int) -> ResponseReturnValue:
    """The ticket with customer, timeline, calls, and the moves that start from here."""
    person = identity.require("ticket.read")
    with _about(person, ticket_id) as session:
        page = queries.ticket_page(session, ticket_id)
        if page is None:
            raise NotFound(_("There is no such ticket in your branches. Check the number or ask its branch."))
        others = [t for t in queries.open_tickets(session, page.ticket.party_id) if t.id != ticket_id]
        people = staff.assignees(session, page.ticket.branch_id)
        origin = origins.of(session, page.ticket)
    moves = [move for move in rules.possible(page.ticket.state) if person.may(move.permission, page.ticket.branch_id)]
    return render_template(
        "tickets/ticket.html", page=page, origin=origin, others=others, assignees=people, moves=moves, today=_today()
    )


@bp.post("/tickets/<int:ticket_id>/assign")
def assign(ticket_id: int) -> ResponseReturnValue:
    """Somebody is asked to take the ticket."""
    identity.require(rules.MOVES["assign"].permission)  # before a word about what was sent
    chosen = number("staff_id")
    if not chosen:
        raise Invalid(_("Choose who takes the ticket."))
    return _moved(ticket_id, "assign", lambda s, **who: actions.assign(s, ticket_id, chosen, **who))


@bp.post("/tickets/<int:ticket_id>/accept")
def accept(ticket_id: int) -> ResponseReturnValue:
    """The assignee has it."""
    return _moved(ticket_id, "accept", lambda s, **who: actions.accept(s, ticket_id, **who))


@bp.post("/tickets/<int:ticket_id>/start")
def start(ticket_id: int) -> ResponseReturnValue:
    """Work has begun."""
    return _moved(ticket_id, "start", lambda s, **who: actions.start(s, ticket_id, **who))


@bp.post("/tickets/<int:ticket_id>/finish")
def finish(ticket_id: int) -> ResponseReturnValue:
    """The work is done and said in words."""
    result = request.form.get("result", "")
    return _moved(ticket_id, "finish", lambda s, **who: actions.finish(s, ticket_id, result, **who))


@bp.post("/tickets/<int:ticket_id>/close")
def close(ticket_id: int) -> ResponseReturnValue:
    """The ticket is history."""
    return _moved(ticket_id, "close", lambda s, **who: actions.close(s, ticket_id, **who))


@bp.post("/tickets/<int:ticket_id>/note")
def note(ticket_id: int) -> ResponseReturnValue:
    """The internal note stands in the timeline."""
    person = identity.require("ticket.write")
    with _about(person, ticket_id) as session:
        actions.note(session, ticket_id, request.form.get("note", ""), by=person.staff_id, at=clock.now())
    _done()
    return redirect(f"/tickets/{ticket_id}#timeline")


@bp.post("/tickets/<int:ticket_id>/dial")
def dial(ticket_id: int) -> ResponseReturnValue:
    """The person's phone rings, and then the customer's; the ticket has the call."""
    person, form = identity.require("call.dial"), request.form
    with _about(person, ticket_id) as session:
        order = actions.dial(session, ticket_id, form.get("number", ""), key=form.get("key", ""), by=person.staff_id, at=clock.now())
        told = calls.order_told(order)
    if request.headers.get("Accept", "").startswith("application/json"):
        return told
    flash(_("Your phone will ring in a moment."))
    return redirect(f"/tickets/{ticket_id}")


def _moved(ticket_id: int, verb: str, act: Callable[..., None]) -> ResponseReturnValue:
    permission = rules.MOVES[verb].permission
    person = identity.require(permission)
    _may_here(ticket_id, permission)
    try:
        with _about(person, ticket_id) as session:
            act(session, by=person.staff_id, at=clock.now(), version=number("version"))
    except (actions.StaleTicket, actions.WrongState) as error:
        if not pages.wants_page():
            raise
        flash(error.message, "banner")  # on the ticket itself, where the way on is
    else:
        _done()
    return _onward(person, ticket_id)


def _may_here(ticket_id: int, permission: str) -> None:
    """Refused in words when the person sees the ticket, and may do this in other branches only."""
    reader = identity.current()
    assert reader is not None
    with db.begin(reader.scope) as session:
        branch_id = queries.branch_of(session, ticket_id)
    if branch_id is not None:
        reader.require_for(permission, branch_id)


def _onward(person: Identity, ticket_id: int) -> ResponseReturnValue:
    """To the ticket, as long as the person still sees it."""
    with db.begin(person.scope) as session:
        if queries.branch_of(session, ticket_id) is not None:
            return redirect(f"/tickets/{ticket_id}")
    flash(_("The ticket is passed on; it is no longer among those that you see."))
    return redirect("/tickets")


@contextmanager
def _about(person: Identity, ticket_id: int) -> Iterator[Session]:
    """One transaction about a ticket; that somebody asked for one that they may not see is on record."""
    try:
        with db.begin(person.scope) as session:
            yield session
    except NotFound:
        with db.begin(scope.ALL) as session:
            actions.refused(session, ticket_id, by=person.staff_id, at=clock.now())
        raise


def _done() -> None:
    """The next page tells the browser that the words of this form are kept here now, so that it may forget them."""
    if draft := request.form.get("draft", "")[:80]:
        flash(draft, "draft")


@bp.get("/tickets/of-call/<int:call_id>")
def of_call(call_id: int) -> ResponseReturnValue:
    """The tickets that remember the call, for the call's page."""
    person = identity.require("ticket.read")
    with db.begin(person.scope) as session:
        names = calls.names_of(session, call_id)
        found = queries.tickets_of_call(session, names) if names else []
    return render_template("tickets/of_call.html", rows=found, call_id=call_id)
