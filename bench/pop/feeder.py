"""The switch of this bench: real event sequences, and the moment at which the ringing left for the wire."""

import asyncio
import re
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from bench.stage import FIRST_EXTENSION, SECRET
from telephony.simulator import control
from telephony.simulator.scenario import Agent, Queue, Scenario
from telephony.simulator.server import Simulator

_RINGING = re.compile(
    rb"Event: Newstate\r\n(?:[^\r\n]+\r\n)*?ChannelState: 5\r\n(?:[^\r\n]+\r\n)*?Linkedid: ([^\r\n]+)"
)


@dataclass(frozen=True)
class Order:
    """Somebody is to be called from that number by a caller of that patience, in seconds."""

    person: int
    number: str
    patience: float


class Switch(Simulator):
    """A simulated switch whose calls are ordered one by one."""

    sent: dict[str, float]

    def _flush(self) -> None:
        data, now = bytes(self._out), time.monotonic()
        super()._flush()
        for linkedid in _RINGING.findall(data):
            self.sent.setdefault(linkedid.decode(), now)


class Feeder:
    """Runs the switch in a thread of its own; `sent` says when each call's phone was told to ring."""

    def __init__(self, people: int) -> None:
        agents = tuple(Agent(str(FIRST_EXTENSION + n), f"Person {n + 1}") for n in range(people))
        queue = Queue("support", "02150800100", "ringall", tuple(a.extension for a in agents[:2]))
        self.sent: dict[str, float] = {}
        self.switch = Switch(Scenario(agents=agents, queues=(queue,)), secret=SECRET, arrivals=False)
        self.switch.sent = self.sent
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._done(self.switch.start())

    @property
    def port(self) -> int:
        """Where the listener connects."""
        return self.switch.port

    def play(self, orders: list[Order], rate: float) -> "Future[dict[str, int]]":
        """The phones ring at that rate, each until its caller loses patience; the result is who was rung, by call."""
        return asyncio.run_coroutine_threadsafe(self._play(orders, rate), self._loop)

    async def _play(self, orders: list[Order], rate: float) -> dict[str, int]:
        began, rung = self._loop.time(), {}
        for turn, order in enumerate(orders):
            await asyncio.sleep(max(0.0, began + turn / rate - self._loop.time()))
            asked = {"verb": "ring", "extension": str(FIRST_EXTENSION + order.person - 1), "number": order.number}
            call = str(self._obey(asked)["call"])
            rung[call] = order.person
            self._loop.call_later(order.patience, self._obey, {"verb": "hangup", "call": call})
        await asyncio.sleep(max(order.patience for order in orders) + 1.0)
        return rung

    def _obey(self, order: dict[str, Any]) -> dict[str, object]:
        self.switch.catch_up()
        told = control.obey(self.switch.day, order)
        self.switch._flush()
        self.switch._moved.set()
        return told

    def connected(self, wait: float = 30.0) -> None:
        """Waits until a listener has signed in."""
        until = time.monotonic() + wait
        while not any(session.listening for session in self.switch._sessions):
            if time.monotonic() > until:
                raise TimeoutError("no listener came; see listen.log")
            time.sleep(0.05)

    def stop(self) -> None:
        """The switch is gone."""
        self._done(self.switch.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _done(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(30)
