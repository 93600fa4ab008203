"""Screens that look back: the last nights, how completely each switch was heard, and either on demand."""

from functools import partial
from typing import Any

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
    """What the last nights loaded and proved."""
    person = identity.require("night.read")
    with db.begin(person.scope) as session:
        rows, waiting = queries.nights(session), jobs.waits(session, "night")
    told = partial(words.told, figures=person.scope.branches is None and person.may("ledger.read"))
    return render_template("reports/nights.html", rows=rows, told=told, waiting=waiting)


@bp.post("/nights")
def run() -> ResponseReturnValue:
    """A night begins as soon as the jobs process takes it; two at the same time are refused there."""
    person, now = identity.require("night.run"), clock.now()
    with db.begin(person.scope) as session:
        slot = f"by hand {clock.local(now):%Y-%m-%d %H:%M:%S}"
        jobs.enqueue(session, "night", {"slot": slot}, at=now, dedupe="by hand")
    flash(_("The night begins in a moment; its line appears below."))
    return redirect("/nights")


@bp.get("/nights/feeds")
def feeds() -> ResponseReturnValue:
    """How completely each switch was heard: link, gaps, who told today's calls, and the last backfill."""
    return render_template("reports/feeds.html", **_feeds())


@bp.get("/nights/feeds/now")
def feeds_now() -> ResponseReturnValue:
    """The same, for a page that is open already."""
    return render_template("reports/feeds_now.html", **_feeds())


def _feeds() -> dict[str, Any]:
    person, now = identity.require("night.read"), clock.now()
    switches = [(switch.name, tuple(switch.files)) for switch in current_app.config["RINGDESK"].switches]
    day = clock.local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    with db.begin(person.scope) as session:
        found = calls.feeds(session, switches, at=now, day=day)
    known = [feed.complete_to for feed in found if feed.complete_to]
    return {
        "feeds": found,
        "complete_to": min(known) if known and len(known) == len(found) else None,
        "unfilled": sum(feed.unfilled for feed in found),
        "older": sum(feed.older for feed in found),
    }


@bp.post("/nights/feeds")
def fill() -> ResponseReturnValue:
    """The files of all switches are read as soon as the jobs process takes it."""
    person, now = identity.require("night.run"), clock.now()
    names = [switch.name for switch in current_app.config["RINGDESK"].switches if switch.files]
    with db.begin(person.scope) as session:
        for name in names:
            jobs.enqueue(
                session, "backfill", {"switch": name, "why": "by hand"}, at=now, dedupe=f"{name} by hand", max_attempts=1
            )
    flash(_("The files are being read; what comes of it shows here by itself.") if names else _("No switch has files to read yet."))
    return redirect("/nights/feeds")


@bp.get("/settings/doctor")
def doctor() -> ResponseReturnValue:
    """What was last found at each switch, and whether somebody is looking now."""
    person = identity.require("staff.admin")
    with db.begin(person.scope) as session:
        reports, busy = queries.examinations(session), jobs.waits(session, "doctor")
        names = [switch.name for switch in current_app.config["RINGDESK"].switches]
        kept_back = {name: calls.doubts(session, name, at=clock.now()) for name in names}
    shown = [report for report in reports if report.switch in names]
    unseen = [name for name in names if name not in {report.switch for report in shown}]
    return render_template("reports/doctor.html", reports=shown, unseen=unseen, names=names, busy=busy, told=told, kept_back=kept_back)


@bp.post("/settings/doctor")
def examine() -> ResponseReturnValue:
    """The switches are examined as soon as the jobs process takes it; one look at a time is enough."""
    person = identity.require("staff.admin")
    with db.begin(person.scope) as session:
        jobs.enqueue(session, "doctor", {}, at=clock.now(), dedupe="one", max_attempts=1)
    return redirect("/settings/doctor")
