"""Devices on screen: the catalogue, the archive, work on one device, and the intake that finds by serial."""

import re
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from service.app import create_app
from service.catalogue.model import Product, ProductCategory
from service.core import db, scope
from service.core.config import Settings
from service.devices.model import Device, DeviceComponent, DeviceSwap
from service.parties.model import Party
from service.tickets.model import Ticket
from tests import make
from tests.conftest import AT
from tests.signin import people

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        party = make.party(work, committed_cast.pudong)
        product = make.product(work, code="WM-15", name="水表", model="LXS-15")
        device = make.device(work, party, name="水表", model="LXS-15", product_id=product.id, serial="SB-001", place="三号楼")
        other = make.party(work, committed_cast.suzhou, "苏州客户")
        foreign = make.device(work, other, serial="SZ-001")
        ids = {"party": party.id, "device": device.id, "product": product.id, "foreign": foreign.id}
    return SimpleNamespace(**vars(committed_cast), **ids)


@pytest.fixture
def ada(app: Flask, settings: Settings, firm: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, firm.ada)


@pytest.fixture
def root(app: Flask, settings: Settings, firm: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, firm.root)


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/settings/password")}, headers=PAGE)
    return answer.status_code, answer.headers.get("Location") or answer.text


def see(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, path
    return answer.text


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def row(model: Any, row_id: int) -> Any:
    with db.begin(scope.ALL) as work:
        return work.get_one(model, row_id)


def how_many(model: Any) -> int:
    with db.begin(scope.ALL) as work:
        return int(work.scalar(select(func.count()).select_from(model)) or 0)


# ---- the catalogue


def test_a_product_in_a_tree_is_added_changed_and_kept_while_it_is_used(root: FlaskClient, firm: SimpleNamespace) -> None:
    assert send(root, "/settings/products/categories", name=" 仪表 ")[0] == 302
    with db.begin(scope.ALL) as work:
        category = work.scalars(select(ProductCategory.id).where(ProductCategory.name == "仪表")).one()
    assert send(root, "/settings/products/categories", name="水表", parent_id=category)[0] == 302
    form = {"code": "WM-20", "name": "水表 DN20", "category_id": category, "warranty_months": "36", "serial_controlled": "1", "active": "1"}
    assert send(root, "/settings/products", **form)[0] == 302

    page = see(root, f"/settings/products?category={category}")
    assert "水表 DN20" in page and "仪表 / 水表" in page and "WM-15" not in page
    assert send(root, f"/settings/products/categories/{category}/remove")[0] == 409
    status, refusal = send(root, f"/settings/products/{firm.product}/remove")
    assert status == 409 and "Switch it off instead" in refusal
    assert row(Product, firm.product).name == "水表"


@pytest.mark.parametrize(("change", "sentence"), [
    ({"code": ""}, "a code"), ({"code": "WM-15"}, "Another product"), ({"name": " "}, "a name"), ({"name": "x" * 121}, "At most 120"),
    ({"warranty_months": "601"}, "0 to 600"), ({"warranty_months": "1.5"}, "0 to 600"), ({"category_id": "999999"}, "is gone"),
])  # fmt: skip
def test_each_wrong_field_of_a_product_has_its_sentence(change: dict[str, str], sentence: str, root: FlaskClient, firm: SimpleNamespace) -> None:
    status, page = send(root, "/settings/products", **{"code": "N-1", "name": "新"} | change)
    assert status == 422 and sentence in page


def test_who_types_over_an_older_product_sees_both(root: FlaskClient, firm: SimpleNamespace) -> None:
    form = {"version": 1, "code": "WM-15", "model": "A", "name": "水表"}
    assert send(root, f"/settings/products/{firm.product}", **form)[0] == 302
    status, page = send(root, f"/settings/products/{firm.product}", **form | {"model": "B"})
    assert status == 409 and "Saved by somebody else meanwhile" in page and hidden(page, "version") == "2"
    assert row(Product, firm.product).model == "A"


# ---- the archive


def test_a_device_is_put_on_file_once_however_often_the_button_is_pressed(ada: FlaskClient, firm: SimpleNamespace) -> None:
    key = hidden(see(ada, f"/devices/new?party={firm.party}&serial=N-77"), "request_key")
    form = {"party_id": firm.party, "request_key": key, "name": "打印机", "serial": "N-77", "department": "财务部", "holder": "李雷"}
    first, second = send(ada, "/devices", **form), send(ada, "/devices", **form)

    assert first == second and first[0] == 302
    page = see(ada, first[1])
    assert all(words in page for words in ("N-77", "财务部", "李雷", "put it on file:"))
    assert "李雷" in see(ada, f"/devices?party={firm.party}")
    assert "N-77" not in see(ada, f"/devices?party={firm.party}&department=-&holder=-")


def test_a_device_of_another_branch_is_not_there(ada: FlaskClient, firm: SimpleNamespace) -> None:
    for path in (f"/devices/{firm.foreign}", f"/devices/{firm.foreign}/edit", f"/devices/{firm.foreign}/swap"):
        assert ada.get(path, headers=PAGE).status_code == 404
    assert send(ada, f"/devices/{firm.foreign}/retire", reason="x", version=1)[0] == 404
    assert "SZ-001" not in see(ada, "/devices")


def test_who_types_over_an_older_device_sees_both(ada: FlaskClient, firm: SimpleNamespace) -> None:
    form = {"version": 1, "name": "水表", "model": "LXS-15", "serial": "SB-001", "product_id": firm.product, "state": "abnormal"}
    assert send(ada, f"/devices/{firm.device}/edit", **form)[0] == 302
    status, page = send(ada, f"/devices/{firm.device}/edit", **form | {"model": "LXS-20"})
    assert status == 409 and "LXS-20" in page and "Saved by somebody else meanwhile" in page
    assert row(Device, firm.device).model == "LXS-15"


@pytest.mark.parametrize(("name", "value"), [("produced_on", "yesterday"), ("installed_on", "0001-01-01"), ("warranty_until", "9999-12-31")])
def test_a_day_that_is_none_is_said_beside_its_field(name: str, value: str, ada: FlaskClient, firm: SimpleNamespace) -> None:
    status, page = send(ada, f"/devices/{firm.device}/edit", version=1, name="x", **{name: value})
    assert status == 422 and f'id="error-{name}"' in page


@pytest.mark.parametrize("name", ["<script>x</script>", "=cmd|'/C calc'!A0", "打印机🖨️", "طابعة", "x" * 120])
def test_odd_names_break_no_page(name: str, ada: FlaskClient, firm: SimpleNamespace) -> None:
    _status, place = send(ada, "/devices", party_id=firm.party, name=name, serial="<b>9</b>", department=name[:100], holder=name[:100])
    assert "<script>x" not in see(ada, place) + see(ada, "/devices") + see(ada, f"/devices?party={firm.party}")
    assert send(ada, "/devices", party_id=firm.party, name="x" * 300)[0] == 422


# ---- work on one device


def test_a_double_click_makes_one_swap_and_the_ticket_shows_it(ada: FlaskClient, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        party = work.get_one(make.Party, firm.party)
        ticket = make.ticket(work, party, firm.ada, party.created_at, device_id=firm.device).id
    page = see(ada, f"/devices/{firm.device}/swap?ticket={ticket}")
    form = {name: hidden(page, name) for name in ("version", "request_key", "ticket")}
    form |= {"serial": "SB-002", "original_reading": "1,204.5", "current_reading": "0", "fate": "retired", "reason": "到期", "destination": "废品站"}
    first, second = send(ada, f"/devices/{firm.device}/swap", **form), send(ada, f"/devices/{firm.device}/swap", **form)

    assert first == second == (302, f"/tickets/{ticket}") and how_many(DeviceSwap) == 1
    assert "Swap" in see(ada, f"/tickets/{ticket}")
    register = see(ada, "/devices/retired")
    assert "SB-001" in register and "废品站" in register and "SB-001" not in see(ada, "/devices")
    with db.begin(scope.ALL) as work:
        new = work.scalars(select(Device).where(Device.serial == "SB-002")).one()
    told = see(ada, f"/devices/{new.id}")
    assert new.place == "三号楼" and "put it in for" in told and "1,204.5" in told


@pytest.mark.parametrize(("form", "sentence"), [
    ({"serial": "S-2", "original_reading": "many"}, "A reading is"), ({"serial": ""}, "Type the serial"), ({"serial": "S-2", "original_reading": "-1"}, "A reading is"),
    ({"serial": "sb001"}, "serial of the old device"), ({"serial": "S-2", "fate": "retired"}, "Say why"), ({"serial": "S-2", "fate": "burnt"}, "what becomes"),
    ({"serial": "S-2", "done_on": "soon"}, "Type a day"), ({"serial": "S-2", "original_reading": "NaN"}, "A reading is"), ({"serial": "S-2", "current_reading": "1e30"}, "A reading is"),
])  # fmt: skip
def test_a_swap_that_cannot_be_is_refused_whole(form: dict[str, str], sentence: str, ada: FlaskClient, firm: SimpleNamespace) -> None:
    status, page = send(ada, f"/devices/{firm.device}/swap", version=1, **form)
    assert status == 422 and sentence in page
    assert (how_many(DeviceSwap), how_many(Device), row(Device, firm.device).place) == (0, 2, "三号楼")


def test_every_act_has_its_page_and_does_what_it_says(ada: FlaskClient, firm: SimpleNamespace) -> None:
    def act(what: str, **form: object) -> None:
        page = see(ada, f"/devices/{firm.device}/{what}")
        assert send(ada, f"/devices/{firm.device}/{what}", version=hidden(page, "version"), party_id=firm.party, **form)[0] == 302, what

    act("move", department="工程部", holder="韩梅梅", place="四号楼", reason="调拨")
    act("component", name="阀门", serial="V-1", warranty_until="2030-01-01")
    with db.begin(scope.ALL) as work:
        part = work.scalars(select(DeviceComponent.id)).one()
    act("replace", component=part, serial="V-2")
    with db.begin(scope.ALL) as work:
        part = work.scalars(select(DeviceComponent.id).where(DeviceComponent.removed_at.is_(None))).one()
    act("take-out", component=part, reason="不再需要")
    act("removal", fate="repair", original_reading="7")
    act("installation", place="五号楼")
    act("retire", reason="锈蚀")
    act("return", reason="误登记")
    page = see(ada, f"/devices/{firm.device}")
    assert all(words in page for words in ("moved it:", "fitted", "replaced", "took out", "took it away from", "put it in at", "retired it as of", "brought it back", "韩梅梅", "V-2"))


# ---- the intake


def test_the_intake_states_the_warranty_of_device_and_part(ada: FlaskClient, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        work.get_one(Device, firm.device).warranty_until = date(2020, 1, 1)
    assert send(ada, f"/devices/{firm.device}/component", name="阀门", serial="V-1", warranty_until="2090-01-01")[0] == 302
    page = see(ada, f"/tickets/cover?device_id={firm.device}")
    assert "Out of warranty" in page and "Until 2020-01-01" in page and "In warranty" in page and "Until 2090-01-01" in page
    with db.begin(scope.ALL) as work:
        part = work.scalars(select(DeviceComponent.id)).one()
    form = {"party_id": firm.party, "subject": "漏水", "priority": "normal", "device_id": firm.device}
    places = [send(ada, "/tickets", **form)[1], send(ada, "/tickets", **form, component_id=part)[1], send(ada, "/tickets", **form, chargeable="free")[1]]
    kept = [row(Ticket, int(place.rsplit("/", 1)[1])) for place in places]
    assert [(one.warranty, one.chargeable) for one in kept] == [("out", "payable"), ("in", "free"), ("out", "free")]
    assert "Payable" in see(ada, places[0])


@pytest.mark.parametrize("typed", ["SB-001", "sb001", "ＳＢ－００１", "WM"])
def test_the_intake_finds_by_exact_serial_only(typed: str, ada: FlaskClient, firm: SimpleNamespace) -> None:
    page = ada.get("/devices/found", query_string={"serial": typed, "party_id": firm.party}).text
    assert (f'data-device="{firm.device}"' in page) == (typed != "WM")
    assert ("Create the device" in page) == (typed == "WM")


def test_an_unknown_serial_is_put_on_file_there_and_then(ada: FlaskClient, firm: SimpleNamespace) -> None:
    assert "Choose the customer" in ada.get("/devices/found?serial=NEW-1").text
    form = {"serial": "NEW-1", "party_id": firm.party, "product_id": firm.product, "device_key": "k1"}
    pages = [send(ada, "/devices/here", **form)[1] for _twice in range(2)]
    assert how_many(Device) == 3 and all("data-made" in page for page in pages)
    assert "Give the device a name" in send(ada, "/devices/here", serial="NEW-2", party_id=firm.party)[1]
    # From the search field, and from a scanner.
    assert "/devices/new?serial=QX-99881" in ada.get("/found?q=QX-99881").text
    assert ada.get("/devices/locate?serial=sb 001", headers=PAGE).headers["Location"] == f"/devices/{firm.device}"
    assert ada.get("/devices/locate?serial=QX-99881", headers=PAGE).headers["Location"] == "/devices/new?serial=QX-99881"


def test_finance_reads_and_writes_nothing(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    fay = people.browser(app, settings, firm.fay)
    assert "Swap" not in see(fay, f"/devices/{firm.device}") and "New device" not in see(fay, "/devices")
    assert send(fay, f"/devices/{firm.device}/retire", reason="x", version=1)[0] == 403


# ---- the ticket on which it is done


def ticket_of(firm: SimpleNamespace, party_id: int, by: Any = None, **more: Any) -> int:
    with db.begin(scope.ALL) as work:
        ticket = make.ticket(work, work.get_one(Party, party_id), by or firm.ada, AT, **more)
        return ticket.id


@pytest.mark.parametrize(
    ("whose", "sentence"),
    [("nobody", "no such ticket"), ("foreign", "no such ticket"), ("another", "another customer"), ("closed", "can no longer be changed")],
)
def test_work_on_a_ticket_that_is_not_of_the_device_is_refused(whose: str, sentence: str, ada: FlaskClient, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        away, other = work.get_one(Device, firm.foreign).party_id, make.party(work, firm.pudong, "另一家").id
    ticket = {"nobody": lambda: 999_999, "foreign": lambda: ticket_of(firm, away, firm.dan), "another": lambda: ticket_of(firm, other), "closed": lambda: ticket_of(firm, firm.party)}[whose]()
    if whose == "closed":
        with db.begin(scope.ALL) as work:
            work.get_one(Ticket, ticket).state = "closed"
    asked = see(ada, f"/devices/{firm.device}/component?ticket={ticket}")
    if whose != "another":  # whom a device goes to is said by the form
        assert sentence in asked and 'name="ticket" value=' not in asked
    forms = {"component": {"name": "电池", "serial": "B-1"}, "swap": {"serial": "SB-9", "fate": "normal"}, "removal": {"fate": "normal"}}
    for act, form in forms.items():
        version = hidden(see(ada, f"/devices/{firm.device}/{act}"), "version")
        status, page = send(ada, f"/devices/{firm.device}/{act}", version=version, request_key=f"{whose}-{act}", ticket=ticket, **form)
        assert status == 422 and sentence in page, act
        assert f'name="ticket" value="{ticket}"' not in page
    assert (how_many(DeviceComponent), how_many(DeviceSwap), row(Device, firm.device).place) == (0, 0, "三号楼")
