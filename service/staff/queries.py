"""Who is signed in, who sits at a phone, who can take a ticket."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, literal_column, select, true
from sqlalchemy.orm import Session

from service.core import pages, scope
from service.core.identity import Identity
from service.core.scope import ALL, Scope, joined
from service.staff import rules
from service.staff.departments.model import Team
from service.staff.grants import Firm, Held, Holder, Unit, grants, own, permissions
from service.staff.model import Branch, Department, ExtensionAssignment, Role, Staff, StaffSession, staff_role
from service.staff.roles.words import spoken as spoken
from service.staff.shifts.queries import on_duty as on_duty

TAKES, ADMINISTERS = "ticket.take", "staff.admin"


def still_signed_in(session: Session, sids: Iterable[str], *, on: date | None = None) -> frozenset[str]:
    """Those of these sign-ins that have not ended."""
    held = select(StaffSession.id).join(Staff, Staff.id == StaffSession.staff_id)
    open_ = held.where(StaffSession.id.in_(sids), StaffSession.ended_at.is_(None), Staff.active, still_here(on))
    return frozenset(session.scalars(open_))


def still_here(on: date | None) -> ColumnElement[bool]:
    """The last day of somebody who is here for a time is a day like any other."""
    return Staff.valid_until.is_(None) | (Staff.valid_until >= on) if on else true()


def identity_of(session: Session, staff: Staff, sid: str = "") -> Identity:
    """What this person may do and see right now, in each branch by the roles that hold there."""
    holder = Holder(staff.id, staff.branch_id, staff.reach, staff.department_id)
    held = roles_of(session, {staff.id}).get(staff.id, [])
    plan = firm(session, _needed(holder, held))
    given = grants(holder, held, plan)
    return Identity(
        staff_id=staff.id,
        name=staff.name,
        username=staff.username,
        roles=tuple(dict.fromkeys(role.name for role in held)),
        permissions=permissions(held),
        scope=joined(grant.scope for grant in given) if given else own(holder),
        branch_id=staff.branch_id,
        locale=staff.locale,
        theme=staff.theme,
        session_id=sid,
        grants=given,
        department_ids=plan.units_of(holder) if staff.department_id else (),
    )


def roles_of(session: Session, staff_ids: Iterable[int] | None = None) -> dict[int, list[Held]]:
    """Each of these people's roles, of everybody's when nobody is named; those of a branch with it."""
    link = staff_role.c
    query = select(link.staff_id, link.branch_id, Role.name, Role.permissions, Role.reach).join(Role, Role.id == link.role_id)
    if staff_ids is not None:
        query = query.where(link.staff_id.in_(staff_ids))
    found: dict[int, list[Held]] = {}
    for row in session.execute(query.where(Role.active).order_by(link.branch_id.is_not(None), Role.id, link.branch_id)):
        found.setdefault(row.staff_id, []).append(Held(frozenset(row.permissions or ()), row.reach, row.branch_id, row.name))
    return found


def _needed(holder: Holder, held: Iterable[Held]) -> tuple[bool, bool]:
    """Whether the tree of branches and that of departments are asked for; most people need neither."""
    reaches = {rules.narrower(holder.reach if role.branch_id is None else "below", role.reach) for role in held}
    return "below" in reaches, "department" in reaches or holder.department_id is not None


def firm(session: Session, needed: tuple[bool, bool] = (True, True)) -> Firm:
    """How branches and departments lie now, as far as it is needed."""
    branches, departments = needed
    above = {row.id: row.parent_id for row in session.execute(select(Branch.id, Branch.parent_id))} if branches else {}
    asked = select(Department.id, Department.branch_id, Department.parent_id, Department.head_id).where(Department.active)
    units = {row.id: Unit(row.branch_id, row.parent_id, row.head_id) for row in session.execute(asked)} if departments else {}
    return Firm(above, units)


@dataclass(frozen=True)
class Seat:
    """A person at an extension."""

    staff_id: int
    name: str
    branch_id: int
    reach: str = "branch"
    permissions: frozenset[str] = frozenset()
    department_id: int | None = None

    def reads(self, permission: str, /) -> bool:
        """True when one of the person's roles carries the permission: their pop is covered as their pages are."""
        return permission in self.permissions


