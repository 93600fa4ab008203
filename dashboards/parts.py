"""The parts of a board: head, filters, cards, charts in frames, popovers, status line. HTML and our own styles only."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from dash import dcc, html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import words
from dashboards.figures import graph, palette, spark
from dashboards.state import Period, State
from service.core.identity import Identity
from warehouse.read import Control, Generation

Children = Sequence[Component | str]


def attributes(given: dict[str, Any]) -> dict[str, Any]:
    """Attributes whose names Python cannot spell, such as aria-label."""
    return given


def icon(name: str) -> Component:
    """A drawing by a mask in the style sheet; decorative."""
    return html.I(className=f"ico ico-{name}", **attributes({"aria-hidden": "true"}))


def link(text: Any, href: str, **more: Any) -> Component:
    """A link within the boards: the address changes, the page is drawn anew, nothing is loaded again."""
    return dcc.Link(text, href=href, refresh=False, **more)


@dataclass(frozen=True)
class Source:
    """Where a figure comes from: the formula in words, with this page's numbers, and the columns it is made of.

    `policy` names the version by which it is measured, and `opens` are words and addresses of what stands behind it.
    """

    formula: str
    numbers: str = ""
    columns: Sequence[str] = ()
    policy: str = ""
    opens: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Delta:
    """The change against the compared period: `good` colours it, its sign gives the arrow."""

    text: str
    up: bool
    good: bool | None


@dataclass(frozen=True)
class Card:
    """One key figure."""

    label: str
    value: str
    fact: str
    delta: Delta | None = None
    bad: bool = False
    series: Sequence[float | None] = ()
    colour: str = "line"
    source: Source | None = None


def points(now: float | None, then: float | None, *, more_is_good: bool | None = True) -> Delta | None:
    """The difference of two percentages, in points."""
    if now is None or then is None:
        return None
    change = now - then
    return Delta(str(_("%(n)s pp", n=f"{abs(change):.1f}")), change > 0, None if abs(change) < 0.05 or more_is_good is None else (change > 0) == more_is_good)


def growth(now: float, then: float | None, *, more_is_good: bool | None = None) -> Delta | None:
    """The relative change; from nothing it is told as such."""
    if then is None:
        return None
    if then == 0:
        return Delta(str(_("from 0")), now > 0, None) if now else None
    change = 100 * (now - then) / then
    return Delta(f"{abs(change):.1f}%", change > 0, None if abs(change) < 0.05 or more_is_good is None else (change > 0) == more_is_good)


def popover(title: str, sign: str, body: Children, *, icon_only: bool = False) -> Component:
    """What a summary opens; the keyboard works by itself, Esc and a click outside close it."""
    words_ = html.Span(title, className="vh" if icon_only else "")
    return html.Details([html.Summary([icon(sign), words_], title=title), html.Div(body, className="pop")], className="popover")


def where_from(source: Source, generation: Generation, *, icon_only: bool = False) -> Component:
    """Formula, numbers, columns, generation."""
    lines: list[Component | str] = [html.P(source.formula, className="formula")]
    if source.numbers:
        lines.append(html.P(source.numbers, className="num"))
    if source.columns:
        lines.append(html.P([html.Span(_("Made of"), className="mut"), " ", html.Span(", ".join(source.columns), className="mono")]))
    if source.policy:
        lines.append(html.P(html.A(source.policy, href="/settings/kpi")))
    if source.opens:
        lines.append(html.P([_opened(text, href) for text, href in source.opens], className="opens"))
    run = generation.run
    lines.append(html.P(_("Generation %(n)s, %(audits)s audits passed.", n=run.generation, audits=generation.audits), className="mut"))
    return popover(_("Where from?"), "formula", lines, icon_only=icon_only)


def _opened(text: str, href: str) -> Component:
    """A link to what stands behind a figure: a filter of this board, or a page of the desk."""
    return link(text, href) if href.startswith("/dashboards/") else html.A(text, href=href)


def drawn(kind: str, heads: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]], *, nothing: str = "") -> Component:
    """A table as one component, drawn by web/src/plotly.js: Dash's renderer needs seconds for a thousand cells.

    `heads` are (text, class), and the class goes to every cell of the column; `nothing` stands where there are no rows.
    """
    body = [[_cell(value) for value in row] for row in rows]
    told = json.dumps({"kind": kind, "heads": [[str(text), style] for text, style in heads], "rows": body, "nothing": nothing}, ensure_ascii=False)
    return html.Div(className="drawn", **attributes({"data-table": told}))


def _cell(value: Any) -> Any:
    if not isinstance(value, Component):
        return "" if value is None else str(value)
    plain = cast(Any, value).to_plotly_json()
    props, inner = plain["props"], plain["props"].get("children")
    children = inner if isinstance(inner, list) else [] if inner is None else [inner]
    kept = {key: props[key] for key in ("className", "href", "value", "max", "title") if props.get(key) is not None}
    return {"tag": plain["type"], "props": kept, "children": [_cell(child) for child in children]}


def table_of(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> Component:
    """The chart as a table; the first column carries the drill links, so that everything a click can do, Enter can."""
    table = drawn("mini", [(text, "n" if index else "") for index, text in enumerate(heads)], rows)
    return popover(_("Table"), "table", [html.Div(table, className="scroll")])


def legend(items: Sequence[tuple[str, str]]) -> Component:
    """Colours and their words; the colour comes from the theme's palette, by class."""
    return html.Span([html.Span([html.I(className=f"key {key}"), text]) for key, text in items], className="legend")


