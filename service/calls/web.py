"""Calls on screen: the list with its figures and its workbook, one call with its legs and recording, and who was missed."""

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import actions, finding, missed, queries, rules
from service.calls.kpi import figures as key_figures
from service.calls.kpi import queries as kpis
from service.calls.lanes import axis
from service.calls.lists import CALLS
from service.calls.pauses import queries as pauses
from service.calls.shelf import queries as shelf
from service.core import asked, clock, db, identity, lists, masking, sheet
from service.core.errors import Invalid, NotFound
from service.core.pages import label
from service.parties import queries as parties
from service.staff import queries as staff

bp = Blueprint("calls", __name__)
PAGE = 50
KEPT = (
    *("number", "since", "until", "day", "direction", "outcome", "disposition", "reason"),
    *("queue", "called", "staff", "party", "branch", "ticket", "recorded", "switch", "figure"),
)
MOST = 100_000  # rows of one workbook: more are several periods


@bp.get("/calls")
def index() -> ResponseReturnValue:
    """The list of calls, newest first, narrowed by what the address says."""
    person = identity.require("call.read")
    with db.begin(person.scope) as session:
        page, shown = lists.page(session, CALLS, person, request.args), _choices(session, person)
    return render_template("calls/list.html", page=page, **shown)


def _choices(session: Session, person: identity.Identity) -> dict[str, Any]:
    """What the form of conditions offers, and what is chosen."""
    return {
        "kept": {name: request.args.get(name, "") for name in KEPT},
        "queues": queries.queue_labels(session),
        "agents": [(one.id, one.name) for one in staff.assignees(session)],
        "branches": [(one.id, one.name) for one in staff.branches(session).values() if person.scope.covers(one.id)],
        "figure_names": key_figures.names(),
        "dispositions": tuple(rules.OUTCOMES),
        "reasons": [(code, label("about", code)) for code in rules.REASONS],
        "missed": missed.waiting(session),
        "without": _without,
        "may_export": person.may("export"),
        "whole_number": not masking.reads_phones(person),
        "query": urlencode({name: request.args[name] for name in KEPT if request.args.get(name)}),
    }


@bp.get("/calls/statistics")
def statistics() -> ResponseReturnValue:
    """The same calls as the list, added up by hour, day, agent or line; each row opens its calls."""
    person = identity.require("call.read")
    group = request.args.get("by", "day")
    group = group if group in finding.GROUPS else "day"
    with db.begin(person.scope) as session:
        wanted, rules_of = _filters(session, person), kpis.stretches(session)
        total, spread = finding.sums(session, wanted), finding.spread(session, wanted)
        rows = finding.grouped(session, wanted, group, str(get_timezone()))
        people = staff.names(session, {int(str(row.key)) for row in rows if row.key} if group == "agent" else set())
        shown = _choices(session, person)
    figures = key_figures.tiles(kpis.in_force(rules_of, wanted.since, wanted.until), total.queued, spread)
    return render_template(
        "calls/statistics.html",
        **{"total": total, "rows": rows, "group": group, "people": people, "opens": _opens, "names": {}, "most": finding.MOST},
        **{"figures": figures, "behind_figure": lambda figure: _behind(figure=figure)} | shown,
    )


def _opens(group: str, key: object) -> str:
    """The address of the calls behind a row; the hours of many days have none."""
    if key is None or group == "hour":
        return ""
    if group == "queue":
        switch, queue = cast("tuple[str, str]", key)
        return _behind(switch=switch, queue=queue)
    return _behind(**{{"day": "day", "agent": "staff", "line": "called"}[group]: str(key)})


def _behind(**more: str) -> str:
    """The address of the list with the conditions of this page and these."""
    kept = {name: request.args[name] for name in KEPT if request.args.get(name)}
    return "/calls?" + urlencode(kept | more)


@bp.get("/calls/export.xlsx")
def export() -> ResponseReturnValue:
    """The calls of the list as a workbook. Raises Invalid when they are too many for one."""
    person, target = identity.require("call.read", "export"), io.BytesIO()
    with db.begin(person.scope) as session:
        wanted = _filters(session, person)
        if finding.sums(session, wanted).calls > MOST:
            raise Invalid(_("These are more calls than one workbook holds. Narrow the period and export again."))
        customers = parties.names(session, finding.parties(session, wanted))
        columns = _columns(person, staff.names(session), customers, queries.queue_labels(session))
        book = sheet.Book(target)
        book.sheet(_("Calls"), columns, finding.each(session, wanted, limit=MOST))
        book.close()
    target.seek(0)
    name = f"calls-{clock.local(clock.now()):%Y%m%d-%H%M}.xlsx"
    return send_file(target, download_name=name, as_attachment=True)


