"""The second factor: a role demands it, an app proves it once a code, recovery codes stand in, and the password alone opens nothing."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.app import create_app
from service.core import db, scope
from service.core.config import Settings
from service.core.errors import DeskError
from service.staff import actions
from service.staff.security import asked, policy, rules, sealing, second_factor
from service.staff.security.model import RecoveryCode, Totp
from tests import make
from tests.conftest import AT
from tests.signin import door, people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.mark.parametrize(("seconds", "code"), [
    (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"), (2000000000, "69279037"),
])
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert rules.code_of(b"12345678901234567890", rules.step_of(at)) == code[-6:]  # RFC 6238, appendix B


@pytest.mark.parametrize(("off", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off_and_no_more(off: int, taken: bool) -> None:
    secret, now = b"s" * 20, rules.step_of(AT)
    assert (rules.matching_step(secret, rules.code_of(secret, now + off), AT, 0) == now + off) is taken


def test_no_code_is_taken_twice_nor_one_older_than_the_last() -> None:
    secret, now = b"s" * 20, rules.step_of(AT)
    for used, typed in ((now, now), (now + 1, now), (now + 1, now + 1)):
        assert rules.matching_step(secret, rules.code_of(secret, typed), AT, used) is None
    for nonsense in ("", "12345", "abcdef", "１２３４５６", "0" * 40):
        assert rules.matching_step(secret, nonsense, AT, 0) is None


def test_the_secret_lies_sealed_and_opens_for_nobody_else(session: Session, cast: SimpleNamespace, app: Flask) -> None:
    key = second_factor.begin(session, cast.ada.id)
    row = session.get_one(Totp, cast.ada.id)
    assert key.encode() not in row.secret and sealing.opened(row.secret, cast.ada.id)
    assert sealing.opened(row.secret, cast.ben.id) is None
    assert second_factor.begin(session, cast.ada.id) == key, "a page that is loaded again shows the same key"


def test_whoever_needs_an_app_and_has_none_reaches_nothing_else(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.demands("admin")
    client = app.test_client()
    assert door.password(client, "root") == "/sign-in/enrol"
    for path in ("/", "/settings/people", "/tickets", "/settings/security/me", "/sign-in", "/sign-in/code", "/dashboards/calls"):
        assert door.landed(client, path) == "/sign-in/enrol", path
    assert client.get("/tickets", headers={"Accept": "application/json"}).status_code == 401
    assert client.post("/settings/theme", data={"theme": "dark", "csrf_token": people.token(client, "/sign-in/enrol")}).status_code == 401

    page = client.get("/sign-in/enrol", headers=PAGE).text
    assert 'src="data:image/svg+xml' in page and "http://" not in page.replace("http://www.w3.org", "").replace("http://localhost", "")
    assert door.send(client, "/sign-in/enrol", "/sign-in/enrol", code="000000")[0] == 422
    status, told = door.send(client, "/sign-in/enrol", "/sign-in/enrol", code=door.shown(door.key_on(page)))
    assert status == 200 and len(door.codes_on(told)) == 10
    assert client.get("/settings/people", headers=PAGE).status_code == 200


def test_the_right_password_without_a_code_is_refused_and_told(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.enrolled(committed_cast.root.id)
    client = app.test_client()
    assert door.password(client, "root") == "/sign-in/code"
    assert door.landed(client, "/settings/people") == "/sign-in/code"
    for wrong in ("", "000000"):
        status, page = door.send(client, "/sign-in/code", "/sign-in/code", code=wrong)
        assert status == 422 and 'role="alert"' in page
    assert door.refusals() == [("root", "code"), ("root", "code")]
    assert "code asked" in [line.verb for line in door.lines("signin")]
    assert door.landed(client, "/settings/people") == "/sign-in/code"


def test_the_code_signs_in_once_and_leads_to_the_page_that_was_asked_for(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.enrolled(committed_cast.root.id)
    code = door.fresh_code(committed_cast.root.id)
    for times, status in enumerate((302, 422)):
        client = app.test_client()
        asked = client.get("/tickets?view=all", headers=PAGE).headers["Location"]
        _status, place = people.typed(client, "root", make.PASSWORD, asked)
        step = client.get(place, headers=PAGE).headers["Location"]
        planted = client.get_cookie("ringdesk")
        heard, place = door.send(client, "/sign-in/code", step, code=code, next="/tickets?view=all")
        assert heard == status, times
        assert status == 302 or "was used already" in place
        if status == 302:
            now = client.get_cookie("ringdesk")
            assert place == "/tickets?view=all" and client.get(place, headers=PAGE).status_code == 200
            assert planted and now and planted.value != now.value
            other = app.test_client()
            other.set_cookie("ringdesk", planted.value)
            assert door.landed(other, "/tickets") == "/sign-in", "the cookie of the step before is worth nothing"


def test_wrong_codes_lock_as_wrong_passwords_do(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.enrolled(committed_cast.ada.id)
    client = app.test_client()
    door.password(client, "ada")
    for _guess in range(actions.BY_NAME):
        status, page = door.send(client, "/sign-in/code", "/sign-in/code", code="000000")
        assert status == 422 and "This code is wrong." in page
    status, page = door.send(client, "/sign-in/code", "/sign-in/code", code=door.fresh_code(committed_cast.ada.id))
    assert status == 429 and "15" in page
    assert door.refusals()[-1] == ("ada", "locked")
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 200, "the password is locked too"


def test_each_recovery_code_is_good_once_is_hashed_and_its_use_is_told(app: Flask, committed_cast: SimpleNamespace) -> None:
    codes = door.enrolled(committed_cast.ada.id)
    assert len(set(codes)) == 10
    with db.begin(scope.ALL) as work:
        kept = " ".join(work.scalars(select(RecoveryCode.digest)))
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    for typed, status in ((codes[0].upper().replace("-", " "), 302), (codes[0], 422), (codes[1], 302)):
        client = app.test_client()
        door.password(client, "ada")
        assert door.send(client, "/sign-in/code", "/sign-in/code", code=typed)[0] == status
    used = [line for line in door.lines("security") if line.verb == "recovery code used"]
    assert [(line.new or {})["left"] for line in used] == [9, 8]
    assert not any(code in str((line.old, line.new)) for line in door.lines("security") for code in codes)


def test_the_own_page_sets_up_renews_and_removes_with_the_password_alone(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    client, here = people.browser(app, settings, committed_cast.ada), "/settings/security/me"
    assert door.send(client, f"{here}/app", here, password="wrong")[0] == 422
    status, page = door.send(client, f"{here}/app", here, password=make.PASSWORD)
    assert status == 200
    first = door.codes_on(door.send(client, f"{here}/app/confirm", here, code=door.shown(door.key_on(page)))[1])
    second = door.codes_on(door.send(client, f"{here}/codes", here, password=make.PASSWORD)[1])
    assert len(first) == len(second) == 10 and not set(first) & set(second)
    with db.begin(scope.ALL) as work:
        assert second_factor.take(work, committed_cast.ada.id, first[0], at=AT) == ""
        assert second_factor.take(work, committed_cast.ada.id, second[0], at=AT) == "recovery"

    door.demands("agent")
    status, page = door.send(client, f"{here}/app/remove", here, password=make.PASSWORD)
    assert status == 409 and "demands" in page
    door.demands("agent", second=False)
    assert door.send(client, f"{here}/app/remove", here, password=make.PASSWORD)[0] == 302
    assert door.password(app.test_client(), "ada") == "/desk"


def test_an_administrator_resets_it_and_that_is_told(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    door.enrolled(committed_cast.ada.id)
    ada, root = people.browser(app, settings, committed_cast.ada), people.browser(app, settings, committed_cast.root)
    page = f"/settings/people/{committed_cast.ada.id}"
    assert door.send(root, f"{page}/second-factor", page)[0] == 302
    assert ada.get("/desk", headers=PAGE).status_code == 302, "who held the phone is out"
    assert door.password(app.test_client(), "ada") == "/desk"
    told = [(line.by_id, line.entity_id) for line in door.lines("security") if line.verb == "second factor reset"]
    assert told == [(committed_cast.root.id, committed_cast.ada.id)]


def test_only_who_has_one_demands_it_of_their_own_role(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    root, here = people.browser(app, settings, committed_cast.root), "/settings/security"
    ids = dict(re.findall(r'action="/settings/security/roles/(\d+)">.*?<b>([^<]+)</b>', root.get(here, headers=PAGE).text))
    mine = next(id_ for id_, name in ids.items() if name == "Administrator")
    status, page = door.send(root, f"{here}/roles/{mine}", here, second_factor="1", addresses="")
    assert status == 422 and "Set up your own first" in page
    door.enrolled(committed_cast.root.id)
    assert door.send(root, f"{here}/roles/{mine}", here, second_factor="1", addresses="")[0] == 302
    (line,) = [line for line in door.lines("security") if line.entity == "role"]
    assert (line.old, line.new) == ({"role": "admin", "second_factor": False}, {"role": "admin", "second_factor": True})


def test_a_step_does_not_wait_for_ever(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.enrolled(committed_cast.ada.id)
    client = app.test_client()
    door.password(client, "ada")
    with db.begin(scope.ALL) as work:
        work.execute(text("update sign_in_step set began_at = began_at - :w"), {"w": timedelta(minutes=16)})
    assert door.landed(client, "/sign-in/code") == "/sign-in"


def test_without_the_installations_key_nothing_opens(session: Session, cast: SimpleNamespace, app: Flask) -> None:
    second_factor.begin(session, cast.ada.id)
    row = session.get_one(Totp, cast.ada.id)
    row.confirmed_at, row.secret = AT, b"x" * 48
    assert second_factor.take(session, cast.ada.id, "123456", at=AT) == ""
    with pytest.raises(DeskError):
        second_factor.begin(session, cast.ada.id)


def test_the_command_line_lets_in_who_shut_everybody_out(app: Flask, committed_cast: SimpleNamespace) -> None:
    door.enrolled(committed_cast.root.id)
    door.demands("admin", second=False, addresses="10.1.0.0/16")
    assert people.typed(app.test_client(), "root", make.PASSWORD)[0] == 200
    with db.begin(scope.ALL) as work:
        policy.let_in(work, " Root", at=AT)
    assert door.password(app.test_client(), "root") == "/dashboards/calls"
    assert {"second factor reset", "changed"} <= {line.verb for line in door.lines("security")}


@pytest.mark.parametrize("place", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)"])
def test_no_step_leads_elsewhere(place: str, app: Flask) -> None:
    with app.test_request_context("/sign-in/code", method="POST", data={"next": place}):
        assert asked.place() == "/"
