"""Charts as plain dicts, drawn by value: one palette a theme, no tool bar, no zoom, nothing leaves the house."""

from typing import Any

from dash import dcc

from dashboards.words import chinese

FONT = '"Inter Variable", system-ui, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei UI", "Noto Sans CJK SC", sans-serif'

LIGHT = {
    "card": "#ffffff", "text": "#1d2433", "second": "#475467", "muted": "#667085", "grid": "#eceff4", "axis": "#d0d5dd",
    "line": "#2457d6", "met": "#9db8f5", "missed": "#cc4208", "open": "#5d6b82", "prior": "#98a2b3", "band": "#eff3fd",
    "second_line": "#c86a00", "hover": "#101828", "hover_text": "#ffffff", "area": "rgba(36, 87, 214, .07)",
    "heat": ["#f4f7fd", "#dde7fc", "#b7ccf8", "#7fa3f1", "#2450bd"], "heat_text": ["#1d2433", "#ffffff"],
}
DARK = {
    "card": "#131c2c", "text": "#e6ebf3", "second": "#b8c2d1", "muted": "#94a3b8", "grid": "#222c3d", "axis": "#344055",
    "line": "#5b8cff", "met": "#34529c", "missed": "#ff8552", "open": "#a3b1c6", "prior": "#7c8aa0", "band": "#17233d",
    "second_line": "#f2a93b", "hover": "#e6ebf3", "hover_text": "#0f1623", "area": "rgba(91, 140, 255, .10)",
    "heat": ["#192336", "#1f3a6e", "#2f5fb8", "#5b8cff", "#cfdcff"], "heat_text": ["#e6ebf3", "#0f1623"],
}
CONFIG: dict[str, Any] = {"displayModeBar": False, "displaylogo": False, "scrollZoom": False, "doubleClick": False, "showTips": False,
          "showSendToCloud": False, "plotlyServerURL": "", "responsive": True}
DIMMED = 0.38


def palette(dark: bool) -> dict[str, Any]:
    """The colours of a theme."""
    return DARK if dark else LIGHT


def graph(name: str, figure: dict[str, Any], height: int) -> dcc.Graph:
    """A chart of a fixed height whose clicks lead to the address in the point's customdata."""
    figure["layout"]["height"] = height
    config: Any = CONFIG | {"locale": "zh-CN" if chinese() else "en-US"}
    return dcc.Graph(id={"type": "chart", "name": name}, figure=figure, config=config, responsive=True, style={"height": f"{height}px"})


