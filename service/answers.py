"""Plain ASGI answers: security headers on all of them, files that never change, bodies that free their thread."""

import asyncio
import json
import mimetypes
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

DIST = Path(__file__).parent / "static" / "dist"
HELD_IN_MEMORY = 1 << 20
PIECE = 1 << 16
MOST = 16 << 20  # bytes of a form; Flask refuses what is larger
LARGER = {"/settings/imports": 65 << 20}  # tables that people bring
SILENCE = 30.0  # seconds until a browser that sends nothing more of its form is let go
TOO_SLOW = {"message": "The form did not arrive. Send it again."}
_HOST = re.compile(rb"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_HASHED = re.compile(r".+[-.][0-9A-Za-z]{8,}\.[a-z0-9]+")
# Flask's pages bring a policy of their own; these hold for every answer that has none.
ARMOUR: Headers = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
STAY = (b"strict-transport-security", b"max-age=31536000")
PLAIN_HTTP = {"message": "Ringdesk is served over HTTPS alone here. Ask again at the https:// address."}
# A shared worker lives under the policy of its own script, and ours opens /live.
SCRIPT_POLICY = (b"content-security-policy", b"default-src 'none'; connect-src 'self'; frame-ancestors 'none'")


def header(scope: Scope, name: bytes, default: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), default)


def armoured(send: Send, *, https: bool = False) -> Send:
    """Every answer carries the security headers it does not bring itself; over HTTPS browsers are told to stay there."""
    wanted = [*ARMOUR, STAY] if https else ARMOUR

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _value in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in wanted if pair[0] not in present)]
        await send(message)

    return guarded


async def spooled(
    app: Callable[[Scope, Receive, Send], Awaitable[Any]], scope: Scope, receive: Receive, send: Send
) -> None:
    """A page takes a thread for its own work alone, however slowly the browser sends a form or takes the answer."""
    with tempfile.SpooledTemporaryFile(HELD_IN_MEMORY) as sent, tempfile.SpooledTemporaryFile(HELD_IN_MEMORY) as body:
        if not await _taken(scope, receive, sent):
            await answer(send, 408, TOO_SLOW)
            return
        start: list[Message] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
            else:
                body.write(message.get("body", b""))

        await app(scope, _given(sent, receive), keep)
        await send(start[0])
        body.seek(0)
        async for piece in _pieces(body):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _taken(scope: Scope, receive: Receive, sent: Any) -> bool:
    """The form is here; False when the browser fell silent in its midst. What is too large is left for Flask to refuse."""
    length = header(scope, b"content-length", b"0")
    most = LARGER.get(scope["path"], MOST)
    if not length.isdigit() or int(length) > most:
        return True
    more = True
    while more and sent.tell() <= most:
        try:
            message = await asyncio.wait_for(receive(), SILENCE)
        except TimeoutError:
            return False
        sent.write(message.get("body", b""))
        more = message.get("more_body", False)
    sent.seek(0)
    return True


def _given(sent: Any, receive: Receive) -> Receive:
    """The form as the page asks for it, then whatever the browser does next."""
    ended = False

    async def give() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        piece = sent.read(PIECE)
        ended = len(piece) < PIECE
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return give


async def _pieces(body: Any) -> AsyncIterator[bytes]:
    while piece := body.read(PIECE):
        yield piece


async def to_https(scope: Scope, send: Send) -> None:
    """Whoever comes over plain HTTP is sent to the same page over HTTPS; what they sent in clear is not taken."""
    host = header(scope, b"host", b"")
    if scope["method"] not in ("GET", "HEAD") or not _HOST.fullmatch(host):
        await answer(send, 403, PLAIN_HTTP)
        return
    name = host if host.endswith(b"]") else host.rpartition(b":")[0] or host
    query = b"?" + scope["query_string"] if scope.get("query_string") else b""
    place = b"https://" + name + (scope.get("raw_path") or scope["path"].encode()) + query
    await begin(send, 308, [(b"location", place), (b"cache-control", b"no-store"), (b"content-length", b"0")])
    await finish(send)


async def answer(send: Send, status: int, content: dict[str, str]) -> None:
    """A short JSON answer."""
    body = json.dumps(content, ensure_ascii=False).encode()
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-length", str(len(body)).encode()),
    ]
    await begin(send, status, headers)
    await send({"type": "http.response.body", "body": body})


async def finish(send: Send) -> None:
    """The answer has no more bytes."""
    await send({"type": "http.response.body", "body": b""})


async def piece_of(send: Send, body: bytes) -> None:
    """Some bytes of the answer; more may follow."""
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def begin(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


def asset(name: str, zipped: bool) -> tuple[Headers, bytes] | None:
    path = (DIST / name.replace("\0", "/")).resolve()
    if not path.is_relative_to(DIST) or not path.is_file():
        return None
    packed = path.with_name(path.name + ".gz")
    use_packed = zipped and packed.is_file()
    body = (packed if use_packed else path).read_bytes()
    lasting = b"public, max-age=31536000, immutable" if _HASHED.fullmatch(path.name) else b"no-cache"
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if kind.startswith("text/") or kind.endswith("json") else ""
    headers = [
        (b"content-type", (kind + charset).encode()),
        (b"cache-control", lasting),
        (b"vary", b"accept-encoding"),
        (b"content-length", str(len(body)).encode()),
    ]
    if use_packed:
        headers.append((b"content-encoding", b"gzip"))
    if path.suffix == ".js":
        headers.append(SCRIPT_POLICY)
    return headers, body
