"""Two stored calls that may be one human call, and what they amount to together. Pure.

A phone's own attended transfer, or a call that leaves by a trunk and comes back by another, leaves two chains of channels
that no id ties together. They are suggested to a person and never joined by themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

TOUCH = timedelta(seconds=5)  # the second half may begin a moment after the first has ended
LONGEST = timedelta(hours=4)
# What a joined call shows of all its halves; everything else stays that of the half with the customer, and what people
# have said of it (customer, reason, ticket) is no half's own.
TOGETHER = (
    "started_at", "queued_at", "answered_at", "ended_at", "wait_seconds", "talk_seconds", "total_seconds", "hold_seconds", "ring_seconds",
    "disposition", "outcome", "final_agent", "recorded", "queue",
)
_MOMENTS = frozenset(name for name in TOGETHER if name.endswith("_at"))
_SECONDS = frozenset(name for name in TOGETHER if name.endswith("_seconds"))
_FIRST = ("queued_at", "wait_seconds", "ring_seconds", "queue")
Talk = tuple[datetime, datetime]


@dataclass(frozen=True)
class Half:
    """What shows of a call whether it is half of another: whose numbers, which phones of ours, from when to when."""

    id: int
    switch: str
    direction: str
    role: str | None
    numbers: frozenset[str]
    caller: str | None
    phones: frozenset[str]
    began: datetime
    ended: datetime


def why(one: Half, other: Half) -> str | None:
    """number or line: what the two share; None when they cannot be halves of one call."""
    if one.id == other.id or "supervision" in (one.role, other.role):
        return None
    if one.began > other.ended + TOUCH or other.began > one.ended + TOUCH:
        return None
    ways = {one.direction, other.direction}
    if one.switch != other.switch:
        return "number" if one.numbers & other.numbers else None
    if "inbound" not in ways or len(ways) != 2:
        return None
    if one.numbers & other.numbers:
        return "number"
    came, went = (one, other) if one.direction == "inbound" else (other, one)
    return "line" if ({went.caller} | went.phones) & came.phones else None


def main(halves: Sequence[Half]) -> Half:
    """The half that the customer began, else the oldest: the other one becomes part of it."""
    return min(halves, key=lambda half: (half.direction != "inbound", half.began, half.id))


def together(own: Mapping[str, Any], others: Sequence[Mapping[str, Any]], talks: Iterable[Talk]) -> dict[str, Any]:
    """The joined call's values: `own` are those of the half with the customer, `talks` all spans in which anybody talked.

    Begin and answer are the first, the end the last; talk is the time in which somebody talked, counted once where halves
    overlap; holds add up; the call is transferred when more than one half was answered.
    """
    every = [own, *others]
    found = dict(own) | {name: next((one[name] for one in every if one[name] is not None), None) for name in _FIRST}
    for name, pick in (("started_at", min), ("answered_at", min), ("ended_at", max)):
        found[name] = pick((one[name] for one in every if one[name] is not None), default=None)
    found["total_seconds"] = _between(found["started_at"], found["ended_at"])
    found["talk_seconds"] = _union(talks) if any(one["talk_seconds"] is not None for one in every) else None
    holds = [one["hold_seconds"] for one in every if one["hold_seconds"] is not None]
    found["hold_seconds"] = sum(holds, Decimal(0)) if holds else None
    answered = [one for one in every if one["outcome"] == "answered"]
    if answered:
        found["outcome"] = "answered"
        found["disposition"] = "transferred" if len(answered) > 1 else answered[0]["disposition"]
        found["final_agent"] = max(answered, key=lambda one: (one["ended_at"] is not None, one["ended_at"]))["final_agent"]
    return found | {"recorded": any(one["recorded"] for one in every)}


def _between(began: datetime | None, ended: datetime | None) -> Decimal | None:
    return _exact(ended - began) if began and ended else None


def _union(talks: Iterable[Talk]) -> Decimal:
    """The seconds covered by any of the spans."""
    total, until = timedelta(), None
    for begins, ends in sorted(talks):
        first = begins if until is None else max(begins, until)
        if first < ends:
            total += ends - first
            until = ends
    return _exact(total)


def _exact(length: timedelta) -> Decimal:
    return Decimal(max(length.total_seconds(), 0)).quantize(Decimal("0.001"))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON keeps them."""
    return {name: str(value) if name in _SECONDS and value is not None else value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()}


def read(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The values that `plain` kept; what else stands beside them is left out."""
    return {name: value if value is None else Decimal(value) if name in _SECONDS else datetime.fromisoformat(value) if name in _MOMENTS else value
            for name, value in kept.items() if name in TOGETHER}
