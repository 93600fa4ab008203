"""Calls on screen: the list, and one call with its legs and its recording."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from service.calls import queries, rules
from service.calls.lanes import axis
from service.calls.shelf import queries as shelf
from service.core import clock, db, identity
from service.core.errors import NotFound
from service.parties import queries as parties
from service.staff import queries as staff

bp = Blueprint("calls", __name__)
PAGE = 50
KEPT = ("direction", "disposition", "number", "party", "day")


@bp.get("/calls")
def index() -> ResponseReturnValue:
    """The list of calls, newest first, narrowed by direction, outcome, number, customer and day."""
    person = identity.require("call.read")
    with db.begin(person.scope) as session:
        rows = queries.recent_calls(session, before=_before(), limit=PAGE + 1, filters=_filters())
        wanted = _number("party")
        names = parties.names(session, {r.party_id for r in rows if r.party_id} | ({wanted} if wanted else set()))
        people = staff.names(session, {r.staff_id for r in rows if r.staff_id})
        queues = queries.queue_labels(session)
    more = _address(rows[PAGE - 1]) if len(rows) > PAGE else ""
    kept = {name: request.args.get(name, "") for name in KEPT}
    return render_template(
        "calls/list.html",
        **{"rows": rows[:PAGE], "names": names, "people": people, "queues": queues, "kept": kept, "more": more},
        **{"first": _address(None) if request.args.get("before") else "", "without": _without},
        dispositions=tuple(rules.OUTCOMES),
    )


def _filters() -> queries.Filters:
    chosen = request.args
    day = _day(chosen.get("day", ""))
    return queries.Filters(
        party_id=_number("party"),
        direction=chosen.get("direction", ""),
        disposition=chosen.get("disposition", ""),
        number="".join(c for c in chosen.get("number", "") if c.isdigit())[:20],
        since=_midnight(day) if day else None,
        until=_midnight(day + timedelta(days=1)) if day else None,
    )


def _number(name: str) -> int | None:
    value = request.args.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def _day(value: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(str(get_timezone())))


def _before() -> tuple[datetime, int] | None:
    at, _colon, last = request.args.get("before", "").rpartition("_")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, int(last)) if moment.tzinfo and last.isascii() and last.isdigit() and len(last) < 19 else None


def _address(last: queries.Call | None) -> str:
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    if last is not None and last.started_at:
        kept["before"] = f"{last.started_at.isoformat()}_{last.id}"
    return "/calls?" + urlencode(kept)


def _without(name: str) -> str:
    """The address of the same list with one condition dropped."""
    return "/calls?" + urlencode({k: request.args[k] for k in KEPT if k != name and request.args.get(k)})


@bp.get("/calls/<int:call_id>")
def show(call_id: int) -> ResponseReturnValue:
    """The call with its legs on one axis, its recordings and who listened to them."""
    person = identity.require("call.read")
    with db.begin(person.scope) as session:
        page = queries.call_page(session, call_id)
        if page is None:
            raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
        sounds = shelf.sounds(session, call_id)
        card = parties.card(session, page.call.party_id) if page.call.party_id else None
        ids = {leg.staff_id for leg in page.legs} | {one.staff_id for one in page.transfers} | sounds.people | {page.call.staff_id}
        people = staff.names(session, {i for i in ids if i is not None})
        queue = queries.queue_labels(session).of(page.call.switch, page.call.queue)
    drawn = axis(page.call, page.legs, page.segments, people, clock.now())
    shown = {"page": page, "sounds": sounds, "call": page.call, "card": card, "people": people, "queue": queue, "axis": drawn}
    return render_template("calls/call.html", **shown)
