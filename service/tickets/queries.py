"""Tickets as screens need them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    SQLColumnExpression,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from service.calls import queries as calls
from service.core import clock
from service.devices import queries as devices
from service.devices.schemas import Occasion
from service.parties import queries as parties
from service.staff import queries as staff
from service.tickets import rules
from service.tickets.model import Ticket as Ticket
from service.tickets.model import TicketCall, TicketEvent

STATE: Mapping[str, LazyString] = {
    "registered": _l("To assign"),
    "assigned": _l("To accept"),
    "accepted": _l("Accepted"),
    "processing": _l("In progress"),
    "to_settle": _l("To settle"),
    "closed": _l("Closed"),
}


@dataclass(frozen=True)
class TicketFilters:
    """What the list is narrowed to; empty means everything."""

    state: str = ""
    priority: str = ""
    assignee_id: int | None = None
    party_id: int | None = None
    typed: str = ""
    open_only: bool = False


def ticket_list(
    session: Session, *, before: int | None = None, limit: int = 50, filters: TicketFilters | None = None
) -> list[Ticket]:
    """Newest first, paged by the id of the last row seen."""
    wanted = filters or TicketFilters()
    query = select(Ticket)
    for column, value in (
        (Ticket.state, wanted.state),
        (Ticket.priority, wanted.priority),
        (Ticket.assignee_id, wanted.assignee_id),
        (Ticket.party_id, wanted.party_id),
    ):
        if value:
            query = query.where(column == value)
    if wanted.open_only:
        query = query.where(Ticket.state.in_(rules.OPEN))
    if wanted.typed:
        query = query.where(
            or_(
                Ticket.number.contains(wanted.typed, autoescape=True),
                Ticket.subject.icontains(wanted.typed, autoescape=True),
            )
        )
    if before:
        query = query.where(Ticket.id < before)
    return list(session.scalars(query.order_by(Ticket.id.desc()).limit(limit)))


def open_tickets(session: Session, party_id: int, limit: int = 20) -> list[Ticket]:
    """What the party waits for, the most pressing limit first."""
    return list(
        session.scalars(
            select(Ticket)
            .where(Ticket.party_id == party_id, Ticket.state.in_(rules.OPEN))
            .order_by(Ticket.resolve_due_at)
            .limit(limit)
        )
    )


def held_by(session: Session, staff_id: int) -> int:
    """How many open tickets are the person's."""
    return session.scalar(select(func.count()).select_from(Ticket).where(Ticket.assignee_id == staff_id, Ticket.state.in_(rules.OPEN))) or 0


def holders(session: Session, among: Collection[int]) -> set[int]:
    """Which of these people have tickets, or had: one look into the index for each, however many tickets there are."""
    asked = func.unnest(cast(list(among), ARRAY(Integer))).table_valued("id").render_derived("asked")
    return set(session.scalars(select(asked.c.id).where(exists().where(Ticket.assignee_id == asked.c.id))))


def past_tickets(session: Session, party_id: int, limit: int = 5) -> list[Ticket]:
    """What was done for the party lately."""
    return list(
        session.scalars(
            select(Ticket)
            .where(Ticket.party_id == party_id, Ticket.state.not_in(rules.OPEN))
            .order_by(Ticket.id.desc())
            .limit(limit)
        )
    )


@dataclass(frozen=True)
class TicketPage:
    """Everything the page of one ticket shows; `people` names every staff id on it."""

    ticket: Ticket
    card: parties.Card
    device: devices.Device | None
    covered: devices.Covered | None
    swaps: list[devices.DeviceSwap]
    events: list[TicketEvent]
    calls: list[calls.Call]
    people: dict[int, str]


