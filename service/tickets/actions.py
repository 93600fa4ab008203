"""Tickets move: register, assign, accept, start, finish, close. Each step is one line of the timeline."""

from dataclasses import replace
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.core import audit, clock, db, editing, locks, masking, numbers
from service.core.errors import DeskError, Invalid, NotFound
from service.devices import queries as devices
from service.parties import queries as parties
from service.sla import queries as sla
from service.staff import queries as staff
from service.tickets import effects, rules
from service.tickets.effects import Finished as Finished
from service.tickets.effects import on_finish as on_finish
from service.tickets.index import index, reindex
from service.tickets.model import Ticket, TicketCall, TicketEvent
from service.tickets.queries import STATE
from service.tickets.schemas import NewTicket


class WrongState(DeskError):
    """The ticket is not where this move begins."""


class StaleTicket(editing.Stale):
    """The ticket was changed since it was read, in another window or by another person."""


def register(session: Session, new: NewTicket, *, by: int, at: datetime) -> int:
    """The ticket has a number, its limits and its call; the same request twice is one ticket."""
    known = _same_request(session, new.request_key)
    if known is not None:
        return known
    card = parties.card(session, new.party_id)
    if card is None:
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    new = replace(new, party_id=card.party.id)  # of a merged customer the one it became
    covered = _covered(session, new, at)
    _check(new, {contact.id for contact in card.contacts}, covered)
    ticket = _row(session, new, covered, card.party.branch_id, by, at)
    session.add(ticket)
    session.flush()
    index(session, [ticket.id])
    _line(session, ticket, "registered", by=by, at=at, field="state", new="registered", note=new.subject)
    if new.call:
        link_call(session, ticket.id, *new.call, by=by, at=at)
    if new.assignee_id:
        assign(session, ticket.id, new.assignee_id, by=by, at=at)
    audit.record(
        session,
        at=at,
        by=by,
        verb="registered",
        entity="ticket",
        entity_id=ticket.id,
        new={"number": ticket.number, "party_id": ticket.party_id},
        branch_id=ticket.branch_id,
    )
    return ticket.id


def _same_request(session: Session, key: str | None) -> int | None:
    """The ticket of the same form, also of one that is being registered at this moment."""
    if not key:
        return None
    locks.hold(session, "ticket request", key)
    return session.scalars(select(Ticket.id).where(Ticket.request_key == key)).first()


def _covered(session: Session, new: NewTicket, at: datetime) -> devices.Covered | None:
    """The device with its warranty on the firm's day of the report."""
    device = devices.device(session, new.device_id) if new.device_id else None
    return devices.covered(session, [device], clock.local(at).date())[device.id] if device else None


