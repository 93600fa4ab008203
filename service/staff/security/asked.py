"""What a request tells about where it was made and for whom, and proof of the person before anything is changed."""

from urllib.parse import urlsplit

from flask import request
from flask_babel import gettext as _

from service.core import clock, db, scope
from service.core.errors import Invalid
from service.core.identity import Identity
from service.staff import actions, rules
from service.staff.model import Staff
from service.staff.security import record
from service.staff.security.passkeys import Site


def site() -> Site:
    """The address in the browser's bar."""
    parts = urlsplit(request.host_url)
    return Site(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


def place() -> str:
    """Where the person was on their way to; the start when that is elsewhere."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/sign-in")) and "\\" not in wanted and wanted.isprintable()
    return wanted if ours else "/"


def password(me: Identity) -> None:
    """Whoever sits here is the person: they typed their password. Guessing is counted as at the sign-in."""
    address, now = request.remote_addr or "", clock.now()
    with db.begin(scope.NONE) as session:
        actions.refuse_guessing(session, me.username, address, at=now)
        held = session.get_one(Staff, me.staff_id).password or ""
    if rules.is_password(request.form.get("password", ""), held):
        return
    with db.begin(scope.NONE) as session:
        actions.note_attempt(session, me.username, address, at=now)
    record.refused_as(me.staff_id, me.username, me.branch_id, "password")
    raise Invalid(_("That is not your password."), {"password": _("Type the password that you signed in with.")})
