"""The tables of the staffing board: one weekday by half hour, and one half hour with agents more or fewer."""

from collections.abc import Sequence
from math import isfinite

from dash import html
from dash.development.base_component import Component
from flask_babel import gettext as _
from flask_babel import ngettext

from dashboards import parts, plan, words
from dashboards.erlang import Staffed
from dashboards.pages import staffing_charts as charts
from dashboards.plan import Plan, Slot
from dashboards.state import Period, State


def half_hours(state: State, slots: Sequence[Slot], supposed: Plan, period: Period, at: Slot) -> Component:
    """One weekday, half hour by half hour: what came, who is needed, what that gives, and what one agent is worth."""
    body = [[_placed(state, slot, at), html.A(words.decimal(slot.calls), href=charts.behind(state, slot, period), className="ref", title=_("See the calls")), words.seconds(slot.aht),
             words.decimal(slot.load, 2), html.B(words.count(slot.agents)), words.count(slot.rota), _there(slot), words.percent(100 * slot.team.level), charts.lasting(slot.team.asa),
             words.percent(100 * slot.team.occupancy), _level(plan.other(slot, supposed, -1)), _level(plan.other(slot, supposed, 1))] for slot in slots]
    heads = [(_("From"), "time"), (_("Calls"), "n"), (_("AHT"), "n"), (_("Erlang"), "n"), (_("Agents"), "n"), (_("On the rota"), "n"), (_("Agents seen"), "n"),
             (_("Service level"), "n"), (_("ASA"), "n"), (_("Occupancy"), "n"), (_("One fewer"), "n"), (_("One more"), "n")]
    name = _("%(day)s, half hour by half hour", day=words.weekday(at.weekday))
    sub = _("Calls of one day; the service level is what so many agents may expect, with one fewer and one more beside it")
    return parts.framed(name, [sub], html.Div(parts.drawn("list", heads, body, nothing=_("No calls.")), className="scroll"), wide="full flush", count=str(len(slots)))


def _placed(state: State, slot: Slot, at: Slot) -> Component:
    text = words.half_hour(slot.half)
    return parts.link(html.B(text) if slot.half == at.half else text, charts.pointed(state, slot), className="ref")


def _there(slot: Slot) -> Component:
    return html.Span(words.decimal(slot.there), className="below" if slot.short else "", title=_("fewer than needed") if slot.short else None)


def _level(team: Staffed | None) -> str:
    return words.NOTHING if team is None else words.percent(100 * team.level)


def one_more(state: State, at: Slot, supposed: Plan, period: Period) -> Component:
    """The half hour that is looked at with up to two agents fewer or more."""
    teams = [team for change in range(-2, 4) if (team := plan.other(at, supposed, change)) is not None] if at.agents else []
    rows = [[_marked(words.count(team.agents), team.agents == at.agents), _bar(100 * team.level, team.level * 100 >= supposed.target), charts.lasting(team.asa),
             words.percent(100 * team.occupancy), words.percent(100 * team.waiting)] for team in teams]
    heads = [(_("Agents"), "n"), (_("Service level"), ""), (_("ASA"), "n"), (_("Occupancy"), "n"), (_("Must wait"), "n")]
    when = f"{words.weekday(at.weekday)} {words.half_hour(at.half)}–{words.half_hour(at.half + 1)}"
    calls = html.A(ngettext("See the %(n)s calls of one day", "See the %(n)s calls of %(num)s days", at.days, n=words.count(at.taken)), href=charts.behind(state, at, period), className="plain-link")
    return parts.framed(_("One fewer, one more"), [when, " · ", _("%(calls)s calls of %(aht)s s: %(load)s Erlang", calls=words.decimal(at.calls), aht=f"{at.aht:.0f}",
                                                              load=f"{at.load:.2f}")],
                        html.Div([html.P(_step(at, supposed), className="said"), html.Div(parts.drawn("mini even", heads, rows), className="holder"), html.P(calls)]),
                        wide="w5", tools=[])


def _step(at: Slot, supposed: Plan) -> str:
    """What one agent is worth here."""
    fewer, more = plan.other(at, supposed, -1), plan.other(at, supposed, 1)
    if more is None or not at.agents:
        return str(_("Nobody is needed here."))
    now = words.percent(100 * at.team.level)
    if fewer is None:
        return str(_("With %(n)s agent: %(now)s in %(s)s s. One more makes it %(more)s.", n=at.agents, now=now, s=f"{supposed.within:g}", more=words.percent(100 * more.level)))
    if not isfinite(fewer.asa):
        return str(_("With %(n)s agents: %(now)s in %(s)s s. With one fewer the line never ends; one more makes it %(more)s.", n=at.agents, now=now,
                     s=f"{supposed.within:g}", more=words.percent(100 * more.level)))
    return str(_("With %(n)s agents: %(now)s in %(s)s s. One fewer makes it %(fewer)s, one more %(more)s.", n=at.agents, now=now, s=f"{supposed.within:g}",
                 fewer=words.percent(100 * fewer.level), more=words.percent(100 * more.level)))


def _marked(text: str, here: bool) -> Component:
    return html.B(text + " ◂", title=_("needed")) if here else html.Span(text)


def _bar(level: float, kept: bool) -> Component:
    return html.Span([html.Progress(value=f"{level:.1f}", max="100"), html.Span(words.percent(level), className="" if kept else "below")], className="share")
