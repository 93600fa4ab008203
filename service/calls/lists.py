"""The list of calls: the same conditions as their figures, so that they cannot disagree."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.calls import finding, queries, rules
from service.calls.kpi import figures
from service.calls.kpi import queries as kpis
from service.calls.model import Call
from service.core import asked, lists, masking
from service.core.lists import Column, Empty, Filter, ListSpec, Told
from service.core.pages import label
from service.parties import queries as parties
from service.staff import queries as staff

TEXTS = ("direction", "outcome", "disposition", "reason", "queue", "called", "switch", "figure")


def conditions(session: Session, wanted: Mapping[str, Any]) -> finding.Filters:
    """What calls are narrowed to, as the address wants it."""
    since, until = (wanted.get("day") or wanted.get(name) for name in ("since", "until"))
    return finding.Filters(
        party_id=wanted.get("party"),
        staff_id=wanted.get("staff"),
        branch_id=wanted.get("branch"),
        number=wanted.get("number", ""),
        whole_number=not masking.reads_phones(wanted["reader"]),
        ticketed={"yes": True, "no": False}.get(wanted.get("ticket", "")),
        recorded={"yes": True, "no": False}.get(wanted.get("recorded", "")),
        since=asked.midnight(since) if since else None,
        until=asked.midnight(until + timedelta(days=1)) if until else None,
        measured_by=kpis.measured_by(kpis.stretches(session)),
        **{name: wanted.get(name, "") for name in TEXTS},
    )


def _rows(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    return select(Call).where(*finding.conditions(conditions(session, wanted)))


def _labels(session: Session, rows: Sequence[Call], wanted: Mapping[str, Any]) -> lists.Labels:
    return {
        "parties": parties.names(session, {row.party_id for row in rows if row.party_id} | ({wanted["party"]} if "party" in wanted else set())),
        "people": staff.names(session, {row.staff_id for row in rows if row.staff_id} | ({wanted["staff"]} if "staff" in wanted else set())),
        "branches": {key: one.name for key, one in staff.branches(session).items()},
        "queues": {"": queries.queue_labels(session)},
    }


def _word(table: str, code: str | None) -> str:
    return label(table, code) if code else ""


def _words(table: str, *codes: str) -> list[tuple[str, str]]:
    return [(code, _word(table, code)) for code in codes]


def _outside(call: Call, _told: Told) -> str:
    """The other side's number: who called us, or whom we called."""
    return str((call.called if call.direction == "outbound" else call.caller_number) or "")


def _line(call: Call, told: Told) -> str:
    """Which of our lines was called; of a call that we made it is the other side's number."""
    return masking.shown_plain(told.person, call.called) if call.direction == "outbound" else call.called or ""


def _customer(call: Call, told: Told) -> str:
    return told.name("parties", call.party_id) if call.party_id else masking.shown_name(told.person, call.caller_name)


def _queue(call: Call, told: Told) -> str:
    return str(told.labels["queues"][""].of(call.switch, call.queue) or "")


def _began(call: Call, _told: Told) -> datetime | None:
    return call.started_at


WITH = [("yes", _l("With a ticket")), ("no", _l("Without a ticket"))]
RECORDED = [("yes", _l("With a recording")), ("no", _l("Without a recording"))]
CALLS = lists.know(
    ListSpec(
        name="calls",
        title=_l("Calls"),
        address="/calls",
        permission="call.read",
        rows=_rows,
        key=Call.id,
        link=lambda call: f"/calls/{call.id}",
        labels=_labels,
        cells="calls/cells.html",
        columns=(
            Column("began", _l("Began"), _began, "moment", Call.started_at, width=118),
            Column("direction", _l("Direction"), lambda c, _told: _word("direction", c.direction), width=44, headed=False),
            Column("phone", _l("Number"), _outside, "phone", width=156),
            Column("customer", _l("Customer"), _customer, width=0, card="title"),
            Column("queue", _l("Queue"), _queue, width=116, card="quiet"),
            Column("agent", _l("Agent"), lambda c, told: told.name("people", c.staff_id, c.answered_by or ""), width=116, card="quiet"),
            Column("outcome", _l("Outcome"), lambda c, _told: _word("disposition", c.disposition), "state", width=132),
            Column("waited", _l("Waited"), lambda c, _told: c.wait_seconds, "seconds", Call.wait_seconds, True, 84, card="labelled"),
            Column("talked", _l("Talked"), lambda c, _told: c.talk_seconds, "seconds", Call.talk_seconds, True, 84, card="labelled"),
            Column("recorded", _l("Recorded"), lambda c, _told: str(_l("Yes")) if c.recorded and c.answered_at and not c.live else "", width=44, headed=False),
            Column("back", _l("Call back"), lambda _c, _told: "", width=56, headed=False, exported=False),
            Column("about", _l("About"), lambda c, _told: _word("about", c.reason), width=116, shown=False, card="quiet"),
            Column("line", _l("Line called"), _line, width=132, shown=False, card="off"),
            Column("branch", _l("Branch"), lambda c, told: told.name("branches", c.branch_id), width=132, shown=False, card="quiet"),
            Column("rang", _l("Rang"), lambda c, _told: c.ring_seconds, "seconds", Call.ring_seconds, True, 84, False, "off"),
            Column("held", _l("On hold"), lambda c, _told: c.hold_seconds, "seconds", Call.hold_seconds, True, 84, False, "off"),
        ),
        filters=(
            Filter("party", _l("Customer"), "number", form=False, names="parties"),
            Filter("day", _l("Day"), "day", form=False),
            Filter("called", _l("Line called"), form=False),
            Filter("figure", _l("Counted as"), "choice", options=lambda _session: list(figures.names().items()), form=False),
            Filter("switch", _l("Switch"), form=False),
            Filter("queue", _l("Queue"), form=False),
            Filter("disposition", _l("In detail"), "choice", options=lambda _session: _words("disposition", *rules.OUTCOMES), form=False),
            Filter("number", _l("Number contains"), chip=False),
            Filter("since", _l("From"), "day", chip=False),
            Filter("until", _l("Until"), "day", chip=False),
            Filter("direction", _l("Direction"), "choice", options=lambda _session: _words("direction", "inbound", "outbound", "internal", "supervision"), chip=False),
            Filter("outcome", _l("Outcome"), "choice", options=lambda _session: _words("outcome", "answered", "missed", "busy", "failed"), chip=False),
            Filter("staff", _l("Agent"), "number", names="people", more=True),
            Filter("branch", _l("Branch"), "number", names="branches", more=True),
            Filter("reason", _l("About"), "choice", options=lambda _session: _words("about", *rules.REASONS), more=True),
            Filter("ticket", _l("Ticket"), "choice", options=lambda _session: WITH, more=True),
            Filter("recorded", _l("Recording"), "choice", options=lambda _session: RECORDED, more=True),
        ),
        sort="-began",
        also=("by",),
        empty=Empty("phone", _l("No call yet"), _l("Calls stand here as soon as the switch reports them.")),
    )
)
