"""The tickets of a party that became another are that one's."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.tickets.model import Ticket


def party_merged(session: Session, old: int, new: int, *, by: int | None, at: datetime) -> Mapping[str, Sequence[int]]:
    """No row names the old party any more; returns the ids of those that did."""
    moved = update(Ticket).where(Ticket.party_id == old).values(party_id=new).returning(Ticket.id)
    return {"ticket": list(session.execute(moved, execution_options={"synchronize_session": False}).scalars())}
