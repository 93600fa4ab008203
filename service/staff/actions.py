"""Sign-in sessions begin and end, people take a seat, attempts are counted."""

import secrets
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.core import audit, live, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.staff import rules
from service.staff.model import Branch, ExtensionAssignment, Role, SignInAttempt, Staff, StaffSession
from service.staff.security import passkeys, passwords, policy, sealing
from service.staff.security.rules import Policy

# As long as the firm has set nothing else.
WINDOW = Policy().window
BY_NAME, BY_ADDRESS = Policy().lock_after, Policy().lock_address_after
LONGEST_SIGN_IN = timedelta(days=7)


class TooManyAttempts(DeskError):
    """Guessing is slowed down by name and by address."""

    status = 429


def begin_session(session: Session, staff_id: int, *, at: datetime, address: str, browser: str) -> str:
    """A new sign-in exists; its id goes into the cookie of exactly one browser."""
    sid = secrets.token_urlsafe(32)
    session.add(
        StaffSession(id=sid, staff_id=staff_id, began_at=at, seen_at=at, address=address, browser=browser[:200])
    )
    audit.record(
        session,
        at=at,
        by=staff_id,
        verb="signed in",
        entity="staff",
        entity_id=staff_id,
        branch_id=session.get_one(Staff, staff_id).branch_id,
        kind="signin",
    )
    session.flush()
    return sid


def end_session(session: Session, sid: str, *, at: datetime) -> None:
    """The sign-in is dead in every browser that copied its cookie, open streams included."""
    session.execute(
        update(StaffSession).where(StaffSession.id == sid, StaffSession.ended_at.is_(None)).values(ended_at=at)
    )
    live.session_ended(session, sid)


def refuse_guessing(session: Session, username: str, address: str, *, at: datetime) -> None:
    """Raises once too many attempts failed under this name or from this address within the firm's window."""
    limits, name = policy.of(session), _counted(session, username)
    since = SignInAttempt.at > at - limits.window
    by_name = session.scalar(select(func.count()).where(since, SignInAttempt.username == name))
    by_address = session.scalar(select(func.count()).where(since, SignInAttempt.address == address))
    if (by_name or 0) >= limits.lock_after or (by_address or 0) >= limits.lock_address_after:
        raise TooManyAttempts(
            _("Too many refused sign-ins. Wait %(minutes)s minutes, or ask an administrator to unlock your name.", minutes=limits.lock_minutes)
        )


def sweep(session: Session, *, at: datetime) -> None:
    """A sign-in ends after a week at the latest, and is forgotten after a season."""
    aged = update(StaffSession).where(StaffSession.ended_at.is_(None), StaffSession.began_at < at - LONGEST_SIGN_IN)
    session.execute(aged.values(ended_at=at))
    session.execute(delete(StaffSession).where(StaffSession.ended_at < at - timedelta(days=90)))
    passkeys.sweep(session, at=at)


def note_attempt(session: Session, username: str, address: str, *, at: datetime) -> None:
    """The refused attempt is counted; old ones are forgotten."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < at - policy.of(session).window * 2))
    session.add(SignInAttempt(at=at, username=_counted(session, username), address=address))


def _counted(session: Session, username: str) -> str:
    """The name as it is counted: one that is nobody's is kept as a mark, since people type passwords there."""
    name = username.lower()[:200]
    known = session.scalars(select(Staff.id).where(Staff.username == name)).first()
    return name if known else f"?{sealing.digest(f'name:{name}')[:32]}"


def take_seat(session: Session, staff_id: int, switch: str, extension: str, *, by: int | None, at: datetime) -> None:
    """From `at` on this person sits at this extension and nowhere else; whoever sat there has left."""
    locks.hold(session, "seats", switch)
    held = ExtensionAssignment
    session.execute(
        update(held)
        .where(
            held.valid_to.is_(None),
            (held.staff_id == staff_id) | ((held.switch == switch) & (held.extension == extension)),
        )
        .values(valid_to=at)
    )
    session.add(held(switch=switch, extension=extension, staff_id=staff_id, valid_from=at))
    audit.record(
        session,
        at=at,
        by=by,
        verb="took seat",
        entity="staff",
        entity_id=staff_id,
        new={"switch": switch, "extension": extension},
        branch_id=session.get_one(Staff, staff_id).branch_id,
    )


