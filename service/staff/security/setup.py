"""The first start: an empty Ringdesk tells its owner an address with a token, and whoever has it becomes the administrator."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.core import audit, locks
from service.core.errors import Forbidden, Invalid
from service.staff import actions, people, queries, rules
from service.staff.model import Branch, Role, Staff
from service.staff.security import policy, sealing
from service.staff.security.model import SetupToken
from service.staff.security.rules import Policy

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")


@dataclass(frozen=True)
class FirstFacts:
    """What a new firm types: itself, its headquarters, and who administers it."""

    firm: str
    branch: str
    code: str
    name: str
    username: str
    password: str
    again: str


def needed(session: Session) -> bool:
    """True while nobody could let people in; that the time of somebody who could is over opens nothing."""
    able = [role.id for role in session.scalars(select(Role)) if queries.ADMINISTERS in (role.permissions or ())]
    holds = select(Staff.id).join(Staff.roles).where(Staff.active | Staff.valid_until.is_not(None), Role.id.in_(able)).limit(1)
    return session.scalars(holds).first() is None


def new_token(session: Session, *, at: datetime) -> str:
    """The only token that opens the set-up from now on; it is told once and kept hashed."""
    token = secrets.token_urlsafe(24)
    session.execute(delete(SetupToken))
    session.add(SetupToken(id=1, digest=sealing.digest(f"setup:{token}"), made_at=at))
    session.flush()
    return token


def fits(session: Session, token: str) -> bool:
    """True when this is the token that was told last and nobody has used it."""
    row = session.get(SetupToken, 1)
    return row is not None and needed(session) and hmac.compare_digest(row.digest, sealing.digest(f"setup:{token}"))


def finish(session: Session, token: str, facts: FirstFacts, *, locale: str, at: datetime) -> int:
    """The firm, its headquarters and its administrator exist; the token is used up. Returns the administrator's id."""
    locks.hold(session, "people", "")
    if not fits(session, token):
        raise Forbidden(_("This address opens nothing any more. Start Ringdesk again; it prints a new one."))
    _check(facts)
    _headquarters(session, facts)
    policy.change(session, Policy(name=facts.firm, version=policy.of(session).version), by=None, at=at)
    staff_id = actions.hire(session, facts.username, facts.name, facts.password, role="admin", at=at)
    session.get_one(Staff, staff_id).locale = locale
    session.execute(delete(SetupToken))
    audit.record(session, at=at, by=staff_id, verb="set up", entity="firm", entity_id=1, new={"name": facts.firm})
    session.flush()
    return staff_id


def _check(facts: FirstFacts) -> None:
    wrong: dict[str, str] = {}
    for field in ("firm", "branch", "name"):
        if not 0 < len(getattr(facts, field).strip()) <= 100:
            wrong[field] = _("One to a hundred letters.")
    if not _CODE.fullmatch(facts.code):
        wrong["code"] = _("Up to twenty letters and digits, such as HQ.")
    if not people.USERNAME.fullmatch(facts.username):
        wrong["username"] = _("Two to forty small letters, digits, dots, dashes.")
    bad = rules.bad_password(facts.password, facts.username, facts.name)
    if bad:
        wrong["password"] = str(bad)
    elif facts.password != facts.again:
        wrong["again"] = _("The two are not the same.")
    if wrong:
        raise Invalid(_("Some fields need another look."), wrong)


def _headquarters(session: Session, facts: FirstFacts) -> None:
    top = session.scalars(select(Branch).order_by(Branch.parent_id.is_not(None), Branch.id)).first()
    if top is None:
        session.add(Branch(code=facts.code, name=facts.branch, name_en=facts.branch))
    else:
        top.code, top.name, top.name_en = facts.code, facts.branch, facts.branch
    session.flush()
