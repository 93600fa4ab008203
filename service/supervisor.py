"""Runs the rooms as child processes: starts, restarts with growing patience, stops in reverse; PostgreSQL first and last."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from service.core.embedded import Embedded

log = logging.getLogger(__name__)
GRACE = 3.5  # seconds until a child that does not stop is killed; the whole stop stays under five
STEADY = 60.0  # a child that lived so long is forgiven its earlier falls
LONGEST = 65536  # bytes of one line
Say = Callable[[str], None]


@dataclass(frozen=True)
class Child:
    """One process: its name and the words after `python -m`."""

    name: str
    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Keeps the children alive until told to stop."""

    def __init__(self, children: list[Child], server: Embedded | None, say: Say) -> None:
        self.children, self.server, self.say = children, server, say
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.stopping = asyncio.Event()

    async def run(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Everything runs until SIGINT or SIGTERM; `ready` is awaited once all have been started."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, self.stopping.set)
        tasks = [asyncio.create_task(self._keep(child)) for child in self.children]
        if self.server:
            tasks.append(asyncio.create_task(self._keep_server(self.server)))
        tasks.append(asyncio.create_task(_quiet(ready())))
        await self.stopping.wait()
        await self._stop(tasks)

    async def _keep(self, child: Child) -> None:
        """The child runs; when it falls it is started again after 0.5 s, 1 s, 2 s … 30 s."""
        falls = 0
        while not self.stopping.is_set():
            began = time.monotonic()
            try:
                code = str(await self._one(child))
            except OSError as error:  # no process to be had at this moment
                code = str(error)
            if self.stopping.is_set():
                return
            falls = 0 if time.monotonic() - began > STEADY else falls + 1
            wait = min(0.5 * 2 ** max(falls - 1, 0), 30.0)
            self.say(f"{child.name} ended with {code}; it starts again in {wait:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), wait)

    async def _one(self, child: Child) -> int:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *child.words,
            env=os.environ | dict(child.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=_die_with_parent,
            process_group=0,
        )
        self.running[child.name] = process
        assert process.stdout is not None
        async for line in _lines(process.stdout):
            self.say(f"{child.name}: {line.decode('utf-8', 'replace').rstrip()}")
        return await process.wait()

    async def _keep_server(self, server: Embedded) -> None:
        """PostgreSQL is started again when it was killed."""
        while not self.stopping.is_set():
            if not await asyncio.to_thread(server.running):
                self.say("postgresql is gone; starting it again")
                try:
                    await asyncio.to_thread(server.start)
                except Exception as error:
                    self.say(f"postgresql does not start: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 0.5)

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        alive = [process for process in self.running.values() if process.returncode is None]
        for process in alive:
            _send(process, signal.SIGTERM)
        waits = [asyncio.create_task(process.wait()) for process in alive]
        if waits:
            await asyncio.wait(waits, timeout=GRACE)
        for process in alive:
            if process.returncode is None:
                _send(process, signal.SIGKILL)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *waits, return_exceptions=True)
        if self.server:
            await asyncio.to_thread(self.server.stop)


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """What a child says, line by line; a line without end is told in pieces, so that no child waits to be read."""
    rest = b""
    while data := await stream.read(LONGEST):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line
        if len(rest) >= LONGEST:
            yield rest
            rest = b""
    if rest:
        yield rest


async def _quiet(work: Awaitable[None]) -> None:
    await work


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    """The child's whole group gets the signal, its own children included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _die_with_parent() -> None:
    """A child whose supervisor is killed ends too (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
