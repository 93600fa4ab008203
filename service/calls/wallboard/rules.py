"""What the figures of the floor mean. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SERVICE_SECONDS = 20  # answered within so long is in time
SHORT_SECONDS = 5  # who gives up sooner was never offered to anybody
TARGET = 80  # percent answered in time
JUST_ENDED = timedelta(seconds=45)
ORDER = ("ringing", "ready", "acw", "talking", "hold", "pause", "offline")  # who is needed next comes first
HELD = ("hold", "park")


@dataclass(frozen=True)
class Figures:
    """One queue's day, or all queues': calls by what became of them, waits and talks in seconds."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short: int = 0
    in_time: int = 0
    waited: float = 0.0
    talked: float = 0.0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(mine + theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def counted(self) -> int:
        """What the service level is a share of: answered and abandoned, short abandons left out."""
        return self.answered + self.abandoned - self.short

    @property
    def level(self) -> float | None:
        """Percent answered in time; None when nothing counts yet."""
        return 100 * self.in_time / self.counted if self.counted else None

    @property
    def lost(self) -> float | None:
        """Percent of the offered calls that gave up, short abandons left out."""
        return 100 * (self.abandoned - self.short) / self.offered if self.offered else None

    @property
    def answer_seconds(self) -> float | None:
        """Mean wait of the answered."""
        return self.waited / self.answered if self.answered else None

    @property
    def talk_seconds(self) -> float | None:
        """Mean talk of the answered."""
        return self.talked / self.answered if self.answered else None


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
