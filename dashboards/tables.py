"""The rows behind the figures, as plain tables: numbers right, document numbers are links, further pages by key."""

from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import parts, words
from dashboards.questions.calls import PAGE
from dashboards.state import State
from service.core import masking
from service.core.identity import Identity


def _table(heads: list[tuple[str, str]], body: list[list[Any]], empty: str) -> Component:
    """`heads` are (text, class); the class goes to every cell of the column."""
    return html.Div(parts.drawn("list", heads, body, nothing=empty), className="scroll")


def _share(value: float | None) -> Component:
    return html.Span([html.Progress(value=f"{value or 0:.1f}", max="100", **parts.attributes({"aria-hidden": "true"})), words.percent(value)], className="share")


def agents(state: State, found: pd.DataFrame) -> Component:
    """Who answered how many, and how many of them in time."""
    body = [[parts.link(row.staff_name, state.with_drill(staff=row.staff_id)), words.count(row.answered), _share(words.ratio(row.within, row.answered)),
             words.seconds(row.talk / row.answered if row.talk is not None else None), words.length(row.talk), _share(words.ratio(row.tickets, row.answered))]
            for row in found.itertuples()]
    heads = [(_("Agent"), "name"), (_("Answered"), "n"), (_("In time"), ""), (_("Talk avg"), "n"), (_("Talk"), "n"), (_("To ticket"), "")]
    return parts.framed(_("Agents"), [_("Answered calls only")], _table(heads, body, _("Nobody answered.")), wide="w12 flush", count=str(len(found)))


def calls(state: State, found: pd.DataFrame, count: int, person: Identity) -> Component:
    """The calls behind the figures, with numbers as this person may see them."""
    body = [[html.A(row.started_local.strftime("%Y-%m-%d %H:%M:%S"), href=f"/calls/{row.call_id}", className="ref"), row.queue_label,
             html.Span(masking.shown_plain(person, row.caller) or words.NOTHING, className="num"), row.party_name or masking.shown_name(person, row.caller_name) or words.NOTHING,
             _outcome(row.outcome), row.staff_name or words.NOTHING, words.seconds(row.wait_seconds), words.seconds(row.talk_seconds),
             html.A(row.ticket_number, href=f"/tickets/{row.ticket_id}", className="ref") if row.ticket_id else words.NOTHING]
            for row in found.head(PAGE).itertuples()]
    heads = [(_("Time"), "time"), (_("Queue"), ""), (_("Number"), ""), (_("Customer"), "wide"), (_("Outcome"), ""), (_("Agent"), ""),
             (_("Wait"), "n"), (_("Talk"), "n"), (_("Ticket"), "")]
    return parts.framed(_("The calls"), [_("The rows behind the charts, newest first")],
                        html.Div([_table(heads, body, _("No calls.")), parts.pages(state, found, "call_id", PAGE)]), wide="w12 flush", count=words.count(count))


def _outcome(code: str | None) -> Component:
    kind = {"within": "resolved", "late": "assigned", "abandoned": "wrong"}.get(code or "", "")
    return html.Span(words.outcome(code), className=f"badge {kind}")


def tickets(state: State, found: pd.DataFrame, count: int) -> Component:
    """The tickets behind the figures, worst first."""
    body = [[html.A(row.ticket_number, href=f"/tickets/{row.ticket_id}", className="ref"), row.registered_on.isoformat(), row.subject,
             row.party_name or words.NOTHING, words.branch(row.branch_name, row.branch_name_en), words.priority(row.priority), words.state(row.state),
             row.assignee_name or words.NOTHING, _promise(row.promise), words.length(row.used), words.length(row.allowed)]
            for row in found.head(PAGE).itertuples()]
    heads = [(_("Ticket"), "time"), (_("Registered"), ""), (_("Subject"), "wide"), (_("Customer"), "wide"), (_("Branch"), ""), (_("Priority"), ""),
             (_("State"), ""), (_("Person"), ""), (_("Kept"), ""), (_("Took"), "n"), (_("Limit"), "n")]
    return parts.framed(_("The tickets"), [_("The rows behind the charts, missed ones first")],
                        html.Div([_table(heads, body, _("No tickets.")), parts.pages(state, found, "ticket_id", PAGE)]), wide="w12 flush", count=words.count(count))


def _promise(code: str) -> Component:
    kind = {"met": "resolved", "missed": "wrong", "pending": ""}[code]
    return html.Span(words.promise(code), className=f"badge {kind}")