# In the same question, since the pop waits for no second one.
_CODES = (
    select(func.string_agg(literal_column("role.permissions"), ","))  # as text: its own type keeps a statement from being cached
    .select_from(Role)
    .join(staff_role, staff_role.c.role_id == Role.id)
    .where(staff_role.c.staff_id == Staff.id, staff_role.c.branch_id.is_(None), Role.active)
    .correlate(Staff)
    .scalar_subquery()
    .label("codes")
)
_PERSON = (Staff.id, Staff.name, Staff.branch_id, Staff.reach, Staff.department_id, _CODES)
# Built once: the pop waits for it.
_SEAT = (
    select(*_PERSON)
    .join(ExtensionAssignment, ExtensionAssignment.staff_id == Staff.id)
    .where(
        ExtensionAssignment.switch == bindparam("switch"),
        ExtensionAssignment.extension == bindparam("extension"),
        ExtensionAssignment.valid_from <= bindparam("at"),
        ExtensionAssignment.valid_to.is_(None) | (ExtensionAssignment.valid_to > bindparam("at")),
    )
    .order_by(ExtensionAssignment.id)
)

_SEATINGS = (
    select(
        ExtensionAssignment.switch,
        ExtensionAssignment.extension,
        ExtensionAssignment.valid_from,
        ExtensionAssignment.valid_to,
        *_PERSON,
    )
    .join(Staff, Staff.id == ExtensionAssignment.staff_id)
    .where(
        ExtensionAssignment.switch.in_(bindparam("switches", expanding=True)),
        ExtensionAssignment.extension.in_(bindparam("extensions", expanding=True)),
        ExtensionAssignment.valid_to.is_(None) | (ExtensionAssignment.valid_to > bindparam("since")),
    )
    .order_by(ExtensionAssignment.id)
)


def seat(session: Session, switch: str, extension: str, at: datetime) -> Seat | None:
    """Who sat at that extension at that moment."""
    row = session.execute(_SEAT, {"switch": switch, "extension": extension, "at": at}).first()
    return _seat(row) if row else None


def _seat(row: Row[Any]) -> Seat:
    return Seat(row.id, row.name, row.branch_id, row.reach, frozenset((row.codes or "").split(",")), row.department_id)


class Seatings(dict[tuple[str, str], list[tuple[datetime, datetime | None, Seat]]]):
    """(switch, extension) to who sat there, from when and until when."""

    def at(self, switch: str, extension: str, moment: datetime) -> Seat | None:
        """Who sat there at that moment."""
        held = self.get((switch, extension), ())
        return next((seat for begins, ends, seat in held if begins <= moment and (ends is None or ends > moment)), None)


def seatings(session: Session, places: set[tuple[str, str]], *, since: datetime) -> Seatings:
    """Who has sat at these extensions since that moment, in one query."""
    found = Seatings()
    if not places:
        return found
    switches, extensions = {switch for switch, _ in places}, {extension for _, extension in places}
    rows = session.execute(_SEATINGS, {"switches": list(switches), "extensions": list(extensions), "since": since})
    for row in rows:
        found.setdefault((row.switch, row.extension), []).append((row.valid_from, row.valid_to, _seat(row)))
    return found


def taken_seats(session: Session, switch: str, at: datetime) -> frozenset[str]:
    """The extensions of the switch at which somebody sits at that moment."""
    held = ExtensionAssignment
    open_ = held.valid_to.is_(None) | (held.valid_to > at)
    return frozenset(session.scalars(select(held.extension).where(held.switch == switch, held.valid_from <= at, open_)))


