"""People are engaged, changed and switched off; somebody who administers is always left."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core import audit, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.staff import rules
from service.staff.actions import end_session
from service.staff.model import Branch, Role, Staff, StaffSession
from service.staff.security import passwords

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
ADMINISTERS = "staff.admin"


class LastAdministrator(DeskError):
    """Nobody would be left who can let people in."""


@dataclass(frozen=True)
class Person:
    """Who somebody is and what they may do; `reach` is branch, below or all."""

    username: str
    name: str
    roles: tuple[str, ...]
    branch_id: int
    reach: str
    active: bool = True


def engage(session: Session, who: Person, *, by: int, at: datetime) -> tuple[int, str]:
    """The person can sign in; returns their id and a first password, which is told once and kept nowhere."""
    locks.hold(session, "people", "")
    _check(session, who, None)
    password = secrets.token_urlsafe(9)
    row = Staff(
        username=who.username,
        email=f"{who.username}@localhost.invalid",
        active=who.active,
        fs_uniquifier=secrets.token_hex(16),
        name=who.name,
        branch_id=who.branch_id,
        reach=who.reach,
        roles=_roles(session, who.roles),
    )
    session.add(row)
    passwords.take(session, row, password, at=at, must_change=True)
    _told(session, row, "created", {}, _plain(who), by, at)
    return row.id, password


def change(session: Session, staff_id: int, who: Person, *, by: int, at: datetime) -> None:
    """The person is as described from their next click on; who is switched off is signed out everywhere."""
    locks.hold(session, "people", "")
    row, before = _row(session, staff_id), person(session, staff_id)
    _check(session, who, staff_id)
    if staff_id == by and not who.active:
        raise Invalid(_("You cannot switch yourself off. Ask another administrator."), {"active": _("Not yourself.")})
    row.username, row.name, row.branch_id, row.reach, row.active = who.username, who.name, who.branch_id, who.reach, who.active
    row.roles = _roles(session, who.roles)
    session.flush()
    if not _administrators(session):
        raise LastAdministrator(_("Nobody would be left who may let people in. Give another person the role of an administrator first."))
    if not who.active:
        _sign_out(session, staff_id, at)
    old, new = _plain(before), _plain(who)
    changed = [name for name in new if old[name] != new[name]]
    if changed:
        _told(session, row, "changed", {name: old[name] for name in changed}, {name: new[name] for name in changed}, by, at)


def new_password(session: Session, staff_id: int, *, by: int, at: datetime) -> str:
    """The person signs in with this password alone from now on; it is told once. Earlier sign-ins have ended."""
    row, password = _row(session, staff_id), secrets.token_urlsafe(9)
    passwords.take(session, row, password, at=at, must_change=True)
    _sign_out(session, staff_id, at)
    _told(session, row, "password given", {}, {}, by, at)
    return password


@dataclass(frozen=True)
class Passwords:
    """What somebody typed to change their own."""

    old: str
    new: str
    again: str


def own_password(session: Session, staff_id: int, given: Passwords, *, keep: str, at: datetime) -> None:
    """The person has another password, and every sign-in but `keep` has ended."""
    row = _row(session, staff_id)
    if not rules.is_password(given.old, row.password or ""):
        raise Invalid(_("That is not your password."), {"old": _("Type the password that you signed in with.")})
    passwords.choose(session, row, given.new, given.again, at=at)
    _sign_out(session, staff_id, at, but=keep)
    _told(session, row, "password given", {}, {}, staff_id, at)


def person(session: Session, staff_id: int) -> Person:
    """The person as they are now."""
    row = _row(session, staff_id)
    return Person(row.username, row.name, tuple(sorted(role.name for role in row.roles)), row.branch_id, row.reach, row.active)


# ---- inside


def _row(session: Session, staff_id: int) -> Staff:
    row = session.get(Staff, staff_id, with_for_update=True)
    if row is None:
        raise NotFound(_("There is no such person. Look for them in the list of people."))
    return row


def _check(session: Session, who: Person, staff_id: int | None) -> None:
    """Raises Invalid with a sentence for each field that cannot be taken."""
    wrong: dict[str, str] = {}
    if not USERNAME.fullmatch(who.username):
        wrong["username"] = _("Two to forty small letters, digits, dots, dashes.")
    elif session.scalars(select(Staff.id).where(Staff.username == who.username, Staff.id != (staff_id or 0))).first():
        wrong["username"] = _("Somebody has this name already.")
    if not who.name.strip() or len(who.name) > 100:
        wrong["name"] = _("Type the person's name, of at most 100 letters.")
    if not who.roles or not set(who.roles) <= set(rules.PERMISSIONS):
        wrong["roles"] = _("Choose at least one role.")
    if who.reach not in rules.REACHES:
        wrong["reach"] = _("Choose how far the person sees.")
    if session.get(Branch, who.branch_id) is None:
        wrong["branch_id"] = _("Choose the person's branch.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _roles(session: Session, names: Sequence[str]) -> list[Role]:
    known = {role.name: role for role in session.scalars(select(Role).where(Role.name.in_(names)))}
    for name in set(names) - set(known):
        known[name] = Role(name=name, permissions=sorted(rules.PERMISSIONS[name]))
        session.add(known[name])
    return [known[name] for name in sorted(names)]


def _administrators(session: Session) -> int:
    """How many people could let others in now."""
    able = [role.id for role in session.scalars(select(Role)) if ADMINISTERS in (role.permissions or ())]
    holds = select(func.count(func.distinct(Staff.id))).join(Staff.roles)
    return session.scalars(holds.where(Staff.active, Role.id.in_(able))).one()


def _sign_out(session: Session, staff_id: int, at: datetime, *, but: str = "") -> None:
    open_ = select(StaffSession.id).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None), StaffSession.id != but)
    for sid in session.scalars(open_).all():
        end_session(session, sid, at=at)


def _plain(who: Person) -> dict[str, object]:
    return asdict(who) | {"roles": ", ".join(sorted(who.roles))}


def _told(session: Session, row: Staff, verb: str, old: dict[str, object], new: dict[str, object], by: int, at: datetime) -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="staff", entity_id=row.id, old=old or None, new=new or None, branch_id=row.branch_id)
    session.flush()
