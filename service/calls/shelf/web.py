"""Recordings on screen: what is wrong with them, and what people decide about them."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from service.calls import queries as calls
from service.calls.shelf import actions, queries
from service.core import asked, clock, db, identity
from service.core.errors import NotFound
from service.staff import queries as staff

bp = Blueprint("shelf", __name__)


@bp.get("/recordings")
def index() -> ResponseReturnValue:
    """Findings, holds, deletions, how long each class is kept, and where the chain ends."""
    person = identity.require("recording.read")
    with db.begin(person.scope) as session:
        shown = {
            "findings": queries.findings(session),
            "holds": queries.open_holds(session),
            "deletions": queries.deletions(session),
            "kept_days": queries.days(session),
            "head": queries.chain_head(session),
            "shelf": queries.shelf(session),
            "alarm": queries.alarm(session),
        }
        ids = {one.hold.set_by_id for one in shown["holds"]} | {one.by_id for one in shown["deletions"]}  # type: ignore[attr-defined]
        people = staff.names(session, {found for found in ids if found is not None})
    return render_template("calls/recordings.html", people=people, **shown)


@bp.post("/calls/<int:call_id>/consent")
def consent(call_id: int) -> ResponseReturnValue:
    """What the caller was told or said about recording is on record; a refusal destroys the audio."""
    person, state = identity.require("call.consent"), request.form.get("state", "")
    with db.begin(person.scope) as session:
        call = calls.call(session, call_id)
        if call is None:
            raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
        actions.consent(session, call.switch, call.call_key, state, by=person.staff_id, at=clock.now())
    flash(_("The audio is being destroyed; the record of the call stays.") if state == "refused" else _("Noted."))
    return redirect(f"/calls/{call_id}")


@bp.post("/recordings/<int:recording_id>/hold")
def hold(recording_id: int) -> ResponseReturnValue:
    """The recording is kept until somebody lifts the hold."""
    person, reason = identity.require("recording.hold"), request.form.get("reason", "")
    with db.begin(person.scope) as session:
        actions.hold(session, recording_id, reason, by=person.staff_id, at=clock.now())
    flash(_("The recording is held."))
    return redirect(_page_of(recording_id))


@bp.post("/recordings/<int:recording_id>/lift")
def lift(recording_id: int) -> ResponseReturnValue:
    """The hold has ended."""
    person, reason = identity.require("recording.hold"), request.form.get("reason", "")
    with db.begin(person.scope) as session:
        actions.lift(session, recording_id, reason, by=person.staff_id, at=clock.now())
    flash(_("The hold is lifted."))
    return redirect(_page_of(recording_id))


def _page_of(recording_id: int) -> str:
    person = identity.require()
    with db.begin(person.scope) as session:
        found = queries.recording_for(session, recording_id)
    return f"/calls/{found.call_id}" if found and found.call_id else "/recordings"


@bp.post("/recordings/retention")
def retention() -> ResponseReturnValue:
    """One class is kept for another number of days."""
    person, typed = identity.require("recording.keep"), request.form.get("days", "")
    days = asked.whole(typed, 6) or 0
    with db.begin(person.scope) as session:
        actions.keep_for(session, request.form.get("code", ""), days, by=person.staff_id, at=clock.now())
    flash(_("Kept for %(days)s days from now on.", days=days))
    return redirect("/recordings")
