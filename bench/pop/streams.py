"""Many browsers in one process: open streams that note when each pop arrived. Spoken to over standard input.

Reads one JSON line {port, cookies, bare}; says "ready"; on "stop" says one JSON line of all that was heard.
"""

import asyncio
import json
import re
import sys
import time
from typing import Any

_POP = re.compile(rb'event: pop\ndata: [^\n]*?"call_key": ?"([^"]+)"')
_RESYNC = b"event: resync"


class Heard:
    """What arrived, by whom and when."""

    def __init__(self) -> None:
        self.pops: list[tuple[str, int, float]] = []
        self.bare: list[tuple[str, float]] = []
        self.resyncs = self.opened = self.closed = 0


async def stream(port: int, person: int, cookie: str, heard: Heard) -> None:
    """One browser's stream until the server ends it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    writer.write(f"GET /live HTTP/1.1\r\nHost: bench\r\nCookie: ringdesk={cookie}\r\n\r\n".encode())
    status = await reader.readline()
    assert b" 200 " in status, status
    rest, open_ = b"", False
    while data := await reader.read(65536):
        now = time.monotonic()
        if not open_ and b"event: snapshot" in rest + data:
            heard.opened, open_ = heard.opened + 1, True
        *whole, rest = (rest + data).split(b"\n\n")
        for block in whole:
            heard.resyncs += _RESYNC in block
            heard.pops += [(key.decode(), person, now) for key in _POP.findall(block)]
    heard.closed += 1
    writer.close()


async def bare(port: int, heard: Heard) -> None:
    """The floor: a plain socket that the floor process writes to."""
    reader, _writer = await asyncio.open_connection("127.0.0.1", port)
    while line := await reader.readline():
        heard.bare.append((line.decode().strip(), time.monotonic()))


async def lines() -> asyncio.StreamReader:
    """Standard input as a stream."""
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def main() -> None:
    """Opens all streams, a hundred at a time, and listens until told to stop."""
    told = await lines()
    asked: dict[str, Any] = json.loads(await told.readline())
    heard, tasks = Heard(), []
    for person, cookie in asked["cookies"].items():
        tasks.append(asyncio.create_task(stream(asked["port"], int(person), cookie, heard)))
        while len(tasks) - heard.opened > 100:
            await asyncio.sleep(0.01)
    if asked["bare"]:
        tasks.append(asyncio.create_task(bare(asked["bare"], heard)))
    while heard.opened < len(asked["cookies"]):
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    await told.readline()
    print(json.dumps(vars(heard)), flush=True)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
