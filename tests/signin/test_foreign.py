"""Each route with an object's id is asked for the object of another branch, of another department and of another person.

The routes come from the app's own map of addresses: a new one without a line here fails. Every answer is 403 or 404, and nothing
in the database has changed. Two tests take one rule away and see that the question finds the hole.
"""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from service.app import create_app
from service.calls import actions as calls
from service.core import clock, db, scope, seen
from service.core.config import Settings
from service.staff.model import Branch, Staff
from service.staff.shifts import actions as shifts
from service.staff.shifts.actions import Away
from tests import make
from tests.signin import people
from tests.signin.people import PAGE
from tests.signin.test_doors import routes

ROLES = ("agent", "supervisor", "technician", "finance", "manager", "admin")
# Routes whose object is a row of a branch, with a form that would do something to it.
FOREIGN: dict[str, dict[str, str]] = {
    "GET /desk/pops/<int:pop_id>": {},
    "POST /desk/pops/<int:pop_id>/choose": {"choice": "1"},
    "POST /desk/pops/<int:pop_id>/attach": {"party_id": "1"},
    "POST /desk/pops/<int:pop_id>/customer": {"name": "新客户"},
    "GET /calls/<int:call_id>": {},
    "POST /calls/missed/<int:line_id>/<any(take, close, reopen):verb>": {},
    "POST /calls/<int:call_id>/<any(join, differ, part):what>/<int:other_id>": {},
    "POST /calls/<int:call_id>/reason": {"reason": "repair"},
    "POST /calls/<int:call_id>/consent": {"state": "given"},
    "POST /recordings/<int:recording_id>/hold": {"reason": "x"},
    "POST /recordings/<int:recording_id>/lift": {},
    "GET /agents/<int:staff_id>": {},
    "POST /agents/<int:staff_id>/state": {"choice": "pause:break"},
    "POST /agents/<int:staff_id>/queues": {"queue": "support"},
    "POST /agents/<int:staff_id>/listen": {"key": "k"},
    "GET /customers/<int:party_id>": {},
    "GET /tickets/<int:ticket_id>": {},
    "POST /tickets/<int:ticket_id>/assign": {"staff_id": "me"},
    "POST /tickets/<int:ticket_id>/accept": {},
    "POST /tickets/<int:ticket_id>/start": {},
    "POST /tickets/<int:ticket_id>/finish": {"result": "x"},
    "POST /tickets/<int:ticket_id>/close": {},
    "POST /tickets/<int:ticket_id>/note": {"note": "x"},
    "POST /tickets/<int:ticket_id>/dial": {"number": "13800001001", "key": "k"},
    "GET /settings/people/<int:staff_id>": {},
    "POST /settings/people/<int:staff_id>": {"name": "X", "username": "xx", "roles": "admin", "reach": "branch", "active": "1"},
    "POST /settings/people/<int:staff_id>/password": {},
    "GET /settings/branches/<int:branch_id>": {},
    "POST /settings/branches/<int:branch_id>": {"code": "XX", "name": "X", "kind": "branch", "parent_id": "1", "active": "1", "version": "1"},
    "POST /settings/departments/<int:department_id>": {"name": "X", "active": "1", "version": "1"},
    "POST /settings/departments/<int:department_id>/teams": {"name": "X", "active": "1"},
    "POST /settings/departments/teams/<int:team_id>": {"name": "X", "active": "1", "version": "1"},
    "POST /settings/shifts/leave/<int:leave_id>/withdraw": {},
}
# Routes whose object belongs to no branch: only who administers all branches, or the firm's hours, comes in at all.
FIRMS = {
    "GET /settings/roles/<int:role_id>", "POST /settings/roles/<int:role_id>", "POST /settings/roles/<int:role_id>/delete",
    "POST /settings/shifts/kinds/<int:kind_id>",
}  # fmt: skip
# What everybody may know, or a part of a page that is empty for what one may not see.
EVERYBODYS = {
    "POST /settings/hours/<int:calendar_id>", "POST /settings/hours/<int:calendar_id>/days", "POST /settings/hours/<int:calendar_id>/days/clear",
    "POST /settings/hours/<int:calendar_id>/follow", "POST /settings/hours/<int:calendar_id>/remove", "POST /settings/hours/uses/<int:use_id>/clear",
}  # fmt: skip
EMPTY = {"GET /tickets/of-call/<int:call_id>"}
OF_TICKETS = [route for route in FOREIGN if "<int:ticket_id>" in route]
# What a refused request may still leave behind.
NOISE = {"audit_entry", "live_event", "staff_session", "sign_in_attempt"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    from dataclasses import replace

    yield create_app(replace(settings, data=tmp_path_factory.mktemp("foreign")), database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """One of everything in Pudong, with a department, and a person of each role in Suzhou."""
    made = people.firm(committed_cast)
    now = clock.now()
    with db.begin(scope.ALL) as work:
        suzhou, pudong = work.get_one(Branch, made.suzhou.id), work.get_one(Branch, made.pudong.id)
        strangers = {role: make.staff(work, f"sz-{role}", suzhou, role) for role in ROLES}
        missed = make.call(work, now, disposition="abandoned", answered_by=None, answered_at=None, agent=None)
        missed.branch_id = pudong.id
        facts = {"switch": "pbx1", "uniqueid": missed.call_key, "segment": 1, "path": "x", "sha256": "x", "size": 1, "seconds": 1}
        recording = calls.recording_found(work, form="wav/8000/1", at=now, **facts)
        work.execute(text("update recording set branch_id = :b"), {"b": pudong.id})
        work.execute(text("update missed_caller set branch_id = :b"), {"b": pudong.id})
        work.execute(text("update call set branch_id = :b"), {"b": pudong.id})
        line = work.execute(text("select id from missed_caller")).scalars().first()
        away = Away(made.ada.id, "annual", now, now.replace(year=now.year + 1))
        leave = shifts.enter_leave(work, away, within=scope.ALL, by=made.root.id, at=now)
    return SimpleNamespace(**vars(made), strangers=strangers, recording_id=recording, line_id=line, leave_id=leave)


def holes(app: Flask, settings: Settings, firm: SimpleNamespace, person: Staff, wanted: list[str]) -> dict[str, int]:
    """Those of the routes that let the person through to the foreign object, with what they answered."""
    found = {}
    client = people.browser(app, settings, person)
    mark = people.token(client, "/settings/password")
    for route, rule in routes(app):
        if route not in wanted:
            continue
        values = vars(firm) | {"branch_id": firm.pudong.id, "other_id": firm.call_id, "verb": "take", "what": "join", "kind_id": 1}
        with app.test_request_context():
            address = app.url_for(rule.endpoint, **{name: values[name] for name in rule.arguments})
        form = {name: str(person.id) if value == "me" else value for name, value in FOREIGN.get(route, {"version": "1"}).items()}
        more: dict[str, Any] = {"data": form} if route.startswith("POST") else {}
        answer = client.open(address, method=route.split(" ", 1)[0], headers=PAGE | {"X-CSRFToken": mark}, **more)
        if answer.status_code not in (403, 404):
            found[route] = answer.status_code
    return found


def everything(database: db.Database) -> dict[str, str]:
    """What stands in each table, in short."""
    with database.owner.connect() as connection:
        names = connection.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars().all()
        digest = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from \"{}\" t"
        return {name: connection.execute(text(digest.format(name))).scalar_one() for name in names if name not in NOISE}


def test_every_route_with_an_id_says_whose_the_object_is(app: Flask) -> None:
    with_id = {route for route, rule in routes(app) if any(name.endswith("_id") for name in rule.arguments)}
    assert with_id == set(FOREIGN) | FIRMS | EVERYBODYS | EMPTY


@pytest.mark.parametrize("role", ROLES)
def test_nobody_reaches_what_belongs_to_another_branch(
    role: str, app: Flask, settings: Settings, firm: SimpleNamespace, database: db.Database
) -> None:
    before = everything(database)
    assert holes(app, settings, firm, firm.strangers[role], [*FOREIGN, *FIRMS]) == {}
    assert everything(database) == before
    part = people.browser(app, settings, firm.strangers[role]).get(f"/tickets/of-call/{firm.call_id}", headers=PAGE)
    assert "打印机卡纸" not in part.text


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("reach", ["own", "department"])
def test_nobody_reaches_a_ticket_of_another_person_or_department(
    role: str, reach: str, app: Flask, settings: Settings, firm: SimpleNamespace, database: db.Database
) -> None:
    with db.begin(scope.ALL) as work:
        pudong = work.get_one(Branch, firm.pudong.id)
        other = make.department(work, pudong)
        narrow = make.staff(work, "narrow", pudong, role, reach=reach, department_id=other.id)
    before = everything(database)
    assert holes(app, settings, firm, narrow, OF_TICKETS) == {}
    assert everything(database) == before
    with db.begin(scope.ALL) as work:
        told = work.execute(text("select count(*) from audit_entry where verb = 'refused' and entity_id = :t and by_id = :b"),
                            {"t": firm.ticket_id, "b": narrow.id})
        assert told.scalar_one() > 0


def test_the_question_finds_a_missing_policy(app: Flask, settings: Settings, firm: SimpleNamespace, database: db.Database) -> None:
    with database.owner.begin() as owner:
        owner.execute(text("alter table ticket disable row level security"))
        owner.execute(text("alter table party disable row level security"))
    try:
        found = holes(app, settings, firm, firm.strangers["agent"], OF_TICKETS)
    finally:
        with database.owner.begin() as owner:
            owner.execute(text("alter table ticket enable row level security"))
            owner.execute(text("alter table party enable row level security"))
    assert "GET /tickets/<int:ticket_id>" in found and "POST /tickets/<int:ticket_id>/dial" in found


def test_the_question_finds_a_missing_condition(
    app: Flask, settings: Settings, firm: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.begin(scope.ALL) as work:
        narrow = make.staff(work, "narrow", work.get_one(Branch, firm.pudong.id), "agent", reach="own")
    monkeypatch.setattr(seen, "conditions", lambda fine, models: [])
    assert "GET /tickets/<int:ticket_id>" in holes(app, settings, firm, narrow, OF_TICKETS)
