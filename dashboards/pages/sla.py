"""The SLA board: which promises to customers were kept, which were broken, which are still open?"""

import time
from dataclasses import dataclass
from typing import Any

import pandas as pd
from dash import html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, tables, words
from dashboards.pages import sla_charts as charts
from dashboards.questions import calls as common
from dashboards.questions import sla as ask
from dashboards.state import State
from service.core.identity import Identity
from warehouse.read import Generation, View, sources


def page(state: State, generation: Generation, person: Identity) -> list[Component]:
    """The whole board."""
    began = time.perf_counter()
    view = generation.view(person.scope)
    branches = common.branches(view)
    now = ask.totals(view, state)
    named = _named(state, view)
    if not now.tickets:
        body = [parts.head(state, _("SLA compliance"), [], named, may_export=False), parts.filters(state, branches, [_which(state)]),
                parts.empty(state, *ask.span(view))]
    else:
        then = ask.totals(view, state, state.compared) if state.compared else None
        alone = then is not None and not then.tickets
        then = None if alone else then
        body = [parts.head(state, _("SLA compliance"), finding(view, state, generation, now), named, may_export=person.may("export")),
                parts.filters(state, branches, [*parts.nothing_before(alone), _which(state)]), *_figures(view, state, generation, now, then)]
    return [html.Div(body, className="board-scroll"), parts.status(generation, person, 1000 * (time.perf_counter() - began))]


def _which(state: State) -> Component:
    names = (("resolve", _("Solved in time")), ("response", _("Answered in time")))
    return parts.segments([(name, state.href(promise=key), state.promise == key) for key, name in names], _("Promise"))


def _figures(view: View, state: State, generation: Generation, now: ask.Totals, then: ask.Totals | None) -> list[Component]:
    weeks = ask.by_week(view, state)
    prior = ask.by_week(view, state.without("month"), state.compared) if state.compared else None
    tiles = [
        charts.trend(state, generation, weeks, prior),
        charts.group(state, generation, "month", _("By month"), ask.by_month(view, state), wide="w4"),
        charts.group(state, generation, "priority", _("By priority"), ask.by_priority(view, state), wide="w4"),
        charts.group(state, generation, "branch", _("By branch"), ask.by_branch(view, state), wide="w4"),
        charts.group(state, generation, "type", _("By type"), ask.by_type(view, state), wide="w4"),
        charts.group(state, generation, "staff", _("By person"), ask.by_person(view, state), wide="w12"),
        tables.tickets(state, ask.page(view, state), now.tickets),
    ]
    return [html.Div([parts.card(state, generation, card) for card in cards(state, generation, now, then, weeks)], className="kpis"),
            html.Div(tiles, className="grid")]


def finding(view: View, state: State, generation: Generation, now: ask.Totals) -> list[Component | str]:
    """The one sentence: the rate against the target, the misses, and where it is lowest."""
    target = generation.run.ticket_target
    said: list[Component | str] = [html.B(words.percent(now.rate))]
    if now.rate is None:
        said.append(_(" — no promise is decided yet; %(n)s still open.", n=words.count(now.pending)))
        return said
    said.append(_(", below the target of %(n)s%%", n=target) if now.rate < target else _(", the target of %(n)s%% is kept", n=target))
    if not now.missed:
        said.append(_("; no promise was missed."))
        return said
    worst = _worst(ask.by_branch(view, state), ask.by_priority(view, state))
    said.append(_("; lowest: %(where)s with %(rate)s%%, %(missed)s of %(n)s missed.", where=worst.name, rate=f"{worst.rate:.0f}", missed=words.count(worst.missed),
                  n=words.count(worst.decided)) if worst else _("; %(n)s missed.", n=words.count(now.missed)))
    return said


@dataclass(frozen=True)
class Part:
    """What one branch or priority kept of its promises."""

    name: str
    missed: int
    decided: int

    @property
    def rate(self) -> float:
        """The share that was kept, in percent."""
        return 100 * (self.decided - self.missed) / self.decided


