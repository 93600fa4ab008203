"""How a ticket is found: by its number and its subject."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import search
from service.core.search import Entry
from service.tickets.model import Ticket

KIND = "ticket"


def index(session: Session, ids: Collection[int]) -> None:
    """These tickets are found as they are now."""
    search.put(session, [_entry(ticket) for ticket in session.scalars(select(Ticket).where(Ticket.id.in_(ids)))])


def reindex(session: Session, ticket: Ticket) -> None:
    """The ticket is found as it is now, also when whoever gave it away no longer sees it."""
    search.put(session, [_entry(ticket)])


def rebuild(session: Session, after: int, most: int) -> int | None:
    """The next tickets by id are indexed; returns the last of them, None when there is none left."""
    ids = session.scalars(select(Ticket.id).where(Ticket.id > after).order_by(Ticket.id).limit(most)).all()
    index(session, ids)
    return ids[-1] if ids else None


def _entry(ticket: Ticket) -> Entry:
    return Entry(
        kind=KIND,
        ref_id=ticket.id,
        branch_id=ticket.branch_id,
        label=ticket.subject,
        hint=ticket.number,
        code=ticket.number,
        owners=sorted({one for one in (ticket.registered_by_id, ticket.assignee_id) if one}),
        department_id=ticket.department_id,
    )
