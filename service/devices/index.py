"""How a device is found: by its name and model, its number and its serial."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import search
from service.core.search import Entry
from service.devices.model import Device

KIND = "device"


def index(session: Session, ids: Collection[int]) -> None:
    """These devices are found as they are now."""
    search.put(session, [_entry(device) for device in session.scalars(select(Device).where(Device.id.in_(ids)))])


def rebuild(session: Session, after: int, most: int) -> int | None:
    """The next devices by id are indexed; returns the last of them, None when there is none left."""
    ids = session.scalars(select(Device.id).where(Device.id > after).order_by(Device.id).limit(most)).all()
    index(session, ids)
    return ids[-1] if ids else None


def _entry(device: Device) -> Entry:
    return Entry(
        kind=KIND,
        ref_id=device.id,
        branch_id=device.branch_id,
        label=f"{device.name} {device.model}".strip(),
        hint=device.serial,
        code=device.serial,
        codes=[device.number],
    )
