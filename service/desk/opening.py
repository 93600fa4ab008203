"""Opening hours on screen: calendars with their weeks and special days, and which line or branch follows which."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.calls import queries as call_queries
from service.core import clock, db, identity, scope
from service.core.errors import Invalid
from service.hours import actions, queries
from service.staff import queries as staff

bp = Blueprint("opening", __name__)
PLACE = "/settings/hours"
Change = Callable[[Session, int, datetime], None]


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """Every calendar of the firm, ready to be changed."""
    person = identity.require("staff.admin")
    with db.begin(person.scope) as session:
        return _page(session)


def _page(session: Session, at: int = 0, fields: dict[str, str] | None = None) -> str:
    """The page; `fields` are the faults of the form of the calendar `at`, whose typed values stay."""
    labels = call_queries.lines(session)
    return render_template(
        "desk/hours.html",
        sheets=queries.sheets(session),
        branches={one.id: one.name for one in staff.branches(session).values()},
        lines=labels,
        wrong_at=at,
        fields=fields or {},
        typed=request.form if fields else {},
        today=clock.local(clock.now()).date(),
    )


def _changed(change: Change, at: int = 0, said: str = "") -> ResponseReturnValue:
    """The change is made and who waits to be called back is judged by the new hours; a fault is shown beside its field."""
    person, now = identity.require_everywhere("staff.admin"), clock.now()
    try:
        with db.begin(scope.ALL) as session:  # hours are the firm's: callers of every branch are judged anew
            change(session, person.staff_id, now)
            calls.judged_anew(session)
    except Invalid as error:
        with db.begin(person.scope) as session:
            return _page(session, at, dict(error.fields or {"name": error.message})), 422
    flash(said or _("Saved."))
    return redirect(f"{PLACE}#hours-{at}" if at else PLACE)


@bp.post(PLACE)
def create() -> ResponseReturnValue:
    """A calendar of working days exists; the first one is the firm's."""

    def change(session: Session, by: int, at: datetime) -> None:
        first = not queries.sheets(session)
        made = actions.create(session, request.form.get("name", ""), zone=str(get_timezone()), by=by, at=at)
        if first:
            actions.follow(session, made, by=by, at=at)

    return _changed(change)


@bp.post(PLACE + "/<int:calendar_id>")
def edit(calendar_id: int) -> ResponseReturnValue:
    """The calendar has this name and this week."""
    week = [request.form.get(f"day-{weekday}", "") for weekday in range(7)]
    name = request.form.get("name", "")
    return _changed(lambda session, by, at: actions.change(session, calendar_id, name, week, by=by, at=at), calendar_id)


@bp.post(PLACE + "/<int:calendar_id>/days")
def set_days(calendar_id: int) -> ResponseReturnValue:
    """Some days are a holiday, or are worked like another weekday."""
    first, last, like = _day("since"), _day("until"), request.form.get("like", "")

    def change(session: Session, by: int, at: datetime) -> None:
        if first is None:
            refusal = _("Choose the first day.")
            raise Invalid(refusal, {"since": refusal})
        weekday = int(like) if like in tuple("0123456") else None
        actions.days_set(session, calendar_id, first, last, weekday, request.form.get("note", ""), by=by, at=at)

    return _changed(change, calendar_id)


@bp.post(PLACE + "/<int:calendar_id>/days/clear")
def clear_day(calendar_id: int) -> ResponseReturnValue:
    """The day is again as its weekday."""
    day = _day("day")

    def change(session: Session, by: int, at: datetime) -> None:
        if day is not None:
            actions.day_cleared(session, calendar_id, day, by=by, at=at)

    return _changed(change, calendar_id)


@bp.post(PLACE + "/<int:calendar_id>/follow")
def follow(calendar_id: int) -> ResponseReturnValue:
    """The firm, a branch or a line follows this calendar."""
    kind, _colon, what = request.form.get("who", "").partition(":")

    def change(session: Session, by: int, at: datetime) -> None:
        whom = _whom(session, kind, what)
        if whom is None:
            refusal = _("Choose who follows these hours.")
            raise Invalid(refusal, {"who": refusal})
        actions.follow(session, calendar_id, by=by, at=at, **whom)

    return _changed(change, calendar_id)


def _whom(session: Session, kind: str, what: str) -> dict[str, Any] | None:
    """What the form chose, as far as there is such a branch or line."""
    if kind == "firm":
        return {}
    if kind == "branch" and what in {str(branch) for branch in staff.branches(session)}:
        return {"branch_id": int(what)}
    found = next((one for one in call_queries.lines(session) if kind == "line" and what == f"{one.switch}:{one.name}"), None)
    return {"switch": found.switch, "line": found.name} if found else None


@bp.post(PLACE + "/uses/<int:use_id>/clear")
def unfollow(use_id: int) -> ResponseReturnValue:
    """Whoever it was follows the hours of the next above."""
    return _changed(lambda session, by, at: actions.unfollow(session, use_id, by=by, at=at))


@bp.post(PLACE + "/<int:calendar_id>/remove")
def remove(calendar_id: int) -> ResponseReturnValue:
    """The calendar is gone, unless somebody follows it."""
    return _changed(lambda session, by, at: actions.remove(session, calendar_id, by=by, at=at), said=_("Deleted."))


def _day(name: str) -> date | None:
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return None
