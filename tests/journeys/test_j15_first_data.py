"""J15, step 1: an administrator puts the firm on file through the app: who works here, who the customers are, and what stands there."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.app import create_app
from service.catalogue import queries as catalogue
from service.core import db, jobs, scope
from service.core.config import Settings
from service.devices import queries as devices
from service.devices.model import Device, DeviceEvent, DeviceHolding
from service.parties import queries as parties
from service.parties.model import Party, PartyCategory
from service.staff.model import Department, Role, Staff
from service.wire import wire
from tests.imports.files import book
from tests.signin import people
from tests.web.test_people import PAGE, send

HEADS = ("客户", "产品编号", "序列号", "安装日期", "安装位置", "使用部门", "使用人", "质保到期")
CUSTOMER = {
    "name": "恒通物流有限公司", "kind": "company", "roles": ["customer"], "grade": "vip", "credit_days": "30", "settlement": "monthly", "settlement_day": "25", "vendor_days": "30",
    "department-n1-name": "设备科", "department-n2-name": "仓储部",
    "contact-n3-name": "王丽华", "contact-n3-department": "设备科", "contact-n3-active": "1", "preferred": "n3", "phone-n4-of": "n3", "phone-n4-raw": "13812341001",
    "contact-n5-name": "李伟", "contact-n5-department": "设备科", "contact-n5-active": "1", "mail-n6-of": "n5", "mail-n6-address": "li@hengtong.example",
    "contact-n7-name": "陈静", "contact-n7-department": "仓储部", "contact-n7-active": "1", "phone-n8-of": "n7", "phone-n8-raw": "021-62345678", "request_key": "j15",
}  # fmt: skip


@pytest.fixture
def app(settings: Settings, database: db.Database, tmp_path: Path) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path), database)
    wire(settings)


@pytest.fixture
def root(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, committed_cast.root)


def one(model: Any, *where: Any) -> Any:
    with db.begin(scope.ALL) as session:
        return session.scalars(select(model).where(*where)).one()


def worked() -> None:
    while jobs.Worker(db.bound(), "j15").step():
        pass


def bring(root: FlaskClient, content: bytes, name: str) -> str:
    """The table is sent and checked by the columns that were proposed; returns the address of its page."""
    form = {"target": "devices", "file": (io.BytesIO(content), name), "csrf_token": people.token(root, "/settings/password")}
    answer = root.post("/settings/imports", data=form, headers=PAGE, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    place = answer.headers["Location"]
    heads = [cell.value for cell in openpyxl.load_workbook(io.BytesIO(content)).active[1]]
    chosen = {f"column-{field}": heads.index(head) for field, head in zip(("party", "product", "serial", "installed_on", "place", "department", "holder", "warranty_until"), HEADS, strict=True)}
    assert send(root, f"{place}/check", **chosen)[0] == 303
    worked()
    return place


def load(root: FlaskClient, place: str) -> str:
    assert send(root, f"{place}/load", upon="skip")[0] == 303
    worked()
    return root.get(place, headers=PAGE).text


def counted(model: Any) -> int:
    with db.begin(scope.ALL) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_firm_comes_on_file(app: Flask, settings: Settings, root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    _organised(app, settings, root, committed_cast)
    customer = _customer(root)
    product = _products(root)

    rows = [["恒通物流", "P-ZT411", f"ZT-{n:04d}", "2026-03-01", f"{n % 5 + 1} 号库", "仓储部", "陈静", "2028-02-29"] for n in range(50)]
    rows[6][0], rows[40][7] = "没有这家公司", "31/12/2027"
    content = book(HEADS, *rows)
    place = bring(root, content, "设备.xlsx")
    page = root.get(place, headers=PAGE).text
    for told in (">8<", "没有这家公司", "No customer has this number or exact name.", ">42<", "31/12/2027", "This cannot be read as a day.", "Warranty until"):
        assert told in page, told
    assert counted(Device) == 0
    load(root, place)
    assert counted(Device) == 48

    _mended(root, place)
    assert counted(Device) == 50
    again = load(root, bring(root, _all_good(rows), "设备.xlsx"))
    assert counted(Device) == 50 and "50" in again

    _as_the_form_would_have_it(customer, product)
    _two_components(root)


def _organised(app: Flask, settings: Settings, root: FlaskClient, cast: SimpleNamespace) -> None:
    """A department with a head, a role that may read calls, and somebody in both, who signs in."""
    assert send(root, "/settings/departments", branch_id=cast.pudong.id, name="办公室", head_id=cast.root.id, active="1")[0] == 302
    assert send(root, "/settings/roles", name="行政", reach="branch", permissions=["call.read", "party.read", "device.read"], active="1")[0] == 302
    department = one(Department, Department.name == "办公室")
    form = {"name": "韩梅梅", "username": "han.meimei", "roles": ["行政"], "reach": "branch", "active": "1", "branch_id": cast.pudong.id, "department_id": department.id}
    status, page = send(root, "/settings/people", **form)
    assert status == 200, page
    person = one(Staff, Staff.username == "han.meimei")
    assert person.department_id == department.id and one(Role, Role.name == "行政")
    han = people.browser(app, settings, person)
    assert (han.get("/customers", headers=PAGE).status_code, han.get("/settings/people", headers=PAGE).status_code) == (200, 403)


def _customer(root: FlaskClient) -> int:
    """Two levels of categories, and a customer with two departments and three contacts in one of them."""
    assert send(root, "/settings/categories", side="customer", name="企业")[0] == 302
    top = one(PartyCategory, PartyCategory.name == "企业")
    assert send(root, "/settings/categories", side="customer", name="物流", parent_id=top.id)[0] == 302
    category = one(PartyCategory, PartyCategory.name == "物流")
    assert send(root, f"/settings/categories/{category.id}/remove")[0] == 302  # nobody stands in it yet
    assert send(root, "/settings/categories", side="customer", name="物流", parent_id=top.id)[0] == 302
    category = one(PartyCategory, PartyCategory.name == "物流")
    status, page = send(root, "/customers", **CUSTOMER, category_id=category.id)
    assert status == 302, page
    customer = one(Party)
    with db.begin(scope.ALL) as session:
        card = parties.card(session, customer.id)
        assert card is not None and card.category == "物流"
        assert {name: [person.name for person in who] for name, who in card.groups if who} == {"设备科": ["王丽华", "李伟"], "仓储部": ["陈静"]}
    assert send(root, f"/settings/categories/{category.id}/remove")[0] == 409  # now somebody does
    return int(customer.id)


def _products(root: FlaskClient) -> int:
    """A tree of two levels with a product in it."""
    assert send(root, "/settings/products/categories", name="打印设备")[0] in (200, 302)
    with db.begin(scope.ALL) as session:
        top = catalogue.tree(session)[0]
    assert send(root, "/settings/products/categories", name="条码打印机", parent_id=top.id)[0] in (200, 302)
    with db.begin(scope.ALL) as session:
        nodes = catalogue.tree(session)
    assert [node.path for node in nodes] == ["打印设备", "打印设备 / 条码打印机"]
    form = {"code": "P-ZT411", "name": "条码打印机", "model": "Zebra ZT411", "category_id": nodes[1].id, "serial_controlled": "1", "warranty_months": "24", "active": "1"}
    status, page = send(root, "/settings/products", **form)
    assert status == 302, page
    with db.begin(scope.ALL) as session:
        return catalogue.by_codes(session, ["P-ZT411"])["P-ZT411"].id


def _mended(root: FlaskClient, place: str) -> None:
    """The two bad rows come as a workbook with what is wrong; mended they are loaded."""
    mended = openpyxl.load_workbook(io.BytesIO(root.get(f"{place}/errors.xlsx", headers=PAGE).data))
    sheet = mended.active
    assert [(row[-2].value, row[2].value) for row in sheet.iter_rows(min_row=2)] == [("8", "ZT-0006"), ("42", "ZT-0040")]
    sheet["A2"], sheet["H3"] = "恒通物流有限公司", "2027-12-31"
    out = io.BytesIO()
    mended.save(out)
    load(root, bring(root, out.getvalue(), "待修正.xlsx"))


def _all_good(rows: list[list[str]]) -> bytes:
    rows[6][0], rows[40][7] = "恒通物流有限公司", "2027-12-31"
    return book(HEADS, *rows)


def _as_the_form_would_have_it(customer: int, product: int) -> None:
    """Product, holder, contact, the first line of its history, label and search: nothing tells an imported device from a typed one."""
    with db.begin(scope.ALL) as session:
        device = session.scalars(select(Device).where(Device.serial == "ZT-0006")).one()
        holding = session.scalars(select(DeviceHolding).where(DeviceHolding.device_id == device.id)).one()
        line = session.scalars(select(DeviceEvent).where(DeviceEvent.device_id == device.id)).one()
        assert (device.party_id, device.product_id, device.name, device.model) == (customer, product, "条码打印机", "Zebra ZT411")
        assert (device.serial_key, device.installed_on, len(device.code), device.version, device.number[:3]) == ("zt0006", date(2026, 3, 1), 16, 1, "DEV")
        assert (holding.department, holding.holder, holding.contact_id, holding.ended_at) == ("仓储部", "陈静", device.contact_id, None)
        assert device.contact_id and (line.kind, line.old, line.new) == ("imported", None, "恒通物流有限公司 · 仓储部 · 陈静 · 2 号库")
        assert [found.device.id for found in devices.located(session, "zt 0006")] == [device.id]
        assert [(held.department, held.holder, held.count) for held in devices.held(session, customer)] == [("仓储部", "陈静", 50)]


def _two_components(root: FlaskClient) -> None:
    """One device has two parts of different warranty, and each is decided by its own."""
    device = one(Device, Device.serial == "ZT-0001")
    for name, serial, until in (("打印头", "H-1", "2027-03-01"), ("电源", "E-1", "2026-04-01")):
        assert send(root, f"/devices/{device.id}/component", name=name, serial=serial, warranty_until=until)[0] == 302
    with db.begin(scope.ALL) as session:
        found = devices.covered(session, [session.get_one(Device, device.id)], date(2026, 11, 26))[device.id]
        assert found.decision.result == "in" and {part.name: told.result for part, _product, told in found.parts} == {"打印头": "in", "电源": "out"}
    page = root.get(f"/devices/{device.id}", headers=PAGE).text
    assert "打印头" in page and "E-1" in page and "put it on file from a table" in page
