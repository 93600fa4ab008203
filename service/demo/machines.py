"""The demo's catalogue, and what has happened to some of its devices: parts with a warranty of their own, a swap, a retirement."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from service.catalogue import actions as catalogue
from service.catalogue.schemas import ProductFacts
from service.core import clock
from service.demo import names
from service.devices import actions as devices
from service.devices.model import Device
from service.devices.schemas import ComponentFacts, Fate, Holder, Retirement, Work

TREE = {"printer": "打印设备", "computer": "计算机", "scanner": "采集设备", "network": "网络与门禁"}
MONTHS = {"printer": 24, "computer": 36, "scanner": 12, "network": 36}
PARTS = (("HEAD-203", "打印头 203dpi", 6), ("SSD-512", "固态硬盘 512GB", 60))
HOLDERS = (("财务部", "李会计"), ("财务部", "王出纳"), ("仓储部", "赵库管"), ("门店", "前台"))


def products(session: Session, by: int, now: datetime) -> dict[str, int]:
    """The catalogue exists; ids by the model, of parts by their code."""
    root = catalogue.add_category(session, "整机", None, by=by, at=now)
    nodes = {kind: catalogue.add_category(session, name, root, by=by, at=now) for kind, name in TREE.items()}
    spare = catalogue.add_category(session, "备件", None, by=by, at=now)
    made = {}
    for number, (name, model, kind) in enumerate(names.DEVICES):
        facts = ProductFacts(f"P-{number + 1:03d}", name, model, nodes[kind], "台", warranty_months=MONTHS[kind])
        made[model] = catalogue.add_product(session, facts, by=by, at=now)
    for code, name, months in PARTS:
        facts = ProductFacts(code, name, "", spare, "件", warranty_months=months)
        made[code] = catalogue.add_product(session, facts, by=by, at=now)
    return made


def work(session: Session, ids: list[int], products: dict[str, int], *, by: int, now: datetime) -> None:
    """Some devices have parts, people and a history."""
    today = clock.local(now).date()
    for number, device_id in enumerate(ids[:24]):
        row = session.get_one(Device, device_id)
        at = now - timedelta(days=200 - number)
        department, person = HOLDERS[number % len(HOLDERS)]
        devices.move(session, row.id, Holder(row.party_id, department, person, row.place), "交付使用", version=row.version, by=by, at=at)
        if row.kind in ("printer", "computer"):
            code, name, _months = PARTS[row.kind == "computer"]
            fitted = today - timedelta(days=170 + 20 * (number % 3))
            devices.fit(session, row.id, ComponentFacts(name, f"{code}-{number:04d}", products[code], fitted_on=fitted), by=by, at=at + timedelta(hours=1))
    _swapped(session, ids[0], by=by, at=now - timedelta(days=9))
    gone = session.get_one(Device, ids[1])
    how = Retirement("主板烧毁，维修价高于残值", today - timedelta(days=4), "交环保回收公司")
    devices.retire(session, gone.id, how, version=gone.version, by=by, at=now - timedelta(days=4))


def _swapped(session: Session, device_id: int, *, by: int, at: datetime) -> None:
    old = session.get_one(Device, device_id)
    done = Work(clock.local(at).date(), "王强", "客户急用，先换备机，旧机返厂")
    devices.swap_for_serial(session, device_id, f"{old.serial}-B", done, Fate("repair"), version=old.version, by=by, at=at)
