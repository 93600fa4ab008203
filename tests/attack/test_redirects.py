"""Open redirect and session fixation: nobody is led away, and an id from before the sign-in opens nothing after it."""

from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.core import clock, db, scope
from service.core.config import Settings
from service.staff import actions
from service.staff.model import Staff
from service.staff.security import sessions
from tests import make
from tests.attack import pages, world
from tests.attack.pages import PAGE
from tests.live import server
from tests.signin import people

AWAY = (
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "\\/evil.example", "https:evil.example",
    "https:/evil.example", "https://evil.example", "http://evil.example/x", "//evil.example/%2f..", "/%2f/evil.example", "%2f%2fevil.example", "/\t/evil.example", "/\n/evil.example",
    "\t//evil.example", " //evil.example", "/\r/evil.example", "https://x@evil.example", "//user@evil.example", "javascript:alert(1)", "data:text/html,x", "/.//evil.example",
    "/x/..//evil.example", "//evil.example\\@localhost", "http:///evil.example", "http:\\\\evil.example", "https://localhost//evil.example", "https://localhost/\\evil.example",
    "／／evil.example", "/\u2028/evil.example", "//[::1]", "http://[", "/\x0b/evil.example",
)  # fmt: skip


def leads_away(place: str) -> bool:
    """As a browser reads it: backslashes are slashes, tabs and line ends are nothing, two slashes begin a host."""
    read = "".join(sign for sign in place.strip() if sign not in "\t\r\n").replace("\\", "/")
    parts = urlsplit(read)
    return bool(parts.scheme not in ("", "http", "https") or (parts.netloc not in ("", "localhost")) or read.startswith("//") or (parts.scheme and not parts.netloc))


@pytest.mark.parametrize("path", ["/settings/locale", "/settings/theme", "/settings/seat", "/agent/state"])
def test_no_small_change_leads_away(path: str, two: SimpleNamespace, eva: FlaskClient) -> None:
    form = {"locale": "en", "theme": "dark", "extension": "3001", "switch": "pbx1", "choice": "ready", "csrf_token": people.token(eva, "/desk")}
    for away in AWAY:
        by_form = eva.post(path, data=form | {"next": away}, headers=PAGE)
        by_page = eva.post(path, data=form, headers=PAGE | {"Referer": away.encode("ascii", "ignore").decode().translate({9: None, 10: None, 11: None, 13: None}) or "/"})
        for answer in (by_form, by_page):
            assert answer.status_code in (302, 303, 422), (away, answer.status_code)
            assert not leads_away(answer.headers.get("Location", "/")), (away, answer.headers.get("Location"))


def test_no_sign_in_leads_away(app: Flask, two: SimpleNamespace) -> None:
    for away in AWAY:
        browser = app.test_client()
        form = {"username": "eva", "password": make.PASSWORD, "csrf_token": people.token(browser), "next": away}
        for answer in (browser.post("/sign-in", query_string={"next": away}, data=form, headers=PAGE), browser.get("/sign-in", query_string={"next": away}, headers=PAGE)):
            assert answer.status_code in (200, 302), away
            assert not leads_away(answer.headers.get("Location", "/")), (away, answer.headers.get("Location"))


def test_no_address_leads_away(app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    """Whatever a page calls the place to go to: scans, labels, searches."""
    found = {}
    for rule, path in pages.addresses(app, two.mine, "GET"):
        for name in sorted(pages.read_by(app, rule) & {"next", "code", "serial", "back", "from", "to", "url", "q", "as"}):
            for away in AWAY[::3]:
                place = eve.get(path, query_string={name: away}, headers=PAGE).headers.get("Location", "/")
                if leads_away(place):
                    found[path, name, away] = place
    world.nothing(found)


def sid(app: Flask, browser: FlaskClient) -> str:
    with browser.session_transaction() as kept:
        return str(kept.get("sid", ""))


def test_an_id_from_before_the_sign_in_opens_nothing(app: Flask, two: SimpleNamespace, attacked: Settings) -> None:
    """Whoever plants a cookie, even a signed one with an id of their own choice, does not ride on what follows."""
    browser = app.test_client()
    planted = server.signed(attacked, {"sid": "planted-by-somebody", "csrf_token": "known-to-somebody"})
    browser.set_cookie("ringdesk", planted)
    assert people.typed(browser, "eva", make.PASSWORD)[0] == 302
    assert sid(app, browser) not in ("", "planted-by-somebody")
    with browser.session_transaction() as kept:
        assert kept.get("csrf_token") != "known-to-somebody"
    other = app.test_client()
    other.set_cookie("ringdesk", planted)
    assert other.get("/tickets", headers=PAGE).status_code == 302


@pytest.mark.parametrize("how", ["sign-out", "password", "switched off", "ended"])
def test_a_dead_cookie_opens_no_page(how: str, app: Flask, attacked: Settings, two: SimpleNamespace) -> None:
    browser, copy = people.browser(app, attacked, two.mine.agent), app.test_client()
    cookie = browser.get_cookie("ringdesk")
    assert cookie is not None
    copy.set_cookie("ringdesk", cookie.value)
    held = sid(app, browser)
    assert copy.get("/tickets", headers=PAGE).status_code == 200
    if how == "sign-out":
        browser.post("/sign-out", data={"csrf_token": people.token(browser, "/tickets")})
    else:
        with db.begin(scope.ALL) as session:
            if how == "password":
                actions.give_password(session, "eva", "another horse battery", at=clock.now())
            elif how == "switched off":
                session.get_one(Staff, two.mine.agent.id).active = False
            else:
                actions.end_session(session, held, at=clock.now())
    opened = {}
    for rule, path in pages.addresses(app, two.mine, "GET"):
        answer = copy.get(path, headers=PAGE)
        if rule.rule not in ("/health", "/setup") and not rule.rule.startswith("/sign-in") and (answer.status_code, answer.headers.get("Location", "")[:8]) not in ((302, "/sign-in"), (401, "")):
            opened[path] = answer.status_code
    world.nothing(opened)
    assert sessions.admitted(held, "127.0.0.1", at=clock.now()) is None  # what /live and /media ask
