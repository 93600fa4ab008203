"""The calls board: how many called, how many were answered in time, when could we not keep up?"""

import time
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, tables, words
from dashboards.pages import calls_charts as charts
from dashboards.questions import calls as ask
from dashboards.state import State
from service.core.identity import Identity
from warehouse.read import Generation, View, sources


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
                parts.filters(state, branches, parts.nothing_before(alone)), *_figures(view, state, generation, now, then)]
    return [html.Div(body, className="board-scroll"), parts.status(generation, person, 1000 * (time.perf_counter() - began))]


def _figures(view: View, state: State, generation: Generation, now: ask.Totals, then: ask.Totals | None) -> list[Component]:
    days = ask.by_day(view, state)
    tiles = [
        charts.through_the_day(state, generation, ask.by_half_hour(view, state)),
        charts.slots(state, generation, ask.by_slot(view, state)),
        charts.queues(state, generation, ask.by_queue(view, state)),
        charts.waiting(state, generation, days),
        tables.agents(state, ask.by_agent(view, state)),
        tables.calls(state, ask.page(view, state), now.offered),
    ]
    return [html.Div([parts.card(state, generation, card) for card in cards(state, generation, now, then, days)], className="kpis"),
            html.Div(tiles, className="grid")]


def finding(view: View, state: State, generation: Generation, now: ask.Totals) -> list[Component | str]:
    """The one sentence: the level against the target, the worst slot, the median wait. Each clause has a form for nothing."""
    run = generation.run
    level = html.B(words.percent(now.level))
    said: list[Component | str] = [level, " ", _("of calls answered within %(n)s s, target %(target)s%%", n=run.within_seconds, target=run.call_target)]
    worst = _worst(ask.by_slot(view, state))
    if worst is None:
        said.append(_("; no hour has calls enough to compare"))
    elif worst[2] >= run.call_target:
        said.append(_("; every hour of the week keeps it"))
    else:
        said.append(_("; worst of the hours with %(n)s calls or more: %(day)s %(hour)s:00 with %(rate)s%%", n=ask.ENOUGH, day=words.weekday(worst[0]), hour=f"{worst[1]:02d}", rate=f"{worst[2]:.0f}"))
    if now.p50 is not None:
        said.append(_("; the median caller waits %(n)s s.", n=f"{now.p50:.0f}"))
    return said


def _worst(slots: pd.DataFrame) -> tuple[int, int, float] | None:
    """The weekday and hour with the lowest level among those with calls enough."""
    found = [(row.weekday, row.hour, words.ratio(row.within, row.answered + row.abandoned - row.short))
             for row in slots.itertuples() if row.answered + row.abandoned - row.short >= ask.ENOUGH]
    known = [(day, hour, rate) for day, hour, rate in found if rate is not None]
    return min(known, key=lambda slot: slot[2]) if known else None


def cards(state: State, generation: Generation, now: ask.Totals, then: ask.Totals | None, days: pd.DataFrame) -> list[parts.Card]:
    """Five key figures."""
    run = generation.run
    level = [words.ratio(row.within, row.answered + row.abandoned - row.short) for row in days.itertuples()]
    p90 = None if then is None or now.p90 is None or then.p90 is None else now.p90 - then.p90
    wait = parts.Delta(words.seconds(abs(p90)), p90 > 0, None if abs(p90) < 0.5 else p90 < 0) if p90 is not None else None
    return [
        parts.Card(_("Service level"), words.percent(now.level), _("target %(target)s%% in %(n)s s", target=run.call_target, n=run.within_seconds),
                   parts.points(now.level, then.level if then else None), series=level, source=level_source(generation, now)),
        parts.Card(_("Offered"), words.count(now.offered), _("%(n)s a day", n=words.count(round(now.offered / state.period.days))),
                   parts.growth(now.offered, then.offered if then else None), series=[float(row.offered) for row in days.itertuples()], colour="prior",
                   source=parts.Source(_("Inbound calls that entered a queue, each counted once."), columns=sources("fact_call", "offered"))),
        parts.Card(_("Answer rate"), words.percent(now.answer_rate), _("%(n)s answered", n=words.count(now.answered)),
                   parts.points(now.answer_rate, then.answer_rate if then else None),
                   source=parts.Source(_("Answered / offered"), f"{now.answered:,} / {now.offered:,} = {words.percent(now.answer_rate)}", sources("fact_call", "answered"))),
        parts.Card(_("Abandoned"), words.count(now.abandoned), _("%(n)s within %(limit)s s", n=words.count(now.short), limit=run.short_seconds),
                   parts.growth(now.abandoned, then.abandoned if then else None, more_is_good=False),
                   source=parts.Source(_("Callers who gave up while waiting. Those who gave up within %(n)s s do not count for the service level.", n=run.short_seconds),
                                       columns=sources("fact_call", "abandoned"))),
        parts.Card(_("Wait p50 / p90"), f"{_whole(now.p50)} / {_whole(now.p90)} {_('s')}", _("on p90"), wait,
                   source=parts.Source(_("Half of the callers waited no longer than p50, nine in ten no longer than p90; answered or not."),
                                       columns=sources("fact_call", "wait_seconds"))),
    ]


def level_source(generation: Generation, now: ask.Totals) -> parts.Source:
    """The formula of the service level, in words and with these numbers."""
    run = generation.run
    formula = _("Answered within %(n)s s / (answered + abandoned − abandoned within %(short)s s)", n=run.within_seconds, short=run.short_seconds)
    numbers = f"{now.within:,} / ({now.answered:,} + {now.abandoned:,} − {now.short:,}) = {words.percent(now.level)}"
    return parts.Source(formula, numbers, sources("fact_call", "within_limit"))


def _whole(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.0f}"


def _named(state: State, view: View) -> list[str]:
    """The drill filters in words."""
    return [_name(key, value, view) for key, value in state.drill]


def _name(key: str, value: Any, view: View) -> str:
    if key == "weekday":
        return words.weekday(min(value, 6))
    if key == "hour":
        return f"{value:02d}:00–{value + 1:02d}:00"
    if key == "half":
        return f"{words.half_hour(value)}–{words.half_hour(value + 1)}"
    if key == "outcome":
        return words.outcome(value)
    if key == "day":
        return str(value.isoformat())
    known = {"queue": "coalesce(queue_label, queue)", "staff": "staff_name"}[key]
    column = "queue" if key == "queue" else "staff_id"
    found = view.ask(f"select min({known}) as name from fact_call where {column} = $value", {"value": value}).one()["name"]
    return figures.cut(str(found or value), 30)
