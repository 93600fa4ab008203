"""The pretended switch on the network: AMI on one port, orders on another, and the day kept in step with the clock."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from telephony.simulator import control
from telephony.simulator.audio import write_wav
from telephony.simulator.day import Day
from telephony.simulator.scenario import Scenario
from telephony.simulator.session import Session
from telephony.simulator.truth import Truth

log = logging.getLogger("ringdesk.simulator")
LONGEST_SLEEP = 0.5
FLUSH_BYTES = 64 << 10


class Simulator:
    """A day that is being played; `port` and `control_port` are known once it has started."""

    def __init__(self, scenario: Scenario, *, secret: str, host: str = "127.0.0.1", port: int = 0, control_port: int = 0,
                 arrivals: bool = True) -> None:
        if not secret:
            raise ValueError("The simulated switch needs a secret.")
        self.scenario, self.host, self.port, self.control_port = scenario, host, port, control_port
        self._secret, self._arrivals = secret, arrivals
        self._sessions: set[Session] = set()
        self._out = bytearray()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._moved = asyncio.Event()

    async def start(self) -> None:
        """Both ports are open and callers may ring; raises OSError when a port is taken."""
        self._wall = time.time()
        self.day = Day(self.scenario, self._wall, self._hear, self._ended, self._arrivals)
        for serve, wanted in ((self._client, self.port), (self._orders, self.control_port)):
            self._servers.append(await asyncio.start_server(serve, self.host, wanted, limit=1 << 20))
        self.port, self.control_port = (s.sockets[0].getsockname()[1] for s in self._servers)
        self._spawn(self._play())

    async def stop(self) -> None:
        """Nothing is open any more; recordings that were being written are whole."""
        for server in self._servers:
            server.close()
        for session in self._sessions:
            session.hang_up()
        writing = [t for t in self._tasks if t.get_name() == "wav"]
        for task in self._tasks.difference(writing):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> "Simulator":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def at(self) -> float:
        """The switch's clock: ours, run at the scenario's speed from the start on."""
        return self._wall + (time.time() - self._wall) * self.scenario.speed

    def catch_up(self) -> None:
        """All that is due has happened and been sent."""
        self.day.run_until(self.at)
        self._flush()

    def _acted(self) -> None:
        """The same, and what was ordered goes on when it is due."""
        self.catch_up()
        self._moved.set()

    # events

    def _hear(self, frame: bytes) -> None:
        self._out += frame
        if len(self._out) > FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._out:
            return
        data, self._out = bytes(self._out), bytearray()
        for session in self._sessions:
            if session.listening:
                session.send(data)

    async def _play(self) -> None:
        while True:
            self.catch_up()
            self._moved.clear()
            due = self.day.next_due
            wait = LONGEST_SLEEP if due is None else (due - self.at) / self.scenario.speed
            # Not wait_for: in Python 3.11 it can swallow a cancellation that meets the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(LONGEST_SLEEP, max(0.0, wait))):
                    await self._moved.wait()

    # connections

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self.day, self._secret, self._acted, writer)
        self._sessions.add(session)
        try:
            await session.serve(reader)
        except (OSError, ValueError, asyncio.CancelledError):
            log.info("A client of the simulated switch is gone.")
        finally:
            self._sessions.discard(session)
            writer.close()

    async def _orders(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.CancelledError):
            while line := await reader.readline():
                self.catch_up()
                writer.write(control.answer_line(self.day, line))
                self._flush()
                self._moved.set()
        writer.close()

    # recordings

    def _ended(self, truth: Truth) -> None:
        folder = self.scenario.recordings
        if folder is None or truth.recording is None:
            return
        seconds = truth.talk_seconds if truth.disposition == "answered" and truth.talk_seconds else 0.0
        began = truth.talk_began or 0.0
        silent = [(begin - began, end - began if end > begin else seconds) for begin, end in truth.silent]
        task = self._spawn(self._write(folder / truth.recording, seconds, f"{self.scenario.seed}/{truth.linkedid}", silent))
        task.set_name("wav")

    async def _write(self, path: Path, seconds: float, seed: str, silent: list[tuple[float, float]]) -> None:
        try:
            await asyncio.to_thread(write_wav, path, seconds, seed, silent)
        except OSError as error:
            log.error("The recording %s could not be written: %s.", path.name, error.strerror)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def run(scenario: Scenario, *, secret: str, host: str = "127.0.0.1", port: int = 5038, control_port: int = 0,
              ready: Callable[[Simulator], None] | None = None, stop: asyncio.Event | None = None) -> None:
    """Plays the day until `stop` is set or the task is cancelled; raises OSError when a port is taken."""
    async with Simulator(scenario, secret=secret, host=host, port=port, control_port=control_port) as simulator:
        if ready is not None:
            ready(simulator)
        await (stop or asyncio.Event()).wait()
