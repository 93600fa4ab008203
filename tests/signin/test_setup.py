"""The first start: no way in but the address that the start prints, which opens once."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flask import Flask
from sqlalchemy import select

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.staff import actions
from service.staff.model import Branch, Staff
from service.staff.security import setup, setup_web
from service.staff.security.model import Firm, SetupToken
from tests.live import server
from tests.signin import door, people
from tests.signin.people import PAGE

FACTS = {"firm": "恒通科技", "branch": "总部", "code": "HQ", "name": "李雷", "username": "li.lei", "password": "several good words", "again": "several good words"}


@pytest.fixture
def app(settings: Settings, clean: db.Database) -> Iterator[Flask]:
    yield create_app(settings, clean)


@pytest.fixture
def token(app: Flask) -> str:
    with db.begin(scope.ALL) as work:
        return setup.new_token(work, at=clock.now())


def send(app: Flask, token: str, **more: Any) -> tuple[int, str]:
    client = app.test_client()
    return door.send(client, "/setup", "/setup", token=token, **FACTS | more)


def test_every_page_leads_to_how_the_address_is_found(app: Flask, token: str) -> None:
    client = app.test_client()
    for path in ("/", "/sign-in", "/settings/people", "/dashboards/calls", "/sign-in/code", "/nowhere"):
        assert door.landed(client, path) == "/setup", path
    assert token not in client.get("/setup", headers=PAGE).text
    assert client.get("/calls", headers={"Accept": "application/json"}).status_code == 401
    assert client.get("/health").status_code == 200
    for language, word in (("en", "terminal"), ("zh-CN", "终端")):
        assert word in app.test_client().get("/setup", headers=PAGE | {"Accept-Language": language}).text


def test_the_token_opens_the_form_once_and_its_owner_is_signed_in(app: Flask, token: str) -> None:
    assert 'name="firm"' in app.test_client().get(f"/setup?token={token}", headers=PAGE).text
    client = app.test_client()
    assert door.send(client, "/setup", "/setup", token=token, **FACTS) == (302, "/settings/security/me")
    assert client.get("/settings/people", headers=PAGE).status_code == 200
    with db.begin(scope.ALL) as work:
        person, branch = work.scalars(select(Staff)).one(), work.scalars(select(Branch)).one()
        assert (person.username, [role.name for role in person.roles], branch.code, branch.name) == ("li.lei", ["admin"], "HQ", "总部")
        assert work.get_one(Firm, 1).name == "恒通科技" and work.get(SetupToken, 1) is None
    assert app.test_client().get(f"/setup?token={token}", headers=PAGE).status_code == 404
    assert door.landed(app.test_client(), "/tickets") == "/sign-in"
    assert people.typed(app.test_client(), "li.lei", FACTS["password"])[0] == 302


def test_a_wrong_token_is_refused_counted_and_told(app: Flask, token: str) -> None:
    for _guess in range(actions.BY_NAME):
        assert app.test_client().get("/setup?token=wrong", headers=PAGE).status_code == 403
    assert app.test_client().get(f"/setup?token={token}", headers=PAGE).status_code == 429
    assert set(door.refusals()) == {("(set-up)", "token")}


def test_a_new_start_makes_the_address_before_it_worthless(app: Flask, token: str, settings: Settings) -> None:
    said = setup_web.announcement(settings, 8080)
    newer = said.rpartition("=")[2]
    assert app.test_client().get(f"/setup?token={token}", headers=PAGE).status_code == 403
    assert app.test_client().get(f"/setup?token={newer}", headers=PAGE).status_code == 200
    with db.begin(scope.ALL) as work:
        assert newer not in work.get_one(SetupToken, 1).digest


@pytest.mark.parametrize("wrong", [
    {"firm": ""}, {"firm": "x" * 300}, {"code": "总部"}, {"username": "a b"}, {"password": "short"}, {"password": "ringdesk2026"}, {"again": "another"}, {"name": " "},
])
def test_what_cannot_be_taken_is_told_beside_its_field_and_nothing_is_made(wrong: dict[str, str], app: Flask, token: str) -> None:
    status, page = send(app, token, **wrong)
    assert status == 422 and f'id="error-{next(iter(wrong))}"' in page and FACTS["password"] not in page
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Staff)).first() is None


def test_a_firm_with_an_odd_name_is_taken(app: Flask, token: str) -> None:
    assert send(app, token, firm="=cmd|'<b>🙂 شركة", name="=李<b>")[0] == 302


@pytest.fixture
def empty(clean: db.Database, settings: Settings) -> Settings:
    return settings


def test_the_web_process_prints_the_address_and_it_works(empty: Settings) -> None:
    with server.serving(empty) as web:
        assert web.process.stdout is not None
        found = re.search(r"http://\S+/setup\?token=\S+", web.process.stdout.readline())
        assert found
        address = web.url + found[0].partition("/setup")[1] + found[0].partition("/setup")[2]
        assert 'name="firm"' in httpx.get(address, headers=PAGE).text
