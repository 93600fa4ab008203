"""Departments and teams are made, changed, closed; whoever heads or leads one works in its branch or above it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.core import audit, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.staff import edits, rules
from service.staff.departments.model import Team, TeamMember
from service.staff.model import Branch, Department, Staff

LONGEST = 60


class StillUsed(DeskError):
    """Something that lives hangs on it."""


@dataclass(frozen=True)
class Facts:
    """A department as a form describes it."""

    name: str
    name_en: str = ""
    parent_id: int | None = None
    head_id: int | None = None
    active: bool = True


@dataclass(frozen=True)
class TeamFacts:
    """A team as a form describes it; members by id, in order."""

    name: str
    leader_id: int | None = None
    members: tuple[int, ...] = ()
    active: bool = True


def create(session: Session, branch_id: int, facts: Facts, *, by: int, at: datetime) -> int:
    """The department is there: people and teams can belong to it."""
    locks.hold(session, "departments", "")
    if session.get(Branch, branch_id) is None:
        raise NotFound(_("There is no such branch. Look for it in the list of branches."))
    _check(session, facts, branch_id, None)
    row = Department(branch_id=branch_id, **asdict(facts))
    session.add(row)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="department", entity_id=row.id, new=asdict(facts), branch_id=branch_id)
    return row.id


def change(session: Session, department_id: int, facts: Facts, *, version: int, by: int, at: datetime) -> None:
    """The department is as described. Raises Overtaken when somebody saved it meanwhile."""
    locks.hold(session, "departments", "")
    row = department(session, department_id)
    before = described(row)
    edits.check(row.version, version, asdict(before), asdict(facts))
    _check(session, facts, row.branch_id, department_id)
    if before.active and not facts.active:
        _unused(session, row)
    old, new = edits.changed(asdict(before), asdict(facts))
    for name, value in new.items():
        setattr(row, name, value)
    if new:
        row.version += 1
        audit.record(session, at=at, by=by, verb="changed", entity="department", entity_id=row.id, old=old, new=new, branch_id=row.branch_id)
    session.flush()


def create_team(session: Session, department_id: int, facts: TeamFacts, *, by: int, at: datetime) -> int:
    """The team is there with its members."""
    locks.hold(session, "departments", "")
    home = department(session, department_id)
    _check_team(session, facts, home, None)
    row = Team(department_id=home.id, name=facts.name, leader_id=facts.leader_id, active=facts.active, branch_id=home.branch_id)
    session.add(row)
    session.flush()
    _fill(session, row, facts.members)
    audit.record(session, at=at, by=by, verb="created", entity="team", entity_id=row.id, new=_plain(facts), branch_id=home.branch_id)
    return row.id


def change_team(session: Session, team_id: int, facts: TeamFacts, *, version: int, by: int, at: datetime) -> None:
    """The team is as described. Raises Overtaken when somebody saved it meanwhile."""
    locks.hold(session, "departments", "")
    row = team(session, team_id)
    before = described_team(session, row)
    edits.check(row.version, version, _plain(before), _plain(facts))
    _check_team(session, facts, department(session, row.department_id), team_id)
    old, new = edits.changed(_plain(before), _plain(facts))
    row.name, row.leader_id, row.active = facts.name, facts.leader_id, facts.active
    if before.members != facts.members:
        _fill(session, row, facts.members)
    if new:
        row.version += 1
        audit.record(session, at=at, by=by, verb="changed", entity="team", entity_id=row.id, old=old, new=new, branch_id=row.branch_id)
    session.flush()


def department(session: Session, department_id: int) -> Department:
    """The department, locked until the end."""
    row = session.get(Department, department_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such department. Look for it in the list of departments."))
    return row


def team(session: Session, team_id: int) -> Team:
    """The team, locked until the end."""
    row = session.get(Team, team_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such team. Look for it in the list of departments."))
    return row


def described(row: Department) -> Facts:
    """The department as its form shows it."""
    return Facts(row.name, row.name_en, row.parent_id, row.head_id, row.active)


def described_team(session: Session, row: Team) -> TeamFacts:
    """The team as its form shows it."""
    members = session.scalars(select(TeamMember.staff_id).where(TeamMember.team_id == row.id).order_by(TeamMember.staff_id))
    return TeamFacts(row.name, row.leader_id, tuple(members), row.active)


def _check(session: Session, facts: Facts, branch_id: int, department_id: int | None) -> None:
    wrong = _name(facts.name, facts.name_en)
    same = select(Department.id).where(Department.branch_id == branch_id, Department.name == facts.name, Department.id != (department_id or 0))
    if not wrong and session.scalars(same).first():
        wrong["name"] = _("This branch has a department of this name.")
    if facts.head_id is not None and not _works(session, facts.head_id, _above(session, branch_id)):
        wrong["head_id"] = _("Choose somebody of this branch or of one above it who can sign in.")
    if facts.parent_id is not None:
        units = {row.id: row for row in session.scalars(select(Department).where(Department.branch_id == branch_id))}
        if facts.parent_id not in units or not units[facts.parent_id].active:
            wrong["parent_id"] = _("Choose an open department of this branch.")
        elif department_id and facts.parent_id in rules.below(department_id, {n: u.parent_id for n, u in units.items()}):
            wrong["parent_id"] = _("%(name)s is this department itself or hangs below it. Choose another.", name=units[facts.parent_id].name)
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _check_team(session: Session, facts: TeamFacts, home: Department, team_id: int | None) -> None:
    wrong = _name(facts.name)
    same = select(Team.id).where(Team.department_id == home.id, Team.name == facts.name, Team.id != (team_id or 0))
    if not wrong and session.scalars(same).first():
        wrong["name"] = _("This department has a team of this name.")
    if facts.leader_id is not None and not _works(session, facts.leader_id, {home.branch_id}):
        wrong["leader_id"] = _("Choose somebody of this branch who can sign in.")
    known = set(session.scalars(select(Staff.id).where(Staff.id.in_(facts.members), Staff.branch_id == home.branch_id)))
    if set(facts.members) - known:
        wrong["members"] = _("Choose people of this branch.")
    if facts.active and not home.active:
        wrong["active"] = _("Its department is closed. Open that first.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _name(name: str, english: str = "") -> dict[str, str]:
    if not name or len(name) > LONGEST:
        return {"name": _("Type a name of at most %(count)s letters.", count=LONGEST)}
    return {"name_en": _("At most %(count)s letters.", count=LONGEST)} if len(english) > LONGEST else {}


def _works(session: Session, staff_id: int, branches: set[int]) -> bool:
    return session.scalars(select(Staff.id).where(Staff.id == staff_id, Staff.active, Staff.branch_id.in_(branches))).first() is not None


def _above(session: Session, branch_id: int) -> set[int]:
    """The branch and those above it."""
    parents: Mapping[int, int | None] = {row.id: row.parent_id for row in session.execute(select(Branch.id, Branch.parent_id))}
    found: set[int] = set()
    here: int | None = branch_id
    while here is not None and here not in found:
        found.add(here)
        here = parents.get(here)
    return found


def _unused(session: Session, row: Department) -> None:
    people = session.scalar(select(func.count()).select_from(Staff).where(Staff.department_id == row.id, Staff.active)) or 0
    if people:
        raise StillUsed(
            ngettext(
                "%(num)s person belongs to %(name)s. Move them to another department first.",
                "%(num)s people belong to %(name)s. Move them to another department first.",
                people, name=row.name,
            )
        )
    below = session.scalars(select(Department.name).where(Department.parent_id == row.id, Department.active)).all()
    teams = session.scalars(select(Team.name).where(Team.department_id == row.id, Team.active)).all()
    if below or teams:
        raise StillUsed(_("Below it %(names)s are open. Close them first.", names=", ".join([*below, *teams])))


def _fill(session: Session, row: Team, members: tuple[int, ...]) -> None:
    session.execute(delete(TeamMember).where(TeamMember.team_id == row.id))
    session.add_all(TeamMember(team_id=row.id, staff_id=one, branch_id=row.branch_id) for one in members)
    session.flush()


def _plain(facts: TeamFacts) -> dict[str, object]:
    return asdict(facts) | {"members": ", ".join(map(str, sorted(facts.members)))}