def leave_seat(session: Session, staff_id: int, *, by: int | None, at: datetime) -> None:
    """From `at` on this person sits nowhere."""
    held = ExtensionAssignment
    left = update(held).where(held.staff_id == staff_id, held.valid_to.is_(None)).values(valid_to=at)
    seats = session.execute(left.returning(held.switch, held.extension)).all()
    for seat in seats:
        told = {"switch": seat.switch, "extension": seat.extension}
        branch_id = session.get_one(Staff, staff_id).branch_id
        audit.record(session, at=at, by=by, verb="left seat", entity="staff", entity_id=staff_id, old=told, branch_id=branch_id)


def choose_locale(session: Session, staff_id: int, locale: str) -> None:
    """Pages speak this language to the person from now on."""
    session.get_one(Staff, staff_id).locale = locale


def choose_theme(session: Session, staff_id: int, theme: str) -> None:
    """Pages wear this theme for the person from now on."""
    session.get_one(Staff, staff_id).theme = theme


def hire(
    session: Session,
    username: str,
    name: str,
    password: str,
    *,
    role: str,
    branch: str = "",
    reach: str = "",
    must_change: bool = False,
    at: datetime,
) -> int:
    """The person can sign in; roles, and a headquarters when there is no branch, are made on the way.

    With `must_change` the password is good for choosing another one only. `branch` is a branch's code, the headquarters when empty; `reach` is branch, below or all, as the role has it when empty.
    """
    if role not in rules.PERMISSIONS:
        raise Invalid(
            _("There is no role %(name)s. Choose one of %(all)s.", name=role, all=", ".join(rules.PERMISSIONS))
        )
    if session.scalars(select(Staff.id).where(Staff.username == username.lower())).first():
        raise DeskError(_("%(name)s exists already. Choose another name.", name=username))
    home = _branch(session, branch)
    person = Staff(
        username=username.lower(),
        email=f"{username.lower()}@localhost.invalid",
        active=True,
        fs_uniquifier=secrets.token_hex(16),
        name=name,
        branch_id=home.id,
        reach=reach or rules.REACH.get(role, "branch"),
        roles=[_roles(session)[role]],
    )
    session.add(person)
    passwords.take(session, person, password, at=at, must_change=must_change)
    audit.record(session, at=at, by=None, verb="created", entity="staff", entity_id=person.id, branch_id=home.id)
    return person.id


def give_password(session: Session, username: str, password: str, *, at: datetime) -> None:
    """The person signs in with this password alone, to choose another: earlier sign-ins have ended, refused attempts are forgotten."""
    person = session.scalars(select(Staff).where(Staff.username == username.strip().lower()).with_for_update()).first()
    if person is None:
        raise NotFound(_("Nobody signs in as %(name)s. Check the name.", name=username))
    passwords.take(session, person, password, at=at, must_change=True)
    open_ = select(StaffSession.id).where(StaffSession.staff_id == person.id, StaffSession.ended_at.is_(None))
    for sid in session.scalars(open_).all():
        end_session(session, sid, at=at)
    session.execute(delete(SignInAttempt).where(SignInAttempt.username == person.username))
    audit.record(
        session,
        at=at,
        by=None,
        verb="password given",
        entity="staff",
        entity_id=person.id,
        branch_id=person.branch_id,
    )


def _branch(session: Session, code: str) -> Branch:
    if code:
        found = session.scalars(select(Branch).where(Branch.code == code)).first()
        if found is None:
            raise Invalid(_("There is no branch %(code)s.", code=code))
        return found
    top = session.scalars(select(Branch).order_by(Branch.parent_id.is_not(None), Branch.id)).first()
    if top is None:
        top = Branch(code="HQ", name="总部", name_en="Headquarters")
        session.add(top)
        session.flush()
    return top


def _roles(session: Session) -> dict[str, Role]:
    roles = {role.name: role for role in session.scalars(select(Role))}
    for missing in set(rules.PERMISSIONS) - set(roles):
        roles[missing] = Role(name=missing, permissions=sorted(rules.PERMISSIONS[missing]))
        session.add(roles[missing])
    return roles
