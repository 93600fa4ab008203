"""Each route with an object's id is asked for the object of another branch, of another department and of another person.

The routes come from the app's own map of addresses: a new one without a line here fails. Every answer is 403 or 404, and nothing
in the database has changed. Two tests take one rule away and see that the question finds the hole.
"""

import itertools
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from service.app import create_app
from service.calls import actions as calls
from service.core import clock, db, scope, seen
from service.core.config import Settings
from service.core.lists.spec import KNOWN
from service.devices.model import Device
from service.devices.work import RULE as ACTS
from service.parties.model import Party
from service.staff.model import Branch, Staff
from service.staff.shifts import actions as shifts
from service.staff.shifts.actions import Away
from tests import make
from tests.signin import people, world
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
    "GET /settings/people/<int:staff_id>/left": {},
    "POST /settings/people/<int:staff_id>": {"name": "X", "username": "xx", "roles": "admin", "reach": "branch", "active": "1"},
    "POST /settings/people/<int:staff_id>/password": {},
    "GET /settings/branches/<int:branch_id>": {},
    "POST /settings/branches/<int:branch_id>": {"code": "XX", "name": "X", "kind": "branch", "parent_id": "1", "active": "1", "version": "1"},
    "POST /settings/departments/<int:department_id>": {"name": "X", "active": "1", "version": "1"},
    "POST /settings/departments/<int:department_id>/teams": {"name": "X", "active": "1"},
    "POST /settings/departments/teams/<int:team_id>": {"name": "X", "active": "1", "version": "1"},
    "POST /settings/shifts/leave/<int:leave_id>/withdraw": {},
    "POST /lists/<name>/views/<int:view_id>/<any(replace, remove, start):how>": {"query": "", "columns": ""},
    "GET /devices/<int:device_id>": {},
    "GET /devices/<int:device_id>/edit": {},
    "POST /devices/<int:device_id>/edit": {"name": "X", "version": "1"},
    f"GET {ACTS}": {},
    f"POST {ACTS}": {"version": "1", "reason": "x", "note": "x", "serial": "x", "kind": "part"},
    "GET /customers/<int:party_id>/edit": {},
    "POST /customers/<int:party_id>": {"name": "X", "version": "1", "customer": "1"},
    "POST /customers/<int:party_id>/contacts": {"name": "X", "phone": "13800001001"},
    "POST /customers/<int:party_id>/disable": {"reason": "x"},
    "POST /customers/<int:party_id>/enable": {},
    "GET /customers/<int:party_id>/merge": {},
    "POST /customers/<int:party_id>/merge": {"into": "999999"},
    "POST /customers/<int:party_id>/apart": {"other": "999999"},
    "GET /maintenance/plans/new/<int:device_id>": {},
    "GET /maintenance/plans/<int:plan_id>": {},
    "POST /maintenance/plans/<int:plan_id>": {"content": "X", "timing": "interval", "every": "2", "starts_on": "2027-01-01", "version": "1"},
    "POST /maintenance/plans/<int:plan_id>/state": {"state": "paused"},
    "POST /maintenance/visits/<int:visit_id>/done": {"findings": "x"},
    "POST /maintenance/visits/<int:visit_id>/skip": {"reason": "x"},
    "GET /maintenance/patrols/<int:patrol_id>": {},
    "POST /maintenance/patrols/<int:patrol_id>/repair": {},
    "GET /maintenance/rounds/<int:round_id>": {},
    "POST /maintenance/rounds/<int:round_id>": {"name": "X", "version": "1"},
    "GET /settings/imports/<int:batch_id>": {},
    "POST /settings/imports/<int:batch_id>/reading": {},
    "POST /settings/imports/<int:batch_id>/check": {"name": "0"},
    "POST /settings/imports/<int:batch_id>/load": {},
    "POST /settings/imports/<int:batch_id>/undo": {},
    "POST /settings/imports/<int:batch_id>/discard": {},
    "POST /settings/imports/<int:batch_id>/passwords.xlsx": {},
    "GET /settings/imports/<int:batch_id>/errors.<any(xlsx, csv):kind>": {},
    "POST /settings/people/<int:staff_id>/sign-out": {},
    "POST /settings/people/<int:staff_id>/second-factor": {},
    "POST /settings/security/unlock/<int:staff_id>": {},
    "POST /settings/security/me/passkeys/<int:passkey_id>/remove": {"proof": make.PASSWORD, "password": make.PASSWORD},
    "GET /sites/<int:site_id>": {},
    "GET /sites/<int:site_id>/edit": {},
    "POST /sites/<int:site_id>": {"name": "X", "version": "1"},
    "POST /sites/<int:site_id>/position": {"latitude": "31.2", "longitude": "121.5"},
    "POST /sites/<int:site_id>/devices": {"device": "DEV"},
    "POST /sites/<int:site_id>/devices/<int:device_id>/take": {},
    "POST /sites/<int:site_id>/pictures": {},
    "POST /sites/<int:site_id>/pictures/<int:picture_id>/drop": {},
    "GET /sites/projects/<int:project_id>": {},
    "GET /sites/projects/<int:project_id>/edit": {},
    "POST /sites/projects/<int:project_id>": {"name": "X", "version": "1"},
    "POST /sites/projects/<int:project_id>/devices": {"device": "DEV"},
    "POST /sites/projects/<int:project_id>/devices/<int:device_id>/take": {},
    "GET /d/<code>": {},
}
# Routes whose object belongs to no branch: only who has the right in all branches comes in at all.
FIRMS = {
    "GET /settings/roles/<int:role_id>", "POST /settings/roles/<int:role_id>", "POST /settings/roles/<int:role_id>/delete",
    "POST /settings/shifts/kinds/<int:kind_id>",
    "POST /settings/security/roles/<int:role_id>",
    "GET /settings/products/<int:product_id>", "POST /settings/products/<int:product_id>", "POST /settings/products/<int:product_id>/remove",
    "POST /settings/products/categories/<int:category_id>", "POST /settings/products/categories/<int:category_id>/remove",
    "POST /settings/categories/<int:category_id>", "POST /settings/categories/<int:category_id>/usual", "POST /settings/categories/<int:category_id>/remove",
    "POST /settings/regions/<int:region_id>", "POST /settings/regions/<int:region_id>/remove",
    "POST /settings/hours/<int:calendar_id>", "POST /settings/hours/<int:calendar_id>/days", "POST /settings/hours/<int:calendar_id>/days/clear",
    "POST /settings/hours/<int:calendar_id>/follow", "POST /settings/hours/<int:calendar_id>/remove", "POST /settings/hours/uses/<int:use_id>/clear",
}  # fmt: skip
# Of what belongs to no branch there is nothing that everybody may touch by its id.
EVERYBODYS: set[str] = set()
# A part of a page that is empty for what one may not see.
EMPTY = {"GET /tickets/of-call/<int:call_id>", "GET /sites/of-device/<int:device_id>"}
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
    with db.begin(scope.ALL) as work:
        vars(made).update(world.rest(work, made, work.get_one(Party, made.party_id)))
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
        device = work.get_one(Device, made.device_id)
        secrets = ("浦东客户", "打印机卡纸", device.number, str(device.serial), world.NUMBER)
    return SimpleNamespace(**vars(made), strangers=strangers, serial=device.serial, secrets=secrets, recording_id=recording, line_id=line, leave_id=leave)


