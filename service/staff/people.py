"""People are engaged, changed and switched off; somebody who administers is always left."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from service.core import audit, clock, locks, phone
from service.core.errors import Invalid, NotFound
from service.core.scope import ALL, Scope
from service.staff import edits, queries, rules
from service.staff.actions import end_session
from service.staff.grants import Held, Holder, grants
from service.staff.keys import Keys, refuse_stronger
from service.staff.model import Branch, Department, Role, Staff, StaffSession, staff_role
from service.staff.roles.actions import LastAdministrator as LastAdministrator
from service.staff.roles.actions import keep_an_administrator, seed
from service.staff.security import demands, passwords
from service.staff.security.rules import admitted
from service.staff.shifts import actions as shifts

USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
KINDS = ("staff", "collector", "provider", "portal")  # works here, collects information, works for another firm, uses the portal


@dataclass(frozen=True)
class Person:
    """Who somebody is and what they may do; `reach` is own, department, branch, below or all.

    `roles` hold as far as the person reaches, `roles_at` in one branch each.
    """

    username: str
    name: str
    roles: tuple[str, ...]
    branch_id: int
    reach: str
    active: bool = True
    kind: str = "staff"
    department_id: int | None = None
    phone: str = ""
    valid_until: date | None = None
    roles_at: tuple[tuple[str, int], ...] = ()


def engage(session: Session, who: Person, *, by: int, at: datetime, within: Scope = ALL) -> tuple[int, str]:
    """The person can sign in; returns their id and a first password, which is told once and kept nowhere.

    Who administers only what `within` shows lets nobody see or do more than that.
    """
    locks.hold(session, "people", "")
    seed(session)
    _check(session, who, None, Keys.of(session, by, within))
    password = secrets.token_urlsafe(9)
    row = Staff(
        username=who.username,
        email=f"{who.username}@localhost.invalid",
        active=who.active,
        fs_uniquifier=secrets.token_hex(16),
        name=who.name,
        branch_id=who.branch_id,
        reach=who.reach,
        kind=who.kind,
        department_id=who.department_id,
        phone=who.phone,
        valid_until=who.valid_until,
    )
    session.add(row)
    passwords.take(session, row, password, at=at, must_change=True)
    _give(session, row, who)
    _told(session, row, "created", {}, _plain(who), by, at)
    return row.id, password


def change(
    session: Session, staff_id: int, who: Person, *, by: int, at: datetime, version: int | None = None, within: Scope = ALL, address: str = ""
) -> None:
    """The person is as described from their next click on; who is switched off is signed out everywhere.

    `address` is where whoever does it sits: nobody gives themselves a role that does not sign in from there.
    """
    locks.hold(session, "people", "")
    row, before = _row(session, staff_id, within), person(session, staff_id)
    able = queries.administrators(session, on=clock.local(at).date())
    if version is not None:
        edits.check(row.version, version, _plain(before), _plain(who))
    _check(session, who, staff_id, Keys.of(session, by, within), before)
    refuse_stronger(session, staff_id, by=by, within=within)
    if staff_id == by and not who.active:
        raise Invalid(_("You cannot switch yourself off. Ask another administrator."), {"active": _("Not yourself.")})
    if staff_id == by and who.valid_until and who.valid_until < clock.local(at).date():
        raise Invalid(_("You cannot switch yourself off. Ask another administrator."), {"valid_until": _("This day is over.")})
    for name in ("username", "name", "branch_id", "reach", "active", "kind", "department_id", "phone", "valid_until"):
        setattr(row, name, getattr(who, name))
    old, new = edits.changed(_plain(before), _plain(who))
    if (before.roles, before.roles_at) != (who.roles, who.roles_at):
        _give(session, row, who)
    if new:
        row.version += 1
        _told(session, row, "changed", old, new, by, at)
    session.flush()
    if who.branch_id != before.branch_id:
        shifts.follow(session, staff_id, who.branch_id, at=at)
    keep_an_administrator(session, able, at=at)
    if staff_id == by and address and not admitted(address, demands.of(session, staff_id).addresses):
        raise Invalid(
            _("You would shut yourself out."), {"roles": _("One of these roles does not sign in from %(address)s, where you are.", address=address)}
        )
    if not who.active:
        _sign_out(session, staff_id, at)


def new_password(session: Session, staff_id: int, *, by: int, at: datetime, within: Scope = ALL) -> str:
    """The person signs in with this password alone from now on; it is told once. Earlier sign-ins have ended."""
    row, password = _row(session, staff_id, within), secrets.token_urlsafe(9)
    refuse_stronger(session, staff_id, by=by, within=within)
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


def person(session: Session, staff_id: int, *, within: Scope = ALL) -> Person:
    """The person as they are now."""
    row, held = _row(session, staff_id, within), queries.roles_of(session, {staff_id}).get(staff_id, [])
    return Person(
        row.username, row.name, tuple(sorted(role.name for role in held if role.branch_id is None)), row.branch_id, row.reach, row.active,
        row.kind, row.department_id, row.phone, row.valid_until,
        tuple(sorted((role.name, role.branch_id) for role in held if role.branch_id is not None)),
    )  # fmt: skip


def version(session: Session, staff_id: int) -> int:
    """How often the person was changed."""
    return session.scalars(select(Staff.version).where(Staff.id == staff_id)).one()


# ---- inside


def _row(session: Session, staff_id: int, within: Scope = ALL) -> Staff:
    row = session.get(Staff, staff_id, with_for_update=True, populate_existing=True)
    if row is None or not within.covers(row.branch_id):
        raise NotFound(_("There is no such person. Look for them in the list of people."))
    return row


def _check(session: Session, who: Person, staff_id: int | None, keys: Keys, before: Person | None = None) -> None:
    """Raises Invalid with a sentence for each field that cannot be taken."""
    wrong = _named(session, who, staff_id)
    roles = {role.name: role for role in session.scalars(select(Role))}
    kept = {*before.roles, *(name for name, _at in before.roles_at)} if before else set()
    given = {*who.roles, *(name for name, _at in who.roles_at)}
    if not given or not all(name in roles and (roles[name].active or name in kept) for name in given):
        wrong["roles"] = _("Choose at least one role.")
    if who.reach not in rules.REACHES:
        wrong["reach"] = _("Choose how far the person sees.")
    if who.kind not in KINDS:
        wrong["kind"] = _("Choose what the person is to the firm.")
    if who.phone and (before is None or who.phone != before.phone) and not phone.is_written(who.phone):
        wrong["phone"] = _("Type a phone number.")
    wrong |= _placed(session, who, before)
    if not wrong and not _inside(session, who, staff_id, roles, keys):
        wrong["roles"] = _("This would let the person see or do more than you may hand out. Ask an administrator of the firm.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _named(session: Session, who: Person, staff_id: int | None) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not USERNAME.fullmatch(who.username):
        wrong["username"] = _("Two to forty small letters, digits, dots, dashes.")
    elif session.scalars(select(Staff.id).where(Staff.username == who.username, Staff.id != (staff_id or 0))).first():
        wrong["username"] = _("Somebody has this name already.")
    if not who.name.strip() or len(who.name) > 100:
        wrong["name"] = _("Type the person's name, of at most 100 letters.")
    if len(who.phone) > 40:
        wrong["phone"] = _("At most %(count)s letters.", count=40)
    return wrong


def _placed(session: Session, who: Person, before: Person | None) -> dict[str, str]:
    """What is wrong with the branches and the department."""
    wrong: dict[str, str] = {}
    branches = {one.id: one for one in session.scalars(select(Branch))}
    home = branches.get(who.branch_id)
    if home is None or not (home.active or (before and before.branch_id == home.id)):
        wrong["branch_id"] = _("Choose the person's branch.")
    if any(branch_id not in branches for _role, branch_id in who.roles_at):
        wrong["roles_at"] = _("Choose a branch for each of these roles.")
    if who.department_id is not None:
        unit = session.get(Department, who.department_id)
        if unit is None or unit.branch_id != who.branch_id:
            wrong["department_id"] = _("Choose a department of the person's branch.")
    if who.reach == "department" and who.department_id is None:
        wrong["department_id"] = _("Whoever sees a department has to be in one.")
    return wrong


def _inside(session: Session, who: Person, staff_id: int | None, roles: dict[str, Role], keys: Keys) -> bool:
    holder = Holder(staff_id or 0, who.branch_id, who.reach, who.department_id)
    plan = queries.firm(session)
    asked = [(name, None) for name in who.roles] + list(who.roles_at)
    held = [Held(frozenset(roles[name].permissions or ()), roles[name].reach, branch_id) for name, branch_id in asked]
    return keys.fit(grants(holder, held, plan))


def _give(session: Session, row: Staff, who: Person) -> None:
    """The person holds exactly these roles."""
    numbers = {role.name: role.id for role in session.scalars(select(Role))}
    session.execute(delete(staff_role).where(staff_role.c.staff_id == row.id))
    asked: Iterable[tuple[str, int | None]] = [*((name, None) for name in who.roles), *who.roles_at]
    rows = [{"staff_id": row.id, "role_id": numbers[name], "branch_id": branch_id} for name, branch_id in dict.fromkeys(asked)]
    session.execute(insert(staff_role), rows)
    session.expire(row, ["roles"])


def _sign_out(session: Session, staff_id: int, at: datetime, *, but: str = "") -> None:
    open_ = select(StaffSession.id).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None), StaffSession.id != but)
    for sid in session.scalars(open_).all():
        end_session(session, sid, at=at)


def _plain(who: Person) -> dict[str, object]:
    at = ", ".join(f"{name} @{branch_id}" for name, branch_id in who.roles_at)
    day = who.valid_until.isoformat() if who.valid_until else None
    return asdict(who) | {"roles": ", ".join(sorted(who.roles)), "roles_at": at, "valid_until": day}


def _told(session: Session, row: Staff, verb: str, old: dict[str, object], new: dict[str, object], by: int | None, at: datetime) -> None:
    audit.record(session, at=at, by=by, verb=verb, entity="staff", entity_id=row.id, old=old or None, new=new or None, branch_id=row.branch_id)
    session.flush()


def expire(session: Session, *, at: datetime) -> None:
    """Whoever was here until a day that is over is switched off and signed out; the last who lets people in stays, without an end."""
    locks.hold(session, "people", "")
    today = clock.local(at).date()
    over = select(Staff).where(Staff.active, Staff.valid_until < today).order_by(Staff.valid_until.desc(), Staff.id).with_for_update()
    gone = list(session.scalars(over).all())
    able = not gone or queries.administrators(session, on=today).able
    last = None if able else next((row for row in gone if queries.administers(session, row)), None)
    if last is not None:
        gone.remove(last)
        old, last.valid_until, last.version = last.valid_until, None, last.version + 1
        _told(session, last, "changed", {"valid_until": str(old)}, {"valid_until": None}, None, at)
    for row in gone:
        row.active, row.version = False, row.version + 1
        _sign_out(session, row.id, at)
        _told(session, row, "changed", {"active": True}, {"active": False}, None, at)