def _worst(branches: pd.DataFrame, priorities: pd.DataFrame) -> Part | None:
    """The branch with the lowest rate when there are several to compare, else the priority; few tickets count only where all have few."""
    found = [Part(words.branch(row.branch_name, row.branch_name_en), int(row.missed), int(row.met + row.missed)) for row in branches.itertuples()]
    if len(found) < 2:
        found = [Part(words.priority(row.priority), int(row.missed), int(row.met + row.missed)) for row in priorities.itertuples()]
    decided = [part for part in found if part.decided]
    enough = [part for part in decided if part.decided >= common.ENOUGH] or decided
    return min(enough, key=lambda part: part.rate) if len(found) > 1 and enough else None


def cards(state: State, generation: Generation, now: ask.Totals, then: ask.Totals | None, weeks: pd.DataFrame) -> list[parts.Card]:
    """Five key figures."""
    target = generation.run.ticket_target
    rate = [words.ratio(row.met, row.met + row.missed) for row in weeks.itertuples()]
    used = None if now.used_p90 is None else 100 * now.used_p90
    used_then = None if then is None or then.used_p90 is None else 100 * then.used_p90
    column = f"{state.promise}_promise"
    made = sources("fact_ticket", column)
    return [
        parts.Card(_("Compliance"), words.percent(now.rate), _("target %(n)s%%", n=target), parts.points(now.rate, then.rate if then else None),
                   bad=now.rate is not None and now.rate < target - 10, series=rate, source=rate_source(state, generation, now)),
        parts.Card(_("Met"), words.count(now.met), _("tickets"), parts.growth(now.met, then.met if then else None),
                   series=[float(row.met) for row in weeks.itertuples()], colour="prior",
                   source=parts.Source(_("Promises that were kept before their limit."), columns=made)),
        parts.Card(_("Missed"), words.count(now.missed), _("tickets"), parts.growth(now.missed, then.missed if then else None, more_is_good=False),
                   series=[float(row.missed) for row in weeks.itertuples()], colour="missed",
                   source=parts.Source(_("Promises kept too late, or not kept when their limit had passed."), columns=made)),
        parts.Card(_("Still open"), words.count(now.pending), _("%(n)s urgent · not in the ratio", n=now.urgent_pending),
                   source=parts.Source(_("The limit is still ahead; such a ticket is neither met nor missed."), columns=made)),
        parts.Card(_("p90 time ÷ limit"), words.NOTHING if used is None else f"{used:.0f}%", _("9 of 10 tickets within"),
                   parts.points(used, used_then, more_is_good=False),
                   source=parts.Source(_("Time taken / time allowed; nine in ten finished tickets took no larger share."), columns=sources("fact_ticket", f"{state.promise}_seconds"))),
    ]


def rate_source(state: State, generation: Generation, now: ask.Totals) -> parts.Source:
    """The formula of compliance, in words and with these numbers."""
    clock = _("Solved: from registration to the end of work.") if state.promise == "resolve" else _("Answered: from registration to the first acceptance.")
    numbers = f"{now.met:,} / ({now.met:,} + {now.missed:,}) = {words.percent(now.rate)}"
    return parts.Source(_("Met / (met + missed)") + " " + clock, numbers, sources("fact_ticket", f"{state.promise}_promise"))


def _named(state: State, view: View) -> list[str]:
    """The drill filters in words."""
    return [_name(key, value, view) for key, value in state.drill]


def _name(key: str, value: Any, view: View) -> str:
    if key == "month":
        return words.month(value, with_year=True)
    if key == "week":
        return str(_("week of %(day)s", day=value.isoformat()))
    if key == "met":
        return words.promise(value) if value in ("met", "missed", "pending") else figures.cut(str(value))
    if key in ("priority", "type"):
        return figures.cut(words.priority(value) if key == "priority" else words.ticket_type(value), 30)
    if key == "branch":
        row = view.ask("select min(branch_name) as name, min(branch_name_en) as name_en from dim_branch where branch_id = $value", {"value": value}).one()
        return words.branch(row["name"] or str(value), row["name_en"] or "")
    found = view.ask("select min(assignee_name) as name from fact_ticket where assignee_id = $value", {"value": value}).one()["name"]
    return str(found or _("Nobody"))
