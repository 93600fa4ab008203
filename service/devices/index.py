"""How a device is found: by its name and model, its product, its number, its serial and the serials of its components."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import search
from service.core.search import Entry
from service.devices.model import Device, DeviceComponent

KIND = "device"


def index(session: Session, ids: Collection[int]) -> None:
    """These devices are found as they are now."""
    rows = session.scalars(select(Device).where(Device.id.in_(ids))).all()
    products = catalogue.by_ids(session, {row.product_id for row in rows if row.product_id})
    parts = _parts(session, ids)
    search.put(session, [_entry(row, products.get(row.product_id or 0), parts[row.id]) for row in rows])


def rebuild(session: Session, after: int, most: int) -> int | None:
    """The next devices by id are indexed; returns the last of them, None when there is none left."""
    ids = session.scalars(select(Device.id).where(Device.id > after).order_by(Device.id).limit(most)).all()
    index(session, ids)
    return ids[-1] if ids else None


def _parts(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """Serials of the components, also of those taken out: somebody reads them from a part in a drawer."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = select(DeviceComponent.device_id, DeviceComponent.serial).where(DeviceComponent.device_id.in_(ids), DeviceComponent.serial != "")
    for row in session.execute(rows.order_by(DeviceComponent.id.desc())):
        if len(found[row.device_id]) < 40:
            found[row.device_id].append(row.serial)
    return found


def _entry(device: Device, product: catalogue.Product | None, parts: Sequence[str]) -> Entry:
    return Entry(
        kind=KIND,
        ref_id=device.id,
        branch_id=device.branch_id,
        label=f"{device.name} {device.model}".strip(),
        hint=device.serial or device.number,
        code=device.serial,
        names=[f"{product.name} {product.model}"] if product else [],
        codes=[device.number, *([product.code] if product else []), *parts],
        weight=-1 if device.state == "retired" else 0,
    )