def scope_of(session: Session, seat: Seat) -> Scope:
    """The branches that the person at that phone may see something of, as their own pages would."""
    holder = Holder(seat.staff_id, seat.branch_id, seat.reach, seat.department_id)
    held = roles_of(session, {seat.staff_id}).get(seat.staff_id, [])
    return joined(grant.scope for grant in grants(holder, held, firm(session, _needed(holder, held))))


def extension_of(session: Session, staff_id: int, at: datetime) -> tuple[str, str] | None:
    """(switch, extension) where the person sits now."""
    held = ExtensionAssignment
    row = session.execute(
        select(held.switch, held.extension)
        .where(held.staff_id == staff_id, held.valid_from <= at, (held.valid_to.is_(None)) | (held.valid_to > at))
        .order_by(held.valid_from.desc())
        .limit(1)
    ).first()
    return (row.switch, row.extension) if row else None


def reader(session: Session, staff_id: int) -> Seat:
    """What the person may see now, whatever phone they sit at."""
    return _seat(session.execute(select(*_PERSON).where(Staff.id == staff_id)).one())


def branch_of(session: Session, staff_id: int) -> int:
    """The branch where the person belongs."""
    return int(session.scalars(select(Staff.branch_id).where(Staff.id == staff_id)).one())


def left_at(session: Session, ids: set[int]) -> dict[int, datetime]:
    """When the last sign-in of each of these people ended; those who are signed in, or never were, are left out."""
    if not ids:
        return {}
    last = select(StaffSession.staff_id, func.max(StaffSession.ended_at), func.count().filter(StaffSession.ended_at.is_(None)))
    rows = session.execute(last.where(StaffSession.staff_id.in_(ids)).group_by(StaffSession.staff_id))
    return {staff_id: ended for staff_id, ended, still in rows if not still and ended is not None}


def seated_at(session: Session, ids: set[int]) -> dict[int, datetime]:
    """Since when each of these people has sat where they sit now."""
    held = ExtensionAssignment
    open_ = select(held.staff_id, held.valid_from).where(held.staff_id.in_(ids), held.valid_to.is_(None))
    return {row.staff_id: row.valid_from for row in session.execute(open_)} if ids else {}


def names(session: Session, ids: set[int] | None = None) -> dict[int, str]:
    """The names of these people, of everybody when none are named."""
    if ids is not None and not ids:
        return {}
    query = select(Staff.id, Staff.name)
    return {row.id: row.name for row in session.execute(query if ids is None else query.where(Staff.id.in_(ids)))}


def assignees(session: Session, branch_id: int | None = None) -> list[Row[int, str, int, str, int | None]]:
    """Active people to whom tickets may be given; with a branch only those to whom its tickets may be given."""
    able = [row.id for row in session.execute(select(Role.id, Role.permissions).where(Role.active)) if TAKES in (row.permissions or ())]
    holds = Staff.id.in_(select(staff_role.c.staff_id).where(staff_role.c.role_id.in_(able)))
    people = list(session.execute(select(*_PERSON).where(Staff.active, holds).order_by(Staff.name)))
    held, plan = roles_of(session, [one.id for one in people]), firm(session)
    takers = {}
    for one in people:
        roles = [role for role in held.get(one.id, ()) if TAKES in role.permissions]
        takers[one.id] = [grant.scope for grant in grants(Holder(one.id, one.branch_id, one.reach, one.department_id), roles, plan)]
    return [one for one in people if any(branch_id is None or scope.covers(branch_id) for scope in takers[one.id])]


def department_of(session: Session, staff_id: int) -> int | None:
    """The department where the person belongs, if any."""
    return session.scalars(select(Staff.department_id).where(Staff.id == staff_id)).first()


def works_within(session: Session, staff_id: int, within: Scope) -> bool:
    """True when there is such a person in those branches."""
    branch_id = session.scalars(select(Staff.branch_id).where(Staff.id == staff_id)).first()
    return branch_id is not None and within.covers(branch_id)


