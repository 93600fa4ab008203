"""From where a role signs in: ranges of addresses, also behind a proxy, and nobody shuts themselves out."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from service.app import create_app
from service.core import db, scope
from service.core.config import Settings
from service.staff.model import Role
from service.staff.security import rules
from tests import make
from tests.signin import door, people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.mark.parametrize(("address", "ranges", "inside"), [
    ("10.1.2.3", "", True), ("10.1.2.3", "10.1.0.0/16", True), ("10.2.0.1", "10.1.0.0/16", False), ("10.2.0.1", "10.1.0.0/16, 10.2.0.1", True),
    ("2001:db8::7", "2001:db8::/32", True), ("2001:db9::7", "2001:db8::/32", False), ("::ffff:10.1.2.3", "10.1.0.0/16", True),
    ("fe80::1%eth0", "fe80::/10", True), ("", "10.0.0.0/8", False), ("unix", "0.0.0.0/0", False), ("10.1.2.3", "::/0", False),
])
def test_an_address_is_inside_or_not(address: str, ranges: str, inside: bool) -> None:
    assert rules.inside(address, ranges) is inside


def test_each_role_with_ranges_has_its_say() -> None:
    assert rules.admitted("10.1.2.3", ["", "10.1.0.0/16"])
    assert not rules.admitted("10.1.2.3", ["10.1.0.0/16", "10.9.0.0/16"])


def test_outside_the_sign_in_is_refused_in_words_and_told(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.demands("agent", second=False, addresses="10.1.0.0/16")
    status, page = people.typed(app.test_client(), "ada", make.PASSWORD)
    assert status == 200 and "127.0.0.1" in page
    assert people.typed(app.test_client(), "ada", "wrong")[1].find("127.0.0.1") < 0, "whoever guesses hears nothing of it"
    assert people.typed(app.test_client(), "cleo", make.PASSWORD)[0] == 302
    assert ("ada", "address") in door.refusals()

    inside = app.test_client()
    form = {"username": "ada", "password": make.PASSWORD, "csrf_token": people.token(inside)}
    assert inside.post("/sign-in", data=form, headers=PAGE, environ_overrides={"REMOTE_ADDR": "10.1.9.9"}).status_code == 302


def test_an_open_sign_in_ends_at_the_next_click_from_outside(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    client = people.browser(app, settings, committed_cast.ada)
    door.demands("agent", second=False, addresses="10.1.0.0/16")
    at_work = {"REMOTE_ADDR": "10.1.9.9"}
    assert client.get("/desk", headers=PAGE, environ_overrides=at_work).status_code == 200
    assert client.get("/desk", headers=PAGE).status_code == 302
    assert client.get("/desk", headers=PAGE, environ_overrides=at_work).status_code == 302, "it has ended for good"
    assert ("", "address") in door.refusals()


def test_a_range_without_oneself_is_refused(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    root, here = people.browser(app, settings, committed_cast.root), "/settings/security"
    with db.begin(scope.ALL) as work:
        ids = {role.name: role.id for role in work.scalars(select(Role))}
    status, page = door.send(root, f"{here}/roles/{ids['admin']}", here, addresses="10.1.0.0/16")
    assert (status == 422 and "shut yourself out" in page) or "You are at 127.0.0.1" in page
    assert door.send(root, f"{here}/roles/{ids['agent']}", here, addresses="10.1.0.0/16\n2001:db8::/32")[0] == 302
    assert door.send(root, f"{here}/roles/{ids['admin']}", here, addresses="127.0.0.0/8")[0] == 302
    assert "10.1.0.0/16, 2001:db8::/32" in root.get(here, headers=PAGE).text


@pytest.mark.parametrize("typed", ["10.1.0.0/99", "<script>", "例", "a" * 4000, "=cmd|' /C calc'!A0"])
def test_what_is_no_range_is_refused_in_words(typed: str, app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    root, here = people.browser(app, settings, committed_cast.root), "/settings/security"
    with db.begin(scope.ALL) as work:
        role_id = work.scalars(select(Role.id).where(Role.name == "agent")).one()
    status, page = door.send(root, f"{here}/roles/{role_id}", here, addresses=typed)
    assert status == 422 and "is no address range" in page and "<script>" not in page.replace("<script src", "")
