"""Devices come on file, are corrected, and go from one holder to the next."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import audit, locks, numbers
from service.core.errors import Invalid
from service.devices import rules
from service.devices.actions import holding
from service.devices.actions.holding import hand_over, in_use, line, locked, told, too_long
from service.devices.index import index
from service.devices.model import Device
from service.devices.schemas import DeviceFacts, Holder, NewDevice


def create(session: Session, new: NewDevice, *, by: int, at: datetime) -> int:
    """The device is on file with its holder; the same form twice is one device. Returns its id."""
    if new.request_key:
        locks.hold(session, "device request", new.request_key)
    known = holding.same_request(session, Device, new.request_key)
    if known is not None:
        return known
    facts = _complete(session, new.facts, "computer")
    _check(session, facts, None)
    branch_id = holding.branch_for(session, new.at_holder)
    number = new.number.strip()
    if faults := too_long(number=number):
        raise Invalid(faults["number"], faults)
    if number and numbers.taken(session, Device, [number]):
        raise holding.wrong("number", _("Another device has the number %(number)s.", number=number))
    number = number or numbers.take(session, "DEV", at, Device)
    row = Device(number=number, **asdict(facts), **asdict(new.at_holder), created_at=at, request_key=new.request_key, branch_id=branch_id)
    session.add(row)
    session.flush()
    holding.begin(session, row, reason="", by=by, at=at)
    line(session, row, "created", by=by, at=at, new=told(session, row))
    index(session, [row.id])
    said = {"number": number, "party_id": row.party_id} | _said(facts)
    audit.record(session, at=at, by=by, verb="created", entity="device", entity_id=row.id, new=said, branch_id=branch_id)
    return row.id


def change(session: Session, device_id: int, facts: DeviceFacts, *, version: int, by: int, at: datetime) -> None:
    """The device is described as the form says; an older form is refused."""
    row = locked(session, device_id, version)
    in_use(row)
    facts = _complete(session, facts, row.kind)
    _check(session, facts, row)
    new = {name: value for name, value in asdict(facts).items() if getattr(row, name) != value}
    old = {name: getattr(row, name) for name in new}
    if not new:
        return
    for name, value in new.items():
        setattr(row, name, value)
    session.flush()
    if "state" in new:
        line(session, row, "state", by=by, at=at, old=old["state"], new=new["state"])
    index(session, [device_id])
    _audited(session, row, "changed", old, new, by=by, at=at)


def move(session: Session, device_id: int, holder: Holder, reason: str, *, version: int, by: int, at: datetime) -> None:
    """The device is with this customer, department, person and place; who had it before is in its history."""
    row = locked(session, device_id, version)
    in_use(row)
    if too_long(reason=reason):
        raise holding.wrong("reason", too_long(reason=reason)["reason"])
    if holder == holding.holder_of(row):
        raise holding.wrong("reason", _("Nothing is different: the device is there already."))
    before, old = asdict(holding.holder_of(row)), told(session, row)
    hand_over(session, row, holder, holding.branch_for(session, holder), reason=reason, by=by, at=at)
    line(session, row, "moved", by=by, at=at, old=old, new=told(session, row), note=reason)
    index(session, [device_id])
    after = asdict(holder)
    changed = {name for name in after if after[name] != before[name]}
    _audited(session, row, "moved", {n: before[n] for n in changed}, {n: after[n] for n in changed} | {"reason": reason}, by=by, at=at)


def _complete(session: Session, facts: DeviceFacts, kind: str) -> DeviceFacts:
    """Name and model come from the product where nobody typed them."""
    product = catalogue.product(session, facts.product_id) if facts.product_id else None
    if facts.product_id and product is None:
        raise holding.wrong("product_id", _("That product is gone. Choose another one."))
    plain = asdict(facts) | {"name": facts.name.strip(), "model": facts.model.strip(), "serial": facts.serial.strip(), "kind": facts.kind or kind}
    if product is not None:
        plain |= {"name": plain["name"] or product.name, "model": plain["model"] or product.model}
        if product.serial_controlled and not plain["serial"]:
            raise holding.wrong("serial", _("%(name)s is kept by serial. Type the serial.", name=product.name))
    return DeviceFacts(**plain)


def _check(session: Session, facts: DeviceFacts, own: Device | None) -> None:
    wrong = too_long(name=facts.name, model=facts.model, serial=facts.serial, kind=facts.kind)
    if not facts.name:
        wrong["name"] = _("Give the device a name, or choose its product.")
    if facts.state not in rules.CURRENT:
        wrong["state"] = _("Choose in order, out of order or in repair. What is used no longer is retired on its own page.")
    if facts.warranty_from and facts.warranty_until and facts.warranty_until < facts.warranty_from:
        wrong["warranty_until"] = _("The warranty ends before it begins.")
    twin = _twin(session, facts, own) if "serial" not in wrong else None
    if twin is not None:
        wrong["serial"] = _("%(number)s has this serial already.", number=twin.number)
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)


def _twin(session: Session, facts: DeviceFacts, own: Device | None) -> Device | None:
    """Another device of the same product, or name and model, with this serial; makers of different things may use the same one."""
    spelled = session.scalar(select(func.ringdesk_serial(facts.serial)))
    if not spelled:
        return None
    locks.hold(session, "device serial", spelled)
    rows = session.scalars(select(Device).where(Device.serial_key == spelled, Device.id != (own.id if own else 0)).order_by(Device.id))
    return next((row for row in rows if _same_kind(row, facts)), None)


def _same_kind(row: Device, facts: DeviceFacts) -> bool:
    if row.product_id and facts.product_id:
        return row.product_id == facts.product_id
    return (row.name, row.model) == (facts.name, facts.model)


def _said(facts: DeviceFacts) -> dict[str, Any]:
    return {name: value for name, value in asdict(facts).items() if value not in (None, "")}


def _audited(session: Session, row: Device, verb: str, old: Mapping[str, Any], new: Mapping[str, Any], *, by: int, at: datetime) -> None:
    audit.record(
        session, at=at, by=by, verb=verb, entity="device", entity_id=row.id, old=dict(old), new=dict(new), branch_id=row.branch_id
    )


