"""The charts of the calls board: through the day, by slot of the week, by queue, waiting time."""

from typing import Any

import pandas as pd
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, words
from dashboards.figures import label, palette, side_axis, target_line, value_axis
from dashboards.questions import calls as ask
from dashboards.state import State
from service.core.kpi import of_day
from warehouse.read import Generation, sources


def target_of(state: State, generation: Generation) -> int:
    """The aim of the policy that is in force at the end of the period."""
    return of_day(generation.policies, state.period.end).call_target


def _level(row: Any) -> float | None:
    return words.ratio(row.hits, row.counted)


def through_the_day(state: State, generation: Generation, halves: pd.DataFrame) -> Component:
    """Calls of a mean workday by half hour, and above them the service level on the same hours."""
    target, colours = target_of(state, generation), palette(state.dark)
    source = parts.Source(_("Calls of all workdays in a half hour / number of workdays. Service level as on the card."), columns=sources("call_interval", "level_hit"))
    keys = parts.legend([("met", _("Answered")), ("missed", _("Abandoned")), ("line-second", _("Service level"))])
    rows = [[parts.link(words.half_hour(row.half_hour), state.with_drill(hour=row.half_hour // 2)), words.count(row.offered), words.count(row.answered),
             words.count(row.abandoned), words.percent(_level(row))] for row in halves.itertuples()]
    table = parts.table_of([_("From"), _("Offered"), _("Answered"), _("Abandoned"), _("Service level")], rows)
    figure = _day_figure(state, colours, halves, target)
    low = min((level for row in halves.itertuples() if (level := _level(row)) is not None), default=None)
    caption = _("Lowest service level of a half hour: %(n)s.", n=words.percent(low))
    return parts.framed(_("Calls through the day"), [_("Workday mean per half hour"), " ", keys], figures.graph("day", figure, 262), wide="w7", caption=caption,
                        tools=[table, parts.where_from(source, generation)])


def _day_figure(state: State, colours: dict[str, Any], halves: pd.DataFrame, target: int) -> dict[str, Any]:
    hours = [words.half_hour(row.half_hour) for row in halves.itertuples()]
    days = max(int(halves.iloc[0].workdays), 1) if len(halves) else 1
    links = [state.with_drill(hour=row.half_hour // 2) for row in halves.itertuples()]
    opacity = [1 if state.drilled("hour") in (None, row.half_hour // 2) else figures.DIMMED for row in halves.itertuples()]
    levels = [_level(row) for row in halves.itertuples()]

    def bars(name: str, colour: str, values: list[int]) -> dict[str, Any]:
        return {"type": "bar", "x": hours, "y": [value / days for value in values], "customdata": links, "name": name, "yaxis": "y",
                "marker": {"color": colours[colour], "opacity": opacity}, "hovertemplate": "%{y:.1f} " + name + "<extra></extra>"}
    dots = [colours["missed"] if level is not None and level < 90 and level < target else colours["open"] for level in levels]
    line = {"type": "scatter", "mode": "lines+markers", "x": hours, "y": levels, "yaxis": "y2", "customdata": links, "connectgaps": False,
            "line": {"color": colours["open"], "width": 1.5}, "marker": {"size": 5, "color": dots},
            "hovertemplate": _("Service level") + " %{y:.0f}%<extra></extra>"}
    step = 4 if state.narrow else 2
    return {"data": [bars(_("answered"), "met", [int(row.answered) for row in halves.itertuples()]),
                     bars(_("abandoned"), "missed", [int(row.abandoned) for row in halves.itertuples()]), line],
            "layout": figures.layout(
                colours, barmode="stack", hovermode="x unified", bargap=0.22,
                xaxis=side_axis(colours, type="category", tickmode="array", tickvals=hours[::step], anchor="y", tickangle=0),
                yaxis=value_axis(colours, domain=[0, 0.58], nticks=4, rangemode="tozero"),
                yaxis2=value_axis(colours, domain=[0.68, 1], range=[0, 106], tickvals=[0, 40, target], ticksuffix="%", anchor="x"),
                shapes=[target_line(colours, target, axis="y2")])}


def slots(state: State, generation: Generation, found: pd.DataFrame) -> Component:
    """Service level by weekday and hour, the number in the cell."""
    colours = palette(state.dark)
    hours = sorted({int(row.hour) for row in found.itertuples()})
    cells = {(row.weekday, row.hour): row for row in found.itertuples()}
    heads = [_("Slot"), _("Offered"), _("Service level")]
    rows = [[parts.link(f"{words.weekday(row.weekday)} {row.hour:02d}:00", state.with_drill(weekday=row.weekday, hour=row.hour)),
             words.count(row.offered), words.percent(_level(row))] for row in sorted(cells.values(), key=lambda row: (row.weekday, row.hour))]
    source = parts.Source(_("Service level of all calls that came on that weekday in that hour, as on the card."), columns=sources("fact_call", "level_hit"))
    tone = _("Service level %, brighter is worse") if state.dark else _("Service level %, darker is worse")
    figure = _heat(state, colours, hours, cells)
    thin = [_("; hatched: fewer than %(n)s calls, too few to judge", n=ask.ENOUGH)] if any(map(_thin, cells.values())) else []
    return parts.framed(_("When we cannot keep up"), [tone, *thin], figures.graph("slots", figure, 262), wide="w5",
                        tools=[parts.table_of(heads, rows), parts.where_from(source, generation)])


def _thin(row: Any) -> bool:
    """True where too few calls count for the level to say anything."""
    return bool(row.counted < ask.ENOUGH)


def _hatched(y: int, x: int) -> str:
    """Slanted lines over the cell in column `x` of row `y`."""
    cuts = ((-0.42, -0.1, -0.1, -0.42), (-0.42, 0.42, 0.42, -0.42), (0.1, 0.42, 0.42, 0.1))
    return " ".join(f"M{x + x0:.2f},{y + y0:.2f}L{x + x1:.2f},{y + y1:.2f}" for x0, y0, x1, y1 in cuts)


def _heat(state: State, colours: dict[str, Any], hours: list[int], cells: dict[Any, Any]) -> dict[str, Any]:
    heat = colours["heat"]
    days = range(7)
    value = {at: _level(row) for at, row in cells.items()}
    links = [[state.with_drill(weekday=day, hour=hour) for hour in hours] for day in days]
    texts = [["" if value.get((day, hour)) is None else f"{value[day, hour]:.0f}" for hour in hours] for day in days]
    hover = [[f"{words.weekday(day)} {hour:02d}:00 · {words.percent(value.get((day, hour)))} · " + _("%(n)s calls", n=cells[day, hour].offered)
              if (day, hour) in cells else "" for hour in hours] for day in days]
    thin = {(y, x) for y in days for x, hour in enumerate(hours) if (y, hour) in cells and _thin(cells[y, hour])}
    z = [[None if value.get((day, hour)) is None else 0 if (day, x) in thin else 100 - float(value[day, hour] or 0) for x, hour in enumerate(hours)] for day in days]
    notes = [] if state.narrow else [
        {"x": x, "y": y, "text": texts[y][x], "showarrow": False,
         "font": {"size": 10.5, "color": colours["muted"] if (y, x) in thin else colours["heat_text"][1 if (z[y][x] or 0) > 55 else 0]}}
        for y in days for x in range(len(hours)) if texts[y][x]]
    chosen = (state.drilled("weekday"), state.drilled("hour"))
    shapes = [{"type": "rect", "x0": hours.index(chosen[1]) - .5, "x1": hours.index(chosen[1]) + .5, "y0": chosen[0] - .5, "y1": chosen[0] + .5,
               "line": {"color": colours["text"], "width": 2}}] if chosen[0] is not None and chosen[1] in hours else []
    shapes += [{"type": "path", "path": _hatched(y, x), "line": {"color": colours["axis"], "width": 1}} for y, x in sorted(thin)]
    scale = [[index / (len(heat) - 1), colour] for index, colour in enumerate(heat)]
    return {"data": [{"type": "heatmap", "x": list(range(len(hours))), "y": list(days), "z": z, "zmin": 0, "zmax": 75, "colorscale": scale, "showscale": False,
                      "xgap": 2, "ygap": 2, "customdata": links, "hovertext": hover, "hovertemplate": "%{hovertext}<extra></extra>", "hoverongaps": False}],
            "layout": figures.layout(
                colours, annotations=notes, shapes=shapes, hovermode="closest",
                xaxis=side_axis(colours, showline=False, tickmode="array", tickvals=list(range(len(hours))), ticktext=[f"{hour:02d}" for hour in hours]),
                yaxis=side_axis(colours, showline=False, range=[6.5, -0.5], tickmode="array", tickvals=list(days), ticktext=[words.weekday(day) for day in days]))}


def queues(state: State, generation: Generation, found: pd.DataFrame) -> Component:
    """Each queue from 0 to 100 %: in time, answered late, abandoned; worst first."""
    colours, target = palette(state.dark), target_of(state, generation)
    rows = list(found.itertuples())
    whole = [max(int(row.answered + row.abandoned - row.short), 1) for row in rows]
    late = [int(row.answered - row.within) for row in rows]
    gone = [int(row.abandoned - row.short) for row in rows]
    bars = [(_("In time"), "met", [100 * int(row.within) / total for row, total in zip(rows, whole, strict=True)]),
            (_("Answered late"), "prior", [100 * part / total for part, total in zip(late, whole, strict=True)]),
            (_("Abandoned"), "missed", [100 * part / total for part, total in zip(gone, whole, strict=True)])]
    said = [[f"{name}: {part:,}" for part in parts_] for name, parts_ in
            ((_("In time"), [int(row.within) for row in rows]), (_("Answered late"), late), (_("Abandoned"), gone))]
    levels = [_level(row) for row in rows]
    chosen = next((index for index, row in enumerate(rows) if row.queue == state.drilled("queue")), None)
    figure = figures.shares(colours, [str(row.label) for row in rows], bars, links=[state.with_drill(queue=row.queue) for row in rows], texts=said,
                            totals=[words.percent(level) for level in levels], bad=[level is not None and level < target for level in levels],
                            chosen=chosen, target=target)
    keys = parts.legend([("met", _("In time")), ("prior", _("Answered late")), ("missed", _("Abandoned")), ("dash", _("target %(n)s%%", n=target))])
    table = parts.table_of([_("Queue"), _("Offered"), _("Answered"), _("Abandoned"), _("Service level"), "p50", "p90"], [
        [parts.link(str(row.label), state.with_drill(queue=row.queue)), words.count(row.offered), words.count(row.answered), words.count(row.abandoned),
         words.percent(_level(row)), words.seconds(row.p50), words.seconds(row.p90)] for row in rows])
    source = parts.Source(_("Service level by queue, as on the card; short abandons are left out of the bar."), columns=sources("fact_call", "level_hit"))
    return parts.framed(_("By queue"), [keys], figures.graph("queues", figure, max(38 * max(len(rows), 3) + 16, 130)), wide="w5",
                        tools=[table, parts.where_from(source, generation)])


def waiting(state: State, generation: Generation, days: pd.DataFrame) -> Component:
    """Median and 90th percentile of the wait, a point a workday; weekends would make a saw of it."""
    colours = palette(state.dark)
    work = days[(days.weekday < 5) & days.p50.notna()] if len(days) else days
    rows = list(work.itertuples())
    table = parts.table_of([_("Day"), _("Offered"), "p50", "p90"], [
        [parts.link(row.started_on.isoformat(), state.with_drill(day=row.started_on)), words.count(row.offered), words.seconds(row.p50), words.seconds(row.p90)]
        for row in rows])
    source = parts.Source(_("Percentiles of the waits of all callers of a day, answered or not."), columns=sources("fact_call", "wait_seconds"))
    return parts.framed(_("Waiting time"), [_("Median and 90th percentile, workdays only")], figures.graph("waiting", _wait_figure(state, colours, rows), 236),
                        wide="w7", tools=[table, parts.where_from(source, generation)])


def _wait_figure(state: State, colours: dict[str, Any], rows: list[Any]) -> dict[str, Any]:
    days = [row.started_on.isoformat() for row in rows]
    links = [state.with_drill(day=row.started_on) for row in rows]

    def line(name: str, colour: str, values: list[float], fill: str | None) -> dict[str, Any]:
        more = {"fill": fill, "fillcolor": colours["area"]} if fill else {}
        return {"type": "scatter", "mode": "lines+markers" if len(rows) < 45 else "lines", "x": days, "y": values, "customdata": links,
                "line": {"color": colours[colour], "width": 2.2}, "marker": {"size": 4, "color": colours[colour]},
                "hovertemplate": name + " %{y:.0f} " + _("s") + "<extra></extra>"} | more
    p50, p90 = [float(row.p50) for row in rows], [float(row.p90) for row in rows]
    notes = [label(colours, name, x=days[-1], y=values[-1], xshift=8, font={"size": 12, "color": colours[colour]}, bold=True)
             for name, values, colour in (("p50", p50, "line"), ("p90", p90, "second_line"))] if rows else []
    step = max(-(-len(days) // (4 if state.narrow else 8)), 1)
    return {"data": [line("p50", "line", p50, None), line("p90", "second_line", p90, "tonexty")], "layout": figures.layout(
        colours, hovermode="x unified", annotations=notes, margin={"l": 8, "r": 48, "t": 12, "b": 8},
        xaxis=side_axis(colours, type="category", tickmode="array", tickvals=days[::step], ticktext=[words.day(row.started_on) for row in rows[::step]], tickangle=0),
        yaxis=value_axis(colours, ticksuffix=" " + _("s"), rangemode="tozero", nticks=5))}
