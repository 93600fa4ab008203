"""Plans and visits on the screen: made, changed, dispatched together, done, left out; and by whom."""

import re
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.maintenance import actions
from service.maintenance.model import MaintenancePlan, MaintenanceReminder
from service.tickets.model import Ticket
from tests import make
from tests.signin import people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        party = make.party(work, committed_cast.pudong, "浦东客户")
        committed_cast.device_id = make.device(work, party, name="<b>标签机</b>").id
        committed_cast.foreign_id = make.device(work, make.party(work, committed_cast.suzhou, "苏州客户")).id
    return committed_cast


@pytest.fixture
def cleo(app: Flask, settings: Settings, firm: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, firm.cleo)


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/settings/password")}, headers=PAGE)
    return answer.status_code, answer.headers.get("Location") or answer.text


def plan_form(firm: SimpleNamespace, **more: object) -> dict[str, object]:
    today = clock.local(clock.now()).date()
    return {"device_id": firm.device_id, "content": "清洁打印头", "timing": "interval", "every": "1", "starts_on": today.isoformat(), "notice_days": "2",
            "responsible_id": firm.wang.id} | more


def waiting() -> list[int]:
    with db.begin(scope.ALL) as work:
        actions.remind(work, at=clock.now())
        return list(work.scalars(select(MaintenanceReminder.id).where(MaintenanceReminder.state == "due").order_by(MaintenanceReminder.id)))


def test_a_plan_is_made_and_its_visit_stands_in_the_list(cleo: FlaskClient, firm: SimpleNamespace) -> None:
    status, where = send(cleo, "/maintenance/plans", **plan_form(firm))
    waiting()
    page = cleo.get("/maintenance", headers=PAGE).text
    assert status == 302 and re.fullmatch(r"/maintenance/plans/\d+", where)
    assert where in page and "清洁打印头" in page and "&lt;b&gt;标签机" in page and "<b>标签机" not in page
    assert "every day" in cleo.get("/maintenance/plans", headers=PAGE).text


@pytest.mark.parametrize(("field", "typed"), [("content", " "), ("every", "abc"), ("every", "99999"), ("starts_on", "gestern"), ("notice_days", "-1")])
def test_what_cannot_be_taken_is_said_beside_its_field_and_kept(cleo: FlaskClient, firm: SimpleNamespace, field: str, typed: str) -> None:
    status, page = send(cleo, "/maintenance/plans", **plan_form(firm, note="x") | {field: typed})
    assert status == 422 and 'class="error"' in page
    assert field == "content" or "清洁打印头" in page


def test_visits_are_dispatched_together(cleo: FlaskClient, firm: SimpleNamespace) -> None:
    for number in range(3):
        send(cleo, "/maintenance/plans", **plan_form(firm) | {"content": f"清洁打印头 {number}"})
    ids = waiting()
    chosen = {"id": [str(one) for one in ids], "choice": "plan"}
    assert send(cleo, "/lists/visits/do/dispatch", **chosen)[0] == 302
    assert send(cleo, "/lists/visits/do/dispatch", **chosen)[0] == 302
    with db.begin(scope.ALL) as work:
        tickets = work.scalars(select(Ticket)).all()
        assert [(t.type, t.assignee_id) for t in tickets] == [("upkeep", firm.wang.id)] * 3
    assert send(cleo, "/lists/visits/do/dispatch", choice="plan")[0] == 422
    assert send(cleo, "/lists/visits/do/dispatch", id=str(ids[0]), choice="99999")[0] == 422


def test_visits_are_given_to_somebody_of_choice(cleo: FlaskClient, firm: SimpleNamespace) -> None:
    send(cleo, "/maintenance/plans", **plan_form(firm, responsible_id=""))
    send(cleo, "/lists/visits/do/dispatch", id=[str(one) for one in waiting()], choice=firm.wang.id)
    with db.begin(scope.ALL) as work:
        assert [ticket.assignee_id for ticket in work.scalars(select(Ticket))] == [firm.wang.id]


def test_done_and_left_out_set_the_next_date(cleo: FlaskClient, firm: SimpleNamespace) -> None:
    for number in range(2):
        send(cleo, "/maintenance/plans", **plan_form(firm) | {"content": f"清洁打印头 {number}"})
    first, second = waiting()
    send(cleo, f"/maintenance/visits/{first}/done", findings="正常")
    send(cleo, f"/maintenance/visits/{second}/skip", reason="停业")
    today = clock.local(clock.now()).date()
    with db.begin(scope.ALL) as work:
        nexts = [plan.next_due_on for plan in work.scalars(select(MaintenancePlan).order_by(MaintenancePlan.id))]
    # Due tomorrow: one was done today, the other is left out this once.
    assert nexts == [today + timedelta(days=2), today + timedelta(days=2)]


def test_two_who_change_one_plan_see_both(cleo: FlaskClient, firm: SimpleNamespace) -> None:
    _status, where = send(cleo, "/maintenance/plans", **plan_form(firm))
    version = re.search(r'name="version" value="(\d+)"', cleo.get(where, headers=PAGE).text)
    assert version
    assert send(cleo, where, **plan_form(firm, content="换色带", version=version[1]))[0] == 302
    status, page = send(cleo, where, **plan_form(firm, content="校准", version=version[1]))
    assert status == 409 and "换色带" in page and "校准" in page


def test_nobody_reaches_another_branchs_device_or_plan(app: Flask, settings: Settings, cleo: FlaskClient, firm: SimpleNamespace) -> None:
    assert send(cleo, "/maintenance/plans", **plan_form(firm, device_id=firm.foreign_id))[0] == 404
    _status, where = send(cleo, "/maintenance/plans", **plan_form(firm))
    (visit,) = waiting()
    dan = people.browser(app, settings, firm.dan)
    assert dan.get(where, headers=PAGE).status_code == 404
    assert "清洁打印头" not in dan.get("/maintenance", headers=PAGE).text
    assert send(dan, where, **plan_form(firm))[0] == 403
    root = people.browser(app, settings, firm.root)
    assert send(root, f"/maintenance/visits/{visit}/skip", reason="x")[0] == 302


def test_a_technician_reads_and_changes_nothing(app: Flask, settings: Settings, cleo: FlaskClient, firm: SimpleNamespace) -> None:
    _status, where = send(cleo, "/maintenance/plans", **plan_form(firm))
    wang = people.browser(app, settings, firm.wang)
    page = wang.get(where, headers=PAGE).text
    assert "清洁打印头" in page and "<fieldset class=\"fields\" disabled" in page
    assert send(wang, where + "/state", state="ended")[0] == 403


def test_two_who_change_one_round_see_both(cleo: FlaskClient, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        one, two = (make.site(work, firm.pudong, name=name).id for name in ("一号机房", "二号机房"))
    today = clock.local(clock.now()).date().isoformat()
    form = {"name": "上门巡查", "inspector_id": firm.wang.id, "starts_on": today, "ends_on": today, "site": [one]}
    _, where = send(cleo, "/maintenance/rounds", **form)
    assert send(cleo, where, **form | {"version": 1, "name": "夜间巡查", "site": [one, two]})[0] == 302
    status, page = send(cleo, where, **form | {"version": 1, "name": "周末巡查"})
    shown = page.split("Saved by somebody else meanwhile")[1].split("</section>")[0]
    assert status == 409 and "夜间巡查" in shown and "周末巡查" in shown and "二号机房" in shown
    assert 'name="version" value="2"' in page
