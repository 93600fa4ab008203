"""Who works here: engaged, changed, switched off, let in again; and somebody who administers is always left."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import db, scope
from service.core.config import Settings
from service.core.model import AuditEntry
from service.staff import rules
from service.staff.model import Staff, StaffSession
from tests import make
from tests.signin import people

PAGE = {"Accept": "text/html"}
LI = {"name": "李雷", "username": "Li.Lei", "roles": ["agent", "technician"], "reach": "below", "active": "1"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def root(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, committed_cast.root)


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/settings/password")}, headers=PAGE)
    return answer.status_code, answer.text


def told(name: str) -> list[tuple[str, object, object]]:
    with db.begin(scope.ALL) as work:
        row = work.scalars(select(Staff).where(Staff.username == name)).one()
        lines = work.scalars(select(AuditEntry).where(AuditEntry.entity == "staff", AuditEntry.entity_id == row.id).order_by(AuditEntry.id))
        return [(line.verb, line.old, line.new) for line in lines]


def sign_in(app: Flask, username: str, password: str) -> int:
    client = app.test_client()
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/sign-in", headers=PAGE).text)
    assert found
    form = {"username": username, "password": password, "csrf_token": found[1]}
    return client.post("/sign-in", data=form, headers=PAGE).status_code


def test_who_begins_here_signs_in_with_the_password_that_is_shown_once(app: Flask, root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    status, page = send(root, "/settings/people", **LI, branch_id=committed_cast.pudong.id)
    shown = re.search(r"<b>Password: ([^<]+)</b>", page)

    assert status == 200 and shown
    assert sign_in(app, "li.lei", shown[1]) == 302
    assert shown[1] not in root.get("/settings/people", headers=PAGE).text
    assert all(shown[1] not in str(line) for line in told("li.lei"))


@pytest.mark.parametrize(("change", "sentence"), [
    ({"username": "ada"}, "Somebody has this name already."), ({"username": "a b"}, "small letters"), ({"name": " "}, "Type the person"),
    ({"roles": []}, "at least one role"), ({"roles": ["owner"]}, "at least one role"), ({"reach": "world"}, "how far"),
    ({"branch_id": "999999"}, "Choose the person"), ({"branch_id": "x"}, "Choose the person"), ({"name": "x" * 101}, "at most 100"),
])
def test_each_wrong_field_has_its_sentence_and_nothing_is_saved(
    change: dict[str, object], sentence: str, root: FlaskClient, committed_cast: SimpleNamespace
) -> None:
    status, page = send(root, "/settings/people", **(LI | {"branch_id": committed_cast.pudong.id} | change))

    assert status == 422 and sentence in page
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Staff.id).where(Staff.name == "李雷")).all() == []


def test_a_change_takes_effect_on_the_next_click_and_is_on_record(
    app: Flask, settings: Settings, root: FlaskClient, committed_cast: SimpleNamespace
) -> None:
    ada = people.browser(app, settings, committed_cast.ada)
    assert ada.get("/wallboard", headers=PAGE).status_code == 403
    form = {"name": "Ada", "username": "ada", "roles": ["supervisor"], "reach": "below", "active": "1", "branch_id": committed_cast.suzhou.id}
    assert send(root, f"/settings/people/{committed_cast.ada.id}", **form)[0] == 302

    assert ada.get("/wallboard", headers=PAGE).status_code == 200
    assert told("ada")[-1] == ("changed", {"roles": "agent", "branch_id": committed_cast.pudong.id, "reach": "branch"},
                               {"roles": "supervisor", "branch_id": committed_cast.suzhou.id, "reach": "below"})


def test_who_is_switched_off_is_signed_out_everywhere(app: Flask, settings: Settings, root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    ada = people.browser(app, settings, committed_cast.ada)
    form = {"name": "Ada", "username": "ada", "roles": ["agent"], "reach": "branch", "branch_id": committed_cast.pudong.id}
    assert send(root, f"/settings/people/{committed_cast.ada.id}", **form)[0] == 302

    assert ada.get("/desk", headers=PAGE).status_code == 302
    assert sign_in(app, "ada", make.PASSWORD) == 200
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(StaffSession.id).where(StaffSession.staff_id == committed_cast.ada.id, StaffSession.ended_at.is_(None))).all() == []


def test_the_last_administrator_stays_one(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    path = f"/settings/people/{committed_cast.root.id}"
    form = {"name": "Root", "username": "root", "roles": ["agent"], "reach": "all", "active": "1", "branch_id": committed_cast.hq.id}
    status, page = send(root, path, **form)
    assert status == 409 and "Nobody would be left" in page
    status, page = send(root, path, **(form | {"roles": ["admin"], "active": ""}))
    assert status == 422 and "cannot switch yourself off" in page
    assert root.get("/settings/people", headers=PAGE).status_code == 200


def test_a_new_password_ends_the_old_one(app: Flask, settings: Settings, root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    ada = people.browser(app, settings, committed_cast.ada)
    _status, page = send(root, f"/settings/people/{committed_cast.ada.id}/password")
    shown = re.search(r"<b>Password: ([^<]+)</b>", page)

    assert shown and sign_in(app, "ada", shown[1]) == 302 and sign_in(app, "ada", make.PASSWORD) == 200
    assert ada.get("/desk", headers=PAGE).status_code == 302


def test_ones_own_password_needs_the_old_one_and_keeps_this_browser(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    here, there = people.browser(app, settings, committed_cast.ada), people.browser(app, settings, committed_cast.ada)
    good = {"old": make.PASSWORD, "new": "vier rote Dächer", "again": "vier rote Dächer"}
    for wrong, sentence in (({"old": "guess"}, "not your password"), ({"again": "other"}, "not the same"), ({"new": "short", "again": "short"}, "At least 10")):
        status, page = send(here, "/settings/password", **(good | wrong))
        assert status == 422 and sentence in page

    assert send(here, "/settings/password", **good)[0] == 302
    assert (here.get("/desk", headers=PAGE).status_code, there.get("/desk", headers=PAGE).status_code) == (200, 302)
    assert sign_in(app, "ada", "vier rote Dächer") == 302


@pytest.mark.parametrize(("password", "good"), [
    ("short", False), ("Password123", False), ("aaaaaaaaaaaaaa", False), ("1234567890", False), ("ada-lovelace-1", False),
    ("correct horse battery", True), ("三座山和一条河还有两只鸟", True), ("x" * 201, False),
])
def test_what_everybody_would_guess_is_no_password(password: str, good: bool) -> None:
    assert bool(rules.bad_password(password, "ada", "Ada")) != good