def leads(session: Session, staff_id: int) -> list[str]:
    """The departments and teams in use that the person is at the head of."""
    units = select(Department.name).where(Department.active, Department.head_id == staff_id).order_by(Department.name)
    teams = select(Team.name).where(Team.active, Team.leader_id == staff_id).order_by(Team.name)
    return [*session.scalars(units), *session.scalars(teams)]


def branches(session: Session) -> dict[int, Branch]:
    """All branches by id; few enough to read at once."""
    return {branch.id: branch for branch in session.scalars(select(Branch))}


def branch_names(session: Session) -> dict[int, str]:
    """The name of each branch in the language of the reader."""
    return {key: pages.called(one) for key, one in branches(session).items()}


def branch_choices(session: Session) -> list[tuple[str, str]]:
    """The branches that the session sees something of, as choices of a list."""
    seen = scope.of(session)
    return [(str(key), name) for key, name in branch_names(session).items() if seen.covers(key)]


def headquarters(session: Session) -> int:
    """The branch that everything without a better home belongs to."""
    return int(session.scalars(select(Branch.id).order_by(Branch.parent_id.is_not(None), Branch.id).limit(1)).one())


def role_names(session: Session) -> list[str]:
    """The name of each role."""
    return list(session.scalars(select(Role.name).order_by(Role.id)))


def roles_by_id(session: Session) -> dict[int, str]:
    """The name of each role by its id; few enough to read at once."""
    return {row.id: row.name for row in session.execute(select(Role.id, Role.name))}


def people_by_branch(session: Session) -> dict[int, int]:
    """How many people of each branch can sign in."""
    counted = select(Staff.branch_id, func.count()).where(Staff.active).group_by(Staff.branch_id)
    return {row[0]: row[1] for row in session.execute(counted)}


def people_above(session: Session, branch_id: int) -> list[Row[int, str]]:
    """Active people of the branch and of those above it: whoever may head a part of it."""
    parents = {row.id: row.parent_id for row in session.execute(select(Branch.id, Branch.parent_id))}
    above = [number for number in parents if branch_id in rules.below(number, parents)]
    return list(session.execute(select(Staff.id, Staff.name).where(Staff.active, Staff.branch_id.in_(above)).order_by(Staff.name)))


def departments(session: Session) -> dict[int, Department]:
    """All departments by id; few enough to read at once."""
    return {one.id: one for one in session.scalars(select(Department).order_by(Department.branch_id, Department.name))}


@dataclass(frozen=True)
class Administrators:
    """How many people can let others in anywhere, and how many of them are here without an end."""

    able: int
    lasting: int


def administrators(session: Session, *, on: date) -> Administrators:
    """Those who can sign in on that day, and so have a password, and whose right to let people in holds in all branches."""
    here = select(Staff.id, Staff.branch_id, Staff.reach, Staff.valid_until).where(Staff.active, Staff.password.is_not(None), still_here(on))
    held, plan = roles_of(session), firm(session, (False, False))
    ends = [one.valid_until for one in session.execute(here) if _administers(Holder(one.id, one.branch_id, one.reach), held.get(one.id, ()), plan)]
    return Administrators(len(ends), sum(end is None for end in ends))


def administers(session: Session, person: Staff) -> bool:
    """True when the person has a password, and their right to let people in holds in all branches."""
    held, holder = roles_of(session, {person.id}).get(person.id, ()), Holder(person.id, person.branch_id, person.reach)
    return person.password is not None and _administers(holder, held, firm(session, (False, False)))


def _administers(holder: Holder, held: Iterable[Held], plan: Firm) -> bool:
    roles = [role for role in held if ADMINISTERS in role.permissions and role.branch_id is None]
    return any(grant.scope == ALL for grant in grants(holder, roles, plan))
