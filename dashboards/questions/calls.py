"""What the calls board asks: offered, answered, abandoned, within the limit, and how long callers waited."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboards.frames import frame
from dashboards.state import Period, State
from service.core.kpi import Figures
from warehouse.read import View

PAGE = 100
ENOUGH = 10  # below so many a rate says little

# A filter of the address, as a condition on fact_call; values are always bound.
CONDITIONS = {
    "queue": "queue = $queue",
    "weekday": "weekday = $weekday",
    "hour": "hour_of_day = $hour",
    "half": "half_hour = $half",
    "day": "started_on = $day",
    "staff": "staff_id = $staff",
    "passed": "transferred = $passed",
    "again": "judged - kept = $again",
}
OUTCOME = """case
        when within_limit = 1 then 'within'
        when answered = 1 then 'late'
        when short_abandoned = 1 then 'short'
        when abandoned = 1 then 'abandoned'
        else disposition
    end"""
SUMS = """
    coalesce(sum(offered), 0) as offered, coalesce(sum(answered), 0) as answered, coalesce(sum(abandoned), 0) as abandoned,
    coalesce(sum(short_abandoned), 0) as short, coalesce(sum(within_limit), 0) as within,
    coalesce(sum(level_hit), 0) as hits, coalesce(sum(level_counted), 0) as counted
"""
WORK = """
    coalesce(sum(transferred), 0) as transferred, coalesce(sum(judged), 0) as judged, coalesce(sum(kept), 0) as kept,
    coalesce(sum(case when answered = 1 then wait_seconds end), 0) as waited, coalesce(sum(case when answered = 1 then talk_seconds end), 0) as talked,
    coalesce(sum(case when answered = 1 then hold_seconds end), 0) as held, coalesce(sum(case when answered = 1 then acw_seconds end), 0) as wrapped,
    quantile_cont(wait_seconds, 0.5) as p50, quantile_cont(wait_seconds, 0.9) as p90,
    quantile_cont(case when answered = 1 then wait_seconds end, 0.5) as speed_p50, quantile_cont(case when answered = 1 then wait_seconds end, 0.9) as speed_p90
"""
# What a half hour of calls does not know of them.
OF_A_CALL = {"staff", "outcome", "passed", "again"}


@dataclass(frozen=True)
class Totals(Figures):
    """Sums over a period; p50 and p90 of the waits of all callers whose wait is known, and of the answered alone."""

    p50: float | None = None
    p90: float | None = None
    speed_p50: float | None = None
    speed_p90: float | None = None


def where(state: State, period: Period | None = None, *, ignore: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
    """The condition of a state, true of a call as of a half hour of calls, and the values it binds."""
    span = period or state.period
    parts = ["offered > 0", "started_on between $start and $finish"]
    values: dict[str, Any] = {"start": span.start, "finish": span.end}
    if state.branch is not None:
        parts.append("branch_id = $branch")
        values["branch"] = state.branch
    for key, value in state.drill:
        if key in ignore:
            continue
        parts.append(f"{OUTCOME} = $outcome" if key == "outcome" else CONDITIONS[key])
        values[key] = value
    return " and ".join(parts), values


def totals(view: View, state: State, period: Period | None = None) -> Totals:
    """The sums of the state, or of another period under the same filters."""
    condition, values = where(state, period)
    row = view.ask(f"select {SUMS}, {WORK} from fact_call where {condition}", values).one()
    spread = ("p50", "p90", "speed_p50", "speed_p90")
    waits: dict[str, Any] = {key: None if row[key] is None else float(row[key]) for key in spread}
    seconds: dict[str, Any] = {key: row[key] for key in ("waited", "talked", "held", "wrapped")}
    return Totals(**{key: int(value) for key, value in row.items() if key not in waits and key not in seconds}, **seconds, **waits)


def by_day(view: View, state: State) -> pd.DataFrame:
    """One row a day that had calls, with its waits; ignores the day that was clicked."""
    condition, values = where(state, ignore=("day",))
    return frame(view.ask(f"""
        select started_on, weekday, {SUMS}, quantile_cont(wait_seconds, 0.5) as p50, quantile_cont(wait_seconds, 0.9) as p90
        from fact_call where {condition} group by started_on, weekday order by started_on
    """, values))


def by_half_hour(view: View, state: State) -> pd.DataFrame:
    """One row a half hour over all workdays; ignores the slot that was clicked."""
    condition, values = where(state, ignore=("hour", "half", "weekday"))
    mart = "fact_call" if OF_A_CALL & dict(state.drill).keys() else "call_interval"
    return frame(view.ask(f"""
        select half_hour, {SUMS}, (select count(distinct started_on) from {mart} where {condition} and weekday < 5) as workdays
        from {mart} where {condition} and weekday < 5 group by half_hour order by half_hour
    """, values))


def by_slot(view: View, state: State) -> pd.DataFrame:
    """One row a weekday and hour."""
    condition, values = where(state, ignore=("hour", "half", "weekday"))
    return frame(view.ask(f"select weekday, hour_of_day as hour, {SUMS} from fact_call where {condition} group by weekday, hour_of_day", values))


def by_queue(view: View, state: State) -> pd.DataFrame:
    """One row a queue, worst first; ignores the queue that was clicked."""
    condition, values = where(state, ignore=("queue",))
    return frame(view.ask(f"""
        select queue, min(queue_label) as label, {SUMS}, quantile_cont(wait_seconds, 0.5) as p50, quantile_cont(wait_seconds, 0.9) as p90
        from fact_call where {condition} group by queue
        order by sum(level_hit) / nullif(sum(level_counted), 0) nulls last, queue
    """, values))


def by_agent(view: View, state: State) -> pd.DataFrame:
    """One row a person who answered; ignores the person who was clicked."""
    condition, values = where(state, ignore=("staff",))
    return frame(view.ask(f"""
        select staff_id, staff_name, sum(answered) as answered, sum(within_limit) as within,
            sum(talk_seconds) as talk, count(ticket_id) as tickets
        from fact_call where {condition} and answered = 1 and staff_id is not null
        group by staff_id, staff_name order by sum(answered) desc, staff_id
    """, values))


def _listing(condition: str, tail: str) -> str:
    return f"""
        select call_id, started_on, started_local, branch_id, queue, coalesce(queue_label, queue) as queue_label, caller, caller_name, party_id,
            party_name, staff_id, staff_name, {OUTCOME} as outcome, wait_seconds, talk_seconds, hold_seconds, acw_seconds,
            ticket_id, ticket_number, policy_version
        from fact_call where {condition}
        order by started_at desc, call_id desc {tail}
    """


def page(view: View, state: State) -> pd.DataFrame:
    """One screen of the calls behind the figures, newest first; `before` is the last call of the screen before."""
    condition, values = where(state)
    if state.before is not None:
        condition += " and (started_at, call_id) < (select (started_at, call_id) from fact_call where call_id = $before)"
        values["before"] = state.before
    return frame(view.ask(_listing(condition, f"limit {PAGE + 1}"), values))


def everything(view: View, state: State) -> pd.DataFrame:
    """All calls behind the figures, in the order of the screen."""
    condition, values = where(state)
    return frame(view.ask(_listing(condition, ""), values))


def span(view: View) -> tuple[Any, Any]:
    """The first and the last day that has calls, for the reader's branches."""
    row = view.ask("select min(started_on) as first, max(started_on) as last from fact_call where offered = 1").one()
    return row["first"], row["last"]


def branches(view: View) -> list[dict[str, Any]]:
    """The branches the reader may see."""
    return view.ask("select branch_id, branch_name, branch_name_en from dim_branch order by branch_code").dicts()
