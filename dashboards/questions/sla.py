"""What the SLA board asks: promises met, missed and still open, by when and by whom."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from dashboards.frames import frame
from dashboards.state import Period, State
from dashboards.words import ratio
from warehouse.read import View

PAGE = 100
CONDITIONS = {
    "month": "registered_month = $month",
    "week": "registered_on between cast($week as date) and cast($week as date) + 6",
    "priority": "priority = $priority",
    "branch": "branch_id = $branch_drill",
    "type": "ticket_type = $type",
    "staff": "coalesce(assignee_id, 0) = $staff",
}


@dataclass(frozen=True)
class Totals:
    """Promises of a period, and how much of the allowed time nine in ten tickets took."""

    met: int
    missed: int
    pending: int
    urgent_pending: int
    used_p90: float | None

    @property
    def decided(self) -> int:
        """Promises that are kept or broken; the open ones are neither."""
        return self.met + self.missed

    @property
    def tickets(self) -> int:
        """All of them."""
        return self.decided + self.pending

    @property
    def rate(self) -> float | None:
        """Met / (met + missed), in percent."""
        return ratio(self.met, self.decided)


def _sums(promise: str) -> str:
    return f"""
        count(case when {promise}_promise = 'met' then 1 end) as met,
        count(case when {promise}_promise = 'missed' then 1 end) as missed,
        count(case when {promise}_promise = 'pending' then 1 end) as pending
    """


def where(state: State, period: Period | None = None, *, ignore: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
    """The condition of a state and the values it binds."""
    span = period or state.period
    parts = ["registered_on between $start and $finish"]
    values: dict[str, Any] = {"start": span.start, "finish": span.end}
    if state.branch is not None:
        parts.append("branch_id = $branch")
        values["branch"] = state.branch
    for key, value in state.drill:
        if key in ignore:
            continue
        parts.append(f"{state.promise}_promise = $met" if key == "met" else CONDITIONS[key])
        values["branch_drill" if key == "branch" else key] = value
    return " and ".join(parts), values


def totals(view: View, state: State, period: Period | None = None) -> Totals:
    """The sums of the state, or of another period under the same filters."""
    condition, values = where(state, period)
    if period is not None:  # a bar of this period has no twin in the other one
        condition, values = where(state.without("month", "week"), period)
    kind = state.promise
    row = view.ask(f"""
        select {_sums(kind)}, count(case when {kind}_promise = 'pending' and priority = 'urgent' then 1 end) as urgent_pending,
            quantile_cont(cast({kind}_seconds as double) / nullif({kind}_allowed, 0), 0.9) as used_p90
        from fact_ticket where {condition}
    """, values).one()
    return Totals(**row)


def _by(view: View, state: State, columns: str, order: str, *ignore: str) -> pd.DataFrame:
    condition, values = where(state, ignore=ignore)
    return frame(view.ask(f"select {columns}, {_sums(state.promise)} from fact_ticket where {condition} group by all order by {order}", values))


WORST = "met / nullif(met + missed, 0) nulls last"


def by_week(view: View, state: State, period: Period | None = None) -> pd.DataFrame:
    """One row a week of registration, named by its Monday."""
    condition, values = where(state.without("week"), period)
    return frame(view.ask(f"""
        select cast(date_trunc('week', registered_on) as date) as week, {_sums(state.promise)}
        from fact_ticket where {condition} group by week order by week
    """, values))


def by_month(view: View, state: State) -> pd.DataFrame:
    """One row a month of registration."""
    return _by(view, state, "registered_month as month", "month", "month", "week")


def by_priority(view: View, state: State) -> pd.DataFrame:
    """One row a priority, in the order of urgency."""
    rank = "case priority when 'urgent' then 0 when 'normal' then 1 when 'low' then 2 else 3 end as rank"
    return _by(view, state, f"priority, {rank}", "rank, priority", "priority")


def by_branch(view: View, state: State) -> pd.DataFrame:
    """One row a branch, worst first."""
    return _by(view, state, "branch_id as branch, branch_name, branch_name_en", WORST, "branch")


def by_type(view: View, state: State) -> pd.DataFrame:
    """One row a kind of ticket, worst first."""
    return _by(view, state, "ticket_type as type", WORST, "type")


def by_person(view: View, state: State) -> pd.DataFrame:
    """One row a person, worst first; nobody is a person too."""
    return _by(view, state, "coalesce(assignee_id, 0) as staff, min(assignee_name) as name", WORST, "staff")


# Worst first: missed, then open, then met; the newest of each first.
RANKED = """
    select *, case {kind}_promise when 'missed' then 0 when 'pending' then 1 else 2 end as rank, -ticket_id as age
    from fact_ticket
"""


def _listing(state: State, condition: str, tail: str) -> str:
    kind = state.promise
    return f"""
        with ranked as ({RANKED.format(kind=kind)})
        select ticket_id, ticket_number, registered_on, branch_id, branch_name, branch_name_en, party_id, party_name, subject, ticket_type,
            priority, state, assignee_id, assignee_name, {kind}_promise as promise, {kind}_seconds as used, {kind}_allowed as allowed
        from ranked where {condition} order by rank, age {tail}
    """


def page(view: View, state: State) -> pd.DataFrame:
    """One screen of the tickets behind the figures, worst first; `before` is the last ticket of the screen before."""
    condition, values = where(state)
    if state.before is not None:
        condition += " and (rank, age) > (select (rank, age) from ranked where ticket_id = $before)"
        values["before"] = state.before
    return frame(view.ask(_listing(state, condition, f"limit {PAGE + 1}"), values))


def everything(view: View, state: State) -> pd.DataFrame:
    """All tickets behind the figures, in the order of the screen."""
    condition, values = where(state)
    return frame(view.ask(_listing(state, condition, ""), values))


def span(view: View) -> tuple[Any, Any]:
    """The first and the last day on which a ticket was registered, for the reader's branches."""
    row = view.ask("select min(registered_on) as first, max(registered_on) as last from fact_ticket").one()
    return row["first"], row["last"]
