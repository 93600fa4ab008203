"""Calls, pops, missed callers and orders of a party that became another are that one's."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.calls.model import AgentPop, Call, MissedCaller
from service.calls.orders.model import PhoneOrder

TABLES = (Call, AgentPop, MissedCaller, PhoneOrder)


def party_merged(session: Session, old: int, new: int, *, by: int | None, at: datetime) -> Mapping[str, Sequence[int]]:
    """No row names the old party any more; returns the ids of those that did, by table."""
    moved: dict[str, list[int]] = {}
    for model in TABLES:
        change = update(model).where(model.party_id == old).values(party_id=new).returning(model.id)
        moved[model.__tablename__] = list(session.execute(change, execution_options={"synchronize_session": False}).scalars())
    return moved