def layout(colours: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What all charts share; `more` adds to it."""
    return {
        "font": {"family": FONT, "size": 12, "color": colours["second"]},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "dragmode": False,
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8}, "bargap": 0.3, "barcornerradius": 2, "separators": ".,",
        "hoverlabel": {"bgcolor": colours["hover"], "bordercolor": colours["hover"],
                       "font": {"family": FONT, "size": 12, "color": colours["hover_text"]}, "align": "left"},
    } | more


def value_axis(colours: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Hairlines, no axis line, no zero line."""
    return {"gridcolor": colours["grid"], "gridwidth": 1, "zeroline": False, "showline": False, "ticks": "", "automargin": True,
            "fixedrange": True, "tickfont": {"size": 11, "color": colours["muted"]}} | more


def side_axis(colours: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The category or time side: an axis line, no grid."""
    return {"showgrid": False, "zeroline": False, "showline": True, "linecolor": colours["axis"], "linewidth": 1, "ticks": "",
            "automargin": True, "fixedrange": True, "tickfont": {"size": 11, "color": colours["muted"]}} | more


def label(colours: dict[str, Any], text: str, *, x: Any, y: Any, colour: str = "muted", bold: bool = False, **more: Any) -> dict[str, Any]:
    """A word beside what it names, instead of a legend."""
    return {"text": f"<b>{text}</b>" if bold else text, "x": x, "y": y, "showarrow": False, "xanchor": "left",
            "font": {"size": 12 if bold else 11.5, "color": colours[colour]}} | more


def target_line(colours: dict[str, Any], at: float, *, upright: bool = False, axis: str = "y") -> dict[str, Any]:
    """A dashed line across the plot at the target."""
    line = {"color": colours["muted"], "width": 1, "dash": "dash"}
    if upright:
        return {"type": "line", "x0": at, "x1": at, "xref": "x", "y0": 0, "y1": 1, "yref": "paper", "line": line}
    return {"type": "line", "y0": at, "y1": at, "yref": axis, "x0": 0, "x1": 1, "xref": "paper", "line": line}


def shares(colours: dict[str, Any], names: list[str], parts: list[tuple[str, str, list[float]]], *, links: list[str], texts: list[list[str]],
           totals: list[str], bad: list[bool], chosen: int | None, target: float | None) -> dict[str, Any]:
    """Horizontal bars from 0 to 100 %: parts by colour, the rate at the right; the chosen bar stays, its siblings dim.

    `parts` are (title, colour, percentages); `texts` says for each part and bar what the hover shows.
    """
    opacity = [1 if chosen in (None, index) else DIMMED for index in range(len(names))]
    data = [{"type": "bar", "orientation": "h", "y": list(range(len(names))), "x": values, "name": title, "customdata": links,
             "marker": {"color": colours[colour], "opacity": opacity, "line": {"width": 0}},
             "hovertext": [plain(one) for one in said], "hovertemplate": "%{hovertext}<extra></extra>", "cliponaxis": False}
            for (title, colour, values), said in zip(parts, texts, strict=True)]
    notes = [label(colours, total, x=101.5, y=index, colour="missed" if bad[index] else "text", bold=True, font={
        "size": 12, "color": colours["missed" if bad[index] else "text"]}, opacity=opacity[index]) for index, total in enumerate(totals)]
    # A lone bar would fill the card; four places are kept for it.
    low = len(names) - 0.5 if len(names) >= 3 else 2.5
    return {"data": data, "layout": layout(
        colours, barmode="stack", bargap=0.34, annotations=notes, hovermode="closest",
        shapes=[target_line(colours, target, upright=True)] if target is not None else [],
        xaxis=value_axis(colours, range=[0, 100], showgrid=False, showticklabels=False),
        yaxis=side_axis(colours, range=[low, -0.5], showline=False, tickmode="array", tickvals=list(range(len(names))),
                        ticktext=[cut(name) for name in names], tickfont={"size": 12, "color": colours["second"]}),
        margin={"l": 8, "r": 58, "t": 4, "b": 4})}


def plain(name: str) -> str:
    """The words without what Plotly would take for its own little markup."""
    return name.replace("<", "‹").replace(">", "›")


def cut(name: str, most: int = 18) -> str:
    """A name that fits beside its bar."""
    said = plain(name)
    return said if len(said) <= most else said[: most - 1] + "…"


def spark(colours: dict[str, Any], values: list[float | None], colour: str) -> dict[str, Any]:
    """A line the size of a word, with its last point."""
    last = next((index for index in range(len(values) - 1, -1, -1) if values[index] is not None), None)
    dots = [0] * len(values)
    if last is not None:
        dots[last] = 6
    known = [value for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    flat = 1.0 if low == high else (high - low) * 0.15
    return {"data": [{"type": "scatter", "mode": "lines+markers", "y": values, "x": list(range(len(values))), "connectgaps": True,
                      "line": {"color": colours[colour], "width": 1.5}, "marker": {"size": dots, "color": colours[colour]}, "hoverinfo": "skip"}],
            "layout": layout(colours, margin={"l": 2, "r": 4, "t": 3, "b": 3}, hovermode=False,
                             xaxis={"visible": False, "fixedrange": True},
                             yaxis={"visible": False, "fixedrange": True, "range": [low - flat, high + flat]})}
