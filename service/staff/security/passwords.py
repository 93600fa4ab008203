"""A person takes another password: not one of the last five, and its age begins anew."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from service.core.errors import Invalid
from service.staff import rules
from service.staff.model import Staff
from service.staff.security.model import OldPassword
from service.staff.security.rules import KEPT_PASSWORDS


def take(session: Session, person: Staff, password: str, *, at: datetime, must_change: bool = False) -> None:
    """The person signs in with this password; with `must_change` it is only good for choosing another."""
    person.password, person.password_at, person.must_change = rules.hashed(password), at, must_change
    session.flush()
    session.add(OldPassword(staff_id=person.id, password=person.password, at=at))
    session.flush()
    last = _of(person.id).limit(KEPT_PASSWORDS)
    session.execute(delete(OldPassword).where(OldPassword.staff_id == person.id, OldPassword.id.not_in(last.with_only_columns(OldPassword.id))))


def choose(session: Session, person: Staff, new: str, again: str, *, at: datetime) -> None:
    """The person's own choice; raises Invalid with a sentence beside the field."""
    if new != again:
        raise Invalid(_("Choose another password."), {"again": _("The two are not the same.")})
    wrong = rules.bad_password(new, person.username, person.name)
    if wrong:
        raise Invalid(_("Choose another password."), {"new": str(wrong)})
    if was_taken(session, person, new):
        raise Invalid(_("Choose another password."), {"new": _("You had this one lately. Take one that is not among your last five.")})
    take(session, person, new, at=at)


def was_taken(session: Session, person: Staff, password: str) -> bool:
    """True when it is the person's password or one of those before it."""
    had = session.scalars(_of(person.id).with_only_columns(OldPassword.password).limit(KEPT_PASSWORDS)).all()
    return any(rules.is_password(password, hashed) for hashed in {person.password or "", *had})


def _of(staff_id: int) -> Select[OldPassword]:
    return select(OldPassword).where(OldPassword.staff_id == staff_id).order_by(OldPassword.id.desc())