def _check(new: NewTicket, contacts: set[int], covered: devices.Covered | None) -> None:
    wrong = {}
    if not new.subject.strip():
        wrong["subject"] = _("Say in one line what is wrong.")
    if new.priority not in rules.PRIORITIES:
        wrong["priority"] = _("Choose urgent, normal or low.")
    if new.type not in rules.TYPES:
        wrong["type"] = _("Choose one of the ticket types.")
    if new.contact_id and new.contact_id not in contacts:
        wrong["contact_id"] = _("This contact belongs to another customer. Choose one from the list.")
    if masking.is_masked(new.phone):
        wrong["phone"] = _("This number is covered with stars. Type the whole number.")
    wrong |= _device_faults(new, covered)
    if new.chargeable not in ("", "free", "payable"):
        wrong["chargeable"] = _("Choose free or payable.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)


def _device_faults(new: NewTicket, covered: devices.Covered | None) -> dict[str, str]:
    wrong = {}
    if new.device_id and (fault := _device_fault(new, covered)):
        wrong["device_id"] = fault
    if new.component_id and (covered is None or new.component_id not in {part.id for part, _product, _decided in covered.parts}):
        wrong["component_id"] = _("This component is not in the device. Choose one from the list.")
    return wrong


def _device_fault(new: NewTicket, covered: devices.Covered | None) -> str:
    if covered is None or covered.device.party_id != new.party_id:
        return str(_("This device belongs to another customer. Choose one from the list."))
    retired = covered.device.state not in devices.CURRENT
    return str(_("Device %(number)s is retired. Bring it back first.", number=covered.device.number)) if retired else ""


def _row(session: Session, new: NewTicket, covered: devices.Covered | None, branch_id: int, by: int, at: datetime) -> Ticket:
    response, resolve = sla.due(session, new.priority, at)
    decided = covered.of(new.component_id) if covered else devices.NONE
    return Ticket(
        number=numbers.take(session, "SR", at),
        party_id=new.party_id,
        contact_id=new.contact_id,
        device_id=new.device_id,
        component_id=new.component_id,
        warranty=decided.result,
        chargeable=new.chargeable or decided.charge,
        phone=new.phone[:80],
        type=new.type,
        channel=new.channel,
        priority=new.priority,
        state="registered",
        subject=new.subject.strip()[:200],
        description=new.description.strip()[:5000],
        registered_by_id=by,
        department_id=staff.department_of(session, by),
        registered_at=at,
        response_due_at=response,
        resolve_due_at=resolve,
        branch_id=branch_id,
        request_key=new.request_key,
    )


def link_call(session: Session, ticket_id: int, switch: str, call_key: str, *, by: int, at: datetime) -> None:
    """The ticket remembers the call, and the call its customer; linking twice changes nothing."""
    ticket = _locked(session, ticket_id)
    added = session.execute(
        insert(TicketCall)
        .values(ticket_id=ticket_id, switch=switch, call_key=call_key, linked_at=at, branch_id=ticket.branch_id)
        .on_conflict_do_nothing()
        .returning(TicketCall.id)
    ).first()
    if added:
        calls.party_chosen(session, switch, call_key, ticket.party_id, ticket.contact_id)
        calls.ticket_linked(session, switch, call_key)
        _line(session, ticket, "call linked", by=by, at=at, field="call", new=call_key)


def dial(session: Session, ticket_id: int, number: str, *, key: str, by: int, at: datetime) -> calls.PhoneOrder:
    """The person's phone will ring, and then that number, the ticket's own when none is given; the call is the ticket's from its first moment on."""
    ticket = _locked(session, ticket_id)
    about = calls.About(ticket.party_id, ticket.contact_id, "ticket", ticket_id)
    card = parties.card(session, ticket.party_id)
    known = ticket.phone or next((phone.raw for phone in card.phones), "") if card else ticket.phone
    order = calls.orders.dial(session, number or known, key=key, by=by, at=at, about=about, name=card.party.name if card else "")
    link_call(session, ticket_id, order.switch, order.channel_id or "", by=by, at=at)
    return order


def assign(
    session: Session, ticket_id: int, staff_id: int, *, by: int, at: datetime, version: int | None = None
) -> None:
    """The ticket waits for this person to accept it; who had it before is in the timeline."""
    ticket = _begin(session, ticket_id, "assign", version)
    if staff_id not in {person.id for person in staff.assignees(session, ticket.branch_id)}:
        refusal = _("Choose somebody who works on tickets of this branch.")
        raise Invalid(refusal, {"staff_id": refusal})
    _hand_over(session, ticket, staff_id, by=by, at=at)
    ticket.started_at = None
    _move(session, ticket, "assign", by=by, at=at)


def _hand_over(session: Session, ticket: Ticket, staff_id: int, *, by: int, at: datetime) -> None:
    old = None if ticket.assignee_id is None else str(ticket.assignee_id)
    _line(session, ticket, "assigned", by=by, at=at, field="assignee", old=old, new=str(staff_id))
    ticket.assignee_id = staff_id
    ticket.department_id = staff.department_of(session, staff_id) or ticket.department_id
    session.flush()
    reindex(session, ticket)  # whose it is decides who finds it


def accept(session: Session, ticket_id: int, *, by: int, at: datetime, version: int | None = None) -> None:
    """Who accepts has it, and is the assignee if another was; the response clock stops at the first acceptance."""
    ticket = _begin(session, ticket_id, "accept", version)
    if ticket.assignee_id != by:
        _hand_over(session, ticket, by, by=by, at=at)
    _move(session, ticket, "accept", by=by, at=at)


def start(session: Session, ticket_id: int, *, by: int, at: datetime, version: int | None = None) -> None:
    """Work has begun."""
    ticket = _begin(session, ticket_id, "start", version)
    _move(session, ticket, "start", by=by, at=at)


def finish(session: Session, ticket_id: int, result: str, *, by: int, at: datetime, version: int | None = None) -> None:
    """The work is done and said in words; the solution clock stops here."""
    ticket = _begin(session, ticket_id, "finish", version)
    if not result.strip():
        raise Invalid(_("Say what was done."), {"result": _("Say what was done.")})
    _line(session, ticket, "result", by=by, at=at, field="result", old=ticket.result or None, new=result.strip()[:5000])
    ticket.result = result.strip()[:5000]
    _move(session, ticket, "finish", by=by, at=at)
    effects.finished(session, Finished(ticket.id, ticket.result, by, at))


def close(session: Session, ticket_id: int, *, by: int, at: datetime, version: int | None = None) -> None:
    """The ticket is history and can no longer be changed."""
    ticket = _begin(session, ticket_id, "close", version)
    _move(session, ticket, "close", by=by, at=at)


def note(session: Session, ticket_id: int, words: str, *, by: int, at: datetime) -> None:
    """The internal note stands in the timeline."""
    ticket = _locked(session, ticket_id)
    if not words.strip():
        raise Invalid(_("Write the note first."), {"note": _("Write the note first.")})
    _line(session, ticket, "note", by=by, at=at, note=words.strip()[:5000])


def refused(session: Session, ticket_id: int, *, by: int, at: datetime) -> None:
    """Somebody asked for a ticket that they may not see: that is on record, if there is such a ticket at all."""
    branch_id = session.scalars(select(Ticket.branch_id).where(Ticket.id == ticket_id)).first()
    if branch_id is not None:
        audit.record(session, at=at, by=by, verb="refused", entity="ticket", entity_id=ticket_id, branch_id=branch_id)


def _locked(session: Session, ticket_id: int) -> Ticket:
    ticket = db.locked(session, Ticket, ticket_id)
    if ticket is None:
        raise NotFound(_("There is no such ticket in your branches. Check the number or ask the branch that owns it."))
    return ticket


def _begin(session: Session, ticket_id: int, verb: str, version: int | None) -> Ticket:
    ticket = _locked(session, ticket_id)
    if version is not None and version != ticket.version:
        raise StaleTicket(
            _(
                "Ticket %(number)s was changed meanwhile, perhaps in another window of yours. "
                "This step was not done; see how the ticket stands now and go on from there.",
                number=ticket.number,
            )
        )
    if ticket.state not in rules.MOVES[verb].sources:
        raise WrongState(
            _(
                "Ticket %(number)s is “%(state)s”; this step does not start from there. Load it again to see what is next.",
                number=ticket.number,
                state=STATE[ticket.state],
            )
        )
    return ticket


def _move(session: Session, ticket: Ticket, verb: str, *, by: int, at: datetime) -> None:
    move = rules.MOVES[verb]
    _line(session, ticket, verb, by=by, at=at, field="state", old=ticket.state, new=move.target)
    audit.record(
        session,
        at=at,
        by=by,
        verb=verb,
        entity="ticket",
        entity_id=ticket.id,
        old={"state": ticket.state},
        new={"state": move.target},
        branch_id=ticket.branch_id,
    )
    ticket.state = move.target
    if move.stamp != "accepted_at" or ticket.accepted_at is None:
        setattr(ticket, move.stamp, at)
    session.flush()


def _line(
    session: Session,
    ticket: Ticket,
    verb: str,
    *,
    by: int | None,
    at: datetime,
    field: str = "",
    old: str | None = None,
    new: str | None = None,
    note: str = "",
) -> None:
    session.add(
        TicketEvent(
            ticket_id=ticket.id,
            at=at,
            by_id=by,
            verb=verb,
            field=field,
            old=old,
            new=new,
            note=note,
            branch_id=ticket.branch_id,
        )
    )
