"""Branches, departments, roles and shifts on their pages: what is refused, in which words, and what two people at once see."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.errors import Invalid
from service.core.model import AuditEntry
from service.staff import people as persons
from service.staff import queries
from service.staff.model import Branch, Department, Role, Staff
from service.staff.shifts import actions as shifts
from service.staff.shifts import rules
from service.staff.shifts.actions import Away, Cell, Kind
from service.staff.shifts.model import Leave, Shift
from tests import make
from tests.conftest import AT
from tests.signin import people
from tests.web.test_people import send

PAGE = {"Accept": "text/html"}
ODD = "=cmd|'/c calc' 😀 שלום <b>"


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def root(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, committed_cast.root)


def branch(cast: SimpleNamespace, **more: object) -> dict[str, object]:
    return {"code": "NJ", "name": "南京", "kind": "branch", "parent_id": cast.hq.id, "active": "1", "version": 1} | more


def test_a_branch_opens_is_changed_and_is_on_record(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    assert send(root, "/settings/branches", **branch(committed_cast, name=ODD, hotline="025 1"))[0] == 302
    with db.begin(scope.ALL) as work:
        row = work.scalars(select(Branch).where(Branch.code == "NJ")).one()
    path = f"/settings/branches/{row.id}"
    assert "=cmd|&#39;/c calc&#39; 😀 שלום &lt;b&gt;" in root.get("/settings/branches", headers=PAGE).text
    assert send(root, path, **branch(committed_cast, parent_id=committed_cast.pudong.id))[0] == 302
    status, page = send(root, path, **branch(committed_cast, name="金陵"))
    assert status == 409 and "Somebody else saved this meanwhile" in page and "金陵" in page and "南京" in page and 'value="2"' in page
    with db.begin(scope.ALL) as work:
        lines = work.scalars(select(AuditEntry).where(AuditEntry.entity == "branch").order_by(AuditEntry.id)).all()
    assert [line.verb for line in lines] == ["created", "changed"] and lines[1].new == {"name": "南京", "parent_id": committed_cast.pudong.id, "hotline": ""}


@pytest.mark.parametrize(("where", "change", "sentence"), [
    ("pudong", {"parent_id": "below"}, "hangs below it"), ("pudong", {"parent_id": "pudong"}, "hangs below it"),
    ("pudong", {"active": ""}, "can still sign in"), ("hq", {"kind": "headquarters", "parent_id": "", "active": ""}, "can"),
    ("new", {"code": "PD"}, "has this code"), ("new", {"parent_id": ""}, "Choose the branch above it"), ("new", {"name": "x" * 300}, "At most 60"),
    ("new", {"kind": "moon"}, "Choose what it is"),
])
def test_a_branch_that_cannot_be_is_refused_in_words(
    where: str, change: dict[str, object], sentence: str, root: FlaskClient, committed_cast: SimpleNamespace
) -> None:
    with db.begin(scope.ALL) as work:
        below = make.branch(work, parent=work.get_one(Branch, committed_cast.pudong.id)).id
    known = {"below": below, "pudong": committed_cast.pudong.id}
    form = branch(committed_cast, code="PD" if where == "pudong" else "HQ" if where == "hq" else "NJ")
    form |= {name: known.get(str(value), value) for name, value in change.items()}
    path = "/settings/branches" if where == "new" else f"/settings/branches/{getattr(committed_cast, where).id}"
    status, page = send(root, path, **form)
    assert status in (409, 422) and sentence in page


def test_a_branch_with_open_ones_below_it_stays_open(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        region = make.branch(work, "R1", "华东", work.get_one(Branch, committed_cast.hq.id))
        make.branch(work, "R2", "杭州", region)
    status, page = send(root, f"/settings/branches/{region.id}", **branch(committed_cast, code="R1", name="华东", kind="region", active=""))
    assert status == 409 and "杭州" in page


def test_departments_and_teams_are_made_and_a_full_one_is_not_closed(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    cast = committed_cast
    assert send(root, "/settings/departments", branch_id=cast.pudong.id, name="维修部", head_id=cast.root.id, active="1")[0] == 302
    with db.begin(scope.ALL) as work:
        unit = work.scalars(select(Department)).one()
        work.get_one(Staff, cast.wang.id).department_id = unit.id
    path = f"/settings/departments/{unit.id}"
    team = {"name": "上门组", "leader_id": cast.wang.id, "members": [cast.wang.id, cast.ada.id], "active": "1"}
    assert send(root, f"{path}/teams", **team)[0] == 302
    assert "上门组" in root.get(f"/settings/departments?branch={cast.pudong.id}", headers=PAGE).text
    for form, sentence in (({"name": "维修部", "version": 1}, "belongs to"), ({"name": "维修部", "parent_id": unit.id, "active": "1", "version": 1}, "hangs below it"),
                           ({"name": "维修部", "head_id": cast.dan.id, "active": "1", "version": 1}, "above it who can sign in")):
        status, page = send(root, path, **form)
        assert status in (409, 422) and sentence in page
    status, page = send(root, f"{path}/teams", **(team | {"name": "另一组", "members": [cast.dan.id]}))
    assert status == 422 and "people of this branch" in page


def test_a_role_is_made_given_and_takes_effect_and_one_in_use_stays(
    app: Flask, settings: Settings, root: FlaskClient, committed_cast: SimpleNamespace
) -> None:
    assert send(root, "/settings/roles", name="质检", reach="branch", permissions=["call.read", "floor.watch"], active="1")[0] == 302
    with db.begin(scope.ALL) as work:
        role = work.scalars(select(Role).where(Role.name == "质检")).one()
    ada = people.browser(app, settings, committed_cast.ada)
    assert ada.get("/wallboard", headers=PAGE).status_code == 403
    form = {"name": "Ada", "username": "ada", "roles": ["agent"], "reach": "branch", "active": "1", "branch_id": committed_cast.pudong.id, "at_role": "质检"}
    assert send(root, f"/settings/people/{committed_cast.ada.id}", **form, at_branch=committed_cast.suzhou.id)[0] == 302
    assert ada.get("/wallboard", headers=PAGE).status_code == 200
    for path in (f"/settings/roles/{role.id}/delete", f"/settings/roles/{role.id}"):
        status, page = send(root, path, name="质检", reach="branch", permissions=["call.read"], version=1)
        assert status == 409 and "holds this role" in page
    assert send(root, f"/settings/people/{committed_cast.ada.id}", **(form | {"at_role": ""}))[0] == 302
    assert ada.get("/wallboard", headers=PAGE).status_code == 403
    assert send(root, f"/settings/roles/{role.id}/delete")[0] == 302


def test_the_right_to_administer_cannot_be_taken_from_the_last(root: FlaskClient) -> None:
    with db.begin(scope.ALL) as work:
        admin = work.scalars(select(Role).where(Role.name == "admin")).one()
    for form in ({"reach": "all", "permissions": ["call.read"]}, {"reach": "below", "permissions": ["staff.admin"]}):
        status, page = send(root, f"/settings/roles/{admin.id}", name="admin", active="1", version=1, **form)
        assert status == 409 and "Nobody would be left" in page
    status, page = send(root, f"/settings/roles/{admin.id}", name="boss", active="1", version=1, reach="all", permissions=["staff.admin"])
    assert status == 422 and "keeps its name" in page


def test_who_administers_one_branch_hands_out_no_more_than_that(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        boss = make.staff(work, "boss", work.get_one(Branch, committed_cast.suzhou.id), "admin")
    client = people.browser(app, settings, boss)
    form = {"name": "新人", "username": "new.one", "roles": ["agent"], "reach": "branch", "active": "1"}
    for more, status in (({"branch_id": committed_cast.pudong.id}, 422), ({"branch_id": committed_cast.suzhou.id, "reach": "all"}, 422),
                         ({"branch_id": committed_cast.suzhou.id, "at_role": "admin", "at_branch": committed_cast.pudong.id}, 422),
                         ({"branch_id": committed_cast.suzhou.id}, 200)):
        assert send(client, "/settings/people", **(form | more))[0] == status, more
    assert "Ada" not in client.get("/settings/people", headers=PAGE).text


def test_a_change_upon_an_older_version_of_a_person_shows_both(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    form = {"name": "Ada", "username": "ada", "roles": ["agent"], "reach": "branch", "active": "1", "branch_id": committed_cast.pudong.id, "version": 1}
    assert send(root, f"/settings/people/{committed_cast.ada.id}", **(form | {"phone": "13900000001"}))[0] == 302
    status, page = send(root, f"/settings/people/{committed_cast.ada.id}", **(form | {"phone": "13900000002"}))
    assert status == 409 and "13900000002" in page and "Saved by the other" in page



def test_who_is_on_duty(session: Session, cast: SimpleNamespace) -> None:
    """A day shift, a night shift over midnight, and leave that covers a part of a day."""
    day, by = date(2026, 11, 23), {"by": cast.root.id, "at": AT}
    early = shifts.define(session, Kind("白班", 540, 1080, 60), **by)
    night = shifts.define(session, Kind("夜班", 1320, 360), **by)
    cells = [Cell(cast.ada.id, day, None, early), Cell(cast.ben.id, day, None, night)]
    assert shifts.plan(session, cells, within=scope.ALL, **by) == 2
    shifts.enter_leave(session, Away(cast.ada.id, "sick", rules.moment(day, 720), rules.moment(day, 840)), within=scope.ALL, **by)
    ids = {cast.ada.id, cast.ben.id, cast.wang.id}

    def working(on: date, hour: int, minute: int = 0) -> set[str]:
        found = queries.on_duty(session, ids, rules.moment(on, hour * 60 + minute))
        return {name for name in ("ada", "ben", "wang") if getattr(cast, name).id in found}

    after = day + timedelta(days=1)
    assert [working(day, 8, 59), working(day, 9), working(day, 12), working(day, 14), working(day, 18)] == [set(), {"ada"}, set(), {"ada"}, set()]
    assert [working(day, 22), working(after, 5, 59), working(after, 6)] == [{"ben"}, {"ben"}, set()]


def test_two_who_plan_the_same_day_notice_each_other(session: Session, cast: SimpleNamespace) -> None:
    day, by = date(2026, 11, 23), {"by": cast.root.id, "at": AT}
    early = shifts.define(session, Kind("白班", 540, 1080), **by)
    shifts.plan(session, [Cell(cast.ada.id, day, None, early)], within=scope.ALL, **by)
    with pytest.raises(shifts.PlanChanged, match="Ada"):
        shifts.plan(session, [Cell(cast.ada.id, day, None, early), Cell(cast.ada.id, day, None, early)], within=scope.ALL, **by)
    week = timedelta(days=7)
    assert shifts.copy(session, day + week, [cast.ada.id, cast.ben.id], within=scope.ALL, **by) == 1
    assert session.scalars(select(Shift.day).order_by(Shift.day)).all() == [day, day + week]
    with pytest.raises(Invalid):
        shifts.define(session, Kind("坏", None, 540), **by)


def test_what_is_planned_goes_with_whoever_moves_and_what_was_is_told(session: Session, cast: SimpleNamespace) -> None:
    early, today = shifts.define(session, Kind("早班", 480, 960), by=cast.root.id, at=AT), clock.local(AT).date()
    past, ahead = Cell(cast.ada.id, today - timedelta(days=1), None, early), Cell(cast.ada.id, today + timedelta(days=2), None, early)
    shifts.plan(session, [past, ahead], within=scope.ALL, by=cast.root.id, at=AT)
    off = Away(cast.ada.id, "annual", AT - timedelta(days=1), AT + timedelta(days=1))
    shifts.enter_leave(session, off, within=scope.ALL, by=cast.root.id, at=AT)
    persons.change(session, cast.ada.id, replace(persons.person(session, cast.ada.id), branch_id=cast.suzhou.id), by=cast.root.id, at=AT)

    session.flush()
    session.expunge_all()
    here = scope.Scope((cast.suzhou.id,))
    scope.declare(session.connection(), here)
    assert session.scalars(select(Shift.day)).all() == [ahead.day] and session.scalars(select(Leave.id)).all()
    shifts.plan(session, [replace(ahead, was=early, now=None)], within=here, by=cast.dan.id, at=AT)
    with pytest.raises(shifts.PlanChanged):
        shifts.plan(session, [past], within=here, by=cast.dan.id, at=AT)


def test_the_week_is_planned_on_its_page(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    assert send(root, "/settings/shifts/kinds", name="白班", begins="9:00", ends="18:00", break_minutes="60", active="1")[0] == 302
    ada, today = committed_cast.ada.id, clock.local(clock.now()).date().isoformat()
    where = {"week": today, "branch": committed_cast.pudong.id}
    assert send(root, "/settings/shifts", **where, **{f"cell-{ada}-{today}-": "1", "cell-1-2026-99-99-": "1"})[0] == 302
    assert "selected>白班" in root.get(f"/settings/shifts?branch={committed_cast.pudong.id}", headers=PAGE).text
    status, page = send(root, "/settings/shifts/leave", **where, staff_id=ada, kind="sick", since=today, until="2020-01-01")
    assert status == 422 and "has to end after it begins" in page
    assert send(root, "/settings/shifts/leave", **where, staff_id=ada, kind="sick", since=today, until=today)[0] == 302


def test_whose_time_is_over_is_switched_off(session: Session, cast: SimpleNamespace) -> None:
    today = clock.local(AT).date()
    cast.ada.valid_until, cast.ben.valid_until = today - timedelta(days=1), today
    session.flush()
    persons.expire(session, at=AT)
    assert (cast.ada.active, cast.ben.active) == (False, True)


def compared(page: str) -> list[list[str]]:
    """Field, what was saved and what was typed, of each row that compares the two."""
    table = page.partition('prov repaired differing"')[2].partition("</tbody>")[0].partition("<tbody>")[2]
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in table.split("</tr>") if "<td" in row]


def test_two_who_change_the_same_see_both_versions_in_words(root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    cast = committed_cast
    with db.begin(scope.ALL) as work:
        pudong = work.get_one(Branch, cast.pudong.id)
        repair = make.department(work, pudong, "维修部", head=work.get_one(Staff, cast.ada.id))
        team = make.team(work, repair, "一组", work.get_one(Staff, cast.ada.id))
        agent = make.role(work, "agent")
        ids = SimpleNamespace(unit=repair.id, team=team.id, agent=agent.id)
    en = {"pudong": cast.pudong.name_en, "suzhou": cast.suzhou.name_en, "hq": cast.hq.name_en}

    ada = {"name": "Ada", "username": "ada", "roles": ["agent"], "reach": "branch", "active": "1", "branch_id": cast.pudong.id, "version": 1}
    moved = ada | {"roles": ["agent", "technician"], "reach": "below", "branch_id": cast.suzhou.id, "at_role": "supervisor", "at_branch": cast.pudong.id}
    role = {"name": "agent", "reach": "branch", "permissions": ["desk.use"], "active": "1", "version": 1}
    place = {"code": "PD", "name": "浦东", "name_en": en["pudong"], "kind": "branch", "parent_id": cast.hq.id, "active": "1", "version": 1}
    unit, group = {"name": "维修部", "active": "1", "version": 1}, {"name": "一组", "active": "1", "version": 1}
    cases: list[tuple[str, dict[str, object], dict[str, object], list[list[str]]]] = [
        (f"/settings/roles/{ids.agent}", role, role | {"permissions": ["desk.use", "phone.read"], "reach": "all"}, [
            ["Reaches at most", "Own branch", "All branches"],
            ["What the role may do", "Take calls at the desk, and be ready or paused", "Take calls at the desk, and be ready or paused, See whole numbers and addresses everywhere"]]),
        (f"/settings/branches/{cast.pudong.id}", place | {"kind": "agent", "parent_id": cast.suzhou.id}, place, [["Kind", "Agent&#39;s company", "Branch"], ["Hangs below", en["suzhou"], en["hq"]]]),
        (f"/settings/departments/{ids.unit}", unit | {"head_id": cast.ben.id}, unit | {"head_id": cast.ada.id}, [["Head", "Ben", "Ada"]]),
        (f"/settings/departments/teams/{ids.team}", group | {"members": [cast.ada.id, cast.ben.id], "leader_id": cast.ben.id}, group | {"members": [cast.ben.id]}, [
            ["Leader", "Ben", "—"], ["Members", "Ada, Ben", "Ben"]]),
        (f"/settings/security/roles/{ids.agent}", {"was_second": "0", "was_addresses": "", "addresses": "10.1.0.0/16", "second_factor": "1"},
         {"was_second": "0", "was_addresses": "", "addresses": "10.2.0.0/16"}, [["second factor", "yes", "no"], ["Signs in from these ranges alone", "10.1.0.0/16", "10.2.0.0/16"]]),
        (f"/settings/people/{cast.ada.id}", moved, ada | {"name": "Ada Li"}, [
            ["Full name", "Ada", "Ada Li"], ["Roles", "Agent, Technician", "Agent"], ["Branch", en["suzhou"], en["pudong"]], ["Sees", "Branch and below", "Own branch"],
            ["Roles in one branch", f"Supervisor in {en['pudong']}", "—"]]),
    ]  # fmt: skip
    for path, theirs, mine, both in cases:
        assert send(root, path, **theirs)[0] == 302, path
        status, page = send(root, path, **mine)
        assert status == 409 and "Somebody else saved this meanwhile" in page, path
        assert sorted(compared(page)) == sorted(both), path
