"""The staffing board: how many agents does each half hour of the week need, and how many were there?"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from dash import dcc, html
from dash.development.base_component import Component
from flask_babel import gettext as _

from dashboards import figures, parts, plan, words
from dashboards.pages import staffing_charts as charts
from dashboards.pages import staffing_tables as tables
from dashboards.plan import Plan, Slot
from dashboards.questions import calls as common
from dashboards.questions import staffing as ask
from dashboards.state import Period, State, written
from service.core.identity import Identity
from service.core.kpi import of_day
from warehouse.read import Generation, View, sources


@dataclass(frozen=True)
class Found:
    """What the board is drawn from: the days that count, the plan, every half hour of the week, and the one that is looked at."""

    period: Period
    plan: Plan
    queues: list[ask.Handling]
    slots: list[Slot]
    at: Slot

    @property
    def day(self) -> list[Slot]:
        """The half hours of the weekday that is looked at."""
        return [slot for slot in self.slots if slot.weekday == self.at.weekday]


def page(state: State, generation: Generation, person: Identity) -> list[Component]:
    """The whole board."""
    began = time.perf_counter()
    view = generation.view(person.scope)
    found = reckoned(view, state, generation)
    named = [_name(key, value, view) for key, value in state.drill]
    title = _("Staffing")
    if found is None:
        body = [parts.head(state, title, [], named, may_export=False), _filters(view, state, None), _nothing(view, state)]
    else:
        body = [parts.head(state, title, finding(found), named, may_export=person.may("export")), _filters(view, state, found),
                suppositions(state, found.plan), *_figures(state, generation, found)]
    return [html.Div(body, className="board-scroll"), parts.status(generation, person, 1000 * (time.perf_counter() - began))]


def planned(view: View, state: State, generation: Generation) -> Plan:
    """What is supposed at this address, before anything is reckoned."""
    period = ask.whole_days(state)
    return plan.supposed(state.given, of_day(generation.policies, state.period.end), ask.handling(view, state, period) if period else ())


def reckoned(view: View, state: State, generation: Generation) -> Found | None:
    """The week of these filters; None where no call came or none was answered, since then nobody knows how long one takes."""
    period = ask.whole_days(state)
    queues = ask.handling(view, state, period) if period else []
    supposed = plan.supposed(state.given, of_day(generation.policies, state.period.end), queues)
    if not period or all(queue.talk is None for queue in queues):
        return None
    slots = plan.week(ask.arrivals(view, state, period), ask.shares(view, state, period), plan.handled(queues, supposed), ask.there(view, state, period), supposed)
    return Found(period, supposed, queues, slots, _looked_at(state, slots))


def _looked_at(state: State, slots: Sequence[Slot]) -> Slot:
    """The half hour of the address, else the busiest one of its weekday, else of the week."""
    day = [slot for slot in slots if slot.weekday == state.drilled("weekday")]
    chosen = [slot for slot in day if slot.half == state.drilled("half")]
    return plan.busiest(chosen or day or slots)


def _nothing(view: View, state: State) -> Component:
    period = ask.whole_days(state)
    if period and common.totals(view, state.without(*ask.POINTED), period).offered:
        return parts.problem(_("No call of these days was answered"), _("How long a call takes is not known. Choose a longer period or another queue."))
    return parts.empty(state, *common.span(view))


def _filters(view: View, state: State, found: Found | None) -> Component:
    period = ask.whole_days(state)
    queues = ask.queues(view, state, period) if period else []
    left_out = [html.Span(_("Without %(day)s, which is not over", day=words.day(state.last_day)), className="mut")] if found and state.period.end >= state.last_day else []
    return parts.filters(state, common.branches(view), [*left_out, _queue_menu(state, queues)], comparing=False)


def _basis(state: State, supposed: Plan) -> Component:
    names = (("mean", _("Mean day")), ("p80", _("Busy day p80")), ("p90", _("Very busy day p90")))
    items = [(name, state.href(basis=None if key == "mean" else key), supposed.basis == key) for key, name in names]
    return html.Div([html.Span(_("Plan for"), className="mut"), parts.segments(items, _("Plan for"))], className="basis")


def _queue_menu(state: State, queues: Sequence[tuple[str, str]]) -> Component:
    kept = [item for item in state.drill if item[0] != "queue"]
    items = [(_("All queues, one team"), state.href(drill=written(kept)), state.drilled("queue") is None)]
    items += [(str(label or key), state.href(drill=written([("queue", key), *kept])), state.drilled("queue") == key) for key, label in queues]
    return parts.menu(_("Queue"), items)


def suppositions(state: State, supposed: Plan) -> Component:
    """The fields of "what if": each is a part of the address, and what cannot be read is told under its field and kept as it was typed."""
    names = (("target", _("Service level"), "%"), ("within", _("Answered within"), _("s")), ("busy", _("Maximum occupancy"), "%"), ("shrink", _("Shrinkage"), "%"),
             ("growth", _("More calls"), "%"), ("acw", _("After-call work"), _("s")))
    fields = [_field(state, supposed, name, text, unit) for name, text, unit in names]
    changed = any(state.given.get(name) for name in plan.FIELDS)
    back = [parts.link(_("As before"), state.href(**dict.fromkeys(plan.FIELDS)), className="btn sm ghost", title=_("Take all suppositions back"))] if changed else []
    return html.Section([html.H2(_("What if")), _basis(state, supposed), *fields, *back], className="whatif", **parts.attributes({"aria-label": _("What if")}))


def _field(state: State, supposed: Plan, name: str, text: str, unit: str) -> Component:
    wrong, bounds = name in supposed.refused, plan.FIELDS[name]
    entry = dcc.Input(id={"type": "what", "name": name}, value=typed(state, supposed, name), type="text", inputMode=cast(Any, "decimal"), debounce=True, autoComplete="off",
                      className="what wrong" if wrong else "what")
    said = [html.Small(_("From %(low)s to %(high)s; reckoned with %(n)s.", low=f"{bounds.low:g}".replace("-", words.MINUS), high=f"{bounds.high:g}", n=f"{getattr(supposed, name):g}"),
                       className="error", role="alert")] if wrong else []
    return html.Label([html.Span(text, className="mut"), html.Span([entry, html.Span(unit, className="unit")], className="entry"), *said])


def typed(state: State, supposed: Plan, name: str) -> str:
    """What stands in a field: what the reader typed, else what is reckoned with."""
    return state.given.get(name) or f"{getattr(supposed, name):g}"


def _figures(state: State, generation: Generation, found: Found) -> list[Component]:
    tiles = [
        charts.heat(state, generation, found.slots, found.at, found.plan),
        charts.day(state, generation, found.day, found.at),
        tables.one_more(state, found.at, found.plan, found.period),
        tables.half_hours(state, found.day, found.plan, found.period, found.at),
        method(found),
    ]
    return [html.Div([parts.card(state, generation, card) for card in cards(found)], className="kpis"), html.Div(tiles, className="grid")]


def place(slot: Slot) -> str:
    """Mon 10:00."""
    return f"{words.weekday(slot.weekday)} {words.half_hour(slot.half)}"


def finding(found: Found) -> list[Component | str]:
    """The one sentence: the most that are needed and when, the hours of the week, and where clearly fewer were there."""
    peak = plan.busiest(found.slots)
    said: list[Component | str] = [html.B(_("%(n)s agents", n=words.count(peak.agents)) if peak.agents != 1 else _("1 agent"))]
    said.append(_(" on the phone at the busiest half hour, %(when)s, %(rota)s on the rota", when=place(peak), rota=words.count(peak.rota)))
    said.append(_("; the week takes %(n)s agent hours", n=_hours(found.slots)))
    short = [slot for slot in found.slots if slot.short]
    if all(slot.there is None for slot in found.slots):
        said.append(_("; who answered is not known."))
    elif not short:
        said.append(_("; at no half hour were clearly fewer there."))
    else:
        worst = max(short, key=lambda slot: slot.gap)
        said.append(_("; at %(n)s of %(all)s half hours fewer were there, most of all %(when)s: %(there)s of %(agents)s.", n=len(short), all=len(found.slots),
                      when=place(worst), there=words.decimal(worst.there), agents=worst.agents))
    return said


def _hours(slots: Sequence[Slot], *, rota: bool = False) -> str:
    half_hours = sum(slot.rota if rota else slot.agents for slot in slots)
    return f"{half_hours // 2:,}" if half_hours % 2 == 0 else f"{half_hours / 2:,.1f}"


def cards(found: Found) -> list[parts.Card]:
    """Five key figures."""
    slots, supposed, peak = found.slots, found.plan, plan.busiest(found.slots)
    level, busy = plan.level(slots), plan.occupancy(slots)
    hardest = max(slots, key=lambda slot: slot.team.occupancy)
    made = sources("call_interval", "offered")
    total, agents = sum(slot.load for slot in slots), sum(slot.agents for slot in slots)
    return [
        parts.Card(_("Busiest half hour"), words.count(peak.agents), _("%(when)s · %(n)s on the rota", when=place(peak), n=words.count(peak.rota)),
                   source=parts.Source(_("The least number of agents who keep the target and the maximum occupancy; on the rota: agents / (1 − shrinkage), rounded up."),
                                       f"{peak.agents} / (1 − {supposed.shrink / 100:g}) → {peak.rota}", made)),
        parts.Card(_("Agent hours a week"), _("%(n)s h", n=_hours(slots)), _("%(n)s h on the rota", n=_hours(slots, rota=True)),
                   source=parts.Source(_("Agents of all half hours of the week / 2."), f"{agents:,} / 2 = {agents / 2:,.1f}", made)),
        parts.Card(_("Expected service level"), words.percent(level), _("target %(target)s%% in %(n)s s", target=f"{supposed.target:g}", n=f"{supposed.within:g}"),
                   source=parts.Source(_("Service level of each half hour with its agents, weighted by its calls. Whole agents give more than the target, above all where few call."),
                                       columns=made)),
        parts.Card(_("Occupancy"), words.percent(busy), _("highest %(n)s, %(when)s", n=words.percent(100 * hardest.team.occupancy), when=place(hardest)),
                   source=parts.Source(_("Load of all half hours / agents of all half hours."), f"{total:,.1f} / {agents:,} = {words.percent(busy)}", made)),
        _short_card(found),
    ]


def _short_card(found: Found) -> parts.Card:
    short = [slot for slot in found.slots if slot.short]
    known = any(slot.there is not None for slot in found.slots)
    worst = max(found.slots, key=lambda slot: slot.gap)
    fact = _("%(when)s: %(there)s of %(agents)s", when=place(worst), there=words.decimal(worst.there), agents=worst.agents) if short else _("of %(n)s half hours", n=len(found.slots))
    return parts.Card(
        _("Fewer were there"), words.count(len(short)) if known else words.NOTHING, fact,
        source=parts.Source(_("Half hours where the agents who answered, on a mean day, were at least one fewer than needed. Who is there may answer nobody: "
                              "of n agents about n · exp(−calls / n) take no call, and so many are allowed for."),
                            f"{worst.agents} − {words.decimal(worst.there)} − {words.decimal(worst.agents - (worst.there or 0) - worst.gap)} = {words.decimal(worst.gap)}" if short else "",
                            sources("fact_call", "staff_id")))


def method(found: Found) -> Component:
    """The formula and its limits, in plain words."""
    at = found.at
    formula = [
        (_("Load"), _("a = calls × handling time / 1800 s, in Erlang: agents who would be busy if nobody ever waited"),
         f"{at.calls:.1f} × {at.aht:.0f} / 1800 = {at.load:.2f}"),
        (_("Erlang B"), "B(0) = 1, B(k) = a·B(k−1) / (k + a·B(k−1))", ""),
        (_("Must wait"), "C = B(n) / (1 − a/n · (1 − B(n)))", words.percent(100 * at.team.waiting)),
        (_("Service level"), "1 − C · exp(−(n − a) · T / AHT)", words.percent(100 * at.team.level)),
        (_("Average speed of answer"), "C · AHT / (n − a)", charts.lasting(at.team.asa)),
        (_("Occupancy"), "a / n", words.percent(100 * at.team.occupancy)),
        (_("On the rota"), _("n / (1 − shrinkage), rounded up"), words.count(at.rota)),
    ]
    limits = [
        _("Nobody gives up in this model. Real callers do, so it asks for somewhat too many agents where people are impatient."),
        _("Calls come at random, one by one (Poisson), and last as random times do. A campaign or a fault brings bursts that need more."),
        _("One team with one skill: everybody takes every call of the queues shown. Choose a queue to see a team of its own; several small teams need more than one large team."),
        _("Within a half hour calls come evenly and the line has settled. A half hour after a rush begins with the rush's queue and is worse than is said here."),
        _("Who called again after giving up is counted twice. Handling time is talk and hold as the archive has them, plus the after-call work above: as it was, until you type another."),
    ]
    rows = [[html.B(name), html.Span(text, className="num"), html.Span(value, className="num")] for name, text, value in formula]
    table = parts.drawn("mini", [(_("Figure"), ""), (_("Formula"), "wide"), (place(at), "n")], rows)
    return parts.framed(_("How it is reckoned, and what it leaves out"), [_("Erlang C: n agents, AHT handling time, T seconds to answer")],
                        html.Div([html.Div(table, className="scroll"), html.Ul([html.Li(text) for text in limits])], className="method"), wide="full")


def _name(key: str, value: Any, view: View) -> str:
    if key == "weekday":
        return words.weekday(min(value, 6))
    if key == "half":
        return words.half_hour(value)
    found = view.ask("select min(queue_label) as name from call_interval where queue = $value", {"value": value}).one()["name"]
    return figures.cut(str(found or value), 30)