def framed(title: str, sub: Children, chart: Component, *, wide: str, tools: Children = (), caption: str = "", count: str = "") -> Component:
    """A chart in its card, with the finding as its caption for readers."""
    name = [html.H2(title)] + ([html.Span(count, className="count")] if count else [])
    head = html.Header([html.Div([html.Div(name, className="title"), html.P(list(sub), className="sub")]), html.Div(list(tools), className="tools")])
    body = html.Figure([chart, html.Figcaption(caption, className="vh")]) if caption else chart
    return html.Section([head, body], className=f"tile {wide}")


def card(state: State, generation: Generation, one: Card) -> Component:
    """Label, value, change, one short fact."""
    line: list[Component | str] = [_delta(state, one.delta)] if one.delta else []
    line.append(html.Span(one.fact, className="fact"))
    parts: list[Component] = [
        html.Header([html.Span(one.label, className="mut")] + ([where_from(one.source, generation, icon_only=True)] if one.source else [])),
        html.Div(one.value, className="value bad" if one.bad else "value"), html.Div(line, className="line")]
    if len([value for value in one.series if value is not None]) > 2:
        figure = spark(palette(state.dark), list(one.series), one.colour)
        parts.append(html.Div(graph(f"spark {one.label}", figure, 34), className="spark", **attributes({"aria-hidden": "true"})))
    return html.Div(parts, className="kpi")


def _delta(state: State, delta: Delta) -> Component:
    kind = "" if delta.good is None else "good" if delta.good else "bad"
    against = _("vs a year ago") if state.compare == "year" else _("vs prior period")
    judged = "" if delta.good is None else ", " + (_("better") if delta.good else _("worse"))
    return html.B([html.Span("↗" if delta.up else "↘", **attributes({"aria-hidden": "true"})), " ", delta.text], className=f"delta {kind}", title=against + judged)


def nothing_before(alone: bool) -> list[Component]:
    """Says that the compared period has no data, where it has none."""
    return [html.Span(_("There is no data in the compared period"), className="mut")] if alone else []


def segments(items: Sequence[tuple[str, str, bool]], name: str) -> Component:
    """One of several: links that change the address."""
    return html.Div([link(text, href, className="on" if on else "", **attributes({"title": text} if on else {})) for text, href, on in items],
                    className="seg", role="group", **attributes({"aria-label": name}))


