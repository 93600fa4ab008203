"""The charts of the SLA board: compliance over time, and by one group after the other."""

from typing import Any

import pandas as pd
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, words
from dashboards.figures import label, palette, side_axis, target_line, value_axis
from dashboards.state import State
from warehouse.read import Generation, sources


def _rate(row: Any) -> float | None:
    return words.ratio(row.met, row.met + row.missed)


def trend(state: State, generation: Generation, weeks: pd.DataFrame, prior: pd.DataFrame | None) -> Component:
    """Compliance by week; the compared period dotted beneath it, shifted by whole weeks."""
    colours, target = palette(state.dark), generation.run.ticket_target
    rows = list(weeks.itertuples())
    table = parts.table_of([_("Week of"), _("Met"), _("Missed"), _("Still open"), _("Compliance")], [
        [parts.link(row.week.isoformat(), state.with_drill(week=row.week)), words.count(row.met), words.count(row.missed), words.count(row.pending),
         words.percent(_rate(row))] for row in rows])
    source = parts.Source(_("Met / (met + missed) of the tickets registered in a week."), columns=sources("fact_ticket", f"{state.promise}_promise"))
    dotted = _("Weekly, dotted: a year ago") if state.compare == "year" else _("Weekly, dotted: prior period")
    sub = _("Weekly") if prior is None or prior.empty else dotted
    figure = _trend_figure(state, colours, rows, _shifted(state, prior), target)
    known = [rate for row in rows if (rate := _rate(row)) is not None]
    caption = _("Lowest week: %(n)s.", n=words.percent(min(known, default=None)))
    return parts.framed(_("Compliance over time"), [sub], figures.graph("trend", figure, 262), wide="w8", caption=caption,
                        tools=[table, parts.where_from(source, generation)])


def _shifted(state: State, prior: pd.DataFrame | None) -> dict[str, float | None]:
    if prior is None or state.compared is None:
        return {}
    ahead = state.period.start - state.compared.start
    return {(row.week + ahead).isoformat(): _rate(row) for row in prior.itertuples()}


