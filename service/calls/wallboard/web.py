"""The wallboard: a page for supervisors, and the part of it that is read again whenever something has changed."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from service.calls.kpi import figures
from service.calls.wallboard import queries, rules
from service.core import clock, db, identity
from service.core import kpi_words as words
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
    return {"board": board, "reasons": settings.pause_reasons} | _explained(board, midnight.date())


def _explained(board: queries.Board, day: date) -> dict[str, Any]:
    """Each figure's formula and numbers, and the address of the calls behind it."""
    policies = (board.policy,)

    def calls_of(figure: str, line: rules.Line | None = None) -> str:
        queue = {"switch": line.switch, "queue": line.name} if line else {}
        return "/calls?" + urlencode({"day": day.isoformat(), "figure": figure} | queue)

    told = {
        "level": words.level(policies, board.day),
        "offered": words.offered(),
        "abandonment": words.abandonment(policies, board.day),
        "speed": words.speed(board.day),
    }
    return {
        **{"told": told, "calls_of": calls_of, "level_behind": figures.level_behind(board.day)},
        "line_told": lambda line: words.level(policies, line.day).numbers,
    }
