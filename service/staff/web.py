"""Language and theme of the signed-in person; signing in and out belongs to signin.py."""

from flask import Blueprint, redirect, request
from flask import session as flask_session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.core import db, identity, scope
from service.core.asked import back
from service.core.config import LOCALES
from service.core.errors import Invalid
from service.staff import actions

bp = Blueprint("staff", __name__)
THEMES = ("auto", "light", "dark")


@bp.post("/settings/locale")
def locale() -> ResponseReturnValue:
    """Pages speak the chosen language from now on, also before the next sign-in."""
    chosen = request.form.get("locale", "")
    if chosen not in LOCALES:
        raise Invalid(_("Choose 中文 or English."))
    answer = redirect(back())
    answer.set_cookie("locale", chosen, max_age=31536000, samesite="Lax", httponly=True, secure=request.is_secure)
    person = identity.current()
    if person:
        with db.begin(scope.NONE) as session:
            actions.choose_locale(session, person.staff_id, chosen)
    else:
        flask_session["locale"] = chosen  # kept when this browser signs in
    return answer


@bp.post("/settings/theme")
def theme() -> ResponseReturnValue:
    """Pages wear the chosen theme from now on."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        raise Invalid(_("Choose light, dark or automatic."))
    with db.begin(scope.NONE) as session:
        actions.choose_theme(session, identity.require().staff_id, chosen)
    return redirect(back())
