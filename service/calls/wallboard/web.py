"""The wallboard: a page for supervisors, and the part of it that is read again whenever something has changed."""

from typing import Any

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from service.calls.wallboard import queries, rules
from service.core import clock, db, identity
from service.core.identity import Identity

bp = Blueprint("wallboard", __name__)


@bp.get("/wallboard")
def show() -> ResponseReturnValue:
    """The floor of the person's branches."""
    return render_template("wallboard/page.html", **_shown(identity.require("floor.watch")))


@bp.get("/wallboard/now")
def now() -> ResponseReturnValue:
    """The same without the page around it."""
    return render_template("wallboard/board.html", **_shown(identity.require("floor.watch")))


def _shown(person: Identity) -> dict[str, Any]:
    at = clock.now()
    midnight = clock.local(at).replace(hour=0, minute=0, second=0, microsecond=0)
    settings = current_app.config["RINGDESK"]
    switches = [switch.name for switch in settings.switches]
    with db.begin(person.scope) as session:
        board = queries.board(session, switches, at=at, midnight=midnight, reach=person.scope)
    return {"board": board, "rules": rules, "reasons": settings.pause_reasons}
