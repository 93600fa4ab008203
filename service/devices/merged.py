"""The devices of a party that became another are that one's, and so is what their history says of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.devices.index import index
from service.devices.model import Device, DeviceHolding, DeviceSwap


def party_merged(session: Session, old: int, new: int, *, by: int | None, at: datetime) -> Mapping[str, Sequence[int]]:
    """No row names the old party any more; returns the ids of those that did, by table."""
    moved: dict[str, list[int]] = {}
    for model in (Device, DeviceHolding, DeviceSwap):
        change = update(model).where(model.party_id == old).values(party_id=new).returning(model.id)
        moved[model.__tablename__] = list(session.execute(change, execution_options={"synchronize_session": False}).scalars())
    index(session, moved["device"])
    return moved