def presets(state: State) -> Component:
    """Spans that are asked for often."""
    names = (("30", _("30 days")), ("90", _("90 days")), ("month", _("Last month")), ("year", _("This year")), ("365", _("12 months")))
    return segments([(name, state.href(p=key, **{"from": None, "to": None}), state.preset == key) for key, name in names], _("Period"))


def dates(period: Period) -> Component:
    """Any span: two days that the browser's own calendar sets."""
    def one(name: str, value: str, words_: str) -> Component:
        return dcc.Input(id=f"day-{name}", type=cast(Any, "date"), value=value, debounce=True, className="day", **attributes({"name": words_}))
    return html.Div([one("from", period.start.isoformat(), _("First day")), html.Span("→", className="mut"), one("to", period.end.isoformat(), _("Last day"))],
                    className="days", role="group", **attributes({"aria-label": _("From and to")}))


def compare(state: State) -> Component:
    """What figures are set beside."""
    names = (("prior", _("Prior period")), ("year", _("Year ago")), ("off", _("Off")))
    return html.Div([html.Span(_("Compare"), className="mut"),
                     segments([(name, state.href(cmp=key), state.compare == key) for key, name in names], _("Compare"))], className="labelled")


def branch_menu(state: State, branches: Sequence[dict[str, Any]]) -> Component:
    """One branch or all that the reader may see."""
    named = {item["branch_id"]: words.branch(item["branch_name"], item["branch_name_en"]) for item in branches}
    items = [(_("All branches"), state.href(branch=None), state.branch not in named)]
    return menu(_("Branch"), items + [(name, state.href(branch=str(key)), key == state.branch) for key, name in named.items()])


def menu(name: str, items: Sequence[tuple[str, str, bool]]) -> Component:
    """One of many: the chosen one stands in the row, the others open beneath it."""
    chosen = next((text for text, _href, on in items if on), items[0][0])
    links = [link(text, href, className="on" if on else "") for text, href, on in items]
    opened = html.Details([html.Summary([chosen, icon("down")], className="select"), html.Div(links, className="pop menu-list")], className="popover left")
    return html.Div([html.Span(name, className="mut"), opened], className="labelled")


def crumbs(state: State, named: Sequence[str]) -> Component | None:
    """The path of filters: each crumb cuts the path there, the cross takes the last one off."""
    if not state.drill:
        return None
    parts: list[Component | str] = [link(_("All"), state.up_to(0))]
    for index, name in enumerate(named):
        last = index == len(named) - 1
        parts.append(html.Span("›", className="mut", **attributes({"aria-hidden": "true"})))
        cross = link("×", state.up_to(index), title=_("Take this filter off"), className="cross")
        parts.append(html.Span([name, cross], className="chip") if last else link(name, state.up_to(index + 1)))
    return html.Nav(parts, className="crumbs", **attributes({"aria-label": _("Filters")}))


def head(state: State, title: str, finding: Children, named: Sequence[str], *, may_export: bool) -> Component:
    """The board's name, its path, and the one sentence that says the finding."""
    path = crumbs(state, named)
    tools: list[Component] = [html.Button([icon("print"), html.Span(_("Print"))], className="btn", id="print", type="button")]
    if may_export:
        tools.insert(0, html.A([icon("sheet"), "Excel"], href=state.export(), className="btn", id="export", download=""))
    text = html.Div(([path] if path else []) + [html.P(list(finding), className="finding")], className="path")
    return html.Div([html.Div([html.H1(title), text], className="words"), html.Div(tools, className="tools")], className="board-head")


def filters(state: State, branches: Sequence[dict[str, Any]], extra: Children = (), *, comparing: bool = True) -> Component:
    """All filters in one row; on a phone one line that states them and unfolds."""
    row = [presets(state), dates(state.period), *([compare(state)] if comparing else []), *extra, branch_menu(state, branches)]
    if not state.narrow:
        return html.Div(row, className="filters")
    said = f"{state.period.start.isoformat()} → {state.period.end.isoformat()}"
    return html.Details([html.Summary([html.B(said), icon("down")]), html.Div(row, className="filters")], className="fold")