def _columns(person: identity.Identity, people: Mapping[int, str], customers: Mapping[int, str], queues: Any) -> list[sheet.Column]:
    def number(raw: str | None, *, own: bool) -> str | None:
        return raw if own else masking.shown_plain(person, raw)

    return [
        sheet.Column(_("Began"), "moment", lambda call: clock.local(call.started_at), 20),
        sheet.Column(_("Direction"), "text", lambda call: label("direction", call.direction)),
        sheet.Column(_("Caller"), "text", lambda call: number(call.caller_number, own=call.direction == "outbound"), 18),
        sheet.Column(_("Customer"), "text", lambda call: customers.get(call.party_id, ""), 28),
        sheet.Column(_("Name as sent"), "text", lambda call: masking.shown_name(person, call.caller_name), 18),
        sheet.Column(_("Line called"), "text", lambda call: number(call.called, own=call.direction == "inbound"), 18),
        sheet.Column(_("Queue"), "text", lambda call: queues.of(call.switch, call.queue)),
        sheet.Column(_("Agent"), "text", lambda call: people.get(call.staff_id, call.agent), 16),
        sheet.Column(_("Outcome"), "text", lambda call: label("disposition", call.disposition) if call.disposition else "", 16),
        sheet.Column(_("Reason"), "text", lambda call: label("about", call.reason) if call.reason else ""),
        sheet.Column(_("Rang (s)"), "seconds", lambda call: call.ring_seconds),
        sheet.Column(_("Waited (s)"), "seconds", lambda call: call.wait_seconds),
        sheet.Column(_("Talked (s)"), "seconds", lambda call: call.talk_seconds),
        sheet.Column(_("On hold (s)"), "seconds", lambda call: call.hold_seconds),
        sheet.Column(_("Number of the call"), "whole", lambda call: call.id),
        sheet.Column(_("Switch id"), "text", lambda call: f"{call.switch} {call.call_key}", 26),
    ]


def _filters(session: Session, person: identity.Identity) -> finding.Filters:
    chosen = request.args
    day, since, until = (asked.day(name) for name in ("day", "since", "until"))
    since, until = (day, day) if day else (since, until)
    return finding.Filters(
        party_id=asked.number("party"),
        staff_id=asked.number("staff"),
        branch_id=asked.number("branch"),
        number="".join(c for c in chosen.get("number", "") if c.isdigit())[:20],
        whole_number=not masking.reads_phones(person),
        ticketed=_yes_or_no("ticket"),
        recorded=_yes_or_no("recorded"),
        since=asked.midnight(since) if since else None,
        until=asked.midnight(until + timedelta(days=1)) if until else None,
        measured_by=kpis.measured_by(kpis.stretches(session)),
        **{name: chosen.get(name, "") for name in ("direction", "outcome", "disposition", "reason", "queue", "called", "switch", "figure")},
    )


def _yes_or_no(name: str) -> bool | None:
    return {"yes": True, "no": False}.get(request.args.get(name, ""))


def _place(name: str) -> missed.Place | None:
    """A place in the list of missed callers: outside hours or not, when, and which."""
    outside, _bar, rest = request.args.get(name, "").partition("_")
    found = asked.moment(rest)
    return (outside == "1", *found) if found else None


def _without(name: str) -> str:
    """The address of the same page with one condition dropped."""
    return request.path + "?" + urlencode({k: request.args[k] for k in (*KEPT, "by") if k != name and request.args.get(k)})


