"""Passwords age, are not taken again, and are one's own; names lock and are unlocked."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.staff import actions
from service.staff.security import policy, rules
from service.staff.security.rules import Policy
from tests import make
from tests.conftest import AT
from tests.signin import door, people
from tests.signin.people import PAGE

WORDS = [f"several words {number}" for number in "abcdefg"]


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.mark.parametrize(("days", "age", "old"), [(0, 9999, False), (90, 89, False), (90, 91, True), (90, None, True), (0, None, False)])
def test_a_password_gets_too_old(days: int, age: int | None, old: bool) -> None:
    assert rules.too_old(None if age is None else AT - timedelta(days=age), days, AT) is old


def test_who_was_given_a_password_chooses_another_before_anything_else(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    root, page = people.browser(app, settings, committed_cast.root), f"/settings/people/{committed_cast.ada.id}"
    told = door.send(root, f"{page}/password", page)[1]
    given = told.partition("Password: ")[2].partition("<")[0]
    client = app.test_client()
    assert door.password(client, "ada", given) == "/sign-in/password"
    assert door.landed(client, "/desk") == "/sign-in/password"
    for new, again, sentence in ((given, given, "last five"), ("short", "short", "At least 10"), (WORDS[0], WORDS[1], "not the same")):
        status, refused = door.send(client, "/sign-in/password", "/sign-in/password", new=new, again=again)
        assert status == 422 and sentence in refused
    assert door.send(client, "/sign-in/password", "/sign-in/password", new=WORDS[0], again=WORDS[0])[0] == 302
    assert client.get("/desk", headers=PAGE).status_code == 200
    assert door.password(app.test_client(), "ada", WORDS[0]) == "/desk"
    assert door.password(app.test_client(), "ada", given) == "/sign-in"


def test_a_password_that_is_too_old_is_replaced_at_the_sign_in(app: Flask, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        policy.change(work, Policy(password_days=30), by=committed_cast.root.id, at=clock.now())
        work.execute(text("update staff set password_at = now() - interval '31 days' where username = 'ada'"))
        work.execute(text("update staff set password_at = now() - interval '29 days' where username = 'ben'"))
    client = app.test_client()
    assert door.password(client, "ada") == "/sign-in/password"
    assert door.password(app.test_client(), "ben") == "/desk"
    assert door.send(client, "/sign-in/password", "/sign-in/password", new=make.PASSWORD, again=make.PASSWORD)[0] == 422
    assert door.send(client, "/sign-in/password", "/sign-in/password", new=WORDS[0], again=WORDS[0])[0] == 302
    assert door.password(app.test_client(), "ada", WORDS[0]) == "/desk"


def test_the_last_five_are_not_taken_again(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    client, here = people.browser(app, settings, committed_cast.ada), "/settings/password"
    old = make.PASSWORD
    for word in WORDS[:5]:
        assert door.send(client, here, here, old=old, new=word, again=word)[0] == 302
        old = word
    for word in WORDS[:5]:
        status, page = door.send(client, here, here, old=old, new=word, again=word)
        assert status == 422 and "last five" in page, word
    assert door.send(client, here, here, old=old, new=WORDS[5], again=WORDS[5])[0] == 302
    assert door.send(client, here, here, old=WORDS[5], new=WORDS[0], again=WORDS[0])[0] == 302, "the sixth before is forgotten"


def test_the_firm_says_how_many_guesses_lock_and_an_administrator_unlocks(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    root, here = people.browser(app, settings, committed_cast.root), "/settings/security"
    assert door.send(root, here, here, name="恒通", password_days="0", lock_after="3", lock_minutes="45", version="0")[0] == 302
    for _guess in range(3):
        people.typed(app.test_client(), "ada", "wrong")
    status, page = people.typed(app.test_client(), "ada", make.PASSWORD)
    assert status == 200 and "45" in page
    shown = root.get(here, headers=PAGE).text
    assert f'action="/settings/security/unlock/{committed_cast.ada.id}"' in shown
    assert door.send(root, f"{here}/unlock/{committed_cast.ada.id}", here)[0] == 302
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 302
    (line,) = [line for line in door.lines("security") if line.entity == "firm"]
    assert line.new == {"name": "恒通", "lock_after": 3, "lock_minutes": 45}


@pytest.mark.parametrize("wrong", [{"lock_after": "1"}, {"lock_minutes": "0"}, {"password_days": "-1"}, {"password_days": "x"}, {"name": "恒" * 300}])
def test_rules_that_cannot_be_meant_are_refused_beside_their_field(
    wrong: dict[str, str], app: Flask, settings: Settings, committed_cast: SimpleNamespace
) -> None:
    root, here = people.browser(app, settings, committed_cast.root), "/settings/security"
    form = {"name": "x", "password_days": "0", "lock_after": "10", "lock_minutes": "15", "version": "0"} | wrong
    status, page = door.send(root, here, here, **form)
    assert status == 422 and f'id="error-{next(iter(wrong))}"' in page


def test_of_two_who_save_at_once_the_second_sees_both(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    root, here = people.browser(app, settings, committed_cast.root), "/settings/security"
    form = {"password_days": "0", "lock_minutes": "15", "version": "0", "name": ""}
    assert door.send(root, here, here, lock_after="7", **form)[0] == 302
    status, page = door.send(root, here, here, lock_after="8", **form)
    assert status == 409 and "<td class=\"wraps\">7</td><td class=\"wraps\">8</td>" in page and 'name="lock_after" inputmode="numeric" maxlength="5" required value="8"' in page
    assert 'name="version" value="1"' in page


def test_a_name_that_is_nobodys_is_kept_neither_where_it_is_counted_nor_in_the_log(app: Flask, committed_cast: SimpleNamespace) -> None:
    secret = "my-secret-passphrase"
    for _guess in range(actions.BY_NAME):
        people.typed(app.test_client(), secret, "x")
    assert people.typed(app.test_client(), secret, "x")[1].find("15") > 0, "it locks like any other"
    with db.begin(scope.ALL) as work:
        kept = [str(row) for table in ("sign_in_attempt", "audit_entry") for row in work.execute(text(f"select * from {table}"))]
    assert kept and not any("my-" in row or "secret" in row for row in kept)
    assert set(door.refusals()) == {("my…", "unknown"), ("my…", "locked")}