def _trend_figure(state: State, colours: dict[str, Any], rows: list[Any], prior: dict[str, float | None], target: int) -> dict[str, Any]:
    weeks = [row.week.isoformat() for row in rows]
    rates = [_rate(row) for row in rows]
    part = bool(rows) and (state.period.end - rows[-1].week).days < 6
    lowest = min((rate for rate in rates if rate is not None), default=None)
    floor = max(0, min([target - 10, *(10 * int(rate // 10) for rate in [*rates, *prior.values()] if rate is not None)]))
    colour = [colours["missed"] if rate is not None and rate < 90 else colours["line"] for rate in rates]
    hollow = [colours["card"] if part and index == len(rows) - 1 else colour[index] for index in range(len(rows))]
    line = {"type": "scatter", "mode": "lines+markers", "x": weeks, "y": rates, "customdata": [state.with_drill(week=row.week) for row in rows],
            "line": {"color": colours["line"], "width": 2.2},
            "marker": {"size": [9 if part and index == len(rows) - 1 else 7 for index in range(len(rows))], "color": hollow, "line": {"color": colour, "width": 2}},
            "hovertemplate": "%{y:.1f}%<extra></extra>"}
    before = {"type": "scatter", "mode": "lines", "x": weeks, "y": [prior.get(week) for week in weeks], "hovertemplate": _("before") + " %{y:.1f}%<extra></extra>",
              "line": {"color": colours["prior"], "width": 1.5, "dash": "dot"}}
    notes = _trend_notes(colours, weeks, rates, lowest, part)
    band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": target, "y1": 100, "fillcolor": colours["band"], "line": {"width": 0}, "layer": "below"}
    notes.append(label(colours, _("target %(n)s–100%%", n=target), x=0, y=100, xref="paper", yanchor="top", xshift=4))
    step = max(-(-len(weeks) // (4 if state.narrow else 7)), 1)  # "Aug 31" needs more room than "8-31"
    return {"data": [before, line], "layout": figures.layout(
        colours, hovermode="x unified", shapes=[band, target_line(colours, target)], annotations=notes, margin={"l": 8, "r": 74, "t": 8, "b": 8},
        xaxis=side_axis(colours, type="category", tickmode="array", tickvals=weeks[::step], ticktext=[words.day(row.week) for row in rows[::step]], tickangle=0),
        yaxis=value_axis(colours, range=[floor, 100.8], ticksuffix="%", nticks=5))}


def _trend_notes(colours: dict[str, Any], weeks: list[str], rates: list[float | None], lowest: float | None, part: bool) -> list[dict[str, Any]]:
    """Only the lowest and the last value are written."""
    notes = []
    if lowest is not None and rates.index(lowest) != len(rates) - 1:
        notes.append(label(colours, words.percent(lowest), x=weeks[rates.index(lowest)], y=lowest, colour="missed" if lowest < 90 else "muted", yshift=-14, xanchor="center"))
    if rates and rates[-1] is not None:
        text = f"<b>{words.percent(rates[-1])}</b>" + ("<br>" + _("part week") if part else "")
        notes.append(label(colours, text, x=weeks[-1], y=rates[-1], colour="line", xshift=10, align="left"))
    return notes


def group(state: State, generation: Generation, key: str, title: str, found: pd.DataFrame, *, wide: str) -> Component:
    """Stacked shares from 0 to 100 %: met, missed, still open, with the rate at the right."""
    colours, target = palette(state.dark), generation.run.ticket_target
    rows = list(found.itertuples())
    names = _names(key, rows)
    values = [getattr(row, key) for row in rows]
    whole = [max(int(row.met + row.missed + row.pending), 1) for row in rows]
    kinds = (("met", _("Met"), "met"), ("missed", _("Missed"), "missed"), ("pending", _("Still open"), "open"))
    bars = [(text, colour, [100 * int(getattr(row, kind)) / total for row, total in zip(rows, whole, strict=True)]) for kind, text, colour in kinds]
    said = [[f"{name} · {text}: {int(getattr(row, kind)):,}" for name, row in zip(names, rows, strict=True)] for kind, text, _colour in kinds]
    rates = [_rate(row) for row in rows]
    chosen = next((index for index, value in enumerate(values) if value == state.drilled(key)), None)
    links = [state.with_drill(**{key: value}) for value in values]
    figure = figures.shares(colours, names, bars, links=links, texts=said, totals=[words.percent(rate) for rate in rates],
                            bad=[rate is not None and rate < target for rate in rates], chosen=chosen, target=target)
    table = parts.table_of([title, _("Met"), _("Missed"), _("Still open"), _("Compliance")], [
        [parts.link(name, href), words.count(row.met), words.count(row.missed), words.count(row.pending), words.percent(_rate(row))]
        for name, href, row in zip(names, links, rows, strict=True)])
    source = parts.Source(_("Met / (met + missed); still open ones are drawn and not counted."), columns=sources("fact_ticket", f"{state.promise}_promise"))
    keys = parts.legend([("met", _("Met")), ("missed", _("Missed")), ("open", _("Still open")), ("dash", f"{target}%")])
    height = 262 if key == "month" else 22 * max(len(rows), 3) + 16 if key == "staff" else 198
    return parts.framed(title, [keys], figures.graph(key, figure, max(height, 130)), wide=wide, tools=[table, parts.where_from(source, generation)])


def _names(key: str, rows: list[Any]) -> list[str]:
    if key == "month":
        return [words.month(row.month, with_year=index == 0 or row.month.month == 1) for index, row in enumerate(rows)]
    if key == "branch":
        return [words.branch(row.branch_name, row.branch_name_en) for row in rows]
    if key == "staff":
        return [row.name or _("Nobody") for row in rows]
    return [words.priority(row.priority) if key == "priority" else words.ticket_type(row.type) for row in rows]