def holes(app: Flask, settings: Settings, firm: SimpleNamespace, person: Staff, wanted: list[str]) -> dict[str, int]:
    """Those of the routes that let the person through to the foreign object, with what they answered."""
    found = {}
    client = people.browser(app, settings, person)
    mark = people.token(client, "/settings/password")
    for route, rule in routes(app):
        if route not in wanted:
            continue
        values = vars(firm) | {"branch_id": firm.pudong.id, "other_id": firm.call_id, "kind_id": 1, "calendar_id": 1, "use_id": 1, "name": "customers"}
        for chosen in choices(rule):
            with app.test_request_context():
                address = app.url_for(rule.endpoint, **{name: (values | chosen)[name] for name in rule.arguments})
            form = {name: str(person.id) if value == "me" else value for name, value in FOREIGN.get(route, {"version": "1"}).items()}
            more: dict[str, Any] = {"data": form} if route.startswith("POST") else {}
            answer = client.open(address, method=route.split(" ", 1)[0], headers=PAGE | {"X-CSRFToken": mark}, **more)
            if answer.status_code not in (403, 404):
                found[route] = answer.status_code
    return found


def choices(rule: Rule) -> list[dict[str, str]]:
    """Each way to fill the parts of an address that are one of some words."""
    words = {name: [word.strip(" '") for word in listed.split(",")] for listed, name in re.findall(r"<any\(([^)]*)\):(\w+)>", rule.rule)}
    return [dict(zip(words, chosen, strict=True)) for chosen in itertools.product(*words.values())]


def everything(database: db.Database) -> dict[str, str]:
    """What stands in each table, in short."""
    with database.owner.connect() as connection:
        names = connection.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars().all()
        digest = "select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from \"{}\" t"
        return {name: connection.execute(text(digest.format(name))).scalar_one() for name in names if name not in NOISE}


def test_every_route_with_an_id_says_whose_the_object_is(app: Flask) -> None:
    with_id = {route for route, rule in routes(app) if any(name.endswith("_id") or name == "code" for name in rule.arguments)}
    assert with_id == set(FOREIGN) | FIRMS | EVERYBODYS | EMPTY


