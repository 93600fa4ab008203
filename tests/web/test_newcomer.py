"""Whoever opens the product for the first time: each page says what it knows, and each refusal where to go on."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import clock, db, phone, scope
from service.core.config import Settings
from service.devices.model import Device
from service.maintenance import actions as maintenance
from service.maintenance.model import MaintenancePlan
from service.parties import categories
from service.parties import index as found
from service.parties.model import Contract, Party
from service.staff.model import Branch, Staff
from service.staff.roles import actions as roles
from service.staff.roles.actions import Facts
from service.tickets.model import Ticket
from tests import make
from tests.signin import people

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """One customer in each of two branches, with a device and an open ticket."""
    cast, ids = committed_cast, {}
    with db.begin(scope.ALL) as work:
        for branch, name in ((cast.pudong, "浦东客户"), (cast.suzhou, "苏州客户")):
            party = make.party(work, branch, name)
            device = make.device(work, party, name=f"{name}的打印机")
            ticket = make.ticket(work, party, work.get_one(Staff, cast.root.id), clock.now(), subject=f"{name}的工单")
            ids[branch.id] = {"customers": party.id, "devices": device.id, "tickets": ticket.id}
    return SimpleNamespace(**vars(cast), here=ids[cast.pudong.id], there=ids[cast.suzhou.id])


@pytest.fixture
def root(app: Flask, settings: Settings, firm: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, firm.root)


@pytest.fixture
def ada(app: Flask, settings: Settings, firm: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, firm.ada)


def see(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == status, path
    return answer.text


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/settings/password")}, headers=PAGE)
    return answer.status_code, answer.headers.get("Location") or answer.text


@pytest.mark.parametrize("kind", ["customers", "devices", "tickets"])
def test_who_sees_several_branches_narrows_a_list_to_one_and_sees_which_it_is(kind: str, firm: SimpleNamespace, root: FlaskClient, ada: FlaskClient) -> None:
    page = see(root, f"/{kind}?branch={firm.suzhou.id}&cols=branch")

    assert f'href="/{kind}/{firm.there[kind]}"' in page and f'href="/{kind}/{firm.here[kind]}"' not in page
    assert page.count(firm.suzhou.name_en) > 1 and 'name="branch"' in page
    assert 'name="branch"' not in see(ada, f"/{kind}") and 'value="branch"' not in see(ada, f"/{kind}")


def test_the_pages_of_a_customer_and_a_device_say_which_branch_they_belong_to(firm: SimpleNamespace, root: FlaskClient) -> None:
    assert 'title="Branch"' in see(root, f"/customers/{firm.there['customers']}")
    assert "<dt>Branch</dt><dd>" in see(root, f"/devices/{firm.there['devices']}")


def test_without_the_right_to_assign_the_form_of_a_ticket_offers_nobody_else(app: Flask, settings: Settings, firm: SimpleNamespace, ada: FlaskClient) -> None:
    path = f"/tickets/new?party={firm.here['customers']}"
    wang = see(people.browser(app, settings, firm.wang), path)

    assert f'<option value="{firm.ben.id}"' in see(ada, path)
    assert f'<option value="{firm.wang.id}"' in wang and f'<option value="{firm.ben.id}"' not in wang
    with db.begin(scope.ALL) as work:
        roles.create(work, Facts("登记员", "", "branch", ("party.read", "ticket.read", "ticket.write")), by=firm.root.id, at=clock.now())
        make.staff(work, "clerk", work.get_one(Branch, firm.pudong.id), "登记员")
        clerk = work.scalars(select(Staff).where(Staff.username == "clerk")).one()
        work.expunge(clerk)
    assert 'name="assignee_id"' not in see(people.browser(app, settings, clerk), path)


def test_a_refusal_says_the_right_as_the_form_of_a_role_does(ada: FlaskClient) -> None:
    page = see(ada, "/settings/people", 403)

    assert "Manage people, roles, branches, shifts and settings" in page and "staff.admin" not in page


@pytest.mark.parametrize(("typed", "is_one"), [
    ("13905711234", True), ("021-6234 5678", True), ("+86 (21) 62345678", True), ("021-62345678转801", True), ("62345678 ext. 12", True),
    ("62345678-801", True), ("021-62345678#801", True), ("０２１－６２３４５６７８（分机：801）", True), ("110", True), ("801", True),
    ("abc", False), ("139057112x", False), ("x12", False), ("12", False), ("", False), ("电话 13905711234", False), ("1" * 30, False),
])
def test_what_can_be_a_telephone_number(typed: str, is_one: bool) -> None:
    assert phone.is_written(typed) is is_one


def test_who_is_switched_off_with_open_work_is_named_with_it(firm: SimpleNamespace, root: FlaskClient) -> None:
    with db.begin(scope.ALL) as work:
        wang = work.get_one(Staff, firm.wang.id)
        ticket = work.get_one(Ticket, firm.here["tickets"])
        plan = make.plan(work, work.get_one(Device, firm.here["devices"]), wang, responsible_id=wang.id)
        unit = make.department(work, work.get_one(Branch, firm.pudong.id), "售后部", wang)
        assert unit.head_id == wang.id
        ticket.assignee_id, wang.active = wang.id, False
    left = f"/settings/people/{firm.wang.id}/left"

    assert f'hx-get="{left}"' in see(root, f"/settings/people/{firm.wang.id}")
    part = see(root, left)
    assert "1 open ticket" in part and "1 maintenance plan" in part and "售后部" in part
    assert f'href="/tickets/{ticket.id}"' in see(root, f"/tickets?view=open&assignee={firm.wang.id}")
    assert f'href="/maintenance/plans/{plan}"' in see(root, f"/maintenance/plans?state=active&responsible={firm.wang.id}")
    assert "<a" not in see(root, f"/settings/people/{firm.ben.id}/left")


def test_a_plan_within_its_days_of_notice_has_its_visit_at_once_and_another_says_when(firm: SimpleNamespace, root: FlaskClient) -> None:
    today = clock.local(clock.now()).date()
    with db.begin(scope.ALL) as work:
        device, by = work.get_one(Device, firm.here["devices"]), work.get_one(Staff, firm.root.id)
        soon = make.plan(work, device, by, content="马上")
        late = make.plan(work, device, by, content="以后", every=30, starts_on=today, notice_days=10)
        day = work.get_one(MaintenancePlan, late).next_due_on
        assert maintenance.remind(work, at=clock.now()) == 0

    visits = see(root, "/maintenance")
    assert f'href="/maintenance/plans/{soon}"' in visits and f'href="/maintenance/plans/{late}"' not in visits
    assert f"{day - timedelta(days=10):%Y-%m-%d}" in see(root, f"/maintenance/plans/{late}")


def test_labels_are_printed_from_a_device_and_from_ticked_ones(firm: SimpleNamespace, root: FlaskClient) -> None:
    ids = [firm.here["devices"], firm.there["devices"]]
    status, address = send(root, "/lists/devices/do/labels", id=ids)

    assert (status, address) == (302, f"/labels?device={ids[0]}&device={ids[1]}")
    assert see(root, address).count("checked") == 2
    assert f'href="/labels?device={ids[0]}"' in see(root, f"/devices/{ids[0]}") and "Print labels" in see(root, "/devices")


@pytest.mark.parametrize("number", ["abc", "139057112x"])
def test_letters_are_no_telephone_number_wherever_one_is_typed(number: str, firm: SimpleNamespace, root: FlaskClient) -> None:
    party, said = firm.here["customers"], "Type a phone number."
    person = {"name": "李雷", "username": "li.lei", "roles": "agent", "reach": "branch", "branch_id": firm.pudong.id, "active": "1"}
    forms: dict[str, dict[str, object]] = {
        "/settings/people": person | {"phone": number},
        "/settings/branches": {"code": "XX", "name": "新网点", "kind": "branch", "parent_id": firm.hq.id, "hotline": number, "active": "1"},
        f"/customers/{party}": {"version": "1", "name": "浦东客户", "roles": "customer", "kind": "company", "grade": "standard", "settlement": "job", "credit_days": "30", "vendor_days": "30", "phone-n1-raw": number},
        f"/customers/{party}/contacts": {"new_contact": "王", "new_phone": number},
        "/tickets": {"party_id": party, "subject": "坏了", "priority": "normal", "phone": number},
        "/sites": {"name": "站点", "phone": number},
    }
    for path, form in forms.items():
        status, page = send(root, path, **form)
        assert status == 422 and said in page, path


def test_a_serial_that_nobody_knows_stays_with_the_ticket(firm: SimpleNamespace, ada: FlaskClient) -> None:
    form = {"party_id": firm.here["customers"], "subject": "坏了", "priority": "normal", "description": "不开机", "serial": "SN-404"}
    _status, address = send(ada, "/tickets", **form)

    assert "SN-404" in see(ada, address) and "不开机" in see(ada, address)
    assert 'value="SN-404"' in send(ada, "/tickets", **form | {"subject": ""})[1]
    assert "keeps it" in see(ada, "/devices/found?serial=SN-404")


def test_a_customer_is_found_by_the_number_of_a_contract(firm: SimpleNamespace, root: FlaskClient) -> None:
    with db.begin(scope.ALL) as work:
        work.add(Contract(party_id=firm.there["customers"], number="HT-2026-088", branch_id=firm.suzhou.id))
        work.flush()
        found.index(work, [firm.there["customers"]])

    page = see(root, "/customers?q=HT-2026-088")
    assert f'href="/customers/{firm.there["customers"]}"' in page and f'href="/customers/{firm.here["customers"]}"' not in page


def test_a_wrong_day_or_number_in_an_address_is_told_without_a_list_to_choose_from(root: FlaskClient) -> None:
    day, number = see(root, "/tickets?registered_from=gestern", 422), see(root, "/tickets?party=x", 422)

    assert "is no day" in day and "is no number" in number and "Choose one of the list" not in day + number
    assert "Choose one of the list" in see(root, "/tickets?priority=x", 422)


def test_a_category_counts_what_stands_below_it(firm: SimpleNamespace, root: FlaskClient) -> None:
    with db.begin(scope.ALL) as work:
        top = categories.add(work, "customer", "企业", None, by=firm.root.id, at=clock.now())
        low = categories.add(work, "customer", "物流", top, by=firm.root.id, at=clock.now())
        work.get_one(Party, firm.here["customers"]).category_id = low
        work.get_one(Party, firm.there["customers"]).category_id = top
        work.flush()
        counts = categories.counts(work)

    assert (counts[top], counts[low]) == (2, 1)


def test_every_place_that_a_refused_undo_may_name_has_words() -> None:
    import service.app  # noqa: F401  every model is known
    from service.core.intake.sql import _REFERENCES
    from service.imports import targets
    from service.imports.words import PLACES

    with db.begin(scope.ALL) as work:
        for target in targets.TARGETS.values():
            for table in target.tables:
                named = {row.from_table for row in work.execute(_REFERENCES, {"table": table})}
                assert named <= PLACES.keys(), (table, named - PLACES.keys())


def test_an_empty_list_invites_only_who_may_do_it(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    invites = "Create the first customer"

    assert invites in see(people.browser(app, settings, committed_cast.ada), "/customers")
    page = see(people.browser(app, settings, committed_cast.fay), "/customers")
    assert "Nobody is on file" in page and invites not in page
