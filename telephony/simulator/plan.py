"""What one call is going to be: chosen by the seed before it rings, or by someone who orders a call."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from telephony.simulator.scenario import NASTY, WITHHELD, Caller, Queue, Scenario

KINDS = ("answered", "abandoned", "passed-on", "direct", "direct-no-answer", "direct-busy", "direct-cancelled", "outbound",
         "outbound-busy", "internal")


@dataclass(frozen=True)
class Plan:
    """A call to be played. `answer_by` of None leaves it to whoever is quickest; seconds are the switch's."""

    kind: str
    caller: Caller
    queue: Queue | None = None
    extension: str = ""                # rung directly, or who dials
    peer: str = ""                     # who is dialled from inside
    answer_by: str | None = None
    answer_after: float = 4.0
    patience: float = 60.0
    talk: float = 30.0
    hangup_by: str = "caller"
    let_ring_out: int = 0              # so many phones ring out before one answers
    recorded: bool = True
    call_waiting: bool = False         # rings even a phone that is in use


def choose(scenario: Scenario, rng: random.Random) -> Plan:
    """The next call of the day."""
    kind = rng.choices(tuple(scenario.mix), tuple(scenario.mix.values()))[0]
    caller = choose_caller(scenario, rng)
    talk = min(scenario.talk_seconds[1], scenario.talk_seconds[0] * rng.lognormvariate(0.6, 0.6))
    answer_after, patience = rng.uniform(*scenario.ring_seconds), rng.uniform(*scenario.patience_seconds)
    hangup_by, recorded = rng.choice(("caller", "caller", "agent")), scenario.recordings is not None
    first, second = _two(rng, [a.extension for a in scenario.agents])
    queue = _queue(scenario, kind, rng)
    if kind == "abandoned":
        answer_after = patience + 3600
    return Plan(
        kind, caller, queue=queue, extension=first, peer=second, answer_after=answer_after, talk=talk, hangup_by=hangup_by,
        patience=patience if kind == "abandoned" else 600.0, let_ring_out=1 if kind == "passed-on" else 0, recorded=recorded,
    )


def choose_caller(scenario: Scenario, rng: random.Random) -> Caller:
    """Mostly somebody known; sometimes withheld; now and then somebody nasty."""
    dice = rng.random()
    if dice < scenario.nasty_share:
        return rng.choice(NASTY)
    if dice < scenario.nasty_share + scenario.withheld_share:
        return rng.choice(WITHHELD)
    if scenario.known and rng.random() < scenario.known_share:
        return rng.choice(scenario.known)
    return rng.choice(scenario.strangers)


def _queue(scenario: Scenario, kind: str, rng: random.Random) -> Queue | None:
    turns = [q for q in scenario.queues if q.strategy == "rrmemory"]
    if kind == "passed-on" and turns:
        return turns[0]
    if kind in ("answered", "abandoned", "passed-on"):
        # The first queue is the firm's hotline; the others see less.
        return scenario.queues[0] if rng.random() < 0.8 else rng.choice(scenario.queues)
    return None


def _two(rng: random.Random, extensions: Sequence[str]) -> tuple[str, str]:
    if len(extensions) < 2:
        return extensions[0], extensions[0]
    first, second = rng.sample(list(extensions), 2)
    return first, second
