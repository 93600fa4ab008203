"""Devices as screens need them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.catalogue.queries import Product
from service.devices import cover
from service.devices.cover import CHARGE as CHARGE
from service.devices.cover import RESULT as RESULT
from service.devices.cover import Decision as Decision
from service.devices.cover import said as said
from service.devices.model import Device as Device
from service.devices.model import DeviceComponent as DeviceComponent
from service.devices.model import DeviceEvent as DeviceEvent
from service.devices.model import DeviceHolding as DeviceHolding
from service.devices.model import DeviceSwap as DeviceSwap
from service.devices.rules import CURRENT as CURRENT

SOON = timedelta(days=60)
NONE = Decision("", "")


@dataclass(frozen=True)
class Covered:
    """A device and each of its fitted components, with their warranty on one day."""

    device: Device
    product: Product | None
    decision: Decision
    parts: list[tuple[DeviceComponent, Product | None, Decision]]

    def of(self, component_id: int | None) -> Decision:
        """The warranty of what is broken: the named component, else the device itself."""
        return next((decided for part, _product, decided in self.parts if part.id == component_id), self.decision)


def devices_of(session: Session, party_id: int, limit: int = 50) -> list[Device]:
    """The party's devices in use, those out of order first."""
    return list(
        session.scalars(
            select(Device)
            .where(Device.party_id == party_id, Device.state != "retired")
            .order_by(Device.state == "normal", Device.name, Device.id)
            .limit(limit)
        )
    )


def device(session: Session, device_id: int) -> Device | None:
    """The device, or None when it is not there or not in scope."""
    return session.get(Device, device_id)


def by_ids(session: Session, ids: Collection[int]) -> dict[int, Device]:
    """Devices by id."""
    return {row.id: row for row in session.scalars(select(Device).where(Device.id.in_(ids)))} if ids else {}


def covered(session: Session, devices: Collection[Device], on: date) -> dict[int, Covered]:
    """Each device's warranty on that day, and that of its fitted components; two queries for any number of devices."""
    ids = [row.id for row in devices]
    fitted = select(DeviceComponent).where(DeviceComponent.device_id.in_(ids), DeviceComponent.removed_at.is_(None)).order_by(DeviceComponent.id)
    parts = session.scalars(fitted).all() if ids else []
    products = catalogue.by_ids(session, {one for one in (*(row.product_id for row in devices), *(part.product_id for part in parts)) if one})
    return {row.id: _covered(row, [part for part in parts if part.device_id == row.id], products, on) for row in devices}


def _covered(row: Device, parts: list[DeviceComponent], products: dict[int, Product], on: date) -> Covered:
    kinds = [(part, products.get(part.product_id or 0)) for part in parts]
    own = products.get(row.product_id or 0)
    return Covered(row, own, cover.of_device(row, own, on), [(part, kind, cover.of_component(part, kind, on)) for part, kind in kinds])


@dataclass(frozen=True)
class Located:
    """A device, found by its own serial or number, or by the serial of the component."""

    device: Device
    component: DeviceComponent | None = None


def located(session: Session, typed: str, limit: int = 8) -> list[Located]:
    """Whatever carries exactly this serial or number, in any spelling; devices in use first, then parts, then what is gone."""
    spelled = session.scalar(select(func.ringdesk_serial(typed[:100])))
    if not spelled:
        return []
    own = session.scalars(select(Device).where(or_(Device.serial_key == spelled, Device.number.in_({typed.strip(), typed.strip().upper()}))).order_by(Device.id).limit(limit))
    rows = select(DeviceComponent, Device).join(Device, Device.id == DeviceComponent.device_id).where(DeviceComponent.serial_key == spelled)
    inside = session.execute(rows.order_by(DeviceComponent.id.desc()).limit(limit))
    found = [*(Located(row) for row in own), *(Located(row, part) for part, row in inside)]
    return sorted(found, key=lambda one: (one.device.state == "retired", bool(one.component and one.component.removed_at)))[:limit]


