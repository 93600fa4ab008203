"""Where a ticket came from, asked of the room above that raised it; a visible list filled by wire()."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from service.tickets.model import Ticket
from service.tickets.schemas import Origin

Source = Callable[[Session, int], Origin | None]
_of: dict[str, Source] = {}


def of_channel(channel: str, source: Source) -> None:
    """Tickets of that channel show what this source knows of them."""
    _of[channel] = source


def of(session: Session, ticket: Ticket) -> Origin | None:
    """What the ticket came from, when its channel has a source."""
    source = _of.get(ticket.channel)
    return source(session, ticket.id) if source else None
