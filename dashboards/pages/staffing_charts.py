"""The charts of the staffing board: agents by half hour of the week, and one weekday with its load and who was there."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from dash import html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, plan, words
from dashboards.figures import palette, side_axis, value_axis
from dashboards.plan import Plan, Slot
from dashboards.state import Period, State, written
from warehouse.read import Generation, sources

# A team of two is no crowd: the darkest tone begins here, or at the most that is needed.
PALE = 6


def pointed(state: State, slot: Slot) -> str:
    """The board with this half hour looked at."""
    kept = [item for item in state.drill if item[0] not in ("weekday", "half")]
    return state.href(drill=written([*kept, ("weekday", slot.weekday), ("half", slot.half)]))


def behind(state: State, slot: Slot, period: Period) -> str:
    """The calls board with exactly the calls of this half hour of the week."""
    kept = [item for item in state.drill if item[0] == "queue"]
    drill = written([*kept, ("weekday", slot.weekday), ("half", slot.half)])
    query = {"from": period.start.isoformat(), "to": period.end.isoformat(), "branch": state.given.get("branch"), "drill": drill}
    return "/dashboards/calls?" + state.query(query)


def lasting(seconds: float) -> str:
    """8 s, also 2 min; endless where the load is as large as the team."""
    return words.length(seconds) if isfinite(seconds) else "∞"


def heat(state: State, generation: Generation, slots: Sequence[Slot], at: Slot, supposed: Plan) -> Component:
    """Agents needed by weekday and half hour, the number in the cell; a frame where clearly fewer were there."""
    short = any(slot.short for slot in slots)
    tone = _("Brighter needs more") if state.dark else _("Darker needs more")
    keys = [parts.legend([("frame", _("fewer were there"))])] if short else []
    rows = [[parts.link(f"{words.weekday(slot.weekday)} {words.half_hour(slot.half)}", pointed(state, slot)), words.decimal(slot.calls), words.count(slot.agents),
             words.count(slot.rota), words.decimal(slot.there)] for slot in slots]
    table = parts.table_of([_("Half hour"), _("Calls"), _("Agents"), _("On the rota"), _("Agents seen")], rows)
    source = parts.Source(_("The least number of agents with which the target of the fields above is kept, for the calls of a half hour and their handling time."),
                          columns=sources("call_interval", "offered"))
    peak = plan.busiest(slots)
    caption = _("Most are needed %(when)s: %(n)s.", when=f"{words.weekday(peak.weekday)} {words.half_hour(peak.half)}", n=peak.agents)
    figure, height = _upright(state, slots, at, supposed) if state.narrow else _lying(state, slots, at, supposed)
    return parts.framed(_("Agents needed"), [_("On the phone, by weekday and half hour"), " · ", tone, *keys], figures.graph("week", figure, height), wide="full",
                        caption=caption, tools=[table, parts.where_from(source, generation)])


def _halves(slots: Sequence[Slot]) -> list[int]:
    """From the first half hour of any day to the last one, none left out."""
    found = [slot.half for slot in slots]
    return list(range(min(found), max(found) + 1))


def _lying(state: State, slots: Sequence[Slot], at: Slot, supposed: Plan) -> tuple[dict[str, Any], int]:
    halves = _halves(slots)
    where = {(slot.weekday, slot.half): (halves.index(slot.half), slot.weekday) for slot in slots}
    hours = [index for index, half in enumerate(halves) if half % 2 == 0 and (len(halves) < 34 or half % 4 == 0)]
    days = [words.weekday(day) for day in range(7)]
    figure = _cells(state, slots, at, supposed, where, (len(halves), 7))
    figure["layout"] |= {
        "xaxis": side_axis(palette(state.dark), showline=False, tickmode="array", tickvals=[index - 0.5 for index in hours], tickangle=0, range=[-0.6, len(halves) - 0.5],
                           ticktext=[words.half_hour(halves[index]) for index in hours]),
        "yaxis": side_axis(palette(state.dark), showline=False, range=[6.5, -0.5], tickmode="array", tickvals=list(range(7)), ticktext=days)}
    return figure, 262


def _upright(state: State, slots: Sequence[Slot], at: Slot, supposed: Plan) -> tuple[dict[str, Any], int]:
    """On a phone the day runs downwards, so that a number still fits in its cell."""
    halves = _halves(slots)
    where = {(slot.weekday, slot.half): (slot.weekday, halves.index(slot.half)) for slot in slots}
    days = [words.weekday(day) for day in range(7)]
    figure = _cells(state, slots, at, supposed, where, (7, len(halves)))
    figure["layout"] |= {
        "xaxis": side_axis(palette(state.dark), showline=False, side="top", tickmode="array", tickvals=list(range(7)), ticktext=days, tickangle=0),
        "yaxis": side_axis(palette(state.dark), showline=False, range=[len(halves) - 0.5, -0.5], tickmode="array",
                           tickvals=[index for index, half in enumerate(halves) if half % 2 == 0], ticktext=[words.half_hour(half) for half in halves if half % 2 == 0])}
    return figure, 20 * len(halves) + 40


def _cells(state: State, slots: Sequence[Slot], at: Slot, supposed: Plan, where: dict[tuple[int, int], tuple[int, int]], size: tuple[int, int]) -> dict[str, Any]:
    """The cells with their numbers, wherever they stand; `where` is the column and row of a weekday and half hour."""
    colours, most = palette(state.dark), max(*(slot.agents for slot in slots), PALE)
    turn = 0.6 if state.dark else 0.85  # from here on the other ink reads better

    def grid(value: Any) -> list[list[Any]]:
        rows = [[None] * size[0] for _row in range(size[1])]
        for slot in slots:
            x, y = where[slot.weekday, slot.half]
            rows[y][x] = value(slot)
        return rows

    notes = [{"x": x, "y": y, "text": str(slot.agents), "showarrow": False, "font": {"size": 11, "color": colours["heat_text"][1 if slot.agents / most > turn else 0]}}
             for slot in slots for x, y in [where[slot.weekday, slot.half]]]
    frames = [_frame(where[slot.weekday, slot.half], colours["missed"], 1.6, 0.4) for slot in slots if slot.short]
    frames.append(_frame(where[at.weekday, at.half], colours["text"], 2, 0.5))
    scale = [[index / (len(colours["heat"]) - 1), colour] for index, colour in enumerate(colours["heat"])]
    return {"data": [{"type": "heatmap", "x": list(range(size[0])), "y": list(range(size[1])), "z": grid(lambda slot: slot.agents), "zmin": 0, "zmax": most,
                      "colorscale": scale, "showscale": False, "xgap": 2, "ygap": 2, "hoverongaps": False, "customdata": grid(lambda slot: pointed(state, slot)),
                      "hovertext": grid(lambda slot: _said(slot, supposed)), "hovertemplate": "%{hovertext}<extra></extra>"}],
            "layout": figures.layout(colours, annotations=notes, shapes=frames, hovermode="closest")}


def _frame(at: tuple[int, int], colour: str, width: float, half: float) -> dict[str, Any]:
    return {"type": "rect", "x0": at[0] - half, "x1": at[0] + half, "y0": at[1] - half, "y1": at[1] + half, "line": {"color": colour, "width": width}}


def _said(slot: Slot, supposed: Plan) -> str:
    lines = [f"<b>{words.weekday(slot.weekday)} {words.half_hour(slot.half)}</b>",
             _("%(n)s agents, %(rota)s on the rota", n=slot.agents, rota=slot.rota),
             _("%(calls)s calls of %(aht)s s: %(load)s Erlang", calls=f"{slot.calls:.1f}", aht=f"{slot.aht:.0f}", load=f"{slot.load:.2f}"),
             _("%(level)s in %(n)s s", level=words.percent(100 * slot.team.level), n=f"{supposed.within:g}")]
    return "<br>".join([*lines, _("%(n)s agents seen", n=words.decimal(slot.there))] if slot.there is not None else lines)


def day(state: State, generation: Generation, slots: Sequence[Slot], at: Slot) -> Component:
    """One weekday: agents needed as steps, the offered load beneath them, and how many answered calls."""
    known = any(slot.there is not None for slot in slots)
    keys = [("line", _("Needed")), ("met", _("Offered load, Erlang"))] + ([("second_line", _("Agents seen"))] if known else [])
    chosen = parts.segments([(words.weekday(number), _on(state, number), number == at.weekday) for number in range(7)], _("Weekday"))
    source = parts.Source(_("Load: calls × handling time / 1800 s. Agents seen: different agents who answered in the half hour, mean of the open days of this weekday."),
                          columns=sources("fact_call", "staff_id"))
    gap = max((slot.gap for slot in slots), default=0.0)
    caption = _("At most %(n)s agents fewer than needed.", n=words.decimal(gap)) if known else ""
    return parts.framed(_("Through the day"), [parts.legend(keys)], html.Div([html.Div(chosen, className="weekdays"), figures.graph("day", _day_figure(state, slots, at), 244)]), wide="w7",
                        caption=caption, tools=[parts.where_from(source, generation)])


def _on(state: State, weekday: int) -> str:
    kept = [item for item in state.drill if item[0] not in ("weekday", "half")]
    return state.href(drill=written([*kept, ("weekday", weekday)]))


def _day_figure(state: State, slots: Sequence[Slot], at: Slot) -> dict[str, Any]:
    colours = palette(state.dark)
    by_half = {slot.half: slot for slot in slots}
    halves = _halves(slots)
    hours = [words.half_hour(half) for half in halves]
    row = [by_half.get(half) for half in halves]
    links = [pointed(state, slot) if slot else None for slot in row]
    load = {"type": "bar", "x": hours, "y": [slot.load if slot else 0 for slot in row], "customdata": links, "width": 0.86,
            "marker": {"color": colours["met"]}, "hovertemplate": _("Load") + " %{y:.2f}<extra></extra>"}
    needed = {"type": "scatter", "mode": "lines", "x": hours, "y": [slot.agents if slot else 0 for slot in row], "customdata": links,
              "line": {"color": colours["line"], "width": 2.2, "shape": "hvh"}, "hovertemplate": _("Needed") + " %{y}<extra></extra>"}
    there = {"type": "scatter", "mode": "lines+markers", "x": hours, "y": [slot.there if slot else None for slot in row], "customdata": links,
             "line": {"color": colours["second_line"], "width": 1.5, "dash": "dot"}, "marker": {"size": 6, "color": colours["second_line"]},
             "hovertemplate": _("Agents seen") + " %{y:.1f}<extra></extra>"}
    step = 8 if state.narrow or len(halves) > 34 else 4
    stripe = {"type": "rect", "x0": halves.index(at.half) - 0.5, "x1": halves.index(at.half) + 0.5, "yref": "paper", "y0": 0, "y1": 1,
              "fillcolor": colours["band"], "line": {"width": 0}, "layer": "below"}
    return {"data": [load, needed, there], "layout": figures.layout(
        colours, hovermode="x unified", shapes=[stripe],
        xaxis=side_axis(colours, type="category", tickmode="array", tickvals=hours[::step], tickangle=0),
        yaxis=value_axis(colours, rangemode="tozero", nticks=6, tickformat="~g"))}
