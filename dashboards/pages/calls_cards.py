"""The key figures of the calls board: each with its formula, its numbers, the policy, and the calls behind it."""

import pandas as pd
from flask_babel import gettext as _

from dashboards import parts, words
from dashboards.questions import calls as ask
from dashboards.state import State
from service.core import kpi_words as told
from service.core.kpi import AgentTime, Policy, Recovery
from service.core.kpi_words import Told
from warehouse.read import sources


def _source(one: Told, mart: str, column: str, *opens: tuple[str, str]) -> parts.Source:
    return parts.Source(one.formula, one.numbers, sources(mart, column), one.policy, opens)


def alike(policies: tuple[Policy, ...], before: tuple[Policy, ...], *names: str) -> bool:
    """True when both periods were measured by the same numbers, so that the one may be called better than the other."""
    told = [{tuple(getattr(one, name) for name in names) for one in found} for found in (policies, before)]
    return told[0] == told[1]


def service(state: State, policies: tuple[Policy, ...], before: tuple[Policy, ...], now: ask.Totals, then: ask.Totals | None,
            days: pd.DataFrame) -> list[parts.Card]:
    """Were callers served: level, offered, answered, given up, waiting; `before` are the policies of the compared period."""
    one_level = True if alike(policies, before, "level_formula", "within_seconds", "short_seconds") else None
    limits = " / ".join(dict.fromkeys(str(one.within_seconds) for one in policies))
    short = " / ".join(dict.fromkeys(str(one.short_seconds) for one in policies))
    speed = None if then is None or now.speed is None or then.speed is None else now.speed - then.speed
    wait = parts.Delta(words.seconds(abs(speed)), speed > 0, None if abs(speed) < 0.5 else speed < 0) if speed is not None else None
    return [
        parts.Card(_("Service level"), words.percent(now.level), _("target %(target)s%% in %(n)s s", target=policies[-1].call_target, n=limits),
                   parts.points(now.level, then.level if then else None, more_is_good=one_level), series=[words.ratio(row.hits, row.counted) for row in days.itertuples()],
                   source=level_source(state, policies, now)),
        parts.Card(_("Offered"), words.count(now.offered), _("%(n)s a day", n=words.count(round(now.offered / state.period.days))),
                   parts.growth(now.offered, then.offered if then else None), series=[float(row.offered) for row in days.itertuples()], colour="prior",
                   source=_source(told.offered(), "fact_call", "offered")),
        parts.Card(_("Answer rate"), words.percent(now.answer_rate), _("%(n)s answered", n=words.count(now.answered)),
                   parts.points(now.answer_rate, then.answer_rate if then else None), source=_source(told.answer_rate(now), "fact_call", "answered")),
        parts.Card(_("Abandonment rate"), words.percent(now.abandonment), _("%(n)s gave up, %(short)s more within %(limit)s s", n=words.count(now.lost), short=words.count(now.short), limit=short),
                   parts.points(now.abandonment, then.abandonment if then else None, more_is_good=False),
                   source=_source(told.abandonment(policies, now), "fact_call", "short_abandoned", _to(state, _("Gave up"), outcome="abandoned"),
                                  _to(state, _("Short abandons"), outcome="short"))),
        parts.Card(_("Mean time to answer"), words.seconds(now.speed), f"p50 {words.seconds(now.speed_p50)} · p90 {words.seconds(now.speed_p90)}", wait,
                   source=_source(told.speed(now), "fact_call", "wait_seconds", _to(state, _("Answered late"), outcome="late"))),
    ]


def level_source(state: State, policies: tuple[Policy, ...], now: ask.Totals) -> parts.Source:
    """The formula of the service level, in words and with these numbers."""
    opens = ((_("In time"), "within"), (_("Answered late"), "late"), (_("Gave up"), "abandoned"), (_("Short abandons"), "short"))
    return _source(told.level(policies, now), "fact_call", "level_hit", *(_to(state, text, outcome=code) for text, code in opens))


def handling(state: State, policies: tuple[Policy, ...], before: tuple[Policy, ...], now: ask.Totals, then: ask.Totals | None,
             time: AgentTime | None, missed: Recovery | None) -> list[parts.Card]:
    """What it took: handle time, occupancy, transfers, and what came afterwards; days of another length are not compared."""
    earlier = then.first_contact if then and alike(policies, before, "fcr_days") else None
    time, missed, warning = time or AgentTime(), missed or Recovery(), policies[-1].occupancy_warning
    busy, days = time.occupancy, " / ".join(dict.fromkeys(str(one.fcr_days) for one in policies))
    median = None if missed.median_seconds is None else words.length(missed.median_seconds)
    return [
        parts.Card(_("Mean handle time"), words.seconds(now.handle_time), _("after-call work %(n)s", n=words.seconds(now.wrap_mean)),
                   parts.growth(now.handle_time or 0, then.handle_time if then else None), source=_source(told.handle_time(now), "fact_call", "acw_seconds")),
        parts.Card(_("Occupancy"), words.percent(busy), _("a risk above %(n)s%%", n=warning), bad=busy is not None and busy > warning,
                   source=_source(told.occupancy(policies, time), "fact_agent_stint", "seconds")),
        parts.Card(_("Transfer rate"), words.percent(now.transfer_rate), _("%(n)s passed on", n=words.count(now.transferred)),
                   parts.points(now.transfer_rate, then.transfer_rate if then else None, more_is_good=None),
                   source=_source(told.transfer_rate(now), "fact_call", "transferred", _to(state, _("Passed on"), passed=1))),
        parts.Card(_("First contact resolution"), words.percent(now.first_contact), _("after %(days)s d, %(n)s calls judged", days=days, n=words.count(now.judged)),
                   parts.points(now.first_contact, earlier),
                   source=_source(told.first_contact(policies, now), "fact_call", "kept", _to(state, _("Came again"), again=1))),
        parts.Card(_("Missed, then spoken with"), words.percent(missed.rate), _("median after %(n)s", n=median) if median else _("nobody yet"),
                   source=_source(told.recovery(policies, missed), "fact_missed_caller", "recovered", (_("Settled callers"), "/calls/missed?state=closed"),
                                  (_("Still waiting"), "/calls/missed"))),
    ]


def _to(state: State, text: str, **drill: object) -> tuple[str, str]:
    """A link to the calls: the same board with this filter."""
    return text, state.without(*drill).with_drill(**drill)
