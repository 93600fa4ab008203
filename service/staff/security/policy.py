"""What the firm demands of its people at the door: set by an administrator, who cannot shut themselves out with it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.core import audit, editing, locks, scope
from service.core.editing import Differing
from service.core.errors import Invalid, NotFound
from service.core.scope import ALL, Scope
from service.staff import edits
from service.staff.keys import refuse_stronger
from service.staff.model import Role, SignInAttempt, Staff
from service.staff.security import demands, rules, second_factor
from service.staff.security.model import Firm
from service.staff.security.rules import Policy

LIMITS = {"password_days": (0, 3650), "lock_after": (3, 100), "lock_minutes": (1, 1440)}


def of(session: Session) -> Policy:
    """What holds now."""
    row = session.get(Firm, 1)
    if row is None:
        return Policy()
    return Policy(row.name, row.password_days, row.lock_after, row.lock_minutes, row.version)


def change(session: Session, wanted: Policy, *, by: int | None, at: datetime) -> None:
    """The firm's rules are these, unless somebody saved since `wanted.version` was read."""
    locks.hold(session, "firm", "")
    before = of(session)
    editing.fresh(before.version, wanted.version)
    _check(wanted)
    row = session.get(Firm, 1) or Firm(id=1)
    row.name, row.password_days, row.lock_after, row.lock_minutes = wanted.name, wanted.password_days, wanted.lock_after, wanted.lock_minutes
    row.version = before.version + 1
    session.add(row)
    session.flush()
    old, new = _plain(before), _plain(wanted)
    changed = [field for field in new if old[field] != new[field]]
    if changed:
        _told(session, "firm", 1, {field: old[field] for field in changed}, {field: new[field] for field in changed}, by, at)


def change_role(
    session: Session, role_id: int, *, second: bool, addresses: str, by: int, address: str, at: datetime, seen: tuple[bool, str] | None = None
) -> None:
    """The role demands a second factor or not, and signs in from these ranges alone (empty: from anywhere).

    `seen` is what stood there when the form was opened. Raises Overtaken when it does not any more.
    """
    role = session.get(Role, role_id, with_for_update=True)
    if role is None:
        raise NotFound(_("There is no such role. Load the page again."))
    text = _ranges(addresses)
    stands = {"second_factor": role.second_factor, "addresses": role.addresses}
    if seen is not None and seen != (role.second_factor, role.addresses):
        wanted = {"second_factor": second, "addresses": text}
        raise edits.Overtaken(role.version, [Differing(name, stands[name], wanted[name]) for name in wanted if stands[name] != wanted[name]])
    own = role in demands.roles(session, by)
    if own and not rules.inside(address, text):
        raise Invalid(
            _("You would shut yourself out."),
            {"addresses": _("You are at %(address)s, outside these ranges. Add a range that holds it.", address=address)},
        )
    if own and second and not second_factor.has_any(session, by):
        raise Invalid(
            _("You have no second factor yourself."), {"second_factor": _("Set up your own first, at “Your security”; then demand it of others.")}
        )
    role.second_factor, role.addresses = second, text
    session.flush()
    new = {"second_factor": second, "addresses": text}
    changed = [field for field in new if stands[field] != new[field]]
    if changed:
        told = {"role": role.name}
        _told(session, "role", role.id, told | {f: stands[f] for f in changed}, told | {f: new[f] for f in changed}, by, at)


def roles(session: Session) -> Sequence[Role]:
    """All roles with what is demanded of them."""
    return session.scalars(select(Role).order_by(Role.id)).all()


def locked(session: Session, *, at: datetime) -> list[tuple[Staff, int, datetime]]:
    """Whose name is locked by guesses now, how many there were, and when the last was."""
    policy, attempt = of(session), SignInAttempt
    counted = (
        select(attempt.username, func.count().label("times"), func.max(attempt.at).label("last"))
        .where(attempt.at > at - policy.window)
        .group_by(attempt.username)
        .having(func.count() >= policy.lock_after)
        .subquery()
    )
    rows = session.execute(select(Staff, counted.c.times, counted.c.last).join(counted, counted.c.username == Staff.username).order_by(counted.c.last.desc()))
    return [(row[0], int(row[1]), row[2]) for row in rows if scope.of(session).covers(row[0].branch_id)]


def unlock(session: Session, staff_id: int, *, by: int, at: datetime) -> None:
    """The person may try again at once."""
    person = known(session, staff_id)
    session.execute(delete(SignInAttempt).where(SignInAttempt.username == person.username))
    audit.record(session, at=at, by=by, verb="unlocked", entity="staff", entity_id=staff_id, branch_id=person.branch_id)


def let_in(session: Session, username: str, *, at: datetime) -> None:
    """For whoever has shut themselves out: no second factor, no lock, and their roles sign in from anywhere again."""
    person = session.scalars(select(Staff).where(Staff.username == username.strip().lower())).first()
    if person is None:
        raise NotFound(_("Nobody signs in as %(name)s. Check the name.", name=username))
    second_factor.reset(session, person.id, by=None, at=at)
    session.execute(delete(SignInAttempt))  # those of the address hold the person up as well
    for role in [role for role in demands.roles(session, person.id) if role.addresses]:
        _told(session, "role", role.id, {"role": role.name, "addresses": role.addresses}, {"role": role.name, "addresses": ""}, None, at)
        role.addresses = ""


def known(session: Session, staff_id: int, *, by: int | None = None, within: Scope = ALL) -> Staff:
    """The person; refused when there is none whom this administrator sees, or when they hold more than whoever asks."""
    person = session.get(Staff, staff_id)
    if person is None or not within.covers(person.branch_id) or not scope.of(session).covers(person.branch_id):
        raise NotFound(_("There is no such person. Look for them in the list of people."))
    if by is not None:
        refuse_stronger(session, staff_id, by=by, within=within)
    return person


def _check(wanted: Policy) -> None:
    wrong = {}
    for field, (low, high) in LIMITS.items():
        if not low <= getattr(wanted, field) <= high:
            wrong[field] = _("A whole number from %(low)s to %(high)s.", low=low, high=high)
    if len(wanted.name) > 100:
        wrong["name"] = _("At most 100 letters.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _ranges(text: str) -> str:
    try:
        found = rules.ranges(text)
    except ValueError as error:
        raise Invalid(
            _("Some fields need another look."),
            {"addresses": _("%(part)s is no address range. Write 10.1.0.0/16 or 2001:db8::/32, one a line.", part=str(error))},
        ) from error
    if len(found) > rules.MOST_RANGES:
        raise Invalid(_("Some fields need another look."), {"addresses": _("At most %(count)s ranges. Join some of them.", count=rules.MOST_RANGES)})
    return ", ".join(str(one) for one in found)


def _plain(policy: Policy) -> dict[str, Any]:
    return {field: value for field, value in asdict(policy).items() if field != "version"}


def _told(session: Session, entity: str, entity_id: int, old: dict[str, Any], new: dict[str, Any], by: int | None, at: datetime) -> None:
    audit.record(session, at=at, by=by, verb="changed", entity=entity, entity_id=entity_id, old=old, new=new)
    session.flush()
