"""The calls board: how many called, how many were answered in time, when could we not keep up?"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, tables, words
from dashboards.pages import calls_cards as cards
from dashboards.pages import calls_charts as charts
from dashboards.questions import calls as ask
from dashboards.questions import handling
from dashboards.state import State
from service.core.identity import Identity
from service.core.kpi import PERF2, Policy, of_day
from warehouse.read import Generation, View


def page(state: State, generation: Generation, person: Identity) -> list[Component]:
    """The whole board."""
    began = time.perf_counter()
    view = generation.view(person.scope)
    branches = ask.branches(view)
    now = ask.totals(view, state)
    then = ask.totals(view, state, state.compared) if state.compared else None
    alone = then is not None and not then.offered
    then = None if alone else then
    if not now.offered:
        first, last = ask.span(view)
        body = [parts.head(state, _("Calls and service level"), [], _named(state, view), may_export=False),
                parts.filters(state, branches), parts.empty(state, first, last)]
    else:
        body = [parts.head(state, _("Calls and service level"), finding(view, state, generation, now), _named(state, view), may_export=person.may("export")),
                parts.filters(state, branches, parts.nothing_before(alone)), *_figures(view, state, generation, now, then, person)]
    return [html.Div(body, className="board-scroll"), parts.status(generation, person, 1000 * (time.perf_counter() - began))]


def _figures(
    view: View, state: State, generation: Generation, now: ask.Totals, then: ask.Totals | None, person: Identity
) -> list[Component]:
    days = ask.by_day(view, state)
    tiles = [
        charts.through_the_day(state, generation, ask.by_half_hour(view, state)),
        charts.slots(state, generation, ask.by_slot(view, state)),
        charts.queues(state, generation, ask.by_queue(view, state)),
        charts.waiting(state, generation, days),
        tables.agents(state, ask.by_agent(view, state)),
        tables.calls(state, ask.page(view, state), now.offered, person),
    ]
    policies = policies_of(state, generation)
    time, missed = handling.agent_time(view, state), handling.recovery(view, state)
    before = generation.policies_of(state.compared.start, state.compared.end) if state.compared else policies
    rows = cards.service(state, policies, before, now, then, days), cards.handling(state, policies, before, now, then, time, missed)
    return [*(html.Div([parts.card(state, generation, card) for card in row], className="kpis") for row in rows), html.Div(tiles, className="grid")]


def policies_of(state: State, generation: Generation) -> tuple[Policy, ...]:
    """By which policies the calls of the period are measured; a period before them all is measured by the first."""
    return generation.policies_of(state.period.start, state.period.end) or (of_day(generation.policies, state.period.end),)


def finding(view: View, state: State, generation: Generation, now: ask.Totals) -> list[Component | str]:
    """The one sentence: the level against the target, the worst slot, the median wait. Each clause has a form for nothing."""
    policies = policies_of(state, generation)
    limits, target = " / ".join(dict.fromkeys(str(one.within_seconds) for one in policies)), policies[-1].call_target
    level = html.B(words.percent(now.level))
    said: list[Component | str] = [level, " ", _said(policies, limits, target)]
    worst = _worst(ask.by_slot(view, state))
    if worst is None:
        said.append(_("; no hour has calls enough to compare"))
    elif worst[2] >= target:
        said.append(_("; every hour of the week keeps it"))
    else:
        said.append(_("; worst of the hours with %(n)s calls or more: %(day)s %(hour)s:00 with %(rate)s%%", n=ask.ENOUGH, day=words.weekday(worst[0]), hour=f"{worst[1]:02d}", rate=f"{worst[2]:.0f}"))
    if now.p50 is not None:
        said.append(_("; the median caller waits %(n)s s.", n=f"{now.p50:.0f}"))
    return said


def _said(policies: tuple[Policy, ...], limits: str, target: int) -> str:
    """What the level is a share of; calls that gave up in time are good as well by one formula."""
    if any(one.level_formula == PERF2 for one in policies):
        return _("service level within %(n)s s, target %(target)s%%", n=limits, target=target)
    return _("of calls answered within %(n)s s, target %(target)s%%", n=limits, target=target)


def _worst(slots: pd.DataFrame) -> tuple[int, int, float] | None:
    """The weekday and hour with the lowest level among those with calls enough."""
    found = [(row.weekday, row.hour, words.ratio(row.hits, row.counted)) for row in slots.itertuples() if row.counted >= ask.ENOUGH]
    known = [(day, hour, rate) for day, hour, rate in found if rate is not None]
    return min(known, key=lambda slot: slot[2]) if known else None


def _named(state: State, view: View) -> list[str]:
    """The drill filters in words."""
    return [_name(key, value, view) for key, value in state.drill]


_SAID: Mapping[str, Callable[[Any], str]] = {
    "weekday": lambda value: words.weekday(min(value, 6)),
    "hour": lambda value: f"{value:02d}:00–{value + 1:02d}:00",
    "half": lambda value: f"{words.half_hour(value)}–{words.half_hour(value + 1)}",
    "outcome": words.outcome,
    "day": lambda value: str(value.isoformat()),
    "passed": lambda value: _("Passed on") if value == 1 else f"passed: {value}",
    "again": lambda value: _("Came again") if value == 1 else f"again: {value}",
}


def _name(key: str, value: Any, view: View) -> str:
    if key in _SAID:
        return _SAID[key](value)
    known = {"queue": "coalesce(queue_label, queue)", "staff": "staff_name"}[key]
    column = "queue" if key == "queue" else "staff_id"
    found = view.ask(f"select min({known}) as name from fact_call where {column} = $value", {"value": value}).one()["name"]
    return figures.cut(str(found or value), 30)
