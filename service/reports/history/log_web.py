"""The system log as a page: sign-ins, refusals, settings, rights and jobs, newest first. Nobody can change it."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from service.core import asked, audit, db, identity
from service.reports.history import queries, words
from service.reports.history.queries import PAGE, Wanted
from service.staff import queries as staff

bp = Blueprint("system_log", __name__)
KEPT = ("who", "kind", "since", "until")


@bp.get("/settings/log")
def index() -> ResponseReturnValue:
    """What happened at the door and in the machine room."""
    person = identity.require("audit.read")
    kept = asked.kept(KEPT)
    kinds = (kept["kind"],) if kept.get("kind") in audit.KINDS else audit.KINDS
    with db.begin(person.scope) as session:
        rows = queries.lines(session, _wanted(kinds), before=asked.place("before"), limit=PAGE + 1)
        people = staff.names(session)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "reports/log.html",
        rows=rows[:PAGE],
        people=people,
        kept=kept,
        kinds=words.KINDS,
        verbs=words.VERBS,
        entities=words.ENTITIES,
        told=words.told,
        field_name=words.field,
        more=asked.again(KEPT, before=asked.marked(last.at, last.id)) if last else "",
        first=asked.again(KEPT) if asked.place("before") else "",
    )


def _wanted(kinds: Sequence[str]) -> Wanted:
    """What the address narrows the lines to, among these kinds."""
    since, until = asked.day("since"), asked.day("until")
    return Wanted(
        by_id=asked.number("who"),
        since=asked.midnight(since) if since else None,
        until=asked.midnight(until + timedelta(days=1)) if until else None,
        kinds=kinds,
    )