def ticket_page(session: Session, ticket_id: int) -> TicketPage | None:
    """The ticket with customer, device, timeline and calls; None when it is not there or not in scope."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None:
        return None
    card = parties.card(session, ticket.party_id)
    assert card is not None, "a ticket's customer is in the ticket's branch"
    events = list(
        session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.id))
    )
    keys = [
        (row.switch, row.call_key)
        for row in session.execute(
            select(TicketCall.switch, TicketCall.call_key).where(TicketCall.ticket_id == ticket_id)
        )
    ]
    found = calls.calls_by_keys(session, keys)
    device = devices.device(session, ticket.device_id) if ticket.device_id else None
    covered = devices.covered(session, [device], clock.local(ticket.registered_at).date())[device.id] if device else None
    swaps = devices.swaps_of_ticket(session, ticket_id)
    return TicketPage(ticket, card, device, covered, swaps, events, found, staff.names(session, _ids(ticket, events, found)))


def _ids(ticket: Ticket, events: list[TicketEvent], found: list[calls.Call]) -> set[int]:
    ids = {ticket.assignee_id, ticket.registered_by_id, *(e.by_id for e in events), *(c.staff_id for c in found)}
    ids |= {int(v) for e in events if e.field == "assignee" for v in (e.old, e.new) if v}
    return {i for i in ids if i is not None}


def of_device(session: Session, device_id: int, *, until: tuple[datetime, int] | None, limit: int) -> list[Ticket]:
    """The device's tickets registered before that moment and id, newest first."""
    query = select(Ticket).where(Ticket.device_id == device_id)
    if until:
        query = query.where(tuple_(Ticket.registered_at, Ticket.id) < until)
    return list(session.scalars(query.order_by(Ticket.registered_at.desc(), Ticket.id.desc()).limit(limit)))


def calls_of_device(device_id: int) -> Select[str, str]:
    """The question for the (switch, call key) of every call that one of the device's tickets remembers."""
    return (
        select(TicketCall.switch, TicketCall.call_key).join(Ticket, Ticket.id == TicketCall.ticket_id).where(Ticket.device_id == device_id)
    )


def numbers(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Ticket numbers by id."""
    return {row.id: row.number for row in session.execute(select(Ticket.id, Ticket.number).where(Ticket.id.in_(ids)))} if ids else {}


def occasion(session: Session, ticket_id: int) -> Occasion | None:
    """The ticket as far as the rooms below need it; None when it is not there or not in scope."""
    found = session.get(Ticket, ticket_id)
    return Occasion(found.number, found.party_id, found.state == "closed") if found else None


def branch_of(session: Session, ticket_id: int) -> int | None:
    """The branch of the ticket; None when it is not there or not in scope."""
    return session.scalars(select(Ticket.branch_id).where(Ticket.id == ticket_id)).first()


def tickets_of_call(session: Session, names: list[tuple[str, str]]) -> list[Ticket]:
    """The tickets that remember one of these (switch, call key) names."""
    ids = select(TicketCall.ticket_id).where(tuple_(TicketCall.switch, TicketCall.call_key).in_(names))
    return list(session.scalars(select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.id)))


def complained_calls(session: Session) -> list[tuple[str, str, bool]]:
    """(switch, call key, whether the complaint is open) of every call that a complaint remembers."""
    rows = session.execute(
        select(TicketCall.switch, TicketCall.call_key, Ticket.state)
        .join(Ticket, Ticket.id == TicketCall.ticket_id)
        .where(Ticket.type == "complaint")
    )
    return [(row.switch, row.call_key, row.state in rules.OPEN) for row in rows]


def device_facts() -> Select[*tuple[Any, ...]]:
    """(device_id, open, visited_at) of every ticket about a device: whether it is a fault that waits, and when somebody was there.

    Asked of the bare table: whether a place is in order is the same for everybody who sees the place, also for whom only
    own tickets are shown. No ticket can be told from it.
    """
    row = Ticket.__table__.c
    fault = (row.type == "repair") & row.state.in_(rules.OPEN)
    visited = func.coalesce(row.finished_at, row.started_at)
    return select(row.device_id, fault.label("open"), visited.label("visited_at")).where(row.device_id.is_not(None))


def waits_without_device(ticket_id: SQLColumnExpression[int | None]) -> ColumnElement[bool]:
    """That ticket is a fault that waits and names no device, so that no device says so; also of the bare table, for the same reason."""
    row = Ticket.__table__.c
    return exists().where(row.id == ticket_id, row.device_id.is_(None), row.state.in_(rules.OPEN))
