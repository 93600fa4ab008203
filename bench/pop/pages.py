"""Busy people: keep-alive clients that ask for one page after the other, as fast as they are answered.

Reads one JSON line {port, cookies, requests, think}; each request is {path, body, headers}; says "ready" once all have
been answered once; on "stop" says how many pages there were and how long each took.
"""

import asyncio
import json
import time
from typing import Any

from bench.pop.streams import lines


class Asked:
    """Seconds of every page that was answered, and how many were refused."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.refused: dict[str, int] = {}
        self.warm = 0


def written(request: dict[str, Any], cookie: str) -> bytes:
    """The request as it goes over the wire."""
    body = (request.get("body") or "").encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in (request.get("headers") or {}).items())
    head = f"{'POST' if body else 'GET'} {request['path']} HTTP/1.1\r\nHost: bench\r\nCookie: {cookie}\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def answered(reader: asyncio.StreamReader) -> int:
    """The answer was read to its end; returns its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            await reader.readexactly(size + 2)
        await reader.readline()
    elif b"content-length: " in head:
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    return status


async def person(port: int, cookie: str, requests: list[dict[str, Any]], think: float, asked: Asked) -> None:
    """One person's day."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    turn = 0
    while True:
        request = requests[turn % len(requests)]
        began = time.monotonic()
        writer.write(written(request, cookie))
        status = await answered(reader)
        asked.took.append(time.monotonic() - began)
        asked.warm += turn == 0
        turn += 1
        if status != 200:
            key = f"{status} {request['path'][:60]}"
            asked.refused[key] = asked.refused.get(key, 0) + 1
        if think:
            await asyncio.sleep(think)


async def main() -> None:
    """All people are busy until told to stop."""
    told = await lines()
    asked: dict[str, Any] = json.loads(await told.readline())
    heard = Asked()
    work = [
        asyncio.create_task(person(asked["port"], cookie, asked["requests"], asked["think"], heard))
        for cookie in asked["cookies"]
    ]
    while heard.warm < len(work) and not any(task.done() for task in work):
        await asyncio.sleep(0.05)
    heard.took.clear()
    print("ready", flush=True)
    began = time.monotonic()
    await told.readline()
    seconds = time.monotonic() - began
    broken = [str(task.exception()) for task in work if task.done()]
    print(json.dumps({"took": heard.took, "refused": heard.refused, "seconds": seconds, "broken": broken}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
