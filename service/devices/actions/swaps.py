"""A device is exchanged for another, taken away, or put in; both histories show it, and it happens whole or not at all."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core import audit, clock, locks
from service.core.errors import DeskError, Invalid
from service.devices import occasion, rules
from service.devices.actions import archive, holding
from service.devices.actions.holding import hand_over, in_use, line, locked, named, too_long, wrong
from service.devices.actions.retiring import retired
from service.devices.index import index
from service.devices.model import Device, DeviceSwap
from service.devices.schemas import DeviceFacts, Fate, Holder, NewDevice, Work


class Standing(DeskError):
    """The device stands somewhere, or nowhere, so this work does not fit it."""


def swap(session: Session, old_id: int, new_id: int, work: Work, fate: Fate, *, version: int, by: int, at: datetime) -> int:
    """The new device stands where the old one stood, and the old one is free, in repair or retired. Returns the swap's id."""
    known = _same_request(session, work)
    return known if known is not None else _swapped(session, old_id, new_id, work, fate, version=version, by=by, at=at)


def swap_for_serial(session: Session, old_id: int, serial: str, work: Work, fate: Fate, *, version: int, by: int, at: datetime) -> int:
    """As `swap`, for the device with this serial; one that is not on file yet comes on file as the same product."""
    known = _same_request(session, work)
    if known is not None:
        return known
    old = session.get(Device, old_id)
    new_id = _by_serial(session, old, serial) if old else None
    if old is None or new_id is None:
        old = locked(session, old_id, version)
        facts = DeviceFacts(name=old.name, model=old.model, serial=serial, product_id=old.product_id, kind=old.kind)
        new_id = archive.create(session, NewDevice(facts, Holder(old.party_id)), by=by, at=at)
    return _swapped(session, old_id, new_id, work, fate, version=version, by=by, at=at)


def _by_serial(session: Session, old: Device, serial: str) -> int | None:
    spelled = session.scalar(select(func.ringdesk_serial(serial)))
    if not spelled:
        raise wrong("serial", _("Type the serial of the new device."))
    rows = session.scalars(select(Device).where(Device.serial_key == spelled, Device.id != old.id).order_by(Device.id)).all()
    fitting = [row for row in rows if row.product_id == old.product_id and row.name == old.name] or [row for row in rows if row.party_id == old.party_id]
    if old.serial_key == spelled:
        raise wrong("serial", _("That is the serial of the old device."))
    if len(fitting) > 1:
        raise wrong("serial", _("Several devices have this serial. Open the right one and put it in from its own page."))
    if rows and not fitting:
        raise wrong("serial", _("A device of another kind at another customer has this serial. Open it and put it in from its own page."))
    return fitting[0].id if fitting else None


def _swapped(session: Session, old_id: int, new_id: int, work: Work, fate: Fate, *, version: int, by: int, at: datetime) -> int:
    _check(work, fate, at)
    rows = {device_id: locked(session, device_id, version if device_id == old_id else None) for device_id in sorted({old_id, new_id})}
    old, new = rows[old_id], rows[new_id]
    if old is new:
        raise wrong("serial", _("A device cannot be exchanged for itself."))
    in_use(old)
    occasion.check(session, work.ticket_id, [old.party_id])
    _free(new)
    place = holding.holder_of(old)
    where = old.site_id, old.project_id
    row = _row(session, "swap", old, place, work, by, at, old_device_id=old_id, new_device_id=new_id)
    _leaves(session, old, work, fate, row, by, at, kind="swapped out", new=named(new))
    _arrives(session, new, place, work, row, by, at, kind="swapped in", old=named(old))
    new.site_id, new.project_id = where
    _done(session, row, by, at)
    return row.id


def remove(session: Session, device_id: int, work: Work, fate: Fate, *, version: int, by: int, at: datetime) -> int:
    """The device stands nowhere any more. Returns the id of the record."""
    known = _same_request(session, work)
    if known is not None:
        return known
    _check(work, fate, at)
    device = locked(session, device_id, version)
    in_use(device)
    if not _stands(device):
        raise Standing(_("Device %(number)s stands nowhere, so it cannot be taken away.", number=device.number))
    occasion.check(session, work.ticket_id, [device.party_id])
    row = _row(session, "removal", device, holding.holder_of(device), work, by, at, old_device_id=device_id)
    _leaves(session, device, work, fate, row, by, at, kind="removed", new=None)
    _done(session, row, by, at)
    return row.id


