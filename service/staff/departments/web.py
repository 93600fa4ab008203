"""The page of a branch's departments and teams, each with its form in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import clock, db, identity
from service.core.errors import DeskError, Invalid, NotFound
from service.core.identity import Identity
from service.core.pages import called
from service.staff import edits, queries
from service.staff.departments import actions
from service.staff.departments.actions import Facts, TeamFacts
from service.staff.departments.model import Team, TeamMember
from service.staff.forms import number, whole, wholes, words
from service.staff.model import Department, Staff

bp = Blueprint("departments", __name__)
PLACE = "/settings/departments"
FAULTS = (Invalid, actions.StillUsed, edits.Overtaken)


@dataclass(frozen=True)
class Fault:
    """A refused save: at which form, why, and what was typed there."""

    at: str
    error: DeskError
    typed: Facts | TeamFacts


@dataclass(frozen=True)
class Row:
    """A department with its place in the tree, its teams and how many people belong to it."""

    unit: Department
    depth: int
    people: int
    teams: list[tuple[Team, tuple[int, ...]]]


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """The departments of one branch."""
    me = identity.require("staff.admin")
    return _page(me, whole("branch", request.args) or me.branch_id)


@bp.post(PLACE)
def create() -> ResponseReturnValue:
    """The department is there."""
    me, branch_id, facts = identity.require("staff.admin"), number("branch_id"), _read()
    me.require_for("staff.admin", branch_id)
    try:
        with db.begin(me.scope) as session:
            actions.create(session, branch_id, facts, by=me.staff_id, at=clock.now())
    except FAULTS as error:
        return _page(me, branch_id, Fault("new", error, facts))
    return _done(branch_id)


@bp.post(f"{PLACE}/<int:department_id>")
def change(department_id: int) -> ResponseReturnValue:
    """The department is as the form says."""
    me, facts = identity.require("staff.admin"), _read()
    branch_id = _branch_of(me, department_id)
    try:
        with db.begin(me.scope) as session:
            actions.change(session, department_id, facts, version=number("version"), by=me.staff_id, at=clock.now())
    except FAULTS as error:
        return _page(me, branch_id, Fault(f"department-{department_id}", error, facts))
    return _done(branch_id, f"department-{department_id}")


@bp.post(f"{PLACE}/<int:department_id>/teams")
def create_team(department_id: int) -> ResponseReturnValue:
    """The team is there."""
    me, facts = identity.require("staff.admin"), _read_team()
    branch_id = _branch_of(me, department_id)
    try:
        with db.begin(me.scope) as session:
            actions.create_team(session, department_id, facts, by=me.staff_id, at=clock.now())
    except FAULTS as error:
        return _page(me, branch_id, Fault(f"team-of-{department_id}", error, facts))
    return _done(branch_id, f"department-{department_id}")


@bp.post(f"{PLACE}/teams/<int:team_id>")
def change_team(team_id: int) -> ResponseReturnValue:
    """The team is as the form says."""
    me, facts = identity.require("staff.admin"), _read_team()
    with db.begin(me.scope) as session:
        home = actions.team(session, team_id)
    try:
        with db.begin(me.scope) as session:
            actions.change_team(session, team_id, facts, version=number("version"), by=me.staff_id, at=clock.now())
    except FAULTS as error:
        return _page(me, home.branch_id, Fault(f"team-{team_id}", error, facts))
    return _done(home.branch_id, f"department-{home.department_id}")


def _branch_of(me: Identity, department_id: int) -> int:
    """The department's branch; whoever administers others does not learn of it."""
    with db.begin(me.scope) as session:
        branch_id = actions.department(session, department_id).branch_id
    if not me.scope.covers(branch_id):
        raise NotFound(_("There is no such department. Look for it in the list of departments."))
    return branch_id


def _done(branch_id: int, at: str = "") -> ResponseReturnValue:
    flash(_("Saved."))
    return redirect(f"{PLACE}?branch={branch_id}#{at}" if at else f"{PLACE}?branch={branch_id}")


def _read() -> Facts:
    return Facts(words("name"), words("name_en"), whole("parent_id"), whole("head_id"), request.form.get("active") == "1")


def _read_team() -> TeamFacts:
    members = tuple(sorted({one for one in wholes("members") if one}))
    return TeamFacts(words("name"), whole("leader_id"), members, request.form.get("active") == "1")


def _page(me: Identity, branch_id: int, fault: Fault | None = None) -> ResponseReturnValue:
    with db.begin(me.scope) as session:
        branches = {one.id: one for one in queries.branches(session).values() if me.scope.covers(one.id)}
        if branch_id not in branches:
            raise NotFound(_("There is no such branch. Look for it in the list of branches."))
        page = render_template("staff/departments.html", branches=branches, branch=branches[branch_id], **_shown(session, branch_id, fault))
    return page, fault.error.status if fault else 200


def _shown(session: Session, branch_id: int, fault: Fault | None) -> dict[str, Any]:
    people = session.execute(
        select(Staff.id, Staff.name, Staff.department_id, Staff.active).where(Staff.branch_id == branch_id).order_by(Staff.name)
    ).all()
    units = list(session.scalars(select(Department).where(Department.branch_id == branch_id).order_by(~Department.active, Department.name)))
    error = fault.error if fault else None
    names = queries.names(session, {unit.head_id for unit in units if unit.head_id}) | {row.id: row.name for row in people}
    if isinstance(error, edits.Overtaken):
        places = {str(unit.id): called(unit) for unit in units}
        everybody = {str(key): name for key, name in queries.names(session).items()}
        people_in = dict.fromkeys(("head_id", "leader_id", "members"), lambda key: everybody.get(key, key))
        edits.in_words(error, {"parent_id": lambda key: places.get(key, key), **people_in})
    return {
        "rows": list(_rows(session, units, [row.department_id for row in people if row.active])),
        "units": [unit for unit in units if unit.active],
        "people": [row for row in people if row.active],
        "names": names,
        "heads": queries.people_above(session, branch_id),
        "fault": fault,
        "fields": error.fields if isinstance(error, Invalid) else {},
    }


def _rows(session: Session, units: list[Department], homes: list[int | None]) -> Iterator[Row]:
    teams = list(session.scalars(select(Team).where(Team.department_id.in_([unit.id for unit in units])).order_by(~Team.active, Team.name)))
    members: dict[int, list[int]] = {}
    for link in session.scalars(select(TeamMember).where(TeamMember.team_id.in_([team.id for team in teams])).order_by(TeamMember.staff_id)):
        members.setdefault(link.team_id, []).append(link.staff_id)

    def below(parent: int | None, depth: int) -> Iterator[Row]:
        for unit in (one for one in units if one.parent_id == parent):
            inside = [(team, tuple(members.get(team.id, ()))) for team in teams if team.department_id == unit.id]
            yield Row(unit, depth, homes.count(unit.id), inside)
            yield from below(unit.id, depth + 1)

    yield from below(None, 0)