@bp.get("/calls/missed")
def missed_callers() -> ResponseReturnValue:
    """Who was not answered and has not been spoken with since, who waits longest first; or those that are settled."""
    person, now = identity.require("call.read"), clock.now()
    state = "closed" if request.args.get("state") == "closed" else "open"
    mine = person.staff_id if request.args.get("mine") else None
    outside = {"in": False, "out": True}.get(request.args.get("hours", ""))
    with db.begin(person.scope) as session:
        lines = missed.listed(session, at=now, state=state, owner=mine, outside=outside, before=_place("after"), limit=PAGE + 1)
        names = parties.names(session, {line.caller.party_id for line in lines if line.caller.party_id})
        owners = {who for line in lines for who in (line.caller.owner_id, line.caller.closed_by) if who}
        people, waiting = staff.names(session, owners), missed.waiting(session)
        queues = queries.queue_labels(session)
    last = lines[PAGE - 1].caller if len(lines) > PAGE else None
    at = (last.closed_at if state == "closed" else last.first_at) if last else None
    kept = {name: request.args[name] for name in ("state", "mine", "hours") if request.args.get(name)}
    more = "/calls/missed?" + urlencode(kept | {"after": f"{int(last.outside)}_{at.isoformat()}_{last.id}"}) if last and at else ""
    return render_template(
        "calls/missed.html",
        **{"lines": lines[:PAGE], "names": names, "people": people, "queues": queues},
        **{"state": state, "mine": mine, "outside": outside, "waiting": waiting, "more": more},
        address=lambda **changes: "/calls/missed?" + urlencode({k: v for k, v in (kept | changes).items() if v}),
    )


@bp.post("/calls/missed/<int:line_id>/<any(take, close, reopen):verb>")
def settle_missed(line_id: int, verb: str) -> ResponseReturnValue:
    """The caller is taken, taken off the list with a note, or put back on it."""
    person, now = identity.require("desk.use"), clock.now()
    with db.begin(person.scope) as session:
        if verb == "take":
            missed.take(session, line_id, by=person.staff_id, at=now)
        elif verb == "close":
            missed.close(session, line_id, request.form.get("note", ""), by=person.staff_id, at=now)
        else:
            missed.reopen(session, line_id, by=person.staff_id, at=now)
    return redirect("/calls/missed")


@bp.post("/calls/<int:call_id>/<any(join, differ, part):what>/<int:other_id>")
def halves(call_id: int, what: str, other_id: int) -> ResponseReturnValue:
    """The two calls are made one, told apart, or parted again."""
    person, now = identity.require("call.join"), clock.now()
    with db.begin(person.scope) as session:
        if what == "join":
            call_id = actions.joining.join(session, call_id, other_id, by=person.staff_id, at=now)
            flash(_("Both are one call now. “Part again” gives back what was; what somebody says of the call until then stays."))
        elif what == "differ":
            actions.joining.differ(session, call_id, other_id, by=person.staff_id, at=now)
        else:
            actions.joining.part(session, call_id, other_id, by=person.staff_id, at=now)
            flash(_("They are two calls again."))
    return redirect(f"/calls/{call_id}")


@bp.post("/calls/<int:call_id>/reason")
def give_reason(call_id: int) -> ResponseReturnValue:
    """The call says what it was about."""
    person = identity.require("desk.use")
    with db.begin(person.scope) as session:
        actions.reason_given(session, call_id, request.form.get("reason", ""), by=person.staff_id, at=clock.now())
    flash(_("Saved."))
    return redirect(f"/calls/{call_id}")


@bp.get("/calls/<int:call_id>")
def show(call_id: int) -> ResponseReturnValue:
    """The call with its legs on one axis, its recordings and who listened to them."""
    person = identity.require("call.read")
    with db.begin(person.scope) as session:
        page = queries.call_page(session, call_id)
        if page is None:
            raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
        if page.call.joined_to_id is not None:
            return redirect(f"/calls/{page.call.joined_to_id}")
        sounds = shelf.sounds(session, *page.ids)
        silent = pauses.of_call(session, page.call, page.segments)
        card = parties.card(session, page.call.party_id) if page.call.party_id else None
        ids = {leg.staff_id for leg in page.legs} | {one.staff_id for one in page.transfers} | sounds.people | silent.people | {page.call.staff_id}
        ids |= {one.staff_id for one in page.halves} | {one.call.staff_id for one in page.suggestions}
        people = staff.names(session, {i for i in ids if i is not None})
        queue = queries.queue_labels(session).of(page.call.switch, page.call.queue)
    drawn = axis(page.call, page.legs, page.segments, people, clock.now())
    shown = {"reasons": rules.REASONS, "page": page, "sounds": sounds, "silent": silent, "call": page.call, "card": card, "people": people}
    shown |= {"queue": queue, "axis": drawn}
    return render_template("calls/call.html", **shown)
