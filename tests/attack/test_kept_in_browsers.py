"""What stays in a browser: cookies with their flags, and no answer that somebody who sits down later could find."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.core import db
from service.core.config import Settings
from service.core.pages import BUILT
from tests import make
from tests.attack import pages, world
from tests.attack.pages import PAGE
from tests.attack.test_foreign_ids import changed
from tests.attack.test_forgery import FORM, state, writes
from tests.signin import people

READ_BY_SCRIPTS = {"_csrf_token"}  # Dash sends it back; it opens nothing


def flags(said: str) -> set[str]:
    return {part.strip().lower() for part in said.split(";")[1:]}


@pytest.mark.parametrize("secure", [False, True])
def test_cookies_are_out_of_reach(secure: bool, app: Flask, two: SimpleNamespace, attacked: Settings, database: db.Database) -> None:
    """Of scripts, of other sites, of other hosts, and where HTTPS is used of plain HTTP."""
    made = create_app(replace(attacked, secure_cookies=secure), database)
    browser, base = made.test_client(), "https://localhost" if secure else "http://localhost"
    form = {"username": "eve", "password": make.PASSWORD, "csrf_token": people.token(browser)}
    own = PAGE | {"Referer": base + "/"}
    answers = [browser.get("/sign-in", headers=PAGE, base_url=base), browser.post("/sign-in", data=form, headers=own, base_url=base)]
    if secure:
        browser.set_cookie("ringdesk", answers[-1].headers.get("Set-Cookie", "").partition(";")[0].partition("=")[2], secure=True)
    answers += [browser.get(path, headers=PAGE, base_url=base) for path in ("/dashboards/calls", "/tickets")]
    found, names = {}, set()
    for answer in answers:
        for said in answer.headers.getlist("Set-Cookie"):
            name, told = said.partition("=")[0], flags(said)
            names.add(name)
            wanted = {"samesite=lax", "path=/"} | ({"httponly"} - ({"httponly"} if name in READ_BY_SCRIPTS else set())) | ({"secure"} if secure else set())
            if not wanted <= told or any(flag.startswith("domain") for flag in told):
                found[said[:20]] = told
    world.nothing(found)
    assert "ringdesk" in names


def test_no_answer_stays_in_the_browser(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient) -> None:
    """Pages, parts of pages, JSON, workbooks, PDFs, refusals: none is kept, so that `back` after the sign-out shows nothing."""
    found, kinds = {}, set()
    for browser in (eve, eva):
        for _rule, path in pages.addresses(app, two.mine, "GET"):
            answer = browser.get(path, headers=PAGE)
            kinds.add(answer.mimetype)
            if answer.headers.get("Cache-Control") != "no-store" and not path.startswith(BUILT):
                found[path] = answer.headers.get("Cache-Control")
    world.nothing(found)
    assert len(kinds) >= 4, kinds


def test_a_dead_cookie_does_nothing(app: Flask, two: SimpleNamespace, attacked: Settings, clean: db.Database) -> None:
    """The copy of a cookie and its token, after the sign-out of the other."""
    browser, copy = people.browser(app, attacked, two.mine.boss), app.test_client()
    mark, cookie = people.token(browser, "/tickets"), browser.get_cookie("ringdesk")
    assert cookie is not None
    copy.set_cookie("ringdesk", cookie.value)
    assert browser.post("/sign-out", data={"csrf_token": mark}).status_code == 302
    before, done = state(clean), {}
    for path in writes(app, two):
        if path.startswith(("/sign-", "/settings/locale", "/setup")):
            continue  # they are for who is not signed in
        copy.set_cookie("ringdesk", cookie.value)
        answer = copy.post(path, data=FORM | {"csrf_token": mark}, headers={"X-CSRFToken": mark})
        if answer.status_code not in (400, 401):
            done[path] = answer.status_code
    world.nothing(done)
    world.nothing(changed(before, state(clean)))
