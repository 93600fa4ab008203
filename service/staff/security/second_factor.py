"""An authenticator app is enrolled, its codes are taken once each, and recovery codes stand in for it."""

import secrets
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote

import segno
from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from service.core import audit
from service.core.errors import DeskError, Invalid
from service.staff.model import Staff
from service.staff.security import demands, rules, sealing
from service.staff.security.model import Passkey, RecoveryCode, Totp


def begin(session: Session, staff_id: int) -> str:
    """The key that the app is to be given, in the app's own letters; the same until it was confirmed."""
    held = _held(session, staff_id)
    if held is not None and held.confirmed_at:
        raise DeskError(_("An app is set up already. Remove it first, then set up the other."))
    known = sealing.opened(held.secret, staff_id) if held else None
    secret = known or secrets.token_bytes(20)
    if held is None:
        session.add(Totp(staff_id=staff_id, secret=sealing.seal(secret, staff_id)))
    elif known is None:
        held.secret = sealing.seal(secret, staff_id)
    session.flush()
    return b32encode(secret).decode()


def picture(key: str, username: str, firm: str) -> str:
    """A QR code that sets the app up, as a data: address; nobody else is asked to draw it."""
    issuer = firm or "Ringdesk"
    told = f"otpauth://totp/{quote(f'{issuer}:{username}')}?secret={key}&issuer={quote(issuer)}"
    return str(segno.make(told, error="m", micro=False).svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def confirm(session: Session, staff_id: int, typed: str, *, at: datetime) -> list[str]:
    """The app counts from now on; returns ten recovery codes, which are told once and kept hashed."""
    held = _held(session, staff_id)
    step = _matched(held, staff_id, typed, at) if held and not held.confirmed_at else None
    if held is None or step is None:
        raise Invalid(_("This code does not fit."), {"code": _("Type the six digits that the app shows now. The clock of the phone must be right.")})
    held.confirmed_at, held.last_step = at, step
    _told(session, staff_id, "second factor set up", by=staff_id, at=at)
    return fresh_codes(session, staff_id, at=at)


def take(session: Session, staff_id: int, typed: str, *, at: datetime) -> str:
    """How the code proved the person: app, recovery, or nothing. No code proves anything twice."""
    held = _held(session, staff_id)
    step = _matched(held, staff_id, typed, at) if held and held.confirmed_at else None
    if held is not None and step is not None:
        held.last_step = step
        session.flush()
        return "app"
    return "recovery" if _spent(session, staff_id, typed, at) else ""


def was_used(session: Session, staff_id: int, typed: str, *, at: datetime) -> bool:
    """True when the code is the app's and somebody signed in with it, or with a later one, already."""
    held = _held(session, staff_id)
    secret = sealing.opened(held.secret, staff_id) if held and held.confirmed_at else None
    return bool(secret) and rules.matching_step(secret or b"", typed, at, -1) is not None


def renew_codes(session: Session, staff_id: int, *, at: datetime) -> list[str]:
    """Ten new recovery codes for somebody who has an app; the ones before are worth nothing."""
    if not has_app(session, staff_id):
        raise DeskError(_("Recovery codes stand in for an app. Set one up first."))
    return fresh_codes(session, staff_id, at=at)


def fresh_codes(session: Session, staff_id: int, *, at: datetime) -> list[str]:
    """Ten new recovery codes; the ones before are worth nothing."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = rules.new_recovery_codes()
    session.add_all(RecoveryCode(staff_id=staff_id, digest=_digest(staff_id, code)) for code in codes)
    _told(session, staff_id, "recovery codes made", by=staff_id, at=at)
    return codes


def remove_app(session: Session, staff_id: int, *, at: datetime) -> None:
    """The person's app proves nothing any more; refused while a role of theirs demands a second factor and no passkey is left."""
    if needed(session, staff_id) and not _passkeys(session, staff_id):
        raise DeskError(_("Your role demands a second factor. Add a passkey first, or ask an administrator."))
    _forget_app(session, staff_id)
    _told(session, staff_id, "second factor removed", by=staff_id, at=at)


def reset(session: Session, staff_id: int, *, by: int | None, at: datetime) -> None:
    """The person has no second factor of any kind and enrols anew where a role demands one."""
    _forget_app(session, staff_id)
    session.execute(delete(Passkey).where(Passkey.staff_id == staff_id))
    _told(session, staff_id, "second factor reset", by=by, at=at)


def has_app(session: Session, staff_id: int) -> bool:
    """True once the person's app was confirmed."""
    return session.scalar(select(func.count()).where(Totp.staff_id == staff_id, Totp.confirmed_at.is_not(None))) == 1


def has_any(session: Session, staff_id: int) -> bool:
    """True when the person can prove themselves with an app or a passkey."""
    return has_app(session, staff_id) or _passkeys(session, staff_id) > 0


def needed(session: Session, staff_id: int) -> bool:
    """True when a role of theirs demands a second factor."""
    return demands.of(session, staff_id).second_factor


def codes_left(session: Session, staff_id: int) -> int:
    """How many recovery codes are unused."""
    left = select(func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.scalar(left) or 0


# ---- inside


def _held(session: Session, staff_id: int) -> Totp | None:
    return session.get(Totp, staff_id, with_for_update=True)


def _matched(held: Totp, staff_id: int, typed: str, at: datetime) -> int | None:
    secret = sealing.opened(held.secret, staff_id)
    return rules.matching_step(secret, typed, at, held.last_step) if secret else None


def _spent(session: Session, staff_id: int, typed: str, at: datetime) -> bool:
    code = RecoveryCode
    fits = update(code).where(code.staff_id == staff_id, code.digest == _digest(staff_id, typed), code.used_at.is_(None)).values(used_at=at)
    if session.execute(fits.returning(code.id)).first() is None:
        return False
    _told(session, staff_id, "recovery code used", by=staff_id, at=at, new={"left": codes_left(session, staff_id)})
    return True


def _digest(staff_id: int, code: str) -> str:
    return sealing.digest(f"recovery:{staff_id}:{rules.plain_recovery_code(code)}")


def _passkeys(session: Session, staff_id: int) -> int:
    return session.scalar(select(func.count()).where(Passkey.staff_id == staff_id)) or 0


def _forget_app(session: Session, staff_id: int) -> None:
    session.execute(delete(Totp).where(Totp.staff_id == staff_id))
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    session.expire_all()


def _told(session: Session, staff_id: int, verb: str, *, by: int | None, at: datetime, new: dict[str, object] | None = None) -> None:
    branch_id = session.get_one(Staff, staff_id).branch_id
    audit.record(session, at=at, by=by, verb=verb, entity="staff", entity_id=staff_id, new=new, branch_id=branch_id)
    session.flush()
