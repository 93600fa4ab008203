"""The boards in a process of their own: a door in the web process that hands /dashboards/ over to it.

A board takes a third of a second of Python to draw. In the web process that third would be taken from the pops; next door
it is the system that shares, and gives to whoever is not `modest`.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from service.answers import Headers, Message, Receive, Scope, Send, begin, finish, piece_of

PIECE = 1 << 16
MOST = 16 << 20  # what a page may send; Flask refuses more than this too
App = Callable[[Scope, Receive, Send], Awaitable[Any]]
# Of one connection alone, or said anew below because the next process believes whoever speaks from this machine.
_OURS = (b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te", b"expect", b"content-length")


def modest() -> None:
    """This process stands back when the processor is wanted by pops and pages."""
    with suppress(OSError, AttributeError):
        os.nice(10)


class Door:
    """An ASGI application that asks the boards' process and passes its answer on; while it is away, `instead` draws."""

    def __init__(self, port: int, instead: App) -> None:
        self.port, self.instead = port, instead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page, from next door or from here."""
        parts = await _body(receive)
        if sum(map(len, parts)) > MOST or not await self._passed(scope, b"".join(parts), send):
            await self.instead(scope, _again(parts, receive), send)

    async def _passed(self, scope: Scope, body: bytes, send: Send) -> bool:
        """False when nobody answered and nothing was sent."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        except OSError:
            return False
        try:
            writer.write(_request(scope, body))
            status, headers = await _head(reader)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return False
        try:
            await begin(send, status, headers)
            while piece := await reader.read(PIECE):
                await piece_of(send, piece)
            await finish(send)
        finally:
            writer.close()
        return True


async def _body(receive: Receive) -> list[bytes]:
    """The parts of the body, or as many as are already too much."""
    parts: list[bytes] = []
    more = True
    while more and sum(map(len, parts)) <= MOST:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return [*parts] if more else [*parts, b""]


def _again(parts: list[bytes], receive: Receive) -> Receive:
    """The same body once more, then whatever comes."""
    left = list(parts)

    async def told() -> Message:
        if not left:
            return await receive()
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left) or bool(part)}

    return told


def _request(scope: Scope, body: bytes) -> bytes:
    """HTTP/1.0, so that the answer ends with the connection."""
    target = scope.get("raw_path") or scope["path"].encode()
    if scope.get("query_string"):
        target += b"?" + scope["query_string"]
    client = (scope.get("client") or ("", 0))[0].encode()
    lines = [
        scope["method"].encode() + b" " + target + b" HTTP/1.0",
        *(name + b": " + value for name, value in scope["headers"] if not _own(name)),
        b"content-length: " + str(len(body)).encode(),
        b"x-forwarded-for: " + client,
        b"x-forwarded-proto: " + scope["scheme"].encode(),
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _own(name: bytes) -> bool:
    return name in _OURS or name.startswith(b"x-forwarded-")


async def _head(reader: asyncio.StreamReader) -> tuple[int, Headers]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).rstrip(b"\r\n").split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
    return int(first.split(b" ", 2)[1]), [(name, value) for name, value in headers if name not in _OURS[:3]]
