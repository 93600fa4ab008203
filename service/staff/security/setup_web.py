"""The page of the first start: until somebody administers, every other page leads here."""

from dataclasses import asdict

from flask import Blueprint, current_app, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_security.utils import login_user

from service.core import clock, db, identity, pages, scope
from service.core.config import LOCALES, Settings
from service.core.errors import DeskError, Forbidden, Invalid, NotFound
from service.staff import actions
from service.staff.security import record, setup
from service.staff.security.setup import FirstFacts

bp = Blueprint("setup", __name__)
OPEN = ("setup.", "staff.locale", "health", "static", "security.static")
GUESSED = "(set-up)"  # under this name wrong tokens are counted
NOTHING = FirstFacts("", "", "HQ", "", "", "", "")


def lead_there() -> ResponseReturnValue | None:
    """While nobody administers there is one page."""
    if (request.endpoint or "").startswith(OPEN) or not _needed():
        return None
    if request.method == "GET" and pages.wants_page():
        return redirect("/setup")
    raise identity.SignInNeeded


def _needed() -> bool:
    """Asked until the answer is no; then it stays no."""
    if current_app.extensions.get("ringdesk.set_up"):
        return False
    with db.begin(scope.ALL) as session:
        empty = setup.needed(session)
    current_app.extensions["ringdesk.set_up"] = not empty
    return empty


@bp.get("/setup")
def show() -> ResponseReturnValue:
    """With the token the form, without it how to find the address."""
    if not _needed():
        raise NotFound(_("Ringdesk is set up. Sign in."))
    token = request.args.get("token", "")
    if not token:
        return render_template("security/find.html")
    _guarded(token)
    return _form(token, NOTHING, {}, "")


@bp.post("/setup")
def finish() -> ResponseReturnValue:
    """The firm and its administrator exist, and the administrator is signed in."""
    if not _needed():
        raise NotFound(_("Ringdesk is set up. Sign in."))
    token, facts = request.form.get("token", ""), _read()
    _guarded(token)
    try:
        with db.begin(scope.ALL) as session:
            staff_id = setup.finish(session, token, facts, locale=_locale(), at=clock.now())
    except Invalid as error:
        return _form(token, facts, error.fields, error.message, error.status)
    except DeskError as error:
        return _form(token, facts, {}, error.message, error.status)
    current_app.extensions["ringdesk.set_up"] = True
    g.pop("person", None)
    login_user(current_app.extensions["security"].datastore.find_user(id=staff_id))
    flash(_("Ringdesk is set up. Now give your sign-in a second factor, and then let the others in."))
    return redirect("/settings/security/me")


def announcement(settings: Settings, port: int) -> str:
    """The address that opens the set-up, for the terminal; nothing once somebody administers."""
    with db.begin(scope.ALL) as session:
        if not setup.needed(session):
            return ""
        token = setup.new_token(session, at=clock.now())
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"Nobody administers this Ringdesk yet. Set it up at http://{host}:{port}/setup?token={token}"


def _guarded(token: str) -> None:
    """Raises when the token is wrong, or when too many were tried from there."""
    address, now = request.remote_addr or "", clock.now()
    with db.begin(scope.ALL) as session:
        actions.refuse_guessing(session, GUESSED, address, at=now)
        if setup.fits(session, token):
            return
    with db.begin(scope.NONE) as session:
        actions.note_attempt(session, GUESSED, address, at=now)
    record.refused_as(None, GUESSED, None, "token")
    raise Forbidden(_("This address opens nothing. Take the one that was printed last when Ringdesk started."))


def _read() -> FirstFacts:
    form = request.form
    facts = {name: form.get(name, "").strip() for name in ("firm", "branch", "code", "name")}
    return FirstFacts(**facts, username=form.get("username", "").strip().lower(), password=form.get("password", ""), again=form.get("again", ""))


def _form(token: str, facts: FirstFacts, fields: dict[str, str], refusal: str, status: int = 200) -> ResponseReturnValue:
    shown = asdict(facts) | {"password": "", "again": ""}
    return render_template("security/setup.html", token=token, facts=shown, fields=fields, refusal=refusal), status


def _locale() -> str:
    found = str(get_locale())
    return found if found in LOCALES else LOCALES[0]
