"""Screens that look back: the last nights, the gaps of the feed, and a night on demand."""

from functools import partial

from flask import Blueprint, current_app, flash, redirect, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.calls import queries as calls
from service.core import clock, db, identity, jobs
from service.reports import doctor as told
from service.reports import queries, words

bp = Blueprint("reports", __name__)


@bp.get("/nights")
def nights() -> ResponseReturnValue:
    """What the last nights loaded and proved, and when the switches were not heard."""
    person = identity.require("night.read")
    with db.begin(person.scope) as session:
        rows, gaps = queries.nights(session), calls.gaps(session)
    told = partial(words.told, figures=person.scope.branches is None and person.may("ledger.read"))
    return render_template("reports/nights.html", rows=rows, gaps=gaps, told=told)


@bp.post("/nights")
def run() -> ResponseReturnValue:
    """A night begins as soon as the jobs process takes it; two at the same time are refused there."""
    person, now = identity.require("night.run"), clock.now()
    with db.begin(person.scope) as session:
        slot = f"by hand {clock.local(now):%Y-%m-%d %H:%M:%S}"
        jobs.enqueue(session, "night", {"slot": slot}, at=now, dedupe="by hand")
    flash(_("The night will begin in a moment; load this page again to see how it goes."))
    return redirect("/nights")


@bp.get("/settings/doctor")
def doctor() -> ResponseReturnValue:
    """What was last found at each switch, and whether somebody is looking now."""
    person = identity.require("staff.admin")
    with db.begin(person.scope) as session:
        reports, busy = queries.examinations(session), jobs.waits(session, "doctor")
    names = [switch.name for switch in current_app.config["RINGDESK"].switches]
    shown = [report for report in reports if report.switch in names]
    unseen = [name for name in names if name not in {report.switch for report in shown}]
    return render_template("reports/doctor.html", reports=shown, unseen=unseen, names=names, busy=busy, told=told)


@bp.post("/settings/doctor")
def examine() -> ResponseReturnValue:
    """The switches are examined as soon as the jobs process takes it; one look at a time is enough."""
    person = identity.require("staff.admin")
    with db.begin(person.scope) as session:
        jobs.enqueue(session, "doctor", {}, at=clock.now(), dedupe="one", max_attempts=1)
    return redirect("/settings/doctor")
