"""One web process: /live, /media and built assets natively, everything else through Flask.

Streams and slow downloads must not hold the threads that pages need, so they never reach Flask.
"""

import asyncio
import ctypes
import logging
import os
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType
from typing import Any, TypeVar
from urllib.parse import parse_qs

import uvicorn
from a2wsgi import WSGIMiddleware
from flask import Flask
from flask_babel import force_locale
from itsdangerous import BadSignature
from sqlalchemy.exc import SQLAlchemyError
from uvicorn.config import STARTUP_FAILURE
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.supervisors import Multiprocess
from werkzeug.http import parse_cookie

from recordings import serve, vault
from service.answers import (
    Headers,
    Receive,
    Scope,
    Send,
    answer,
    armoured,
    asset,
    begin,
    finish,
    header,
    piece_of,
    spooled,
    to_https,
)
from service.boards import Door
from service.calls import queries as calls
from service.core import attachments, clock, config, db, hub, live, turns
from service.core import scope as scopes
from service.core.config import Settings
from service.core.errors import DeskError, Forbidden, NotFound
from service.core.identity import Identity
from service.core.pages import refused
from service.staff import queries as staff
from service.staff.security import sessions

log = logging.getLogger(__name__)

T = TypeVar("T")

_PICTURE = re.compile(r"/media/pictures/(\d{1,18})(/small)?")
_MEDIA = re.compile(r"/media/recordings/(\d{1,18})")
_STREAM: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
SIGN_IN = {"message": "Sign in first."}
BLIND = {"message": "The database cannot be heard now. The page tries again by itself."}
NOTHING = {"message": "There is nothing here."}


