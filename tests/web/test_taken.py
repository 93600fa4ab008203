"""What is there once in the firm is refused in words, also where its holder stands in a branch that one does not see."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from tests import make
from tests.signin import people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Pudong has a project P-1 and a ticket; Sue of Suzhou may do anything there and sees nothing of it."""
    cast = committed_cast
    with db.begin(scope.ALL) as work:
        make.project(work, cast.pudong, number="P-1")
        own = make.project(work, cast.suzhou, number="P-2", name="苏州工程")
        party, here = make.party(work, cast.pudong), make.party(work, cast.suzhou, "苏州客户")
        ticket = make.ticket(work, party, cast.ada, clock.now(), request_key="a-key-of-pudong")
        party.request_key, sue = "b-key-of-pudong", make.staff(work, "sue", cast.suzhou, "admin")
        sue.locale = "en"
        return SimpleNamespace(**vars(cast), sue=sue, own=own.id, version=own.version, here=here.id, ticket=ticket.id)


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/tickets")}, headers=PAGE)
    return answer.status_code, answer.text


def test_a_number_of_a_project_that_is_not_seen(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    sue = people.browser(app, settings, firm.sue)
    for path, more in (("/sites/projects", {"name": "新工程"}), (f"/sites/projects/{firm.own}", {"name": "苏州工程", "version": firm.version})):
        status, page = send(sue, path, number="P-1", **more)
        assert status == 422 and "Another project has this number" in page, path
    assert send(sue, f"/sites/projects/{firm.own}", number="P-3", name="苏州工程", version=firm.version)[0] == 302


@pytest.mark.parametrize(("path", "form"), [
    ("/tickets", {"subject": "卡纸", "priority": "normal", "request_key": "a-key-of-pudong"}),
    ("/settings/people", {"name": "X", "username": "ada", "roles": "agent", "reach": "branch", "active": "1"}),
    ("/customers", {"name": "新客户", "customer": "1", "request_key": "b-key-of-pudong"}),
])
def test_whatever_is_taken_is_told_and_no_fault(path: str, form: dict[str, str], app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    status, page = send(people.browser(app, settings, firm.sue), path, party_id=firm.here, branch_id=firm.suzhou.id, **form)
    assert status in (302, 409, 422), page[-2000:]


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_number_that_was_typed_before_its_turn_does_not_stop_the_series(days: int, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    day = clock.local(clock.now()) + timedelta(days=days)
    sue = people.browser(app, settings, firm.sue)
    assert send(sue, "/sites/projects", number=f"P{day:%Y%m%d}0001", name="新工程")[0] == 302
    assert send(sue, "/sites/projects", name="又一个工程")[0] == 302
