"""A day as it unfolds: calls arrive by chance, scripts go on when they are due, the clock never waits for anybody."""

import heapq
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from telephony.simulator.plan import Plan, choose
from telephony.simulator.scenario import Scenario
from telephony.simulator.scripts import Call, Order, Script
from telephony.simulator.switch import Switch
from telephony.simulator.truth import Truth

KEPT_TRUTHS = 20_000                   # so that a demo left running for weeks stays small

FIRST_CALL_WITHIN = 20.0               # seconds; whoever starts a demo wants to see a phone ring


@dataclass(eq=False)
class Played:
    """A call with its script; `turn` tells a stale alarm from the valid one."""

    call: Call
    script: Script
    turn: int = 0


@dataclass
class Day:
    """One working day, played as far as it has been asked to go. Same scenario, same start: same bytes."""

    scenario: Scenario
    starts_at: float
    hear: Callable[[bytes], None]
    ended: Callable[[Truth], None] = lambda truth: None
    arrivals: bool = True
    switch: Switch = field(init=False)
    truths: list[Truth] = field(default_factory=list)
    running: list[Played] = field(default_factory=list)
    _due: list[tuple[float, int, int, Played | None]] = field(default_factory=list)
    _serial: int = 0

    def __post_init__(self) -> None:
        self.switch = Switch(self.scenario, self.starts_at, self.hear)
        self._random = random.Random(f"{self.scenario.seed}/day")
        self._incoming = self._arrive()
        if self.arrivals:
            self._alarm(self.starts_at + min(self._gap(), FIRST_CALL_WITHIN), None)

    @property
    def next_due(self) -> float | None:
        """When something happens next, in Unix seconds of the switch."""
        return self._due[0][0] if self._due else None

    def run_until(self, at: float) -> None:
        """Everything that is due by then has happened."""
        while self._due and self._due[0][0] <= at:
            due, _serial, turn, played = heapq.heappop(self._due)
            self.switch.at = max(self.switch.at, due)
            if played is None:
                next(self._incoming)
            elif played.turn == turn:
                self._resume(played)
        self.switch.at = max(self.switch.at, at)

    def begin(self, plan: Plan) -> Call:
        """The call is under way at this moment."""
        return self.play(Call(self.switch, plan))

    def play(self, call: Call) -> Call:
        """This call is under way."""
        played = Played(call, call.play())
        self.running.append(played)
        self._resume(played)
        return call

    def order(self, call: Call, order: Order) -> None:
        """The call's script wakes at once and does as told."""
        played = next(p for p in self.running if p.call is call)
        call.order = order
        self._resume(played)

    def finish(self) -> None:
        """No more calls arrive, and those under way have come to their end."""
        self._due = [entry for entry in self._due if entry[3] is not None]
        heapq.heapify(self._due)
        while self._due:
            self.run_until(self._due[0][0])

    def _arrive(self) -> Generator[None, None, None]:
        while True:
            self.begin(choose(self.scenario, self._random))
            self._alarm(self.switch.at + self._gap(), None)
            yield

    def _gap(self) -> float:
        return self._random.expovariate(self.scenario.calls_per_hour / 3600)

    def _alarm(self, at: float, played: Played | None) -> None:
        self._serial += 1
        heapq.heappush(self._due, (at, self._serial, played.turn if played else 0, played))

    def _resume(self, played: Played) -> None:
        played.turn += 1
        try:
            wait = next(played.script)
        except StopIteration:
            self._over(played)
            return
        self._alarm(self.switch.at + wait, played)

    def _over(self, played: Played) -> None:
        self.running.remove(played)
        truth = played.call.truth
        if truth is not None:
            self.truths.append(truth)
            del self.truths[:-KEPT_TRUTHS]
            self.ended(truth)
