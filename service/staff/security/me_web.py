"""One's own security: the app, recovery codes, passkeys, and the browsers that are signed in."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.core import clock, db, identity
from service.core.errors import DeskError, Invalid
from service.core.identity import Identity
from service.staff.model import Staff
from service.staff.security import asked, passkeys, policy, second_factor, sessions

bp = Blueprint("my_security", __name__)
HERE = "/settings/security/me"


@bp.get(HERE)
def index() -> ResponseReturnValue:
    """How the person proves who they are, and where they are signed in."""
    return _page(identity.require())


@bp.post(f"{HERE}/app")
def begin() -> ResponseReturnValue:
    """Shows the key for an authenticator app, after the password."""
    me = identity.require()
    try:
        asked.password(me)
    except Invalid as error:
        return _page(me, error, "app")
    return _enrol(me)


@bp.post(f"{HERE}/app/confirm")
def confirm() -> ResponseReturnValue:
    """The app counts from now on; the recovery codes are shown this once."""
    me = identity.require()
    try:
        with db.begin(me.scope) as session:
            codes = second_factor.confirm(session, me.staff_id, request.form.get("code", "")[:40], at=clock.now())
    except Invalid as error:
        return _enrol(me, error.fields["code"], error.status)
    return render_template("security/codes.html", codes=codes, go=HERE)


@bp.post(f"{HERE}/app/remove")
def remove_app() -> ResponseReturnValue:
    """The app proves nothing any more."""
    me = identity.require()
    try:
        asked.password(me)
        with db.begin(me.scope) as session:
            second_factor.remove_app(session, me.staff_id, at=clock.now())
    except DeskError as error:
        return _page(me, error, "app")
    flash(_("The app proves nothing any more."))
    return redirect(HERE)


@bp.post(f"{HERE}/codes")
def codes() -> ResponseReturnValue:
    """Ten new recovery codes, shown this once."""
    me = identity.require()
    try:
        asked.password(me)
        with db.begin(me.scope) as session:
            made = second_factor.renew_codes(session, me.staff_id, at=clock.now())
    except DeskError as error:
        return _page(me, error, "app")
    return render_template("security/codes.html", codes=made, go=HERE)


@bp.post(f"{HERE}/passkeys/options")
def ask_passkey() -> ResponseReturnValue:
    """What the browser needs to make a passkey, after the password."""
    me = identity.require()
    asked.password(me)
    with db.begin(me.scope) as session:
        firm = policy.of(session).name
        challenge, options = passkeys.ask_to_make(session, me.staff_id, asked.site(), firm, at=clock.now())
    return {"challenge": challenge, "options": options}


@bp.post(f"{HERE}/passkeys")
def add_passkey() -> ResponseReturnValue:
    """The passkey proves the person from now on."""
    me, form = identity.require(), request.form
    with db.begin(me.scope) as session:
        passkeys.made(
            session, me.staff_id, form.get("challenge", ""), form.get("answer", ""), form.get("name", ""), asked.site(), at=clock.now()
        )
    flash(_("The passkey is added."))
    return {"go": HERE}


@bp.post(f"{HERE}/passkeys/<int:passkey_id>/remove")
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """The passkey proves nothing any more."""
    me = identity.require()
    try:
        asked.password(me)
        with db.begin(me.scope) as session:
            passkeys.remove(session, me.staff_id, passkey_id, at=clock.now())
    except Invalid as error:
        return _page(me, error, f"passkey-{passkey_id}")
    flash(_("The passkey is removed."))
    return redirect(HERE)


@bp.post(f"{HERE}/sessions")
def end_sessions() -> ResponseReturnValue:
    """That browser is signed out, or every other one."""
    me, which, now = identity.require(), request.form.get("which", ""), clock.now()
    with db.begin(me.scope) as session:
        if which == "others":
            sessions.end_all(session, me.staff_id, by=me.staff_id, at=now, but=me.session_id)
        else:
            sessions.end_one(session, me.staff_id, which, at=now)
    flash(_("Signed out there."))
    return redirect(HERE)


def _enrol(me: Identity, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    with db.begin(me.scope) as session:
        key, firm = second_factor.begin(session, me.staff_id), policy.of(session).name
    picture = second_factor.picture(key, me.username, firm)
    return render_template("security/enrol.html", picture=picture, key=key, refusal=refusal, next="", inside=True), status


def _page(me: Identity, error: DeskError | None = None, wrong_at: str = "") -> ResponseReturnValue:
    with db.begin(me.scope) as session:
        person = session.get_one(Staff, me.staff_id)
        known = {
            "app": second_factor.has_app(session, me.staff_id),
            "left": second_factor.codes_left(session, me.staff_id),
            "needed": second_factor.needed(session, me.staff_id),
            "keys": passkeys.of(session, me.staff_id),
            "open_": sessions.of(session, me.staff_id, me.session_id),
            "changed_at": person.password_at,
        }
    page = render_template("security/me.html", **known, site=asked.site(), refusal=error.message if error else "", wrong_at=wrong_at)
    return page, error.status if error else 200
