"""Who is signed in, who sits at a phone, who can take a ticket."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from service.core.identity import Identity
from service.core.scope import Scope
from service.staff import rules
from service.staff.model import Branch, ExtensionAssignment, Role, Staff, StaffSession, staff_role


def signed_in(session: Session, sid: str) -> Identity | None:
    """The person whose browser holds this sign-in, or None once it ended or the person was switched off."""
    staff = session.scalars(
        select(Staff)
        .join(StaffSession, StaffSession.staff_id == Staff.id)
        .where(StaffSession.id == sid, StaffSession.ended_at.is_(None), Staff.active)
    ).one_or_none()
    return identity_of(session, staff, sid) if staff else None


def still_signed_in(session: Session, sids: Iterable[str]) -> frozenset[str]:
    """Those of these sign-ins that have not ended."""
    held = select(StaffSession.id).join(Staff, Staff.id == StaffSession.staff_id)
    open_ = held.where(StaffSession.id.in_(sids), StaffSession.ended_at.is_(None), Staff.active)
    return frozenset(session.scalars(open_))


def identity_of(session: Session, staff: Staff, sid: str = "") -> Identity:
    """What this person may do and see right now."""
    return Identity(
        staff_id=staff.id,
        name=staff.name,
        username=staff.username,
        roles=tuple(r.name for r in staff.roles),
        permissions=rules.merged(r.permissions or () for r in staff.roles),
        scope=_scope(session, staff.reach, staff.branch_id),
        branch_id=staff.branch_id,
        locale=staff.locale,
        theme=staff.theme,
        session_id=sid,
    )


def _scope(session: Session, reach: str, branch_id: int) -> Scope:
    if reach != "below":
        return rules.scope_of(reach, branch_id, {})
    parents = {row.id: row.parent_id for row in session.execute(select(Branch.id, Branch.parent_id))}
    return rules.scope_of(reach, branch_id, parents)


@dataclass(frozen=True)
class Seat:
    """A person at an extension."""

    staff_id: int
    name: str
    branch_id: int
    reach: str = "branch"
    permissions: frozenset[str] = frozenset()

    def may(self, permission: str, /) -> bool:
        """True when one of the person's roles carries the permission: their pop is covered as their pages are."""
        return permission in self.permissions


# In the same question, since the pop waits for no second one.
_CODES = (
    select(func.string_agg(literal_column("role.permissions"), ","))  # as text: its own type keeps a statement from being cached
    .select_from(Role)
    .join(staff_role, staff_role.c.role_id == Role.id)
    .where(staff_role.c.staff_id == Staff.id)
    .correlate(Staff)
    .scalar_subquery()
    .label("codes")
)
_PERSON = (Staff.id, Staff.name, Staff.branch_id, Staff.reach, _CODES)
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
    return Seat(row.id, row.name, row.branch_id, row.reach, frozenset((row.codes or "").split(",")))


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
    """What the person at that phone may see, as their own pages would."""
    return _scope(session, seat.reach, seat.branch_id)


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


def assignees(session: Session, branch_id: int | None = None) -> list[Row[int, str, int, str]]:
    """Active people who may work on tickets; with a branch only those who see what belongs to it."""
    query = (
        select(Staff.id, Staff.name, Staff.branch_id, Staff.reach)
        .join(Staff.roles)
        .where(Staff.active, Role.name.in_(("technician", "supervisor", "agent")))
        .distinct()
        .order_by(Staff.name)
    )
    people = list(session.execute(query))
    if branch_id is None:
        return people
    parents = {row.id: row.parent_id for row in session.execute(select(Branch.id, Branch.parent_id))}
    return [p for p in people if rules.scope_of(p.reach, p.branch_id, parents).covers(branch_id)]


def branches(session: Session) -> dict[int, Branch]:
    """All branches by id; few enough to read at once."""
    return {branch.id: branch for branch in session.scalars(select(Branch))}


def headquarters(session: Session) -> int:
    """The branch that everything without a better home belongs to."""
    return int(session.scalars(select(Branch.id).order_by(Branch.parent_id.is_not(None), Branch.id).limit(1)).one())


def role_names(session: Session) -> list[str]:
    """The name of each role."""
    return list(session.scalars(select(Role.name).order_by(Role.id)))
