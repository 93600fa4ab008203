"""Each view as the outsider meets it: nothing of another branch, nothing without sign-in, nothing without a token."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from tests import make
from tests.browser import scene

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    """All pages."""
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """A customer of Pudong with a call, a ticket, and a phone that rings at Ada's."""
    with db.begin(scope.ALL) as work:
        customer = make.party(work, committed_cast.pudong, "浦东客户")
        make.line(work, committed_cast.pudong, "support")
        made = {
            "party": customer.id,
            "ticket": make.ticket(work, customer, committed_cast.ada, clock.now()).id,
            "call": make.call(work, clock.now()).id,
        }
    return SimpleNamespace(**vars(committed_cast), **made, pop=scene.rings("1795331799.1"))


def token(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get(path, headers=PAGE).text)
    assert found
    return found[1]


def signed_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    form = {"username": username, "password": make.PASSWORD, "csrf_token": token(client)}
    assert client.post("/sign-in", data=form, headers=PAGE).status_code == 302
    return client


def paths(firm: SimpleNamespace) -> list[str]:
    return [
        *(f"/tickets/{firm.ticket}", f"/calls/{firm.call}", f"/customers/{firm.party}"),
        *(f"/desk/pops/{firm.pop}", f"/tickets/new?pop={firm.pop}", f"/tickets/new?call={firm.call}"),
    ]


def test_the_outsider_finds_nothing_of_another_branch(app: Flask, firm: SimpleNamespace) -> None:
    dan, ada = signed_in(app, "dan"), signed_in(app, "ada")
    assert {path: dan.get(path, headers=PAGE).status_code for path in paths(firm)} == dict.fromkeys(paths(firm), 404)
    assert {path: ada.get(path, headers=PAGE).status_code for path in paths(firm)} == dict.fromkeys(paths(firm), 200)
    for path in ("/tickets?view=all", "/calls", "/customers?q=浦东", "/customers/found?q=浦东"):
        assert "浦东客户" not in dan.get(path, headers=PAGE).text
    assert "SR" not in dan.get(f"/tickets/of-call/{firm.call}", headers=PAGE).text


def posts(firm: SimpleNamespace) -> list[tuple[str, dict[str, Any]]]:
    ticket, pop = f"/tickets/{firm.ticket}", f"/desk/pops/{firm.pop}"
    return [
        (f"{ticket}/assign", {"staff_id": firm.dan.id}),
        (f"{ticket}/accept", {}),
        (f"{ticket}/note", {"note": "x"}),
        (f"{pop}/choose", {"choice": str(firm.party)}),
        (f"{pop}/attach", {"party_id": str(firm.party)}),
        (f"{pop}/customer", {"name": "x"}),
        ("/tickets", {"party_id": firm.party, "subject": "x", "priority": "low", "type": "repair"}),
    ]


def test_the_outsider_changes_nothing_of_another_branch(app: Flask, firm: SimpleNamespace) -> None:
    dan = signed_in(app, "dan")
    mark = token(dan, "/desk")
    answers = {path: dan.post(path, data=data | {"csrf_token": mark}).status_code for path, data in posts(firm)}
    assert answers == dict.fromkeys(answers, 404)


def test_a_post_without_a_token_is_refused(app: Flask, firm: SimpleNamespace) -> None:
    ada = signed_in(app, "ada")
    answers = {path: ada.post(path, data=data).status_code for path, data in posts(firm)}
    answers |= {path: ada.post(path).status_code for path in ("/nights", "/settings/theme", "/sign-out")}
    assert answers == dict.fromkeys(answers, 400)


def test_nobody_is_shown_anything_before_the_sign_in(app: Flask, firm: SimpleNamespace) -> None:
    client = app.test_client()
    for path in [*paths(firm), "/desk", "/tickets", "/calls", "/customers", "/nights", "/customers/found?q=a"]:
        answer = client.get(path, headers=PAGE)
        assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/sign-in"), path


@pytest.mark.parametrize(
    ("username", "path", "status"),
    [
        ("wang", "/desk", 403),
        ("ada", "/nights", 403),
        ("fay", "/tickets/new", 403),
        ("wang", "/tickets", 200),
        ("mei", "/nights", 200),
    ],
)
def test_a_role_opens_its_own_doors(username: str, path: str, status: int, app: Flask, firm: SimpleNamespace) -> None:
    assert signed_in(app, username).get(path, headers=PAGE).status_code == status


def test_a_refusal_names_the_permission_as_the_page_of_roles_does(app: Flask, firm: SimpleNamespace) -> None:
    ada = signed_in(app, "ada")
    page = ada.get("/settings/people", headers=PAGE)
    assert page.status_code == 403
    assert "Manage people, roles, branches, shifts and settings" in page.text
    assert "staff.admin" not in page.text


