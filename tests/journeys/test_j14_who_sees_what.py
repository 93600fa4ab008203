"""J14, steps 1, 3, 4 and 9: nobody comes in without what the role demands, sees what is not theirs, or changes a right unseen."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.model import AuditEntry
from service.staff import rules
from service.staff.model import Role, Staff
from tests import make
from tests.live import server
from tests.signin import door, people
from tests.signin.people import PAGE

NUMBER, COVERED = "13800001001", "138****1001"


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        party = make.party(work, committed_cast.pudong, "恒通物流")
        make.phone(work, party, NUMBER)
        make.call(work, clock.now(), caller_number=NUMBER)
        committed_cast.party_id = party.id
        committed_cast.ticket_id = make.ticket(work, party, committed_cast.ben, clock.now()).id
    return committed_cast


def test_1_nobody_comes_in_by_plain_http_without_a_code_or_from_elsewhere(
    app: Flask, settings: Settings, database: db.Database, firm: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = replace(settings, data=tmp_path_factory.mktemp("j14"))
    with server.serving(own, RINGDESK_SECURE_COOKIES="1") as web:
        plain = httpx.get(f"{web.url}/tickets", headers=PAGE)
        assert plain.status_code == 308 and plain.headers["Location"].startswith("https://")
        assert httpx.post(f"{web.url}/sign-in", data={"username": "root", "password": make.PASSWORD}, headers=PAGE).status_code == 403

    door.demands("admin")
    door.enrolled(firm.root.id)
    browser = app.test_client()
    where = door.password(browser, "root")
    assert where.startswith("/sign-in") and browser.get("/settings/people", headers=PAGE).status_code == 302
    door.demands("agent", second=False, addresses="10.1.0.0/16")
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 200
    assert ("ada", "address") in door.refusals()
    assert [line.by_id for line in door.lines("signin") if line.verb == "code asked"] == [firm.root.id]


def shown(client: FlaskClient, firm: SimpleNamespace) -> list[str]:
    """A card, a list and an export, as this person gets them."""
    paths = (f"/customers/{firm.party_id}", "/calls", "/lists/calls/export.csv")
    answers = [client.get(path, headers=PAGE) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    return [answer.text.replace(" ", "") for answer in answers]


def test_3_an_agent_sees_a_covered_number_wherever_it_stands(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        agent = work.scalars(select(Role).where(Role.name == "agent")).one()
        agent.permissions = [*sorted(rules.PERMISSIONS["agent"]), "export"]
    for text in shown(people.browser(app, settings, firm.ada), firm):
        assert COVERED in text and NUMBER not in text
    for text in shown(people.browser(app, settings, firm.cleo), firm):
        assert NUMBER in text and COVERED not in text


def test_4_a_ticket_of_somebody_else_is_not_opened_by_its_address(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada = people.browser(app, settings, firm.ada)
    assert ada.get(f"/tickets/{firm.ticket_id}", headers=PAGE).status_code == 200
    with db.begin(scope.ALL) as work:
        work.get_one(Staff, firm.ada.id).reach = "own"
    assert ada.get(f"/tickets/{firm.ticket_id}", headers=PAGE).status_code in (403, 404)
    with db.begin(scope.ALL) as work:
        told = work.scalars(select(AuditEntry).where(AuditEntry.verb == "refused", AuditEntry.entity == "ticket")).all()
    assert [(line.by_id, line.entity_id) for line in told] == [(firm.ada.id, firm.ticket_id)]


def test_9_who_changed_a_right_is_on_record_with_old_and_new(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    root = people.browser(app, settings, firm.root)
    with db.begin(scope.ALL) as work:
        agent = work.scalars(select(Role).where(Role.name == "agent")).one()
    left = sorted(rules.PERMISSIONS["agent"] - {"call.listen"})
    form = {"name": "agent", "reach": agent.reach, "permissions": left, "active": "1", "version": agent.version}
    assert door.send(root, f"/settings/roles/{agent.id}", "/settings/password", **form)[0] == 302
    with db.begin(scope.ALL) as work:
        line = work.scalars(select(AuditEntry).where(AuditEntry.entity == "role", AuditEntry.entity_id == agent.id).order_by(AuditEntry.id.desc())).first()
    assert line is not None and line.by_id == firm.root.id
    assert "call.listen" in str(line.old) and "call.listen" not in str(line.new)
    assert str(line.entity_id) in root.get("/settings/audit?entity=role", headers=PAGE).text