def ending_soon(query: Select[Any], on: date) -> Select[Any]:
    """Those of the devices whose warranty ends within SOON of that day."""
    until = _until()
    return query.outerjoin(Product, Product.id == Device.product_id).where(until >= on, until <= on + SOON)


def _until() -> ColumnElement[date]:
    """The last day of warranty as PostgreSQL reckons it, by the same rule: its months end where ours do."""
    months = func.make_interval(0, func.nullif(Product.warranty_months, 0))
    first = func.coalesce(Device.warranty_from, Device.installed_on, Device.produced_on)
    return func.coalesce(Device.warranty_until, func.date(first + months))


@dataclass(frozen=True)
class Held:
    """How many devices one person of one department has."""

    department: str
    holder: str
    count: int


def held(session: Session, party_id: int) -> list[Held]:
    """The party's devices in use, counted per department and holder."""
    rows = (
        select(Device.department, Device.holder, func.count())
        .where(Device.party_id == party_id, Device.state.in_(CURRENT))
        .group_by(Device.department, Device.holder)
        .order_by(Device.department, Device.holder)
        .limit(500)
    )
    return [Held(*row) for row in session.execute(rows)]


def owners(session: Session, ids: Collection[int]) -> dict[int, int]:
    """Whose each of these devices is."""
    rows = select(Device.id, Device.party_id).where(Device.id.in_(ids))
    return {row.id: row.party_id for row in session.execute(rows)} if ids else {}


def holdings(session: Session, device_id: int, limit: int = 50) -> list[DeviceHolding]:
    """Who had the device, the present holder first."""
    rows = select(DeviceHolding).where(DeviceHolding.device_id == device_id).order_by(DeviceHolding.id.desc()).limit(limit)
    return list(session.scalars(rows))


def taken_out(session: Session, device_id: int, limit: int = 50) -> list[DeviceComponent]:
    """Components that were in the device once, the last one first."""
    rows = select(DeviceComponent).where(DeviceComponent.device_id == device_id, DeviceComponent.removed_at.is_not(None))
    return list(session.scalars(rows.order_by(DeviceComponent.removed_at.desc(), DeviceComponent.id.desc()).limit(limit)))


def component(session: Session, component_id: int) -> DeviceComponent | None:
    """The component, or None when it is not there or not in scope."""
    return session.get(DeviceComponent, component_id)


def events(session: Session, device_id: int, *, until: tuple[datetime, int] | None, limit: int) -> list[DeviceEvent]:
    """Lines of the device's own history before that moment and id, newest first."""
    query = select(DeviceEvent).where(DeviceEvent.device_id == device_id)
    if until:
        query = query.where(tuple_(DeviceEvent.at, DeviceEvent.id) < until)
    return list(session.scalars(query.order_by(DeviceEvent.at.desc(), DeviceEvent.id.desc()).limit(limit)))


def swaps(session: Session, ids: Collection[int]) -> dict[int, DeviceSwap]:
    """Swaps by id."""
    return {row.id: row for row in session.scalars(select(DeviceSwap).where(DeviceSwap.id.in_(ids)))} if ids else {}


def swaps_of_ticket(session: Session, ticket_id: int) -> list[DeviceSwap]:
    """What was exchanged, taken away or put in on this ticket."""
    return list(session.scalars(select(DeviceSwap).where(DeviceSwap.ticket_id == ticket_id).order_by(DeviceSwap.id)))


def departments(session: Session, party_id: int) -> list[str]:
    """Departments that devices of this party stand in."""
    rows = select(Device.department).where(Device.party_id == party_id, Device.department != "").distinct()
    return list(session.scalars(rows.order_by(Device.department).limit(200)))


def by_id(session: Session, ids: Collection[int]) -> dict[int, Device]:
    """These devices, in one query."""
    return {device.id: device for device in session.scalars(select(Device).where(Device.id.in_(ids)))} if ids else {}
