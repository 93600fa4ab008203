"""What the figures of the floor mean. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.core.kpi import Figures

JUST_ENDED = timedelta(seconds=45)
ORDER = ("ringing", "ready", "acw", "talking", "hold", "pause", "offline")  # who is needed next comes first
HELD = ("hold", "park")


@dataclass(frozen=True)
class Line:
    """A queue now: who waits, since when the first, how many of its phones are free, and its day."""

    switch: str
    name: str
    label: str
    waiting: int
    since: datetime | None
    free: int
    members: int
    day: Figures


def total(lines: Iterable[Line]) -> Figures:
    """All queues' day."""
    return sum((line.day for line in lines), Figures())


def call_state(answered: bool, ended: bool, last: str, rung: bool, queued: bool) -> str:
    """waiting, ringing, talking, held or ended: what the board says of a call; `last` is where the customer is now."""
    if ended:
        return "ended"
    if answered:
        return "held" if last in HELD else "talking"
    if rung or last == "ringing" or not queued:
        return "ringing"
    return "waiting"


def counts(states: Sequence[str]) -> Mapping[str, int]:
    """How many agents are in each state, those at work only."""
    return {state: states.count(state) for state in ORDER if state in states and state != "offline"}
