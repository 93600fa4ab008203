"""The switch of the soak: signs a listener in, tells truly which channels are up, and sends a load at a set rate."""

import asyncio
import time
from contextlib import suppress

from bench.ear.stream import Laps, Sent

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED_AGO = 3600
TICK = 0.01


class Switch:
    """One AMI port whose only talk is the load."""

    def __init__(self, laps: Laps) -> None:
        self.laps = laps
        self.sent, self.calls = 0, 0
        self.behind = 0.0  # seconds by which the wire was behind its plan at worst: a slow reader slows it
        self.logged_in = asyncio.Event()
        self._up: dict[bytes, bytes] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> None:
        """The listener may come."""
        self._server = await asyncio.start_server(self._client, "127.0.0.1", port)

    def stop(self) -> None:
        """Nobody is connected any more."""
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()

    async def play(self, rate: float, seconds: float) -> float:
        """Whole laps are sent at that rate until the time is over; returns how long it took."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            for event in self.laps.next_lap():
                await self._paced(began, rate)
                self._say(event)
            self.calls += self.laps.calls
        return time.monotonic() - began

    async def _paced(self, began: float, rate: float) -> None:
        assert self._writer is not None
        late = time.monotonic() - began - self.sent / rate
        self.behind = max(self.behind, late)
        if self.sent % 50 == 0:
            await self._writer.drain()
        while late < 0:
            await asyncio.sleep(TICK)
            late = time.monotonic() - began - self.sent / rate

    def _say(self, event: Sent) -> None:
        assert self._writer is not None
        self._writer.write(event.data)
        self.sent += 1
        if event.born:
            self._up[event.born] = event.data.partition(b"\r\nChannel: ")[2]
        elif event.gone:
            self._up.pop(event.gone, None)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.write(BANNER)
        with suppress(OSError, asyncio.CancelledError):
            await self._talk(reader, writer)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        action: dict[bytes, bytes] = {}
        while line := await reader.readline():
            key, _, value = line.strip().partition(b": ")
            if key:
                action[key.lower()] = value
            elif action:
                writer.write(self._answer(action))
                action = {}

    def _answer(self, action: dict[bytes, bytes]) -> bytes:
        name, mark = action[b"action"].lower(), b"ActionID: " + action.get(b"actionid", b"") + b"\r\n"
        good = b"Response: Success\r\n" + mark
        if name == b"challenge":
            return good + b"Challenge: 1\r\n\r\n"
        if name == b"login":
            self.logged_in.set()
            return good + b"\r\nEvent: FullyBooted\r\nPrivilege: system,all\r\nUptime: %d\r\nStatus: Fully Booted\r\n\r\n" % BOOTED_AGO
        if name == b"coreshowchannels":
            items = b"".join(b"Event: CoreShowChannel\r\n" + mark + b"Channel: " + headers for headers in self._up.values())
            return good + b"EventList: start\r\n\r\n" + items + self._end(b"CoreShowChannelsComplete", mark, len(self._up))
        if name == b"queuestatus":
            return good + b"EventList: start\r\n\r\n" + self._end(b"QueueStatusComplete", mark, 0)
        return good + b"Ping: Pong\r\nTimestamp: %.6f\r\n\r\n" % time.time()

    def _end(self, event: bytes, mark: bytes, items: int) -> bytes:
        return b"Event: " + event + b"\r\n" + mark + b"EventList: Complete\r\nListItems: %d\r\n\r\n" % items