@pytest.mark.parametrize("role", ROLES)
def test_nobody_reaches_what_belongs_to_another_branch(
    role: str, app: Flask, settings: Settings, firm: SimpleNamespace, database: db.Database
) -> None:
    before = everything(database)
    assert holes(app, settings, firm, firm.strangers[role], [*FOREIGN, *FIRMS]) == {}
    assert everything(database) == before
    client = people.browser(app, settings, firm.strangers[role])
    parts = [client.get(path, headers=PAGE).text for path in (f"/tickets/of-call/{firm.call_id}", f"/sites/of-device/{firm.device_id}")]
    assert not [name for name in ("打印机卡纸", "浦东客户", "安装点", "工程") if any(name in part for part in parts)]


def named_elsewhere(firm: SimpleNamespace) -> list[tuple[str, str, dict[str, Any]]]:
    """Requests that name foreign objects in a condition or in a field of a form."""
    party, device, site, plan = str(firm.party_id), str(firm.device_id), str(firm.site_id), {"content": "X", "timing": "interval", "every": "1", "starts_on": "2027-01-01"}
    gets = (f"/labels?site={site}", f"/labels?party={party}", f"/labels?device={device}", f"/labels.pdf?device={device}&sheet=40x30", f"/scan?code={firm.code}",
            f"/tickets/cover?device_id={device}", f"/tickets/new?party={party}", f"/tickets/new?device={device}", f"/tickets/new?call={firm.call_id}",
            f"/devices?party={party}", f"/devices/new?party={party}", f"/devices/locate?serial={firm.serial}", f"/devices/found?serial={firm.serial}",
            f"/sites?project={firm.project_id}", f"/sites/new?device={device}", f"/sites/projects/new?party={party}", f"/calls?party={party}", f"/tickets?party={party}&view=all",
            f"/customers?saved={firm.view_id}", "/customers/alike?name=浦东客户", f"/maintenance?device={device}", f"/recordings?call={firm.call_id}")
    posts: list[tuple[str, dict[str, Any]]] = [
        ("/tickets", {"party_id": party, "subject": "x", "priority": "normal", "type": "repair", "device_id": device, "request_key": "k" * 20}),
        ("/devices", {"party_id": party, "name": "x", "site_id": site}),
        ("/devices/here", {"party_id": party, "name": "x", "serial": "x"}),
        ("/sites", {"name": "x", "party_id": party, "project_id": str(firm.project_id)}),
        ("/sites/projects", {"name": "x", "party_id": party}),
        ("/maintenance/plans", plan | {"device_id": device}),
        ("/lists/visits/do/dispatch", {"id": str(firm.visit_id), "choice": "plan"}),
        ("/lists/patrols/do/repair", {"id": str(firm.patrol_id)}),
        ("/numbers/show", {"kind": "phone", "id": "1"}),
        ("/numbers/show", {"kind": "mail", "id": party}),
        ("/orders/dial", {"party": party, "key": "k"}),
        ("/settings/departments", {"branch_id": str(firm.pudong.id), "name": "x"}),
        ("/lists/tickets/do/assign", {"id": str(firm.ticket_id), "choice": str(firm.dan.id)}),
    ]
    return [*(("GET", path, {}) for path in gets), *(("POST", path, form) for path, form in posts)]


def test_what_is_tried_exists_and_every_action_of_a_list_is_tried(app: Flask, firm: SimpleNamespace) -> None:
    places, tried = app.url_map.bind("localhost"), named_elsewhere(firm)
    for method, path, _form in tried:
        places.match(path.split("?")[0], method=method)
    assert {path for _method, path, _form in tried if "/do/" in path} == {f"/lists/{one.name}/do/{act.key}" for one in KNOWN.values() for act in one.actions if not act.leads}  # one that leads on only opens a page of its own


@pytest.mark.parametrize("role", ROLES)
def test_nothing_foreign_comes_in_by_a_condition_or_a_field(
    role: str, app: Flask, settings: Settings, firm: SimpleNamespace, database: db.Database
) -> None:
    client, before = people.browser(app, settings, firm.strangers[role]), everything(database)
    mark, told = people.token(client, "/settings/password"), {}
    for method, path, form in named_elsewhere(firm):
        more: dict[str, Any] = {"data": form} if method == "POST" else {}
        answer = client.open(path, method=method, headers=PAGE | {"X-CSRFToken": mark}, follow_redirects=True, **more)
        if answer.status_code >= 500 or any(word in answer.text for word in firm.secrets if word not in path):
            told[f"{method} {path}"] = answer.status_code
    assert told == {}
    assert everything(database) == before


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
