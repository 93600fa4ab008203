"""Roles are made, changed, retired, deleted; somebody who administers the whole firm is always left."""

from dataclasses import asdict, dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core import audit, clock, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.staff import edits, queries, rules
from service.staff.model import Role, staff_role
from service.staff.roles import words

LONGEST, LONGEST_WORDS = 40, 200


class RoleUsed(DeskError):
    """People hold the role."""


@dataclass(frozen=True)
class Facts:
    """A role as a form describes it; codes in order."""

    name: str
    description: str = ""
    reach: str = "all"
    permissions: tuple[str, ...] = ()
    active: bool = True


def seed(session: Session) -> None:
    """The roles that a new firm begins with exist; those that exist already stay as they were made."""
    known = set(session.scalars(select(Role.name)))
    missing = [Role(name=name, permissions=sorted(codes)) for name, codes in rules.PERMISSIONS.items() if name not in known]
    session.add_all(missing)
    session.flush()


def create(session: Session, facts: Facts, *, by: int, at: datetime) -> int:
    """The role can be given to people."""
    locks.hold(session, "people", "")
    _check(session, facts, None)
    row = Role(name=facts.name, description=facts.description, reach=facts.reach, permissions=list(facts.permissions), active=facts.active)
    session.add(row)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="role", entity_id=row.id, new=_plain(facts))
    return row.id


def change(session: Session, role_id: int, facts: Facts, *, version: int, by: int, at: datetime) -> None:
    """The role is as described, for everybody who holds it, from their next click on."""
    locks.hold(session, "people", "")
    row = role(session, role_id)
    before, able = described(row), queries.administrators(session, on=clock.local(at).date())
    edits.check(row.version, version, _plain(before), _plain(facts))
    if before.name in rules.PERMISSIONS and facts.name != before.name:
        raise Invalid(_("Some fields need another look."), {"name": _("This role came with the program and keeps its name. Copy it instead.")})
    _check(session, facts, role_id)
    if before.active and not facts.active:
        _unheld(session, row)
    row.name, row.description, row.reach, row.active = facts.name, facts.description, facts.reach, facts.active
    row.permissions = list(facts.permissions)
    old, new = edits.changed(_plain(before), _plain(facts))
    if new:
        row.version += 1
        audit.record(session, at=at, by=by, verb="changed", entity="role", entity_id=row.id, old=old, new=new)
    session.flush()
    keep_an_administrator(session, able, at=at)


def delete(session: Session, role_id: int, *, by: int, at: datetime) -> None:
    """The role is gone. Refused while anybody holds it, and for those that came with the program."""
    locks.hold(session, "people", "")
    row = role(session, role_id)
    if row.name in rules.PERMISSIONS:
        raise RoleUsed(_("This role came with the program. Retire it instead; it can then be given to nobody."))
    _unheld(session, row)
    audit.record(session, at=at, by=by, verb="deleted", entity="role", entity_id=row.id, old=_plain(described(row)))
    session.delete(row)
    session.flush()


class LastAdministrator(DeskError):
    """Nobody would be left who can let people in."""


def keep_an_administrator(session: Session, before: queries.Administrators, *, at: datetime) -> None:
    """Raises LastAdministrator when a change took the right to administer all branches from the last who had it, now or for good."""
    left = queries.administrators(session, on=clock.local(at).date())
    if before.able and not left.able:
        raise LastAdministrator(
            _("Nobody would be left who may let people in. Give another person the role of an administrator first.")
        )
    if before.lasting and not left.lasting:
        raise LastAdministrator(
            _("After the last day of those who are left, nobody could let people in. Let another administrator stay without a last day first.")
        )


def role(session: Session, role_id: int) -> Role:
    """The role, locked until the end."""
    row = session.get(Role, role_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such role. Look for it in the list of roles."))
    return row


def described(row: Role) -> Facts:
    """The role as its form shows it."""
    return Facts(row.name, row.description, row.reach, tuple(sorted(row.permissions or ())), row.active)


def holders(session: Session) -> dict[int, int]:
    """How many people hold each role, somewhere."""
    held = select(staff_role.c.role_id, func.count(func.distinct(staff_role.c.staff_id))).group_by(staff_role.c.role_id)
    return {row[0]: row[1] for row in session.execute(held)}


def codes(session: Session) -> frozenset[str]:
    """Every code that any page asks for or any role carries."""
    carried = rules.merged(permissions or () for permissions in session.scalars(select(Role.permissions)))
    return carried | words.known() | rules.merged(rules.PERMISSIONS.values())


def _check(session: Session, facts: Facts, role_id: int | None) -> None:
    wrong: dict[str, str] = {}
    if not facts.name or len(facts.name) > LONGEST or "," in facts.name:
        wrong["name"] = _("Type a name of at most %(count)s letters, without a comma.", count=LONGEST)
    elif session.scalars(select(Role.id).where(func.lower(Role.name) == facts.name.lower(), Role.id != (role_id or 0))).first():
        wrong["name"] = _("There is a role of this name.")
    if len(facts.description) > LONGEST_WORDS:
        wrong["description"] = _("At most %(count)s letters.", count=LONGEST_WORDS)
    if facts.reach not in rules.REACHES:
        wrong["reach"] = _("Choose how far the role reaches.")
    if not facts.permissions or not set(facts.permissions) <= codes(session):
        wrong["permissions"] = _("Choose at least one thing that the role may do.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _unheld(session: Session, row: Role) -> None:
    count = holders(session).get(row.id, 0)
    if count:
        raise RoleUsed(
            ngettext(
                "%(num)s person holds this role. Give them another one first.",
                "%(num)s people hold this role. Give them another one first.",
                count,
            )
        )


def _plain(facts: Facts) -> dict[str, object]:
    return asdict(facts) | {"permissions": ", ".join(sorted(facts.permissions))}