def install(session: Session, device_id: int, holder: Holder, work: Work, *, version: int, by: int, at: datetime) -> int:
    """The device stands at that place. Returns the id of the record."""
    known = _same_request(session, work)
    if known is not None:
        return known
    _check(work, Fate(), at)
    device = locked(session, device_id, version)
    _free(device)
    if not holder.place.strip():
        raise wrong("place", _("Say where it is put in."))
    occasion.check(session, work.ticket_id, [holder.party_id])
    row = _row(session, "installation", device, holder, work, by, at, new_device_id=device_id)
    _arrives(session, device, holder, work, row, by, at, kind="installed", old=None)
    _done(session, row, by, at)
    return row.id


def _stands(device: Device) -> bool:
    return bool(device.installed_on or device.place or device.site_id)


def _free(device: Device) -> None:
    in_use(device)
    if _stands(device):
        raise Standing(
            _("Device %(number)s stands somewhere already (%(place)s). Take it away there first.", number=device.number, place=device.place or "—")
        )


def _check(work: Work, fate: Fate, at: datetime) -> None:
    faults = too_long(person=work.person, remarks=work.remarks)
    if work.done_on > clock.local(at).date():
        faults["done_on"] = _("This day has not come yet.")
    if fate.state not in rules.STATES:
        faults["state"] = _("Say what becomes of the old device.")
    if fate.state == "retired" and fate.retirement is None:
        faults["state"] = _("Say why it is retired.")
    for name in ("original_reading", "current_reading"):
        value = getattr(work, name)
        if value is not None and not 0 <= value < 10**12:
            faults[name] = _("A reading is a number from 0 on.")
    if faults:
        raise Invalid(next(iter(faults.values())), faults)


def _same_request(session: Session, work: Work) -> int | None:
    if not work.request_key:
        return None
    locks.hold(session, "swap request", work.request_key)
    return session.scalars(select(DeviceSwap.id).where(DeviceSwap.request_key == work.request_key)).first()


def _row(session: Session, kind: str, device: Device, place: Holder, work: Work, by: int, at: datetime, **devices: int) -> DeviceSwap:
    row = DeviceSwap(
        kind=kind, party_id=place.party_id, place=place.place, original_reading=work.original_reading, current_reading=work.current_reading,
        done_on=work.done_on, at=at, by_id=by, person=work.person.strip(), remarks=work.remarks.strip(), ticket_id=work.ticket_id,
        request_key=work.request_key, branch_id=device.branch_id, **devices,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _leaves(
    session: Session, device: Device, work: Work, fate: Fate, row: DeviceSwap, by: int, at: datetime, *, kind: str, new: str | None
) -> None:
    place = device.place
    hand_over(session, device, Holder(device.party_id), device.branch_id, reason=kind, by=by, at=at)
    device.installed_on = device.site_id = device.project_id = None
    line(session, device, kind, by=by, at=at, old=place, new=new, note=row.remarks, swap_id=row.id, ticket_id=work.ticket_id)
    if fate.state == "retired" and fate.retirement is not None:
        retired(session, device, fate.retirement, by=by, at=at, ticket_id=work.ticket_id, swap_id=row.id)
    else:
        device.state = fate.state
    session.flush()


def _arrives(
    session: Session, device: Device, place: Holder, work: Work, row: DeviceSwap, by: int, at: datetime, *, kind: str, old: str | None
) -> None:
    hand_over(session, device, place, holding.branch_for(session, place), reason=kind, by=by, at=at)
    device.installed_on, device.state = work.done_on, "normal"
    session.flush()
    line(session, device, kind, by=by, at=at, old=old, new=place.place, note=row.remarks, swap_id=row.id, ticket_id=work.ticket_id)


def _done(session: Session, row: DeviceSwap, by: int, at: datetime) -> None:
    new: dict[str, Any] = {
        "old_device_id": row.old_device_id, "new_device_id": row.new_device_id, "original_reading": row.original_reading,
        "current_reading": row.current_reading, "done_on": row.done_on, "person": row.person, "ticket_id": row.ticket_id,
    }  # fmt: skip
    audit.record(session, at=at, by=by, verb=row.kind, entity="device_swap", entity_id=row.id, new=new, branch_id=row.branch_id)
    index(session, [one for one in (row.old_device_id, row.new_device_id) if one])
