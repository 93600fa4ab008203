"""Who gets through which door: every route of the app, as its own map of addresses tells, against every role."""

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.core import db
from service.core.config import Settings
from service.devices import work
from tests.signin import people
from tests.signin.people import PAGE

PEOPLE = {"a": "ada", "s": "cleo", "t": "wang", "f": "fay", "m": "mei", "r": "root", "-": ""}
ACTS = work.RULE
DESK, WRITE, ALL, BOARDS, FLOOR = "asmr", "astmr", "astfmr", "sfmr", "smr"
TICKET = {"version": "999"}  # nobody has seen that version: back to the ticket, and nothing is changed
# Route -> who is let in and what they hear. Everybody else who is signed in hears 403, and a stranger is sent to sign in.
DOORS: dict[str, tuple[str, int]] = {
    "GET /": (ALL, 302),
    "GET /desk": (DESK, 200),
    "GET /desk/mine": (DESK, 200),
    "GET /desk/pops/<int:pop_id>": ("a", 200),
    "POST /desk/pops/<int:pop_id>/choose": ("a", 200),
    "POST /desk/pops/<int:pop_id>/attach": ("a", 200),
    "POST /desk/pops/<int:pop_id>/customer": ("a", 409),
    "GET /calls": (ALL, 200),
    "GET /calls/<int:call_id>": (ALL, 200),
    "GET /calls/statistics": (ALL, 200),
    "GET /calls/export.xlsx": (BOARDS, 200),
    "GET /calls/missed": (ALL, 200),
    "POST /calls/missed/<int:line_id>/<any(take, close, reopen):verb>": (DESK, 404),
    "POST /calls/<int:call_id>/<any(join, differ, part):what>/<int:other_id>": (FLOOR, 404),
    "POST /calls/<int:call_id>/reason": (DESK, 302),
    "POST /calls/<int:call_id>/consent": (DESK, 422),
    "GET /recordings": (FLOOR, 200),
    "POST /recordings/<int:recording_id>/hold": (FLOOR, 404),
    "POST /recordings/<int:recording_id>/lift": (FLOOR, 404),
    "POST /recordings/retention": ("r", 422),
    "POST /agent/state": (DESK, 422),
    "GET /agents/<int:staff_id>": (FLOOR, 200),
    "POST /agents/<int:staff_id>/state": (FLOOR, 422),
    "POST /agents/<int:staff_id>/queues": (FLOOR, 302),
    "POST /agents/<int:staff_id>/listen": (FLOOR, 409),
    "GET /wallboard": (FLOOR, 200),
    "GET /wallboard/now": (FLOOR, 200),
    "POST /orders/dial": (DESK, 409),
    "POST /orders/on-call": (DESK, 409),
    "POST /recordings/pause": (DESK, 404),
    "POST /recordings/resume": (DESK, 204),
    "POST /tickets/<int:ticket_id>/dial": (DESK, 422),
    "GET /found": (ALL, 200),
    "POST /numbers/show": (WRITE, 404),
    "GET /customers": (ALL, 200),
    "GET /lists/<name>/export.<any(xlsx, csv):form>": (BOARDS, 200),
    "POST /lists/<name>/layout": (ALL, 422),
    "POST /lists/<name>/views": (ALL, 422),
    "POST /lists/<name>/views/<int:view_id>/<any(replace, remove, start):how>": (ALL, 404),
    "POST /lists/<name>/do/<action>": (ALL, 422),
    "GET /customers/<int:party_id>": (ALL, 200),
    "GET /customers/found": (ALL, 200),
    "GET /devices": (ALL, 200),
    "POST /devices": (WRITE, 422),
    "GET /devices/retired": (ALL, 200),
    "GET /devices/locate": (ALL, 302),
    "GET /devices/found": (ALL, 200),
    "POST /devices/here": (WRITE, 422),
    "GET /devices/new": (WRITE, 200),
    "GET /devices/<int:device_id>": (ALL, 200),
    "GET /devices/<int:device_id>/edit": (WRITE, 200),
    "POST /devices/<int:device_id>/edit": (WRITE, 409),
    f"GET {ACTS}": (WRITE, 200),
    f"POST {ACTS}": (WRITE, 409),
    "GET /settings/products": ("mr", 200),
    "GET /settings/products/new": ("mr", 200),
    "POST /settings/products": ("mr", 422),
    "GET /settings/products/<int:product_id>": ("mr", 200),
    "POST /settings/products/<int:product_id>": ("mr", 409),
    "POST /settings/products/<int:product_id>/remove": ("mr", 302),
    "POST /settings/products/categories": ("mr", 422),
    "POST /settings/products/categories/<int:category_id>": ("mr", 404),
    "POST /settings/products/categories/<int:category_id>/remove": ("mr", 404),
    "GET /tickets/cover": (WRITE, 200),
    "GET /customers/alike": (ALL, 200),
    "GET /customers/new": (DESK, 200),
    "POST /customers": (DESK, 422),
    "GET /customers/<int:party_id>/edit": (DESK, 200),
    "POST /customers/<int:party_id>": (DESK, 422),
    "GET /customers/rows/<any(department, contact, phone, mail, contract, account):kind>": (DESK, 200),
    "GET /customers/quick": (DESK, 200),
    "POST /customers/quick": (DESK, 422),
    "POST /customers/<int:party_id>/contacts": (DESK, 422),
    "POST /customers/<int:party_id>/disable": (DESK, 422),
    "POST /customers/<int:party_id>/enable": (DESK, 302),
    "GET /customers/duplicates": (FLOOR, 200),
    "GET /customers/<int:party_id>/merge": (FLOOR, 200),
    "POST /customers/<int:party_id>/merge": (FLOOR, 422),
    "POST /customers/<int:party_id>/apart": (FLOOR, 404),
    "GET /settings/categories": ("mr", 200),
    "POST /settings/categories": ("mr", 422),
    "POST /settings/categories/<int:category_id>": ("mr", 404),
    "POST /settings/categories/<int:category_id>/usual": ("mr", 404),
    "POST /settings/categories/<int:category_id>/remove": ("mr", 404),
    "GET /tickets": (ALL, 200),
    "GET /tickets/new": (WRITE, 200),
    "GET /tickets/<int:ticket_id>": (ALL, 200),
    "GET /tickets/of-call/<int:call_id>": (ALL, 200),
    "POST /tickets": (WRITE, 422),
    "POST /tickets/<int:ticket_id>/assign": ("asmr", 302),
    "POST /tickets/<int:ticket_id>/accept": (WRITE, 302),
    "POST /tickets/<int:ticket_id>/start": (WRITE, 302),
    "POST /tickets/<int:ticket_id>/finish": (WRITE, 302),
    "POST /tickets/<int:ticket_id>/close": ("smr", 302),
    "POST /tickets/<int:ticket_id>/note": (WRITE, 422),
    "GET /maintenance": (WRITE, 200),
    "GET /maintenance/plans": (WRITE, 200),
    "GET /maintenance/plans/new/<int:device_id>": (FLOOR, 200),
    "POST /maintenance/plans": (FLOOR, 404),
    "GET /maintenance/plans/<int:plan_id>": (WRITE, 404),
    "POST /maintenance/plans/<int:plan_id>": (FLOOR, 404),
    "POST /maintenance/plans/<int:plan_id>/state": (FLOOR, 404),
    "GET /maintenance/patrols": (WRITE, 200),
    "GET /maintenance/patrols/mine": (WRITE, 200),
    "GET /maintenance/patrols/new": (WRITE, 200),
    "POST /maintenance/patrols": (WRITE, 404),
    "GET /maintenance/patrols/missing": (WRITE, 200),
    "GET /maintenance/patrols/<int:patrol_id>": (WRITE, 404),
    "POST /maintenance/patrols/<int:patrol_id>/repair": (WRITE, 404),
    "GET /maintenance/rounds": (WRITE, 200),
    "GET /maintenance/rounds/new": (FLOOR, 200),
    "POST /maintenance/rounds": (FLOOR, 422),
    "GET /maintenance/rounds/<int:round_id>": (WRITE, 404),
    "POST /maintenance/rounds/<int:round_id>": (FLOOR, 404),
    "GET /maintenance/rounds/sites": (FLOOR, 200),
    "POST /maintenance/visits/<int:visit_id>/done": (FLOOR, 404),
    "POST /maintenance/visits/<int:visit_id>/skip": (FLOOR, 404),
    "GET /nights": (BOARDS, 200),
    "POST /nights": ("r", 302),
    "GET /nights/feeds": (BOARDS, 200),
    "GET /nights/feeds/now": (BOARDS, 200),
    "POST /nights/feeds": ("r", 302),
    "GET /settings/imports": ("mr", 200),
    "POST /settings/imports": ("mr", 404),
    "GET /settings/imports/templates/<name>.xlsx": ("mr", 200),
    "GET /settings/imports/<int:batch_id>": ("mr", 404),
    "POST /settings/imports/<int:batch_id>/reading": ("mr", 404),
    "POST /settings/imports/<int:batch_id>/check": ("mr", 404),
    "POST /settings/imports/<int:batch_id>/load": ("mr", 404),
    "POST /settings/imports/<int:batch_id>/undo": ("mr", 404),
    "POST /settings/imports/<int:batch_id>/discard": ("mr", 404),
    "POST /settings/imports/<int:batch_id>/passwords.xlsx": ("mr", 404),
    "GET /settings/imports/<int:batch_id>/errors.<any(xlsx, csv):kind>": ("mr", 404),
    "GET /settings/audit": ("r", 200),
    "GET /settings/people": ("r", 200),
    "GET /settings/people/new": ("r", 200),
    "POST /settings/people": ("r", 422),
    "GET /settings/people/<int:staff_id>": ("r", 200),
    "GET /settings/people/<int:staff_id>/left": ("r", 200),
    "POST /settings/people/<int:staff_id>": ("r", 409),  # nobody has seen that version
    "POST /settings/people/<int:staff_id>/password": ("r", 200),
    "GET /settings/branches": ("r", 200),
    "GET /settings/branches/new": ("r", 200),
    "POST /settings/branches": ("r", 422),
    "GET /settings/branches/<int:branch_id>": ("r", 200),
    "POST /settings/branches/<int:branch_id>": ("r", 409),  # nobody has seen that version
    "GET /settings/departments": ("r", 200),
    "POST /settings/departments": ("r", 422),
    "POST /settings/departments/<int:department_id>": ("r", 409),
    "POST /settings/departments/<int:department_id>/teams": ("r", 422),
    "POST /settings/departments/teams/<int:team_id>": ("r", 409),
    "GET /settings/roles": ("r", 200),
    "GET /settings/roles/new": ("r", 200),
    "POST /settings/roles": ("r", 422),
    "GET /settings/roles/<int:role_id>": ("r", 200),
    "POST /settings/roles/<int:role_id>": ("r", 409),
    "POST /settings/roles/<int:role_id>/delete": ("r", 409),
    "GET /settings/shifts": (FLOOR, 200),
    "POST /settings/shifts": (FLOOR, 302),
    "POST /settings/shifts/copy": (FLOOR, 302),
    "POST /settings/shifts/leave": (FLOOR, 422),
    "POST /settings/shifts/leave/<int:leave_id>/withdraw": (FLOOR, 404),
    "POST /settings/shifts/kinds": ("mr", 422),
    "POST /settings/shifts/kinds/<int:kind_id>": ("mr", 404),
    "GET /settings/password": (ALL, 200),
    "POST /settings/password": (ALL, 422),
    "POST /settings/people/<int:staff_id>/sign-out": ("r", 302),
    "POST /settings/people/<int:staff_id>/second-factor": ("r", 302),
    "GET /settings/security": ("r", 200),
    "POST /settings/security": ("r", 409),
    "POST /settings/security/roles/<int:role_id>": ("r", 302),
    "POST /settings/security/unlock/<int:staff_id>": ("r", 302),
    "GET /settings/log": ("r", 200),
    "GET /settings/security/me": (ALL, 200),
    "POST /settings/security/me/app": (ALL, 422),
    "POST /settings/security/me/app/confirm": (ALL, 422),
    "POST /settings/security/me/app/remove": (ALL, 422),
    "POST /settings/security/me/codes": (ALL, 422),
    "POST /settings/security/me/passkeys/options": (ALL, 422),
    "POST /settings/security/me/passkeys": (ALL, 422),
    "POST /settings/security/me/passkeys/<int:passkey_id>/remove": (ALL, 422),
    "POST /settings/security/me/sessions": (ALL, 302),
    "GET /settings/doctor": ("r", 200),
    "POST /settings/doctor": ("r", 302),
    "GET /settings/kpi": (BOARDS, 200),
    "POST /settings/kpi": ("mr", 422),
    "GET /sites": (ALL, 200),
    "GET /sites/new": (WRITE, 200),
    "POST /sites": (WRITE, 422),
    "GET /sites/<int:site_id>": (ALL, 200),
    "GET /sites/<int:site_id>/edit": (WRITE, 200),
    "POST /sites/<int:site_id>": (WRITE, 409),
    "POST /sites/<int:site_id>/position": (WRITE, 422),
    "POST /sites/<int:site_id>/devices": (WRITE, 422),
    "POST /sites/<int:site_id>/devices/<int:device_id>/take": (WRITE, 302),
    "POST /sites/<int:site_id>/pictures": (WRITE, 422),
    "POST /sites/<int:site_id>/pictures/<int:picture_id>/drop": (WRITE, 404),
    "GET /sites/of-device/<int:device_id>": (ALL, 200),
    "GET /sites/choose": (WRITE, 200),
    "GET /sites/projects": (ALL, 200),
    "GET /sites/projects/new": (WRITE, 200),
    "POST /sites/projects": (WRITE, 422),
    "GET /sites/projects/<int:project_id>": (ALL, 200),
    "GET /sites/projects/<int:project_id>/edit": (WRITE, 200),
    "POST /sites/projects/<int:project_id>": (WRITE, 409),
    "POST /sites/projects/<int:project_id>/devices": (WRITE, 422),
    "POST /sites/projects/<int:project_id>/devices/<int:device_id>/take": (WRITE, 302),
    "GET /labels": (ALL, 200),
    "GET /labels.pdf": (ALL, 422),
    "GET /scan": (ALL, 200),
    "GET /d/<code>": (ALL, 200),
    "GET /settings/regions": ("r", 200),
    "POST /settings/regions": ("r", 422),
    "POST /settings/regions/<int:region_id>": ("r", 404),
    "POST /settings/regions/<int:region_id>/remove": ("r", 404),
    "GET /settings/hours": ("r", 200),
    "POST /settings/hours": ("r", 422),
    "POST /settings/hours/<int:calendar_id>": ("r", 404),
    "POST /settings/hours/<int:calendar_id>/days": ("r", 422),
    "POST /settings/hours/<int:calendar_id>/days/clear": ("r", 302),
    "POST /settings/hours/<int:calendar_id>/follow": ("r", 422),
    "POST /settings/hours/<int:calendar_id>/remove": ("r", 404),
    "POST /settings/hours/uses/<int:use_id>/clear": ("r", 302),
    "POST /settings/locale": (ALL + "-", 302),
    "POST /settings/theme": (ALL, 302),
    "POST /settings/seat": (DESK, 422),
    "POST /sign-out": (ALL + "-", 302),
    "GET /sign-in": (ALL, 302),
    "POST /sign-in": (ALL, 302),
    "GET /sign-in/code": (ALL + "-", 302),
    "POST /sign-in/code": (ALL + "-", 302),
    "GET /sign-in/enrol": (ALL + "-", 302),
    "POST /sign-in/enrol": (ALL + "-", 302),
    "GET /sign-in/password": (ALL + "-", 302),
    "POST /sign-in/password": (ALL + "-", 302),
    "POST /sign-in/leave": (ALL + "-", 302),
    "POST /sign-in/passkey/options": (ALL + "-", 200),
    "POST /sign-in/passkey": (ALL + "-", 422),
    "GET /setup": (ALL + "-", 404),  # somebody administers
    "POST /setup": (ALL + "-", 404),
    "GET /health": (ALL + "-", 200),
    "GET /static/<path:filename>": (ALL + "-", 404),
    "GET /fs-static/<path:filename>": (ALL + "-", 404),
    "GET /dashboards/": (BOARDS, 200),
    "GET /dashboards/<path:path>": (BOARDS, 200),
    "GET /dashboards/export/<board>.xlsx": (BOARDS, 404),  # no night has run
    "GET /dashboards/_dash-layout": (BOARDS, 200),
    "GET /dashboards/_dash-dependencies": (BOARDS, 200),
    "GET /dashboards/_reload-hash": (BOARDS, 200),
    "GET /dashboards/_favicon.ico": (BOARDS, 200),
    "GET /dashboards/assets/<path:filename>": (BOARDS, 404),
    "GET /dashboards/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": (BOARDS, 404),
    "POST /dashboards/_dash-update-component": (BOARDS, 200),
}
# The one that is let in although the pop is somebody else's hears that it is not there.
ELSEWHERE = {route: 404 for route in DOORS if "<int:pop_id>" in route}
STRANGERS = {"GET /sign-in": 200, "POST /sign-in": 200}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    from dataclasses import replace

    yield create_app(replace(settings, data=tmp_path_factory.mktemp("doors")), database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    return people.firm(committed_cast)


def routes(app: Flask) -> list[tuple[str, Any]]:
    """METHOD and rule of every route, HEAD and OPTIONS aside."""
    return [
        (f"{method} {rule.rule}", rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def address(app: Flask, rule: Any, firm: SimpleNamespace) -> str:
    known = vars(firm) | {"board": "calls", "path": "calls", "filename": "none", "package_name": "dash"}
    known |= {"role_id": firm.role_id, "branch_id": firm.pudong.id, "department_id": firm.department_id, "team_id": firm.team_id,
              "leave_id": 999999, "kind_id": 999999}
    known |= {"fingerprinted_path": "none.js", "name": "customers", "form": "csv", "view_id": 999999, "how": "remove", "action": "none", "staff_id": firm.ada.id, "line_id": 999999, "category_id": 999999, "act": "retire", "plan_id": 999999, "round_id": 999999, "patrol_id": 999999, "visit_id": 999999, "batch_id": 999999, "calendar_id": 999999, "use_id": 999999, "other_id": 999999, "what": "join", "verb": "take", "recording_id": 999999, "picture_id": 999999, "region_id": 999999, "passkey_id": 999999, "kind": "phone"}
    if rule.rule.startswith("/settings/imports"):
        known |= {"name": "parties", "kind": "xlsx"}
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: known[name] for name in rule.arguments})


def body(route: str, firm: SimpleNamespace) -> dict[str, Any]:
    if "/dashboards/" in route:
        one, two = ({"id": "url", "property": name, "value": "/"} for name in ("pathname", "search"))
        asked = {"output": "board.children", "outputs": {"id": "board", "property": "children"}}
        return {"json": asked | {"inputs": [one, two], "changedPropIds": ["url.pathname"]}}
    forms: dict[str, dict[str, str]] = {
        "POST /settings/locale": {"locale": "en"},
        "POST /settings/theme": {"theme": "dark"},
        "POST /settings/departments": {"branch_id": str(firm.pudong.id)},
        "POST /tickets/<int:ticket_id>/assign": TICKET | {"staff_id": str(firm.wang.id)},
        "POST /tickets/<int:ticket_id>/dial": {"number": "nobody"},
        "POST /desk/pops/<int:pop_id>/choose": {"choice": str(firm.party_id)},
        "POST /desk/pops/<int:pop_id>/attach": {"party_id": str(firm.party_id)},
    }
    return {"data": forms.get(route, TICKET)}


def ask(client: FlaskClient, app: Flask, route: str, rule: Any, firm: SimpleNamespace, mark: str | None) -> Any:
    """The route asked for by that browser; a POST carries `mark` as its token."""
    method = route.split(" ", 1)[0]
    more = body(route, firm) if method == "POST" else {}
    headers = PAGE | ({"X-CSRFToken": mark} if mark is not None else {})
    return client.open(address(app, rule, firm), method=method, headers=headers, **more)


def expected(route: str, who: str) -> int:
    inside, status = DOORS[route]
    if who in inside:
        return status
    if who != "-":
        return ELSEWHERE[route] if route in ELSEWHERE and who in DESK else 403
    if "_dash-" in route:
        return 401
    return STRANGERS.get(route, 302 if route.startswith("GET") else 401)


def test_every_route_has_its_line_in_the_matrix(app: Flask) -> None:
    assert {route for route, _rule in routes(app)} == set(DOORS)


@pytest.mark.parametrize("who", PEOPLE)
def test_a_role_gets_through_its_own_doors_and_no_other(
    who: str, app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    person = getattr(firm, PEOPLE[who], None)
    heard = {}
    for route, rule in routes(app):
        client = people.browser(app, settings, person)
        mark = people.token(client, "/tickets" if person else "/sign-in") if route.startswith("POST") else None
        answer = ask(client, app, route, rule, firm, mark)
        heard[route] = answer.status_code
        if answer.status_code == 302 and who == "-" and not route.startswith("POST"):
            assert answer.headers["Location"].startswith("/sign-in"), route
    assert heard == {route: expected(route, who) for route in heard}


def test_a_post_without_its_token_is_told_so_whoever_sends_it(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    """What other pages try is in tests/attack/test_forgery.py, for every route."""
    for person in (firm.ada, firm.root, None):
        for path in ("/tickets", "/sign-out", "/settings/theme", "/settings/people", f"/tickets/{firm.ticket_id}/close"):
            answer = people.browser(app, settings, person).post(path, data=TICKET, headers=PAGE)
            assert answer.status_code == 400 and re.search("too old to be sent|放得太久", answer.text), path


def test_a_refused_form_is_a_page_for_a_person_and_a_sentence_for_a_script(
    app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    client = people.browser(app, settings, firm.ada)
    form = TICKET | {"csrf_token": people.token(client, "/tickets")}
    path = f"/tickets/{firm.ticket_id}/accept"
    page = client.post(path, data=form, headers=PAGE)
    assert (page.status_code, page.location) == (302, f"/tickets/{firm.ticket_id}")
    ticket = client.get(page.location, headers=PAGE)
    assert "was changed meanwhile" in ticket.text and 'role="alert"' in ticket.text
    assert "was changed meanwhile" not in client.get(page.location, headers=PAGE).text
    script = client.post(path, data=form, headers={"Accept": "*/*"})
    assert (script.mimetype, script.status_code) == ("application/json", 409)
    part = client.post(path, data=form, headers={"HX-Request": "true"})
    assert (part.mimetype, part.status_code) == ("text/html", 409)
    assert "<nav" not in part.text
    assert "was%20changed%20meanwhile" in part.headers["X-Refusal"]


def test_every_answer_carries_the_security_headers(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    for person in (firm.root, firm.wang, None):
        client = people.browser(app, settings, person)
        for route, rule in routes(app):
            answer = ask(client, app, route, rule, firm, None)
            policy = answer.headers["Content-Security-Policy"]
            scripts = re.search(r"script-src ([^;]*)", policy)
            assert scripts and (scripts[1] == "'self' 'wasm-unsafe-eval'" if route == "GET /scan" and person else "unsafe" not in scripts[1]) and "http" not in policy, route
            assert "frame-ancestors 'none'" in policy and "object-src 'none'" in policy, route
            assert answer.headers["X-Content-Type-Options"] == "nosniff", route
            assert answer.headers["Referrer-Policy"] == "same-origin", route
            if answer.mimetype == "text/html":
                assert answer.headers["Cache-Control"] == "no-store", route