class Front:
    """The ASGI application: routing and bytes only; who may do what is asked of the rooms."""

    def __init__(self, settings: Settings, pages: Flask) -> None:
        self.pages = pages
        self.vault = vault.of(settings)
        self.pictures = settings.attachments_dir
        self.switches = [switch.name for switch in settings.switches]
        self.pool = ThreadPoolExecutor(6, "front")
        dsn = db.raw_dsn(settings.dsn_app)
        self.hub = hub.Hub(hub.Doors(partial(hub.listening, dsn), _event, _valid, self.pool))
        wsgi = WSGIMiddleware(pages, workers=settings.threads)  # type: ignore[arg-type]
        self.flask = partial(spooled, wsgi)  # type: ignore[arg-type]
        self.boards = Door(settings.boards_port, self.flask) if settings.boards_port else self.flask
        self.https = settings.secure_cookies
        # Every door sees the browser's own address and scheme, as a proxy that is trusted tells them.
        self.entry = ProxyHeadersMiddleware(self._entered, settings.trusted_proxies)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.entry(scope, receive, send)  # type: ignore[arg-type]

    async def _entered(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        elif self.https and scope["scheme"] == "http" and scope["path"] != "/health":
            await to_https(scope, armoured(send))
        else:
            await self._route(scope)(scope, receive, armoured(send, https=self.https))

    def _route(self, scope: Scope) -> Callable[[Scope, Receive, Send], Awaitable[Any]]:
        path = scope["path"]
        if path == "/live":
            return self.live
        if path.startswith("/media/recordings/"):
            return self.media
        if path.startswith("/media/pictures/"):
            return self.picture
        if path.startswith("/static/dist/"):
            return self.asset
        if path.startswith("/dashboards/"):
            return self.boards
        return self.flask

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self.hub.start()
        await self.hub.ready(3.0)
        _end_streams_first(self.hub)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.hub.stop()
        self.pool.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def threaded(self, call: Callable[..., T], *arguments: Any) -> T:
        """The blocking call runs beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, call, *arguments)

    def person(self, scope: Scope) -> Identity | None:
        """Who holds the cookie of this request, as long as their sign-in has not ended."""
        sid = session_id(self.pages, scope)
        if sid is None:
            return None
        return sessions.admitted(sid, _from(scope), at=clock.now(), on=clock.local(clock.now()).date())

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An endless stream of the person's events; begins with what was missed and how things stand."""
        try:
            person = await self.threaded(self.person, scope)
        except SQLAlchemyError as error:
            await _away(send, error)
            return
        if person is None or not self.hub.hearing:
            await answer(send, *((401, SIGN_IN) if person is None else (503, BLIND)))
            return
        stream = self.hub.open(_topics(person), person.session_id)
        watcher = asyncio.create_task(_closed_by_browser(receive, stream))
        try:
            await begin(send, 200, _STREAM)
            await self._pour(send, stream, person.staff_id, _last_id(scope))
        finally:
            watcher.cancel()
            self.hub.release(stream)

    async def _pour(self, send: Send, stream: hub.Stream, staff_id: int, last: int | None) -> None:
        try:
            first = await self.threaded(_opening, staff_id, stream.topics, last, self.switches)
        except SQLAlchemyError:
            first = hub.RETRY
            stream.close()  # the browser comes back by itself
        await piece_of(send, first)
        while (data := await stream.read()) is not None:
            await piece_of(send, data)
        await finish(send)

    async def media(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A recording, whole or in part (HTTP Range), to a person who may listen; the play is logged."""
        match = _MEDIA.fullmatch(scope["path"])
        if match is None or scope["method"] not in ("GET", "HEAD"):
            await answer(send, 404 if match is None else 405, NOTHING)
            return
        asked = _asked(int(match[1]), scope)
        try:
            reply = await self.threaded(self._audio, scope, asked)
        except DeskError as error:
            await answer(send, error.status, {"message": error.message})
        except SQLAlchemyError as error:
            await _away(send, error)
        else:
            await (self._play(send, reply) if reply else answer(send, 401, SIGN_IN))

    def _audio(self, scope: Scope, asked: serve.Asked) -> serve.Reply | None:
        person = self.person(scope)
        if person is None:
            return None
        try:
            with self.pages.app_context(), force_locale(person.locale), db.begin(person.scope) as session:
                return serve.reply(session, self.vault, asked, person, at=clock.now())
        except (Forbidden, NotFound) as error:
            refused(person, error, scope["path"], scope["method"])
            raise

    async def _play(self, send: Send, reply: serve.Reply) -> None:
        await begin(send, reply.status, [(name.encode(), value.encode()) for name, value in reply.headers.items()])
        try:
            while piece := await self.threaded(next, reply.pieces, b""):
                await piece_of(send, piece)
        except (vault.BrokenSeal, OSError) as error:
            log.error("recordings: what was being played broke off: %s", error)
            return  # the answer stays shorter than it said, which browsers take for an error
        await finish(send)

    async def picture(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A picture of something that the person may see; no browser keeps it for who comes after them."""
        match = _PICTURE.fullmatch(scope["path"])
        if match is None or scope["method"] not in ("GET", "HEAD"):
            await answer(send, 404 if match is None else 405, NOTHING)
            return
        try:
            body = await self.threaded(self._picture, scope, int(match[1]), match[2] is not None)
        except DeskError as error:
            await answer(send, error.status, {"message": error.message})
        except SQLAlchemyError as error:
            await _away(send, error)
        else:
            await (_whole(send, scope, body) if body else answer(send, 401, SIGN_IN))

    def _picture(self, scope: Scope, picture_id: int, small: bool) -> bytes | None:
        person = self.person(scope)
        if person is None:
            return None
        with self.pages.app_context(), force_locale(person.locale), db.begin(person.scope) as session:
            return attachments.shown(session, self.pictures, person, picture_id, small=small)

    async def asset(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A built file; names that carry their hash never change, so browsers keep them."""
        zipped = b"gzip" in header(scope, b"accept-encoding", b"")
        found = await self.threaded(asset, scope["path"].removeprefix("/static/dist/"), zipped)
        if found is None or scope["method"] not in ("GET", "HEAD"):
            await answer(send, 404, NOTHING)
            return
        headers, body = found
        await begin(send, 200, headers)
        await piece_of(send, b"" if scope["method"] == "HEAD" else body)
        await finish(send)


def _asked(recording_id: int, scope: Scope) -> serve.Asked:
    """What of a recording is wanted; `?download` takes it along, with a reason if one is given."""
    given = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    reason = given.get("reason", [""])[0].replace("\x00", "")[:300]
    ranged = _text(scope, b"range"), _text(scope, b"if-range")
    return serve.Asked(recording_id, scope["method"], *ranged, "download" if "download" in given else "play", reason, "wav" in given)


async def _whole(send: Send, scope: Scope, body: bytes) -> None:
    headers: Headers = [
        (b"content-type", b"image/jpeg"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await begin(send, 200, headers)
    await piece_of(send, b"" if scope["method"] == "HEAD" else body)
    await finish(send)


async def _away(send: Send, error: Exception) -> None:
    number = secrets.token_hex(4)
    log.error("error %s: %s", number, error)
    await answer(send, 503, {"message": f"The database cannot be reached now. Try again in a moment ({number})."})


def session_id(pages: Flask, scope: Scope) -> str | None:
    """The sign-in that the request's cookie names, if the cookie is ours and not too old."""
    serializer = pages.session_interface.get_signing_serializer(pages)  # type: ignore[attr-defined]
    cookie = parse_cookie(_text(scope, b"cookie") or "").get(pages.config["SESSION_COOKIE_NAME"], "")
    try:
        data = serializer.loads(cookie, max_age=pages.permanent_session_lifetime.total_seconds())
    except BadSignature:
        return None
    sid = data.get("sid")
    return sid if isinstance(sid, str) and sid else None


def _from(scope: Scope) -> str:
    """The browser's address."""
    return str((scope.get("client") or ("",))[0])


def _text(scope: Scope, name: bytes) -> str | None:
    value = header(scope, name, b"")
    return value.decode("latin-1") if value else None


async def _closed_by_browser(receive: Receive, stream: hub.Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close()


def _last_id(scope: Scope) -> int | None:
    """Where a browser that comes back had got to; a SharedWorker that reconnects by hand says it in the address."""
    asked = header(scope, b"last-event-id", b"") or scope.get("query_string", b"").removeprefix(b"last=")
    return int(asked) if asked.isdigit() and len(asked) < 19 else None


def _topics(person: Identity) -> tuple[str, ...]:
    """What everybody hears, what is this person's own, and for who may watch it the floor."""
    own = ("all", live.topic_of(person.staff_id))
    return (*own, "floor") if person.may("floor.watch") else own


def _opening(staff_id: int, topics: frozenset[str], last: int | None, switches: Sequence[str]) -> bytes:
    at = clock.now()
    with db.begin(scopes.ALL) as session:
        now: dict[str, Any] = {"pops": calls.snapshot(session, staff_id, at), "unheard": calls.unheard(session, switches)}
        now["agent"] = calls.agent_now(session, staff_id)
        return hub.opening(session, topics, last, now, at=at)


def _event(event_id: int) -> tuple[str, str, str] | None:
    with db.begin(scopes.ALL) as session:
        return hub.event_of(session, event_id)


def _valid(asked: frozenset[str]) -> frozenset[str]:
    with db.begin(scopes.ALL) as session:
        return staff.still_signed_in(session, asked, on=clock.local(clock.now()).date())


def _end_streams_first(streams: hub.Hub) -> None:
    """A stop closes the streams at once; the server would otherwise wait for them in vain."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def wrapped(before: Any) -> Callable[[int, FrameType | None], None]:
        def stopping(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(streams.close_all)
            before(number, frame)

        return stopping

    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, wrapped(before))


def front() -> Front:
    """The application of this process, made from its environment."""
    from service.app import create_app

    settings = config.load()
    turns.short()
    if settings.workers > 1:
        _end_with_parent()
    try:
        made = Front(settings, create_app(settings, db.Database(settings, "web")))
    except Exception:
        log.exception("the web process cannot start")
        raise SystemExit(STARTUP_FAILURE) from None  # any other code would have it started again for ever
    turns.settled()
    return made


def _end_with_parent() -> None:
    """A worker whose supervisor is killed ends too and does not keep the port (Linux)."""
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


class PortTaken(Exception):
    """The address cannot be listened at; the message says what to do."""


def run(settings: Settings, said: str = "Ringdesk answers", *, tells_owner: bool = True) -> None:
    """Serves until it is told to stop; raises PortTaken when the address is in use."""
    place = bind(settings.host, settings.port)
    _hand_over(settings)
    options = uvicorn.Config(
        "service.asgi:front",
        factory=True,
        workers=settings.workers,
        lifespan="on",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=2048,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=2,
    )
    host, port = place.getsockname()[:2]
    print(f"{said} at http://{host}:{port}", flush=True)
    if tells_owner and (first := _first_start(settings, port)):
        print(first, flush=True)
    if settings.workers > 1:
        Multiprocess(options, sockets=[place]).run()
    else:
        uvicorn.Server(options).run(sockets=[place])


def _first_start(settings: Settings, port: int) -> str:
    """What the owner of an empty Ringdesk does next."""
    from service.staff.security import sealing, setup_web

    sealing.use(settings.secret_key)
    return setup_web.announcement(settings, port)


def _hand_over(settings: Settings) -> None:
    """Workers load their settings anew; what was resolved since the environment was read goes with them."""
    os.environ |= config.exported(settings)


def bind(host: str, port: int) -> socket.socket:
    """A listening place at that address."""
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        place.listen(2048)
    except OSError as error:
        place.close()
        raise PortTaken(_taken(host, port, error)) from error
    place.set_inheritable(True)
    return place


def _taken(host: str, port: int, error: OSError) -> str:
    return f"Port {port} on {host} cannot be used ({error.strerror}). Stop the other program or set RINGDESK_PORT."
