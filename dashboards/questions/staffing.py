"""What the staffing board asks: how many called in each half hour of each weekday, how long an agent has with a call, who answered."""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from dashboards.frames import frame
from dashboards.questions import calls
from dashboards.state import Period, State
from warehouse.read import View

# What the reader points at is a place on the board; the calls of all the week are counted whatever it is.
POINTED = ("weekday", "half")


@dataclass(frozen=True)
class Handling:
    """Answered calls of one queue, how long they were talked and held, and the work after them; means in seconds."""

    queue: str
    label: str
    answered: int
    talk: float | None
    acw: float | None


def whole_days(state: State) -> Period | None:
    """The period without the day that is not over yet: half hours still to come are not half hours without calls."""
    end = min(state.period.end, state.last_day - timedelta(days=1))
    return Period(state.period.start, end) if end >= state.period.start else None


def arrivals(view: View, state: State, period: Period) -> pd.DataFrame:
    """One row a weekday and half hour in which anybody called: how many days of that weekday were open, how many calls they had
    together, and how many a mean day and one that only one in five or one in ten exceeds. A day is open when any call came."""
    condition, values = calls.where(state, period, ignore=POINTED)
    return frame(view.ask(f"""
        with taken as (
            select started_on, weekday, half_hour, sum(offered) as calls from call_interval where {condition} group by started_on, weekday, half_hour
        ),
        opened as (select distinct started_on, weekday from taken),
        halves as (select distinct half_hour from taken),
        filled as (
            select o.weekday, h.half_hour, coalesce(t.calls, 0) as calls
            from opened as o cross join halves as h
            left join taken as t on o.started_on = t.started_on and h.half_hour = t.half_hour
        )
        select weekday, half_hour, count(*) as days, cast(sum(calls) as bigint) as calls, cast(sum(calls) as double) / count(*) as mean,
            cast(quantile_cont(calls, 0.8) as double) as p80, cast(quantile_cont(calls, 0.9) as double) as p90
        from filled group by weekday, half_hour having sum(calls) > 0 order by weekday, half_hour
    """, values))


def shares(view: View, state: State, period: Period) -> pd.DataFrame:
    """One row a weekday, half hour and queue: how many calls came to it."""
    condition, values = calls.where(state, period, ignore=POINTED)
    return frame(view.ask(f"""
        select weekday, half_hour, queue, cast(sum(offered) as bigint) as calls from call_interval where {condition} group by weekday, half_hour, queue
    """, values))


def handling(view: View, state: State, period: Period) -> list[Handling]:
    """What is known of the handling time, one entry a queue that had calls."""
    condition, values = calls.where(state, period, ignore=POINTED)
    found = view.ask(f"""
        select queue, min(coalesce(queue_label, queue)) as label, cast(sum(handled) as bigint) as answered,
            cast((sum(talk_seconds) + sum(hold_seconds)) / nullif(sum(handled), 0) as double) as talk,
            cast(sum(acw_seconds) / nullif(sum(handled), 0) as double) as acw
        from call_interval where {condition} group by queue order by queue
    """, values)
    return [Handling(**row) for row in found.dicts()]


def there(view: View, state: State, period: Period) -> pd.DataFrame:
    """One row a weekday and half hour: agents who answered a call in it, added up over the days."""
    condition, values = calls.where(state, period, ignore=POINTED)
    return frame(view.ask(f"""
        with seen as (
            select weekday, half_hour, started_on, count(distinct coalesce(cast(staff_id as varchar), extension)) as agents
            from fact_call where {condition} and answered = 1 group by weekday, half_hour, started_on
        )
        select weekday, half_hour, cast(sum(agents) as bigint) as agents from seen group by weekday, half_hour
    """, values))


def queues(view: View, state: State, period: Period) -> list[tuple[str, str]]:
    """Queues that had calls, whichever of them is chosen: their key and name."""
    condition, values = calls.where(state, period, ignore=("queue", *POINTED))
    return list(view.ask(f"select queue, min(queue_label) as label from call_interval where {condition} group by queue order by label, queue", values).rows)
