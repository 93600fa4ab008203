"""Screens that look back: the last nights, the gaps of the feed, and a night on demand."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.calls import queries as calls
from service.core import clock, db, identity, jobs
from service.reports import queries, words

bp = Blueprint("reports", __name__)


@bp.get("/nights")
def nights() -> ResponseReturnValue:
    """What the last nights loaded and proved, and when the switches were not heard."""
    person = identity.require("night.read")
    with db.begin(person.scope) as session:
        rows, gaps, waiting = queries.nights(session), calls.gaps(session), jobs.waiting(session, "night")
    told = partial(words.told, figures=person.scope.branches is None and person.may("ledger.read"))
    return render_template("reports/nights.html", rows=rows, gaps=gaps, told=told, waiting=waiting)


@bp.post("/nights")
def run() -> ResponseReturnValue:
    """A night begins as soon as the jobs process takes it; two at the same time are refused there."""
    person, now = identity.require("night.run"), clock.now()
    with db.begin(person.scope) as session:
        slot = f"by hand {clock.local(now):%Y-%m-%d %H:%M:%S}"
        jobs.enqueue(session, "night", {"slot": slot}, at=now, dedupe="by hand")
    flash(_("The night begins in a moment; its line appears below."))
    return redirect("/nights")
