"""The page of the audit: filters in the address, each line with what was before and after."""

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from service.core import asked, db, identity
from service.reports.history import queries, words
from service.reports.history.queries import PAGE, Wanted
from service.staff import queries as staff

bp = Blueprint("history", __name__)
CHANGES = ("change", "settings", "security", "signin")  # refusals and jobs stand in the system log
KEPT = ("who", "verb", "entity", "id", "since", "until")


@bp.get("/settings/audit")
def audit() -> ResponseReturnValue:
    """Who did what, when and from where, newest first."""
    person = identity.require("audit.read")
    with db.begin(person.scope) as session:
        rows = queries.lines(session, wanted(CHANGES), before=asked.place("before"), limit=PAGE + 1)
        people = staff.names(session)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "reports/audit.html",
        rows=rows[:PAGE],
        people=people,
        kept=asked.kept(KEPT),
        verbs=words.VERBS,
        entities=words.ENTITIES,
        told=words.told,
        opens=words.opens,
        more=asked.again(KEPT, before=asked.marked(last.at, last.id)) if last else "",
        first=asked.again(KEPT) if asked.place("before") else "",
        without=lambda name: asked.again(KEPT, **{name: ""}),
    )


def wanted(kinds: Sequence[str]) -> Wanted:
    """What the address narrows the lines to, among these kinds."""
    kept, since, until = asked.kept(KEPT), asked.day("since"), asked.day("until")
    return Wanted(
        by_id=asked.number("who"),
        verb=kept.get("verb", ""),
        entity=kept.get("entity", ""),
        entity_id=asked.number("id"),
        since=asked.midnight(since) if since else None,
        until=asked.midnight(until + timedelta(days=1)) if until else None,
        kinds=kinds,
    )
