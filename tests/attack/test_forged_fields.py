"""Mass assignment and double clicks: every form of every page, sent with fields that it does not have, and sent twice."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from service.core import db
from tests.attack import pages, world
from tests.attack.pages import PAGE
from tests.attack.test_foreign_ids import changed, multi
from tests.signin import people

FORGED = {
    "id": "987654321", "number": "FORGED-1", "created_at": "1999-01-01", "registered_at": "1999-01-01", "at": "1999-01-01", "by_id": "987654321", "by": "987654321",
    "merged_into_id": "987654321", "owner_id": "987654321", "state": "FORGED", "code": "FORGED-CODE", "token": "FORGED-TOKEN", "request_key": "",
    "is_admin": "1", "admin": "1", "permissions": "FORGED.permission", "password": "FORGED-password-1", "fs_uniquifier": "FORGED-unique",
    "registered_by_id": "987654321", "accepted_at": "1999-01-01", "closed_at": "1999-01-01", "merged": "1", "warranty": "FORGED", "serial_key": "FORGED-KEY",
    "name_pinyin": "FORGED-PINYIN", "shared_role": "FORGED-ROLE", "by_staff_id": "987654321",
}  # fmt: skip
RIGHTS = ("staff", "staff_role", "role")
# What is made once however often its form is sent.
MADE = ("party", "contact", "device", "device_component", "device_swap", "ticket", "maintenance_plan", "site", "project", "phone_order", "saved_view")


def rights(database: db.Database) -> dict[str, str]:
    """Who may sign in and do what."""
    with database.owner.connect() as connection:
        return {
            "staff": str(connection.execute(text("select id, username, password, active, reach, branch_id, kind from staff order by id")).all()),
            **{name: str(connection.execute(text(f"select * from {name} order by 1, 2")).all()) for name in ("staff_role", "role")},
        }


def test_no_form_takes_what_it_does_not_show(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient, clean: db.Database) -> None:
    before, was = world.print_of(clean, two.foreign.branch.id), rights(clean)
    faults: dict[str, Any] = {}
    for browser in (eva, eve):  # she signs people out
        mark = people.token(browser, "/tickets")
        for form in pages.forms(app, two.mine, browser):
            if form.action.startswith(("/settings/people", "/settings/roles", "/settings/security", "/settings/password")):
                continue  # they give rights; who may give which is told in tests of their own
            shown = {name for name, _value in form.fields}
            extra = {name: value for name, value in FORGED.items() if name not in shown} | ({} if "branch_id" in shown else {"branch_id": str(two.foreign.branch.id)})
            answer = browser.post(form.action, data=multi([*form.filled("2026-11-26"), ("csrf_token", mark)], extra), headers=PAGE)
            if answer.status_code >= 500:
                faults[form.action] = answer.status_code
    world.nothing(faults)
    kept = {place for place in world.holding(clean, "FORGED", "987654321", "1999-01-01") if not place.startswith(("live_event", "sign_in"))}
    world.nothing(kept)
    world.nothing({name for name, now in rights(clean).items() if now != was[name]})
    world.nothing(changed(before, world.print_of(clean, two.foreign.branch.id)))


def counts(database: db.Database) -> dict[str, int]:
    with database.owner.connect() as connection:
        return {name: connection.scalar(text(f"select count(*) from {name}")) or 0 for name in MADE}


def test_two_clicks_make_one(app: Flask, two: SimpleNamespace, eve: FlaskClient, clean: db.Database) -> None:
    faults: dict[str, Any] = {}
    mark = people.token(eve, "/tickets")
    for form in pages.forms(app, two.mine, eve):
        if form.action.startswith(("/settings", "/lists", "/dashboards", "/agents")):  # the last: orders that say the same again
            continue
        words = {"name": f"只一次{len(form.key)}", "subject": "只一次", "place": "只一次"}
        body = multi([*form.filled("2026-11-26", **{name: word for name, word in words.items() if name in dict(form.fields)}), ("csrf_token", mark)], {})
        before = counts(clean)
        first = eve.post(form.action, data=body, headers=PAGE)
        between = counts(clean)
        second = eve.post(form.action, data=body, headers=PAGE)
        after = counts(clean)
        for name in MADE:
            if after[name] > between[name] > before[name]:
                faults[form.key] = (name, first.status_code, second.status_code)
    world.nothing(faults)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_other_verb_does_anything(method: str, app: Flask, two: SimpleNamespace, eve: FlaskClient) -> None:
    heard = {path: eve.open(path, method=method).status_code for _rule, path in pages.addresses(app, two.mine, "POST")}
    world.nothing({path: status for path, status in heard.items() if status not in (400, 404, 405)})


def test_no_work_on_a_device_is_done_for_a_ticket_of_somebody_else(two: SimpleNamespace, eve: FlaskClient, clean: db.Database) -> None:
    """The number of the ticket travels hidden in the form, and no foreign key holds it."""
    path, own, foreign = f"/devices/{two.mine.ids['device']}/component", two.mine.ids["ticket"], two.foreign.ids["ticket"]
    mark = people.token(eve, "/tickets")
    for ticket, status in ((foreign, 422), (987654321, 422), (own, 302)):
        page = eve.get(path, query_string={"ticket": ticket}, headers=PAGE).text
        assert (f'name="ticket" value="{ticket}"' in page) == (ticket == own) == ("no such ticket in your branches" not in page)
        assert eve.post(path, data={"ticket": str(ticket), "name": "部件", "csrf_token": mark}, headers=PAGE).status_code == status
    with clean.owner.connect() as connection:
        assert set(connection.scalars(text("select ticket_id from device_event where ticket_id is not null"))) == {own}
