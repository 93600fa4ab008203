"""Devices as the desk needs them."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.devices.model import Device as Device


def devices_of(session: Session, party_id: int, limit: int = 50) -> list[Device]:
    """The party's devices, those out of order first."""
    return list(
        session.scalars(
            select(Device)
            .where(Device.party_id == party_id)
            .order_by(Device.state == "normal", Device.name, Device.id)
            .limit(limit)
        )
    )


def device(session: Session, device_id: int) -> Device | None:
    """The device, or None when it is not there or not in scope."""
    return session.get(Device, device_id)


def owners(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Whose each of these devices is."""
    rows = select(Device.id, Device.party_id).where(Device.id.in_(ids))
    return {row.id: row.party_id for row in session.execute(rows)} if ids else {}


def by_id(session: Session, ids: Collection[int]) -> dict[int, Device]:
    """These devices, in one query."""
    return {device.id: device for device in session.scalars(select(Device).where(Device.id.in_(ids)))} if ids else {}
