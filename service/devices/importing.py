"""What a table of devices means: columns, how a known device is recognised, and how many are written at once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import numbers, search
from service.core.intake import sql
from service.core.intake.target import Field, Into, Made, Row, Values
from service.core.intake.values import folded
from service.devices.index import KIND, index
from service.devices.model import Device
from service.parties import queries as parties

KINDS = {
    "computer": (_l("Computer"), "Computer", "电脑", "计算机", "台式机"), "laptop": (_l("Laptop"), "Laptop", "笔记本", "笔记本电脑"), "server": (_l("Server"), "Server", "服务器"),
    "printer": (_l("Printer"), "Printer", "打印机"), "scanner": (_l("Scanner"), "Scanner", "扫描枪", "扫描仪"), "network": (_l("Network device"), "Network device", "网络设备", "交换机"),
    "other": (_l("Other"), "Other", "其他", "其它"),
}
STATES = {"normal": (_l("In order"), "In order", "正常", "normal"), "abnormal": (_l("Out of order"), "Out of order", "异常", "故障")}
# A further column of `device` needs its line here and in COLUMNS, and nothing else.
FIELDS = (
    Field("party", _l("Customer"), must=True, also=("Customer", "客户", "客户名称", "客户编号", "使用单位", "单位", "company", "customer name", "customer number"), example="C-20077",
          note=_l("The customer's number or exact name.")),
    Field("number", _l("Device number"), "code", longest=40, also=("Device number", "设备编号", "资产编号", "编号", "asset number", "number"), example="",
          note=_l("Leave it empty for a new device: a number is given. With it a device is recognised.")),
    Field("name", _l("Device"), must=True, longest=100, also=("Device", "设备名称", "设备", "名称", "品名", "device name", "name", "product"), example="条码打印机"),
    Field("model", _l("Model"), must=True, longest=100, also=("Model", "型号", "规格型号", "设备型号"), example="Zebra ZT411"),
    Field("serial", _l("Serial number"), "code", must=True, longest=80, also=("Serial number", "序列号", "出厂编号", "机身号", "sn", "s/n", "serial", "serial no"), example="99J204501234",
          note=_l("By it and the customer a device is recognised in a second import. Format the column as text, or Excel drops digits.")),
    Field("kind", _l("Kind"), "choice", also=("Kind", "设备类型", "类型", "类别", "category", "type"), choices=KINDS, example="打印机"),
    Field("place", _l("Place"), longest=100, also=("Place", "安装位置", "位置", "地点", "存放地点", "location"), example="2 楼前台"),
    Field("warranty_until", _l("Warranty until"), "day", also=("Warranty until", "质保到期", "保修到期", "质保到期日", "保修截止日期", "保修期至", "warranty", "warranty end"), example="2027-02-28"),
    Field("state", _l("State"), "choice", also=("State", "状态", "设备状态", "status"), choices=STATES, example="正常"),
)
COLUMNS = {"number": "text", "name": "text", "model": "text", "serial": "text", "kind": "text", "place": "text", "warranty_until": "date", "state": "text"}
STANDARD: Values = {"kind": "computer", "place": "", "warranty_until": None, "state": "normal"}
TYPES = COLUMNS | {"party_id": "bigint", "branch_id": "bigint"}
SENTENCES = {
    "party_unknown": _l("No customer has this number or exact name. Import the customer first, or correct the name."),
    "party_several": _l("%(number)s customers have this name. Write the customer's number instead."),
    "serial_several": _l("%(number)s devices have this serial number. Give the device's number too."),
    "device_elsewhere": _l("The device %(device)s with this number belongs to %(customer)s. Correct the customer or the number."),
}


@dataclass(frozen=True)
class Devices:
    """Devices at customers that are known already."""

    name: str = "devices"
    permission: str = "party.write"
    icon: str = "devices"
    title: Any = _l("Devices")
    fields: tuple[Field, ...] = FIELDS
    tables: tuple[str, ...] = ("device",)
    clears: tuple[tuple[str, str], ...] = ()
    issue: None = None
    address: str = ""
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES)

    def key(self, values: Values) -> str:
        """Its number, else its serial and model: makers count on their own."""
        if values.get("number"):
            return f"n:{folded(values['number'])}"
        return f"s:{folded(values.get('serial') or '')}|{folded(values.get('model') or '')}"

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By number; else by serial, at the customer or with the same model."""
        _lead(session, rows)
        numbered = {row.values["number"] for row in rows if row.values.get("number")}
        serials = {row.values["serial"] for row in rows if not row.values.get("number") and row.values.get("serial")}
        by_number = {one.number: one for one in session.scalars(select(Device).where(Device.number.in_(numbered)))}
        by_serial: dict[str, list[Device]] = defaultdict(list)
        for one in session.scalars(select(Device).where(Device.serial.in_(serials))):
            by_serial[one.serial].append(one)
        for row in rows:
            if row.values.get("number"):
                found = [by_number[row.values["number"]]] if row.values["number"] in by_number else []
            else:
                found = _alike(row, by_serial.get(row.values.get("serial") or "", []))
            _placed(row, found)
        _say_whose(session, rows)

    def current(self, session: Session, ids: Sequence[int]) -> dict[int, Values]:
        """Devices in a row's values; the customer is what they were found by."""
        rows = session.scalars(select(Device).where(Device.id.in_(ids)))
        return {one.id: {name: getattr(one, name) for name in COLUMNS} | {"warranty_until": one.warranty_until.isoformat() if one.warranty_until else None} for one in rows}

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The devices exist at their customers; None where another branch has the number."""
        taken = iter(numbers.take_many(session, "D", sum(not row.values.get("number") for row in rows), into.at))
        given = [
            STANDARD | {name: row.values[name] for name in COLUMNS if row.values.get(name) not in (None, "")}
            | {"number": row.values.get("number") or next(taken), "party_id": row.leads["party"], "branch_id": into.branch_id}
            for row in rows
        ]
        ids = {row.number: row.id for row in sql.insert(session, "device", TYPES, given, told="id, number", conflict="on conflict (number) do nothing")}
        placed = [ids.get(str(one["number"])) for one in given]
        return [Made(device_id, {"device": [device_id]}) if device_id else None for device_id in placed]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into) -> dict[int, dict[str, list[int]]]:
        """The columns are set."""
        sql.update(session, "device", COLUMNS, changes)
        return {device_id: {} for device_id in changes}

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """Found by name, model, number, serial."""
        index(session, ids)

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """Found no more."""
        return lambda: search.drop(session, KIND, ids)


TARGETS = (Devices(),)


def _lead(session: Session, rows: Sequence[Row]) -> None:
    """Each row leads to the customer that it names, or says why not."""
    meant = parties.meant(session, {row.values["party"] for row in rows if row.values.get("party")})
    for row in rows:
        ids = meant.get(row.values.get("party") or "", [])
        if len(ids) == 1:
            row.leads["party"] = ids[0]
        elif row.values.get("party"):
            row.refuse("party", "party_several" if ids else "party_unknown", number=len(ids))


def _alike(row: Row, devices: Sequence[Device]) -> list[Device]:
    """Those with the serial that are this customer's, else those of the same model, wherever they stand."""
    here = [one for one in devices if one.party_id == row.leads.get("party")]
    return here or [one for one in devices if folded(one.model) == folded(row.values.get("model") or "")]


def _placed(row: Row, found: Sequence[Device]) -> None:
    if len(found) > 1:
        row.refuse("serial", "serial_several", number=len(found))
    elif found and found[0].party_id != row.leads.get("party", found[0].party_id):
        row.leads["elsewhere"] = found[0].party_id
        row.refuse("number" if row.values.get("number") else "serial", "device_elsewhere", device=found[0].number, customer="")
    elif found:
        row.entity_id = found[0].id


def _say_whose(session: Session, rows: Sequence[Row]) -> None:
    """Who has the device already is named."""
    moved = [row for row in rows if "elsewhere" in row.leads]
    names = parties.names(session, {row.leads["elsewhere"] for row in moved})
    for row in moved:
        last = row.wrong.pop()
        row.refuse(last.field, last.code, device=last.facts["device"], customer=names.get(row.leads["elsewhere"], "—"))
