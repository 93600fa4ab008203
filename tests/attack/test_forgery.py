"""CSRF: every route that changes something is asked to do it by somebody else's page, in every way a page can; and what is only read changes nothing."""

import json
from types import SimpleNamespace
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from service.core import db
from service.core.config import Settings
from tests.attack import pages, world
from tests.attack.pages import PAGE
from tests.attack.test_foreign_ids import changed
from tests.signin import people

FORM = {"version": "1", "name": "FORGED", "note": "FORGED", "reason": "FORGED", "result": "FORGED", "choice": "ready", "active": "1", "locale": "en", "theme": "dark", "which": "others"}
ASIDE = "/dashboards/_dash-update-component"  # the one POST that only draws
# What may be written while somebody reads: that they were here, what they took along, that they asked for what is not theirs.
TRACES = {"staff_session", "audit_entry"}
TAKEN = {"exported", "forbidden", "not theirs", "refused"}


def writes(app: Flask, two: SimpleNamespace) -> list[str]:
    """The address of every POST of the route table."""
    found = [path for _rule, path in pages.addresses(app, two.mine, "POST")]
    assert len(found) > 130
    return [*found, ASIDE]


def ways(mark: str, foreign: str) -> dict[str, dict[str, Any]]:
    """How the page of another site may send a form; those with the right token say where they come from."""
    right, whole = {"X-CSRFToken": mark}, FORM | {"csrf_token": mark}
    part = [*FORM.items(), ("picture", (__file__, "x.jpg"))]
    return {
        "no token": {"data": FORM},
        "an empty token": {"data": FORM | {"csrf_token": ""}, "headers": {"X-CSRFToken": ""}},
        "the token of somebody else": {"data": FORM | {"csrf_token": foreign}},
        "the header of somebody else": {"data": FORM, "headers": {"X-CSRFToken": foreign}},
        "the token in the address": {"data": FORM, "query_string": {"csrf_token": mark}},
        "the token as a cookie": {"data": FORM, "headers": {"Cookie": f"_csrf_token={mark}"}},
        "htmx without token": {"data": FORM, "headers": {"HX-Request": "true", "HX-Current-URL": "http://localhost/"}},
        "JSON": {"data": json.dumps(FORM | {"csrf_token": mark}), "content_type": "application/json"},
        "JSON as plain text": {"data": json.dumps(FORM), "content_type": "text/plain"},
        "several parts": {"data": dict(part), "content_type": "multipart/form-data"},
        "a form that overrides its method": {"data": FORM | {"_method": "PUT"}, "headers": {"X-HTTP-Method-Override": "GET"}},
        "another origin": {"data": whole, "headers": right | {"Origin": "https://evil.example"}},
        "an origin that begins alike": {"data": whole, "headers": right | {"Origin": "http://localhost.evil.example"}},
        "no origin to be told": {"data": whole, "headers": right | {"Origin": "null"}},
        "an origin that cannot be read": {"data": whole, "headers": right | {"Origin": "http://["}},
        "another site": {"data": whole, "headers": right | {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}},
        "a neighbour": {"data": whole, "headers": right | {"Sec-Fetch-Site": "same-site"}},
    }  # fmt: skip


def state(database: db.Database) -> dict[str, str]:
    """Each table's rows as they stand, told by the transactions that wrote them."""
    with database.owner.connect() as connection:
        tables = connection.scalars(text("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1")).all()
        asked = " union all ".join(f"select '{name}', count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) || ' ' || coalesce(sum(hashtext(ctid::text)), 0) from \"{name}\"" for name in tables)
        return {str(name): str(told) for name, told in connection.execute(text(asked))}


def test_no_other_page_sends_a_form(app: Flask, two: SimpleNamespace, eve: FlaskClient, attacked: Settings, clean: db.Database) -> None:
    mark, foreign = people.token(eve, "/tickets"), people.token(people.browser(app, attacked, two.foreign.boss), "/tickets")
    before, taken = state(clean), {}
    for way, how in ways(mark, foreign).items():
        for path in writes(app, two):
            answer = eve.post(path, **how | {"headers": how.get("headers", {})})  # a refusal in JSON is quickly made
            if answer.status_code != 400 or "Location" in answer.headers:
                taken[way, path] = answer.status_code
    world.nothing(taken)
    world.nothing(changed(before, state(clean)) - {"staff_session"})


def test_no_other_page_signs_anybody_in(app: Flask, two: SimpleNamespace) -> None:
    """Whoever signs a victim in as the attacker reads what they type from then on."""
    stranger, taken = app.test_client(), {}
    mark, foreign = people.token(stranger), people.token(app.test_client())
    for way, how in ways(mark, foreign).items():
        for path in ("/sign-in", "/sign-in/code", "/sign-in/enrol", "/sign-in/password", "/sign-in/leave", "/sign-in/passkey", "/sign-in/passkey/options", "/sign-out", "/setup", "/settings/locale"):
            if (status := stranger.post(path, **how | {"headers": PAGE | how.get("headers", {})}).status_code) != 400:
                taken[way, path] = status
    world.nothing(taken)


def test_ones_own_page_sends_its_forms(two: SimpleNamespace, eve: FlaskClient) -> None:
    mark = people.token(eve, "/tickets")
    for own in ({}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "http://proxied.example"}, {"Sec-Fetch-Site": "none"}):
        for headers, data in ((own, {"csrf_token": mark}), (own | {"X-CSRFToken": mark}, {})):
            assert eve.post("/settings/locale", data={"locale": "en"} | data, headers=PAGE | headers).status_code == 302, own


def test_who_reads_changes_nothing(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient, clean: db.Database) -> None:
    """Every GET, plain and with everything in its address that some form of its folder would send."""
    before = state(clean)
    with clean.owner.connect() as connection:
        last = connection.scalar(text("select max(id) from audit_entry"))
    for browser in (eve, eva):
        for side in (two.mine, two.foreign):
            for rule, path in pages.addresses(app, side, "GET"):
                named = {name: str(side.meant(name) or pages.TYPED.get(name) or "9") for name in pages.read_by(app, rule)}
                for asked in (FORM | named, {}) if side is two.mine else ({},):
                    browser.get(path, query_string=asked, headers=PAGE | {"X-HTTP-Method-Override": "POST"})
        for path in writes(app, two):
            for method in ("GET", "HEAD", "OPTIONS"):
                browser.open(path, method=method, query_string=FORM | {"_method": "POST"}, headers=PAGE | {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST"})
    world.nothing(changed(before, state(clean)) - TRACES)
    with clean.owner.connect() as connection:
        told = connection.execute(text("select distinct verb, entity from audit_entry where id > :last"), {"last": last}).all()
    world.nothing([row for row in told if row.verb not in TAKEN])
