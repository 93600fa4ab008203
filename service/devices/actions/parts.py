"""Components are fitted, replaced and taken out; the device's history has both ends of each."""

from dataclasses import asdict
from dataclasses import replace as altered
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import audit, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.devices import occasion
from service.devices.actions.holding import in_use, line, locked, named, too_long, wrong
from service.devices.index import index
from service.devices.model import Device, DeviceComponent
from service.devices.schemas import ComponentFacts


class TakenOut(DeskError):
    """The component is no longer in the device."""


def fit(
    session: Session, device_id: int, facts: ComponentFacts, *, by: int, at: datetime, ticket_id: int | None = None, request_key: str | None = None
) -> int:
    """The component is in the device, with its own serial and warranty; the same form twice is one. Returns its id."""
    known = _same_request(session, request_key)
    if known is not None:
        return known
    device = locked(session, device_id)
    in_use(device)
    occasion.check(session, ticket_id, [device.party_id])
    part = _made(session, device, facts, at=at, ticket_id=ticket_id, request_key=request_key)
    line(session, device, "fitted", by=by, at=at, new=named(part), ticket_id=ticket_id)
    _audited(session, device, part, "component fitted", None, by=by, at=at)
    index(session, [device_id])
    return part.id


def replace(
    session: Session, component_id: int, facts: ComponentFacts, reason: str, *, by: int, at: datetime, ticket_id: int | None = None,
    request_key: str | None = None,
) -> int:  # fmt: skip
    """The old component is closed and the new one open, in the same line of the history. Returns the new one's id."""
    known = _same_request(session, request_key)
    if known is not None:
        return known
    device, old = _fitted(session, component_id)
    occasion.check(session, ticket_id, [device.party_id])
    facts = facts if facts.product_id or facts.name.strip() else altered(facts, product_id=old.product_id, name=old.name)
    old.removed_at = at
    new = _made(session, device, facts, at=at, ticket_id=ticket_id, request_key=request_key, replaces_id=old.id)
    line(session, device, "replaced", by=by, at=at, old=named(old), new=named(new), note=_reason(reason), ticket_id=ticket_id)
    _audited(session, device, new, "component replaced", old, by=by, at=at)
    index(session, [device.id])
    return new.id


def take_out(session: Session, component_id: int, reason: str, *, by: int, at: datetime, ticket_id: int | None = None) -> None:
    """The component is no longer in the device; its history keeps it."""
    device, old = _fitted(session, component_id)
    occasion.check(session, ticket_id, [device.party_id])
    old.removed_at = at
    session.flush()
    line(session, device, "taken out", by=by, at=at, old=named(old), note=_reason(reason), ticket_id=ticket_id)
    _audited(session, device, None, "component taken out", old, by=by, at=at)


def _fitted(session: Session, component_id: int) -> tuple[Device, DeviceComponent]:
    """Device first, then part: the order in which everybody locks."""
    device_id = session.scalars(select(DeviceComponent.device_id).where(DeviceComponent.id == component_id)).first()
    if device_id is None:
        raise NotFound(_("There is no such component in your branches. Look for its serial."))
    device = locked(session, device_id)
    in_use(device)
    part = session.get_one(DeviceComponent, component_id, populate_existing=True)
    if part.removed_at is not None:
        raise TakenOut(_("%(name)s was taken out already. Load the page again to see what is fitted.", name=named(part)))
    return device, part


def _made(
    session: Session, device: Device, facts: ComponentFacts, *, at: datetime, ticket_id: int | None, request_key: str | None,
    replaces_id: int | None = None,
) -> DeviceComponent:  # fmt: skip
    product = catalogue.product(session, facts.product_id) if facts.product_id else None
    name = facts.name.strip() or (product.name if product else "")
    faults = too_long(name=name, serial=facts.serial)
    if facts.product_id and product is None:
        faults["product_id"] = _("That product is gone. Choose another one.")
    if not name:
        faults["name"] = _("Give the component a name, or choose its product.")
    if facts.warranty_from and facts.warranty_until and facts.warranty_until < facts.warranty_from:
        faults["warranty_until"] = _("The warranty ends before it begins.")
    if product and product.serial_controlled and not facts.serial.strip():
        faults["serial"] = _("%(name)s is kept by serial. Type the serial.", name=product.name)
    if faults:
        raise Invalid(next(iter(faults.values())), faults)
    part = DeviceComponent(
        device_id=device.id, fitted_at=at, ticket_id=ticket_id, request_key=request_key, replaces_id=replaces_id, branch_id=device.branch_id,
        **asdict(facts) | {"name": name, "serial": facts.serial.strip()},
    )  # fmt: skip
    session.add(part)
    session.flush()
    return part


def _same_request(session: Session, request_key: str | None) -> int | None:
    if not request_key:
        return None
    locks.hold(session, "component request", request_key)
    return session.scalars(select(DeviceComponent.id).where(DeviceComponent.request_key == request_key)).first()


def _reason(reason: str) -> str:
    if too_long(reason=reason):
        raise wrong("reason", too_long(reason=reason)["reason"])
    return reason.strip()


def _audited(
    session: Session, device: Device, new: DeviceComponent | None, verb: str, old: DeviceComponent | None, *, by: int, at: datetime
) -> None:
    said = [None if part is None else {"component": part.id, "name": part.name, "serial": part.serial} for part in (old, new)]
    audit.record(
        session, at=at, by=by, verb=verb, entity="device", entity_id=device.id, old=said[0], new=said[1], branch_id=device.branch_id
    )
