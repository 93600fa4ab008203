"""Passkeys (WebAuthn): made, listed and removed by their owner, and proof of a person at the sign-in."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import webauthn
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn.helpers import structs
from webauthn.helpers.exceptions import WebAuthnException

from service.core import audit
from service.core.errors import DeskError, NotFound
from service.staff.model import Staff
from service.staff.security import second_factor
from service.staff.security.model import Challenge, Passkey

PATIENCE = timedelta(minutes=5)  # how long a challenge waits to be answered
MOST = 10


@dataclass(frozen=True)
class Site:
    """The address that people type, which a passkey is bound to."""

    host: str
    origin: str

    @property
    def safe(self) -> bool:
        """True where browsers let passkeys be used: over HTTPS, or on this machine."""
        return self.origin.startswith("https://") or self.host in ("localhost", "127.0.0.1", "::1")


class NotProven(DeskError):
    """The passkey does not prove who it is; the message says what to do."""

    status = 422


def of(session: Session, staff_id: int) -> Sequence[Passkey]:
    """The person's passkeys, oldest first."""
    return session.scalars(select(Passkey).where(Passkey.staff_id == staff_id).order_by(Passkey.id)).all()


def ask_to_make(session: Session, staff_id: int, site: Site, firm: str, *, at: datetime) -> tuple[str, dict[str, Any]]:
    """A challenge's id, and what the browser is told to make a passkey that answers it."""
    person, held = session.get_one(Staff, staff_id), of(session, staff_id)
    if len(held) >= MOST:
        raise DeskError(_("You have %(count)s passkeys. Remove one that you no longer use.", count=len(held)))
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=firm or "Ringdesk",
        user_name=person.username,
        user_display_name=person.name,
        user_id=person.fs_uniquifier.encode()[:64],
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=key.credential) for key in held],
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED, user_verification=structs.UserVerificationRequirement.PREFERRED
        ),
    )
    return _kept(session, options.challenge, staff_id, at), json.loads(webauthn.options_to_json(options))


def made(session: Session, staff_id: int, challenge_id: str, answer: str, name: str, site: Site, *, at: datetime) -> int:
    """The passkey proves the person from now on."""
    challenge = _answered(session, challenge_id, staff_id, at)
    try:
        found = webauthn.verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=site.host, expected_origin=site.origin
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotProven(_("The browser's answer does not fit. Try again.")) from error
    if session.scalars(select(Passkey.id).where(Passkey.credential == found.credential_id)).first():
        raise NotProven(_("This passkey is known already."))
    row = Passkey(
        staff_id=staff_id,
        credential=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        name=name.strip()[:60] or _("Passkey"),
        made_at=at,
    )
    session.add(row)
    session.flush()
    _told(session, staff_id, "passkey added", row.name, at)
    return row.id


def remove(session: Session, staff_id: int, passkey_id: int, *, at: datetime) -> None:
    """The passkey proves nothing any more; the last proof of somebody whose role demands one stays."""
    row = session.get(Passkey, passkey_id, with_for_update=True)
    if row is None or row.staff_id != staff_id:
        raise NotFound(_("There is no such passkey. It may have been removed already."))
    last = len(of(session, staff_id)) == 1 and not second_factor.has_app(session, staff_id)
    if last and second_factor.needed(session, staff_id):
        raise DeskError(_("Your role demands a second factor, and this is your last. Set up another first."))
    session.delete(row)
    session.flush()
    _told(session, staff_id, "passkey removed", row.name, at)


def ask_to_prove(session: Session, staff_id: int | None, site: Site, *, at: datetime) -> tuple[str, dict[str, Any]]:
    """A challenge's id, and what the browser is told so that a passkey answers it: one of that person, or anybody's.

    A passkey alone has to know its owner by finger, face or PIN; after a password it is enough that somebody holds it.
    """
    rule = structs.UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=key.credential) for key in of(session, staff_id)] if staff_id else None,
        user_verification=rule.PREFERRED if staff_id else rule.REQUIRED,
    )
    return _kept(session, options.challenge, staff_id, at), json.loads(webauthn.options_to_json(options))


def proven(session: Session, staff_id: int | None, challenge_id: str, answer: str, site: Site, *, at: datetime) -> int:
    """The id of the person whose passkey signed the challenge; raises NotProven."""
    challenge = _answered(session, challenge_id, staff_id, at)
    key = _key(session, answer)
    if key is None or (staff_id is not None and key.staff_id != staff_id):
        raise NotProven(_("This passkey is not known here. Use another, or sign in with your password."))
    try:
        found = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=staff_id is None,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise NotProven(_("The passkey's answer does not fit. Try again.")) from error
    key.sign_count, key.used_at = found.new_sign_count, at
    session.flush()
    return key.staff_id


def sweep(session: Session, *, at: datetime) -> None:
    """Challenges that nobody answered are forgotten."""
    session.execute(delete(Challenge).where(Challenge.at < at - PATIENCE))


def _kept(session: Session, challenge: bytes, staff_id: int | None, at: datetime) -> str:
    sweep(session, at=at)
    row = Challenge(id=secrets.token_urlsafe(24), challenge=challenge, staff_id=staff_id, at=at)
    session.add(row)
    session.flush()
    return row.id


def _answered(session: Session, challenge_id: str, staff_id: int | None, at: datetime) -> bytes:
    """The challenge, which is gone with this: an answer that was listened to is worth nothing."""
    taken = delete(Challenge).where(Challenge.id == challenge_id, Challenge.at >= at - PATIENCE)
    row = session.execute(taken.returning(Challenge.challenge, Challenge.staff_id)).first()
    if row is None or row.staff_id != staff_id:
        raise NotProven(_("That took too long. Try again."))
    return bytes(row.challenge)


def _key(session: Session, answer: str) -> Passkey | None:
    try:
        credential = webauthn.base64url_to_bytes(str(json.loads(answer)["id"]))
    except (ValueError, KeyError, TypeError):
        return None
    return session.scalars(select(Passkey).where(Passkey.credential == credential).with_for_update()).first()


def _told(session: Session, staff_id: int, verb: str, name: str, at: datetime) -> None:
    branch_id = session.get_one(Staff, staff_id).branch_id
    audit.record(session, at=at, by=staff_id, verb=verb, entity="staff", entity_id=staff_id, new={"passkey": name}, branch_id=branch_id)
    session.flush()
