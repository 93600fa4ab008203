"""How many agents a load of calls needs: Erlang B and C, pure. Shares are between 0 and 1, times are seconds, loads are Erlang.

The model (A. K. Erlang 1917; R. B. Cooper, Introduction to Queueing Theory, 1981, chapter 3) is a line without an end before n equal
agents: calls come at random (Poisson), handling times are exponential, nobody gives up, and the half hour is long enough to settle.

Two published examples are reproduced by the tests:
pyworkforce (README, "Erlang C"): 100 calls in 30 min of 3 min each, 80 % in 20 s, occupancy at most 85 %, shrinkage 30 %
-> 14 agents, 20 on the rota, service level 0.8884, waiting probability 0.1741, occupancy 0.7143;
call_center_tools (README): 1000 calls in an hour of 120 s each, otherwise the same
-> 40 agents, 58 on the rota, service level 93.72 %, average speed of answer 3.43 s, waiting probability 19.07 %, occupancy 83.33 %.
"""

from dataclasses import dataclass
from math import ceil, exp, floor, inf, isfinite

HALF_HOUR = 1800.0
# Beyond these a number is a slip of the pen: a load of 100,000 Erlang is a city on the phone, a call of a day is not one.
MOST_LOAD = 100_000.0
MOST_AGENTS = 1_000_000
LONGEST = 86_400.0
# 14 / (1 - 0.3) must be 20 and never 21 because of the last binary digit.
SLACK = 1e-9


@dataclass(frozen=True)
class Staffed:
    """What callers and agents of one load may expect from so many agents."""

    agents: int
    waiting: float
    level: float
    asa: float
    occupancy: float


def offered(calls: float, aht: float, interval: float = HALF_HOUR) -> float:
    """The load in Erlang: agents who would be busy on average if nobody ever waited."""
    _within(calls, 0, inf, "The number of calls")
    _within(aht, 0, LONGEST, "The handling time in seconds")
    _within(interval, 1, LONGEST, "The interval in seconds")
    return _loaded(calls * aht / interval)


def blocking(load: float, agents: int) -> float:
    """Erlang B: the share of calls that find all agents busy when nobody may wait. By recurrence, so that no factorial overflows."""
    _loaded(load)
    _manned(agents)
    found = 1.0
    for count in range(1, agents + 1):
        found = load * found / (count + load * found)
    return found


def waiting(load: float, agents: int) -> float:
    """Erlang C: the share of calls that must wait; all of them when the load is as large as the team."""
    return _queued(load, agents, blocking(load, agents))


def service_level(load: float, agents: int, aht: float, within: float) -> float:
    """The share of calls that is answered within so many seconds: 1 - C * exp(-(n - a) * T / AHT)."""
    return expected(load, agents, aht, within).level


def asa(load: float, agents: int, aht: float) -> float:
    """Average speed of answer, over all calls: C * AHT / (n - a); endless when the load is as large as the team."""
    return expected(load, agents, aht, 0).asa


def occupancy(load: float, agents: int) -> float:
    """The share of their time that agents are busy; never more than all of it."""
    _loaded(load)
    _manned(agents)
    return 0.0 if load == 0 else 1.0 if load >= agents else load / agents


def expected(load: float, agents: int, aht: float, within: float) -> Staffed:
    """Everything that the model says of one load and one team."""
    _handled(aht)
    _patient(within)
    return _expected(load, agents, aht, within, waiting(load, agents))


def needed(load: float, aht: float, *, target: float, within: float, most: float | None = None) -> int:
    """The least number of agents that answers the share `target` within `within` seconds, none of them busier than `most`."""
    _handled(aht)
    _patient(within)
    if not 0 < target < 1:
        raise ValueError(f"The target must be above 0 and below 1; {target} is not. No team answers every call in time.")
    if most is not None and not 0 < most <= 1:
        raise ValueError(f"The maximum occupancy must be above 0 and at most 1; {most} is not.")
    if _loaded(load) == 0:
        return 0
    agents = max(floor(load) + 1, ceil(load / most - SLACK) if most else 1)
    found = blocking(load, agents)
    while _expected(load, agents, aht, within, _queued(load, agents, found)).level < target:
        agents += 1
        found = load * found / (agents + load * found)
    return agents


def on_rota(agents: int, shrinkage: float) -> int:
    """How many must be planned so that so many are on the phone, when a share of the paid time goes elsewhere."""
    _manned(agents)
    if not 0 <= shrinkage < 1:
        raise ValueError(f"Shrinkage must be at least 0 and below 1; {shrinkage} is not.")
    return ceil(agents / (1 - shrinkage) - SLACK)


def unseen(agents: int, calls: float) -> float:
    """About how many of so many agents answer nobody while so many calls come, each to one of them at random: n * exp(-calls / n)."""
    _manned(agents)
    _within(calls, 0, inf, "The number of calls")
    return agents * exp(-calls / agents) if agents else 0.0


def _queued(load: float, agents: int, blocked: float) -> float:
    if load == 0:
        return 0.0
    return 1.0 if load >= agents else blocked / (1 - load / agents * (1 - blocked))


def _expected(load: float, agents: int, aht: float, within: float, queued: float) -> Staffed:
    if load >= agents and load > 0:
        return Staffed(agents, 1.0, 0.0, inf, 1.0)
    spare = agents - load
    level = 1.0 if load == 0 else 1 - queued * exp(-spare * within / aht)
    return Staffed(agents, queued, level, 0.0 if load == 0 else queued * aht / spare, load / agents if agents else 0.0)


def _within(value: float, low: float, high: float, name: str) -> None:
    if not isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name} must be {low:g} or more; {value} is not." if high == inf else f"{name} must be between {low:g} and {high:g}; {value} is not.")


def _loaded(load: float) -> float:
    _within(load, 0, MOST_LOAD, "The load in Erlang")
    return load


def _manned(agents: int) -> None:
    _within(agents, 0, MOST_AGENTS, "The number of agents")


def _handled(aht: float) -> None:
    if not 0 < aht <= LONGEST:
        raise ValueError(f"The handling time must be above 0 and at most {LONGEST:g} seconds; {aht} is not.")


def _patient(within: float) -> None:
    _within(within, 0, LONGEST, "The time to answer in seconds")
