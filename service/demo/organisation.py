"""The demo firm's departments, teams and heads, who works this week and next, and one leave."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.demo import names
from service.staff.departments.model import Team, TeamMember
from service.staff.model import Department, Staff
from service.staff.shifts import rules
from service.staff.shifts.model import Leave, Shift, ShiftKind

if TYPE_CHECKING:
    from service.demo.seed import Firm


def plant(session: Session, firm: "Firm") -> None:
    """The firm is organised, and its people are planned."""
    units = _departments(session, firm)
    for branch, unit, name, leader, members in names.TEAMS:
        team = Team(department_id=units[branch, unit], name=name, leader_id=firm.staff[leader], branch_id=firm.branches[branch])
        session.add(team)
        session.flush()
        session.add_all(TeamMember(team_id=team.id, staff_id=firm.staff[one], branch_id=team.branch_id) for one in members)
    _shifts(session, firm)
    _leave(session, firm)


def tickets_belong(session: Session) -> None:
    """Each ticket is its assignee's department's, or of who registered it."""
    session.execute(text("update ticket set department_id = s.department_id from staff s where s.id = coalesce(assignee_id, registered_by_id)"))


def _departments(session: Session, firm: "Firm") -> dict[tuple[str, str], int]:
    made: dict[tuple[str, str], int] = {}
    for branch, name, english, above, head, people in names.DEPARTMENTS:
        unit = Department(
            name=name, name_en=english, parent_id=made.get((branch, above)), head_id=firm.staff[head], branch_id=firm.branches[branch]
        )
        session.add(unit)
        session.flush()
        made[branch, name] = unit.id
        for one in people:
            session.get_one(Staff, firm.staff[one]).department_id = unit.id
    return made


def _shifts(session: Session, firm: "Firm") -> None:
    """Agents change between early and late by the week; technicians and the desk at headquarters work by day."""
    kinds = [ShiftKind(name=name, name_en=english, begins=begins, ends=ends, break_minutes=rest)
             for name, english, begins, ends, rest in names.SHIFTS]
    session.add_all(kinds)
    session.flush()
    early, late, whole = (kind.id for kind in kinds)
    monday = rules.monday(firm.today)
    for number, (username, _name, branch, roles, _reach, _extension) in enumerate(names.PEOPLE):
        if not {"agent", "technician", "supervisor"} & set(roles):
            continue
        for day in range(14):
            if day % 7 < 5:
                kind = (early, late)[(number + day // 7) % 2] if "agent" in roles else whole
                on = monday + timedelta(days=day)
                session.add(Shift(staff_id=firm.staff[username], day=on, kind_id=kind, branch_id=firm.branches[branch]))


def _leave(session: Session, firm: "Firm") -> None:
    person = session.get_one(Staff, firm.staff["technician2"])
    friday = rules.monday(firm.today) + timedelta(days=4)
    session.add(Leave(staff_id=person.id, kind="annual", since=rules.moment(friday, 0), until=rules.moment(friday, rules.DAY),
                      reason="搬家", by_id=firm.staff["supervisor"], at=firm.now, branch_id=person.branch_id))
    session.flush()
