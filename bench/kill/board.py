"""The switch of this bench: it survives, places calls by chance, and knows what really happened and when it was heard."""

import asyncio
import random
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from bench.stage import FIRST_EXTENSION, SECRET
from telephony.simulator.plan import Plan, choose
from telephony.simulator.scenario import MIX, Agent, Caller, Queue, Scenario
from telephony.simulator.scripts import Order
from telephony.simulator.server import Simulator
from telephony.simulator.truth import Truth

CALLS_PER_SECOND = 2.0
TALKS = 86_400.0
LOOK = 0.005  # how often it is noted whether somebody listens
T = TypeVar("T")


def scenario(people: int, seed: int) -> Scenario:
    """Short calls of every kind; who rings out for twenty seconds is left out, so that a round has an end."""
    agents = tuple(Agent(str(FIRST_EXTENSION + n), f"Person {n + 1}") for n in range(people))
    extensions = tuple(agent.extension for agent in agents)
    half = people // 2
    queues = (
        Queue("support", "02150800100", "ringall", extensions[:half]),
        Queue("sales", "02150800101", "rrmemory", extensions[half:], ring_seconds=1.5),
    )
    mix = MappingProxyType({kind: share for kind, share in MIX.items() if kind != "direct-no-answer"})
    return Scenario(
        seed=seed,
        agents=agents,
        queues=queues,
        mix=mix,
        ring_seconds=(0.2, 1.5),
        talk_seconds=(1.0, 8.0),
        patience_seconds=(0.5, 4.0),
    )


class Board:
    """A simulated switch in a thread of its own. `heard` holds the spans in which a listener was signed in; `rung` counts the calls."""

    def __init__(self, people: int, seed: int) -> None:
        self.switch = Simulator(scenario(people, seed), secret=SECRET, arrivals=False)
        self.heard: list[list[float]] = []
        self.rung = 0
        self._random = random.Random(f"{seed}/arrivals")
        self._ringing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._done(self._begin())

    async def _begin(self) -> None:
        await self.switch.start()
        self._tasks = [asyncio.create_task(work()) for work in (self._arrive, self._watch)]

    @property
    def port(self) -> int:
        """Where the listener connects."""
        return self.switch.port

    @property
    def listened(self) -> bool:
        """True while a listener is signed in."""
        return any(session.listening for session in self.switch._sessions)

    async def _watch(self) -> None:
        while True:
            now, listened, known = time.time(), self.listened, bool(self.heard and len(self.heard[-1]) == 1)
            if listened and not known:
                self.heard.append([now])
            elif known and not listened:
                self.heard[-1].append(now)
            await asyncio.sleep(LOOK)

    async def _arrive(self) -> None:
        while True:
            if self._ringing:
                await self._place(choose(self.switch.scenario, self._random))
            await asyncio.sleep(self._random.expovariate(CALLS_PER_SECOND))

    async def _place(self, plan: Plan) -> Truth | None:
        self.switch.catch_up()
        call = self.switch.day.begin(plan)
        self.switch._flush()
        self.switch._moved.set()
        self.rung += 1
        return call.truth

    def open(self) -> None:
        """Callers ring from now on."""
        self._ringing = True

    def close(self) -> None:
        """Nobody new rings."""
        self._ringing = False

    def ring(self, person: int, *, after: float = 0.05, number: str = "13800002001") -> Truth:
        """That person's phone rings now, is answered after so many seconds and talks until the caller hangs up."""
        plan = Plan("direct", Caller(number), extension=str(FIRST_EXTENSION + person - 1), answer_after=after, talk=TALKS)
        truth = self._done(self._place(replace(plan, recorded=False, call_waiting=True)))
        assert truth is not None
        return truth

    def hang_up(self, truth: Truth) -> None:
        """The caller of that call hangs up now."""
        self._done(self._hang_up(truth))

    async def _hang_up(self, truth: Truth) -> None:
        self.switch.catch_up()
        played = next(played for played in self.switch.day.running if played.call.truth is truth)
        self.switch.day.order(played.call, Order("hangup", "caller"))
        self.switch._flush()

    def idle(self) -> bool:
        """True when no call is up."""
        return not self.switch.day.running

    def truths(self) -> list[Truth]:
        """Every call that has ended."""
        return list(self.switch.day.truths)

    def stop(self) -> None:
        """The switch is gone."""
        self._done(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.switch.stop()

    def _done(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)