def test_money_is_shown_to_those_who_may_see_it(app: Flask, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        customer = work.get_one(make.Party, firm.party)
        make.invoice(work, customer, "777.00", clock.now().date(), clock.now().date(), clock.now())
    page = f"/customers/{firm.party}"
    assert "777.00" in signed_in(app, "ada").get(page, headers=PAGE).text
    assert "777.00" not in signed_in(app, "wang").get(page, headers=PAGE).text


def test_the_same_form_sent_twice_is_one_ticket(app: Flask, firm: SimpleNamespace) -> None:
    ada = signed_in(app, "ada")
    form = {"csrf_token": token(ada, "/desk"), "request_key": "k1", "party_id": firm.party, "subject": "twice"}
    places = [ada.post("/tickets", data=form | {"priority": "low"}).headers["Location"] for _ in range(2)]
    assert places[0] == places[1]


def test_a_day_of_calls_ends_at_the_firms_midnight(app: Flask, firm: SimpleNamespace) -> None:
    midnight = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # in Shanghai
    with db.begin(scope.ALL) as work:
        last, first = (make.call(work, midnight + timedelta(seconds=shift)).id for shift in (-1, 0))
    ada = signed_in(app, "ada")

    def listed(day: str) -> set[int]:
        return {int(n) for n in re.findall(r'href="/calls/(\d+)"', ada.get(f"/calls?day={day}", headers=PAGE).text)}

    assert (last in listed("2026-11-23"), first in listed("2026-11-23")) == (True, False)
    assert (last in listed("2026-11-24"), first in listed("2026-11-24")) == (False, True)


TAKEN = {("/tickets?party=", "0"), ("/calls?party=", "0")}  # numbers, though of nobody


@pytest.mark.parametrize("value", ["0", "-1", "x", "99999999999999999999", "１", "9999-12-31", "2026-11-23T01:00:00+00:00_²"])
def test_odd_numbers_in_an_address_are_refused_in_words(value: str, app: Flask, firm: SimpleNamespace) -> None:
    ada = signed_in(app, "ada")
    for path in ("/tickets?before=", "/tickets?party=", "/calls?party=", "/calls?before=", "/calls?day="):
        answer = ada.get(path + value, headers=PAGE)
        assert answer.status_code == (200 if (path, value) in TAKEN else 422), path


@pytest.mark.parametrize("value", ["", "x", "²", "１", "-1", "9" * 30])
def test_odd_numbers_in_a_caller_form_are_no_fault(value: str, app: Flask, firm: SimpleNamespace) -> None:
    ada = signed_in(app, "ada")
    form, pop = {"csrf_token": token(ada, "/desk")}, f"/desk/pops/{firm.pop}"
    assert ada.post(f"{pop}/choose", data=form | {"choice": value}).status_code == 422
    assert ada.post(f"{pop}/attach", data=form | {"party_id": value}).status_code == 422
    assert ada.post(f"{pop}/choose", data=form | {"choice": f"{firm.party}:{value}"}).status_code == 200


def test_a_caller_name_is_text_in_every_page(app: Flask, firm: SimpleNamespace) -> None:
    evil = "<script>alert(1)</script>"
    with db.begin(scope.ALL) as work:
        call = make.call(work, clock.now(), caller_name=evil, caller_number=evil)
    ada = signed_in(app, "ada")
    for path in ("/calls", f"/calls/{call.id}", f"/tickets/new?call={call.id}"):
        body = ada.get(path, headers=PAGE).text
        assert evil not in body, path
    assert "&lt;script&gt;" in ada.get("/calls", headers=PAGE).text


def test_a_call_that_has_its_customer_makes_no_other(app: Flask, firm: SimpleNamespace) -> None:
    tabs = [signed_in(app, "ada") for _ in range(3)]
    marks = [token(tab, "/desk") for tab in tabs]

    def create(tab: FlaskClient, mark: str) -> int:
        return tab.post(f"/desk/pops/{firm.pop}/customer", data={"csrf_token": mark, "name": "Once Ltd"}).status_code

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(create, tabs, marks)) == [200, 409, 409]
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(make.Party.name).where(make.Party.name == "Once Ltd")).all() == ["Once Ltd"]


def test_two_saves_at_one_moment_are_told_in_words(app: Flask) -> None:
    with app.test_request_context("/customers", headers=PAGE | {"Accept-Language": "en"}):
        answer = app.make_response(app.handle_user_exception(StaleDataError("expected to update 1 row(s)")))
    assert answer.status_code == 409 and "same moment" in answer.get_data(as_text=True)
