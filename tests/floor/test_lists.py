"""Ten times the rows, the same number of queries: for each page that the app can show, found in its map of addresses."""

import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from service.app import create_app
from service.calls import actions as calls
from service.calls.kpi import actions as kpi
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.kpi import Policy
from service.devices import actions as devices
from service.devices.model import Device
from service.devices.schemas import ComponentFacts, Holder, Retirement
from service.hours import actions as hours
from service.maintenance import actions as maintenance
from service.maintenance.model import MaintenanceReminder
from service.maintenance.patrols import actions as patrols
from service.maintenance.patrols import queries as patrol_queries
from service.maintenance.patrols.queries import PatrolRound
from service.maintenance.patrols.schemas import Found, Round
from service.staff.model import Branch, Staff
from service.staff.roles import actions as roles
from service.staff.roles.actions import Facts as RoleFacts
from service.staff.shifts import actions as shifts
from service.staff.shifts.actions import Away, Cell
from service.staff.shifts.actions import Kind as ShiftFacts
from service.tickets import actions as tickets
from tests import make
from tests.live import server

PAGE = {"Accept": "text/html"}
FEW, MANY = 5, 50
# Nothing typed: nothing found. All others grow with their rows, or the test would prove nothing.
SAME_LENGTH = {"/scan", "/sites/choose", "/sites/new", "/sites/projects/new", "/devices/found", "/devices/new", "/recordings", "/customers/found", "/customers/alike", "/customers/new", "/customers/quick", "/customers/rows/phone", "/customers/1/merge", "/settings/categories", "/found", "/nights/feeds", "/nights/feeds/now", "/settings/doctor"}
# Those of a customer that is not there yet are forms or one customer; the last four: findings, and one part a switch.
FORMS = ("/settings/people/", "/settings/password", "/settings/products/", "/tickets/cover", "/maintenance/plans/new/", "/d/", "/sites/of-device/", "/maintenance/patrols/1", "/maintenance/patrols/2", "/settings/security", "/settings/branches/", "/settings/roles/")  # of one thing or thing, and of the roles
FRESH = itertools.count(1)
SEEN = "UPDATE staff_session SET seen_at"  # once a minute, whichever page is asked then
# Pages that read the archive or nothing at all, and those of one import: a state each, see tests/imports.
NO_LIST = ("/lists/", "/devices/locate", "/labels.pdf", "/settings/imports/", "/dashboards/", "/static/", "/fs-static/", "/health", "/sign-in", "/setup", "/verify")


