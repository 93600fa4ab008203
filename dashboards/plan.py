"""A staffing plan: what the reader supposes, and what follows for each half hour of the week. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards import erlang
from dashboards.questions.staffing import Handling
from service.core.kpi import Policy

BASES = ("mean", "p80", "p90")
NUMBER = re.compile(r"[+-]?\d{1,6}(\.\d{1,3})?")
# An agent fewer than needed is a gap; a part of one lies within what a mean of days can say.
GAP = 1.0


@dataclass(frozen=True)
class Bounds:
    """Between what a supposition must lie; both ends are allowed."""

    low: float
    high: float


# Percent and seconds, as the reader types them.
FIELDS: Mapping[str, Bounds] = {
    "target": Bounds(1, 99.9), "within": Bounds(0, 600), "shrink": Bounds(0, 90), "busy": Bounds(30, 100), "growth": Bounds(-90, 1000), "acw": Bounds(0, 3600),
}


@dataclass(frozen=True)
class Plan:
    """What is supposed, in percent and seconds; `refused` names the fields whose text is no such number."""

    target: float
    within: float
    shrink: float = 30.0
    busy: float = 85.0
    growth: float = 0.0
    acw: float = 30.0
    basis: str = "mean"
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Slot:
    """One half hour of one weekday: what came, what it needs, what that gives, who was there."""

    weekday: int
    half: int
    days: int
    taken: int
    mean: float
    calls: float
    aht: float
    load: float
    team: erlang.Staffed
    rota: int
    there: float | None

    @property
    def agents(self) -> int:
        """Needed on the phone."""
        return self.team.agents

    @property
    def gap(self) -> float:
        """By how many agents fewer were seen than needed, those left out who would have been there and answered nobody."""
        return 0.0 if self.there is None else max(0.0, self.agents - self.there - erlang.unseen(self.agents, self.mean))

    @property
    def short(self) -> bool:
        """True when clearly fewer were there."""
        return self.gap >= GAP


def supposed(given: Mapping[str, str], policy: Policy, queues: Iterable[Handling] = ()) -> Plan:
    """The plan of an address; a field that is not there or cannot be read keeps what the firm's policy, its own calls or the trade say."""
    read = {name: _number(given[name], bounds) for name, bounds in FIELDS.items() if given.get(name)}
    kept: dict[str, Any] = {"target": float(policy.call_target), "within": float(policy.within_seconds), "busy": float(policy.occupancy_warning)}
    kept |= {"acw": worked} if (worked := _worked(queues)) else {}
    kept |= {name: value for name, value in read.items() if value is not None}
    basis = given.get("basis", "")
    return Plan(**kept, basis=basis if basis in BASES else BASES[0], refused=frozenset(name for name, value in read.items() if value is None))


def _worked(queues: Iterable[Handling]) -> float:
    """The mean work after an answered call in whole seconds, as it was; 0 when nobody's is known."""
    known = [queue for queue in queues if queue.acw]
    count = sum(queue.answered for queue in known)
    return float(round(sum(float(queue.acw or 0) * queue.answered for queue in known) / count)) if count else 0.0


def _number(text: str, bounds: Bounds) -> float | None:
    plain = text.strip().removesuffix("%").replace("−", "-")
    value = float(plain) if NUMBER.fullmatch(plain) else None
    return value if value is not None and bounds.low <= value <= bounds.high else None


def handled(queues: Iterable[Handling], plan: Plan) -> dict[str, float]:
    """Seconds that an agent has with a call of each queue: talk, hold and the work after it. A queue that nobody answered is like the others."""
    known = [queue for queue in queues if queue.talk is not None]
    count = sum(queue.answered for queue in known)
    usual = sum(float(queue.talk or 0) * queue.answered for queue in known) / count if count else 0.0
    return {queue.queue: min(max((usual if queue.talk is None else queue.talk) + plan.acw, 1.0), erlang.LONGEST) for queue in queues}


def week(arrivals: Any, shares: Any, aht: Mapping[str, float], there: Any, plan: Plan) -> list[Slot]:
    """Each half hour of the week in which anybody called; the queues together are one team."""
    mixed = _mixed(shares, aht)
    seen = {(row.weekday, row.half_hour): int(row.agents) for row in there.itertuples()}
    return [_slot(row, mixed[row.weekday, row.half_hour], seen.get((row.weekday, row.half_hour), 0) / row.days if seen else None, plan)
            for row in arrivals.itertuples()]


def _mixed(shares: Any, aht: Mapping[str, float]) -> dict[tuple[int, int], float]:
    """The handling time of each half hour: that of its queues, by the calls that each of them had."""
    calls: dict[tuple[int, int], int] = {}
    busy: dict[tuple[int, int], float] = {}
    for row in shares.itertuples():
        key = (row.weekday, row.half_hour)
        calls[key] = calls.get(key, 0) + row.calls
        busy[key] = busy.get(key, 0.0) + row.calls * aht[row.queue]
    return {key: busy[key] / count for key, count in calls.items()}


def _slot(row: Any, aht: float, there: float | None, plan: Plan) -> Slot:
    calls = float(getattr(row, plan.basis)) * (1 + plan.growth / 100)
    load = erlang.offered(calls, aht)
    agents = erlang.needed(load, aht, target=plan.target / 100, within=plan.within, most=plan.busy / 100)
    return Slot(int(row.weekday), int(row.half_hour), int(row.days), int(row.calls), float(row.mean), calls, aht, load,
                erlang.expected(load, agents, aht, plan.within), erlang.on_rota(agents, plan.shrink / 100), there)


def other(slot: Slot, plan: Plan, change: int) -> erlang.Staffed | None:
    """What so many agents more or fewer would give; None when there would be nobody."""
    agents = slot.agents + change
    return erlang.expected(slot.load, agents, slot.aht, plan.within) if agents > 0 else None


def level(slots: Sequence[Slot]) -> float | None:
    """The service level of all these half hours in percent, each by its calls."""
    calls = sum(slot.calls for slot in slots)
    return 100 * sum(slot.calls * slot.team.level for slot in slots) / calls if calls else None


def occupancy(slots: Sequence[Slot]) -> float | None:
    """How busy the planned agents are over all these half hours, in percent."""
    agents = sum(slot.agents for slot in slots)
    return 100 * sum(slot.load for slot in slots) / agents if agents else None


def busiest(slots: Sequence[Slot]) -> Slot:
    """The half hour that needs most; of equal ones that with the larger load."""
    return max(slots, key=lambda slot: (slot.agents, slot.load, -slot.weekday, -slot.half))


def by_half_hour(slots: Sequence[Slot]) -> list[tuple[int, dict[int, int]]]:
    """The heat map as rows: a half hour, and the agents needed on each weekday that had calls in it."""
    halves = sorted({slot.half for slot in slots})
    return [(half, {slot.weekday: slot.agents for slot in slots if slot.half == half}) for half in halves]
