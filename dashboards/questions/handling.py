"""What the calls board asks of agents' time and of callers who were missed; both know less of a call than the calls themselves."""

from typing import Any

from dashboards.state import Period, State
from service.core.kpi import AgentTime, Recovery
from warehouse.read import View

# Filters of the board that agents' time, and missed callers, can follow; under any other there is no such figure.
TIME = {"day": "spent_on = $day", "weekday": "weekday = $weekday", "staff": "staff_id = $staff"}
MISSED = {"day": "first_on = $day", "weekday": "weekday = $weekday", "queue": "queue = $queue"}


def agent_time(view: View, state: State, period: Period | None = None) -> AgentTime | None:
    """Seconds that agents of the chosen branch spent in each state; None under a filter that has no agents' time."""
    found = _where(state, period, "spent_on", TIME)
    if found is None:
        return None
    condition, values = found
    rows = view.ask(f"select state, sum(seconds) as seconds from fact_agent_stint where {condition} group by state", values).rows
    return AgentTime(**{state_: float(seconds) for state_, seconds in rows})


def recovery(view: View, state: State, period: Period | None = None) -> Recovery | None:
    """Missed callers by whether they were spoken with in time; None under a filter that callers who were not answered cannot have."""
    found = _where(state, period, "first_on", MISSED)
    if found is None:
        return None
    condition, values = found
    row = view.ask(f"""
        select coalesce(sum(judged), 0) as judged, coalesce(sum(recovered), 0) as recovered, quantile_cont(recall_seconds, 0.5) as median
        from fact_missed_caller where {condition}
    """, values).one()
    return Recovery(int(row["judged"]), int(row["recovered"]), None if row["median"] is None else float(row["median"]))


def _where(state: State, period: Period | None, day: str, known: dict[str, str]) -> tuple[str, dict[str, Any]] | None:
    span = period or state.period
    if any(key not in known for key, _value in state.drill):
        return None
    values: dict[str, Any] = {"start": span.start, "finish": span.end} | dict(state.drill)
    branch = ["branch_id = $branch"] if state.branch is not None else []
    if branch:
        values["branch"] = state.branch
    return " and ".join([f"{day} between $start and $finish", *branch, *(known[key] for key, _value in state.drill)]), values