@contextmanager
def counted(database: db.Database) -> Iterator[list[str]]:
    """The statements that the app's connections send while the block runs."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith(SEEN):
            sent.append(statement)

    event.listen(database.app, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.app, "before_cursor_execute", note)


Ask = Callable[[FlaskClient, str], tuple[list[str], int]]


@pytest.fixture
def queries(clean: db.Database) -> Ask:
    """Asks for the page; tells the statements it took and how long the page is."""

    def ask(browser: FlaskClient, path: str) -> tuple[list[str], int]:
        with counted(clean) as sent:
            answer = browser.get(path, headers=PAGE)
        assert answer.status_code == 200, path
        return sent, len(answer.data)

    return ask


@pytest.fixture
def app(settings: Settings, database: db.Database) -> Flask:
    return create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """One customer, call, ticket and pop that the pages below are about."""
    with db.begin(scope.ALL) as session:
        party = make.party(session, committed_cast.pudong)
        make.phone(session, party, "13800001001")
        call = make.call(session, clock.now())
        ticket = make.ticket(session, party, committed_cast.root, clock.now())
        make.seat(session, session.get_one(Staff, committed_cast.root.id), "1010", clock.now())
        product = make.product(session)
        region = make.region(session, "华东")
        project = make.project(session, committed_cast.pudong, region_id=region.id, party_id=party.id)
        site = make.site(session, committed_cast.pudong, project_id=project.id, party_id=party.id)
        device = make.device(session, party, site_id=site.id, project_id=project.id, product_id=make.product(session).id)
        plan = make.plan(session, device, committed_cast.root)
        make.project(session, committed_cast.pudong)
        round_ = patrols.plan(session, Round("线路", committed_cast.wang.id, clock.local(clock.now()).date(), clock.local(clock.now()).date(), (site.id,)), by=committed_cast.root.id, at=clock.now())
        visit = patrols.record(session, Path(), Found(site.id, "x", True, "k"), by=committed_cast.root.id, at=clock.now())
        places = {"round": round_, "visit": visit, "site": site.id, "project": project.id, "code": device.code, "region": region.id}
        facts = SimpleNamespace(device=device.id, product=product.id, plan=plan, **places, party=party.id, call=call.id, ticket=ticket.id, key=call.call_key)
    return SimpleNamespace(**vars(committed_cast), **vars(facts), pop=rings("1010"))


def rings(extension: str) -> int:
    from service.calls.schemas import Ring

    ring = Ring(
        **{"switch": "pbx1", "call_key": "1795395600.1", "extension": extension, "caller_number": "13800001001"},
        **{"caller_name": "王", "called": "02160000100", "queue": "support", "direction": "inbound"},
    )
    with db.begin(scope.ALL) as session:
        pop = calls.phone_rings(session, ring, at=clock.now())
    assert pop is not None
    return pop


def grow(firm: SimpleNamespace, more: int) -> None:
    """So many more of everything that a page may list, each with people and customers of its own."""
    with db.begin(scope.ALL) as session:
        branch = session.get_one(Branch, firm.pudong.id)
        for _version in range(more):
            kpi.add(session, Policy(0, clock.local(clock.now()).date() + timedelta(days=1)), by=firm.root.id, at=clock.now())
        for number in range(more):
            _one_more(session, firm, branch, number)
        session.execute(
            text("insert into feed_gap (switch, began_at, reason) select 'pbx' || n, now(), 'x' from generate_series(1, :n) n"),
            {"n": more},
        )
        session.execute(
            text("insert into import_batch (target, file_name, file, sha256, bytes, by_id, created_at, branch_id) select 'parties', 'f', 'f', 's', 1, :by, now(), :branch from generate_series(1, :n)"),
            {"n": more, "by": firm.root.id, "branch": firm.pudong.id},
        )
        session.execute(
            text("insert into night_run (slot, began_at, state) select 's', now(), 'published' from generate_series(1, :n)"),
            {"n": more},
        )


def _one_more(session: Session, firm: SimpleNamespace, branch: Branch, number: int) -> None:
    now = clock.now() - timedelta(seconds=number)
    person = make.staff(session, f"p{next(FRESH)}", branch, "technician")
    other = make.party(session, branch, f"客户{number}")
    make.contact(session, other)
    make.phone(session, other, "13800001001")
    for party in (other, session.get_one(make.Party, firm.party)):
        make.contact(session, party)
        plan = make.plan(session, make.device(session, party), person)
        maintenance.set_state(session, plan, ("active", "paused")[number % 2], by=person.id, at=now)
        make.invoice(session, party, "10.00", now.date(), now.date(), now)
        call = make.call(session, now)
        make.call(session, now, caller_number=f"137{next(FRESH):08}", disposition="abandoned", answered_by=None, answered_at=None)
        call.party_id, call.staff_id = party.id, person.id
        for assignee in (person, session.get_one(Staff, firm.root.id)):
            ticket = make.ticket(session, party, person, now, call=("pbx1", firm.key))
            ticket.assignee_id = assignee.id
    _one_more_of_a_device(session, firm, number, now)
    _one_more_patrol(session, firm, branch, person, now)
    maintenance.remind(session, at=now + timedelta(days=number))
    for visit in session.scalars(select(MaintenanceReminder.id).where(MaintenanceReminder.plan_id == firm.plan, MaintenanceReminder.state == "due")).all():
        maintenance.skip(session, visit, "x", by=person.id, at=now)
    region = make.region(session)
    at = make.site(session, branch, project_id=firm.project, party_id=firm.party, region_id=firm.region)
    make.project(session, branch, region_id=region.id)
    make.device(session, session.get_one(make.Party, firm.party), site_id=firm.site)
    make.device(session, session.get_one(make.Party, firm.party), site_id=at.id)
    tickets.note(session, firm.ticket, "x", by=person.id, at=now)
    tickets.link_call(session, firm.ticket, "pbx1", call.call_key, by=person.id, at=now)
    recording = calls.recording_found(
        session,
        **{"switch": "pbx1", "uniqueid": firm.key, "segment": next(FRESH), "path": "x", "sha256": "x"},
        **{"size": 1, "seconds": Decimal(1), "form": "wav/8000/1", "at": now},
    )
    calls.recording_played(session, recording, by=person.id, at=now)
    _one_more_agent(session, firm, branch, person, now)
    _one_more_of_the_firm(session, firm)
    calendar = hours.create(session, f"h{next(FRESH)}", zone="Asia/Shanghai", by=person.id, at=now)
    hours.follow(session, calendar, by=person.id, at=now, switch="pbx1", line=f"l{next(FRESH)}")
    hours.days_set(session, calendar, now.date(), None, None, "", by=person.id, at=now)


def _one_more_of_a_device(session: Session, firm: SimpleNamespace, number: int, now: datetime) -> None:
    """A product, a ticket with a call, a part in and a part out, a holder, and one more device in the register of the retired."""
    party = session.get_one(make.Party, firm.party)
    who = {"by": firm.root.id, "at": now}
    call = make.call(session, now)
    product = make.product(session)
    make.ticket(session, party, session.get_one(Staff, firm.root.id), now, device_id=firm.device, call=("pbx1", call.call_key))
    for serial in ("in", "out"):
        part = devices.fit(session, firm.device, ComponentFacts("part", f"{serial}{next(FRESH)}", product.id), **who)
    devices.take_out(session, part, "x", **who)
    version = session.get_one(Device, firm.device, populate_existing=True).version
    devices.move(session, firm.device, Holder(firm.party, f"D{number}{next(FRESH)}"), "x", version=version, **who)
    old = make.device(session, party, product_id=product.id)
    devices.retire(session, old.id, Retirement("x", now.date()), version=old.version, **who)


def _one_more_patrol(session: Session, firm: SimpleNamespace, branch: Branch, person: Staff, now: datetime) -> None:
    """A round of somebody new over a site of its own, patrols of it, and one more stop of the known round."""
    day, who = now.date(), {"by": person.id, "at": now}
    root = {"by": firm.root.id, "at": now}
    at = make.site(session, branch, region_id=firm.region)
    patrols.plan(session, Round(f"线路{next(FRESH)}", person.id, day, day, (at.id, firm.site)), **who)
    row = session.get_one(PatrolRound, firm.round, populate_existing=True)
    row_stops = {stop.site.id for stop in patrol_queries.stops(session, [firm.round])}
    patrols.change(session, firm.round, Round(row.name, row.inspector_id, row.starts_on, row.ends_on, (*row_stops, at.id)), version=row.version, **root)
    for by in (who, root):
        patrols.record(session, Path(), Found(at.id, "x", True, uuid.uuid4().hex), **by)
    make.site(session, branch, region_id=firm.region)


def _one_more_of_the_firm(session: Session, firm: SimpleNamespace) -> None:
    """A branch, a role, a kind of shift, and at headquarters a department with a team and somebody who works and is away today."""
    hq, now, number = session.get_one(Branch, firm.hq.id), clock.now(), next(FRESH)
    make.branch(session, parent=hq)
    unit = make.department(session, hq)
    worker = make.staff(session, f"w{number}", hq, "agent", department_id=unit.id)
    make.team(session, unit, f"t{number}", worker)
    roles.create(session, RoleFacts(f"r{number}", permissions=("call.read",)), by=firm.root.id, at=now)
    kind = shifts.define(session, ShiftFacts(f"s{number}", 540, 1020), by=firm.root.id, at=now)
    shifts.plan(session, [Cell(worker.id, clock.local(now).date(), None, kind)], within=scope.ALL, by=firm.root.id, at=now)
    shifts.enter_leave(session, Away(worker.id, "annual", now, now + timedelta(hours=1)), within=scope.ALL, by=firm.root.id, at=now)


def _one_more_agent(session: Session, firm: SimpleNamespace, branch: Branch, person: Staff, now: datetime) -> None:
    """Somebody at a phone in a queue of its own, with a call that goes on, and one more thing that the first agent did."""
    number = str(2000 + next(FRESH))
    make.line(session, branch, f"q{number}")
    make.seat(session, person, number, now)
    calls.agents.members_did(session, "pbx1", [calls.MemberNews(f"q{number}", f"PJSIP/{number}", number)], at=now)
    facts = {"live": True, "ended_at": None, "disposition": None, "agent": number, "answered_by": number, "queue": f"q{number}"}
    call = make.call(session, now, **facts)
    calls.agents.phones_did(session, "pbx1", [calls.PhoneState(number, "talking", now, True, call.call_key)], acw=timedelta(0))
    calls.agents.choose(session, firm.root.id, ("ready", "pause")[int(number) % 2], reason="break", reasons=("break",), by=firm.root.id, at=now)


def pages(app: Flask, firm: SimpleNamespace) -> list[str]:
    """Every address that answers a GET, about the one customer, call, ticket and pop."""
    ids = {"device_id": firm.device, "act": "replace", "product_id": firm.product, "party_id": firm.party, "call_id": firm.call, "ticket_id": firm.ticket, "pop_id": firm.pop, "staff_id": firm.root.id, "plan_id": firm.plan, "round_id": firm.round, "patrol_id": firm.visit}
    ids |= {"site_id": firm.site, "project_id": firm.project, "device_id": firm.device, "code": firm.code, "kind": "phone", "branch_id": firm.pudong.id, "role_id": firm.root.roles[0].id}
    rules = [r for r in app.url_map.iter_rules() if "GET" in (r.methods or ()) and r.rule != "/"]
    kept = [r for r in rules if not r.rule.startswith(NO_LIST)]
    with app.test_request_context():
        plain = [app.url_for(rule.endpoint, **{name: ids[name] for name in rule.arguments}) for rule in kept]
    narrowed = ["/lists/customers/export.csv", "/lists/devices/export.csv", "/lists/retired-devices/export.csv", "/lists/products/export.csv", f"/tickets?party={firm.party}", f"/calls?party={firm.party}", "/customers/found?q=客户&as=choice", "/found?q=客户",
                f"/sites?region={firm.region}&condition=normal", f"/sites?project={firm.project}", f"/labels?site={firm.site}"]
    narrowed += [f"/devices?party={firm.party}", "/devices?soon=1", f"/tickets/cover?device_id={firm.device}"]
    return [*plain, *narrowed, "/tickets?view=all", "/customers?q=客户", f"/tickets/new?party={firm.party}"]


def test_no_page_asks_more_often_when_there_is_more_to_show(
    app: Flask, settings: Settings, firm: SimpleNamespace, queries: Ask
) -> None:
    browser = app.test_client()
    browser.set_cookie("ringdesk", server.cookie(settings, firm.root)["ringdesk"])
    addresses = pages(app, firm)
    browser.get("/desk", headers=PAGE)  # what is read once a process is not counted
    grow(firm, FEW)
    few = {address: queries(browser, address) for address in addresses}
    grow(firm, MANY - FEW)
    many = {address: queries(browser, address) for address in addresses}

    assert {a: sorted(many[a][0]) for a in addresses if len(many[a][0]) > len(few[a][0])} == {}
    assert {a for a in addresses if many[a][1] <= few[a][1] and not a.startswith(FORMS)} <= SAME_LENGTH