def status(generation: Generation, person: Identity, milliseconds: float) -> Component:
    """Whether the figures equal their source, from when they are, and how long the questions took."""
    run = generation.run
    proof = _equal(generation) if generation.proven else _different(generation)
    at = run.as_of_local.strftime("%H:%M:%S")
    facts = [
        proof, html.Span(_("at %(time)s · generation %(n)s", time=at, n=run.generation), className="num"),
        html.Span(_("data to %(moment)s", moment=run.as_of_local.strftime("%Y-%m-%d %H:%M")), className="num wide-only"),
        reconciliation(generation, person),
        html.Span(_("query %(n)s ms", n=f"{milliseconds:.0f}"), className="end num wide-only"),
    ]
    return html.Footer(facts, className="status", id="status")


def _equal(generation: Generation) -> Component:
    return html.B([icon("tick"), _("Equal to the books to the cent")], className="proven")


def _different(generation: Generation) -> Component:
    wrong = next((control for control in generation.controls if not control.equal), None)
    said = _("Not equal: %(table)s, %(measure)s", table=wrong.table, measure=wrong.measure) if wrong else _("Not proven")
    return html.B([icon("cross"), said], className="unproven")


def controls(generation: Generation, person: Identity) -> list[Control]:
    """Every control total; what the whole firm sums up to is for those who see all of its branches and its books."""
    if person.scope.branches is None and person.may("ledger.read"):
        return list(generation.controls)
    return [replace(control, source="", archive="") for control in generation.controls]


def reconciliation(generation: Generation, person: Identity) -> Component:
    """Both sides of every control total, and whether they are equal."""
    rows = [[f"{control.table} · {control.measure}", control.source or words.NOTHING, control.archive or words.NOTHING, _("yes") if control.equal else _("NO")]
            for control in controls(generation, person)]
    body = [html.Tr([html.Td(row[0]), html.Td(row[1], className="n"), html.Td(row[2], className="n"), html.Td(row[3])]) for row in rows]
    heads = html.Tr([html.Th(_("Control total"), scope="col"), html.Th(_("Source"), className="n", scope="col"), html.Th(_("Archive"), className="n", scope="col"), html.Th(_("Equal"), scope="col")])
    table = html.Table([html.Thead(heads), html.Tbody(body)], className="mini")
    return html.Details([html.Summary(_("See the reconciliation"), className="plain-link"), html.Div(html.Div(table, className="scroll"), className="pop up")],
                        className="popover up left")


def empty(state: State, first: Any, last: Any) -> Component:
    """No record is not zero: says what was asked, what there is, and two ways out."""
    asked = _("%(start)s to %(end)s", start=state.period.start.isoformat(), end=state.period.end.isoformat())
    have = _("the archive begins on %(first)s and ends on %(last)s", first=first, last=last) if first else _("the archive has no such record yet")
    ways: list[Component] = []
    if first:
        ways.append(link(_("Show the last 90 days"), f"/dashboards/{state.board}?p=90", className="btn primary"))
    if state.drill or state.branch:
        ways.append(link(_("Clear the filters"), state.href(drill=None, branch=None), className="btn"))
    return html.Div([icon("nothing"), html.H2(_("No data in this period")),
                     html.P(_("%(asked)s: %(have)s. No record is not zero.", asked=asked, have=have)), html.Div(ways, className="ways")], className="board-empty")


def problem(title: str, hint: str) -> Component:
    """A refusal in the place of the board."""
    return html.Div([icon("nothing"), html.H2(title), html.P(hint)], className="board-empty")


def pages(state: State, rows: Any, key: str, most: int) -> Component:
    """First, and further; no page numbers and no promise of a total that must be counted."""
    parts: list[Component] = []
    if state.before is not None:
        parts.append(link(_("Back to the first"), state.href(), className="btn sm"))
    if len(rows) > most:
        parts.append(link(_("Further"), state.href(before=str(rows.iloc[most - 1][key])), className="btn sm"))
    return html.Div(parts, className="pages")
