"""Live events of this process: one LISTEN connection, fanned out in memory to the open streams."""

import asyncio
import contextlib
import json
import logging
import re
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg2
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core import live

log = logging.getLogger(__name__)

CAPACITY = 100  # frames one browser may fall behind before it has to read its state anew
HEARTBEAT_SECONDS = 15.0
RETRY = b"retry: 2000\n\n"
REPLAY_WINDOW = timedelta(minutes=5)
REPLAY_LIMIT = 200
# Ids are drawn before transactions commit, so a smaller id can appear after a larger one was seen.
OVERLAP = timedelta(seconds=15)
WEED_SECONDS = 60.0

_LINE_END = re.compile(r"\r\n|\r|\n")

_ONE = text("select topic, kind, payload::text as data from live_event where id = :id")
_SINCE = text("""
    select id, kind, payload::text as data from live_event
    where topic = any(:topics) and at > :oldest and (id > :last or at > :overlap)
    order by id limit :most
""")
_LAST = text("select coalesce(max(id), 0) from live_event")


def frame(kind: str, data: str, event_id: int | None = None) -> bytes:
    """One event as a browser's EventSource reads it."""
    head = f"id: {event_id}\n" if event_id is not None else ""
    # Only CR and LF end a line of a stream; str.splitlines knows more and would tear a caller's name apart.
    lines = "".join(f"data: {line}\n" for line in _LINE_END.split(data))
    return f"{head}event: {kind}\n{lines}\n".encode()


RESYNC = frame("resync", "{}")
# An event and not a comment: a page cannot see comments, and has to notice a link that died without a word.
HEARTBEAT = frame("beat", "{}")


def opening(
    session: Session, topics: Iterable[str], last: int | None, now: Mapping[str, Any], *, at: datetime
) -> bytes:
    """What a browser hears first: how long to wait, what it missed since `last`, and how things stand `now`."""
    position = int(session.execute(_LAST).scalar_one())
    state = frame("snapshot", json.dumps(now, ensure_ascii=False, default=str), position)
    return RETRY + b"".join(_missed(session, topics, last, at)) + state


def _missed(session: Session, topics: Iterable[str], last: int | None, at: datetime) -> list[bytes]:
    if last is None:
        return []
    rows = session.execute(
        _SINCE,
        {
            "topics": list(topics),
            "oldest": at - REPLAY_WINDOW,
            "last": last,
            "overlap": at - OVERLAP,
            "most": REPLAY_LIMIT + 1,
        },
    ).all()
    if len(rows) > REPLAY_LIMIT:
        return [RESYNC]
    return [frame(row.kind, row.data, row.id) for row in rows]


class Stream:
    """One browser's inbox: bounded, so that a stuck browser costs no memory and misses nothing silently."""

    def __init__(self, topics: frozenset[str], session_id: str, capacity: int = CAPACITY) -> None:
        self.topics = topics
        self.session_id = session_id
        self.closed = False
        self._capacity = capacity
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()

    def put(self, data: bytes) -> None:
        """The frame waits for the browser; past the capacity all that wait become one `resync`."""
        if len(self._frames) >= self._capacity:
            self._frames.clear()
            data = RESYNC
        self._frames.append(data)
        self._wake.set()

    def close(self) -> None:
        """The stream ends as soon as its reader looks."""
        self.closed = True
        self._wake.set()

    async def read(self, wait: float = HEARTBEAT_SECONDS) -> bytes | None:
        """All waiting frames, a heartbeat when none came in `wait` seconds, None once closed."""
        if not self._frames and not self.closed:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)
        self._wake.clear()
        if self.closed:
            return None
        data = b"".join(self._frames) or HEARTBEAT
        self._frames.clear()
        return data


@dataclass(frozen=True)
class Doors:
    """What the hub asks of PostgreSQL; each is called in `pool`, never on the event loop."""

    connect: Callable[[], Any]
    event: Callable[[int], tuple[str, str, str] | None]
    valid: Callable[[frozenset[str]], frozenset[str]]
    pool: Executor | None = None

    def ask(self, call: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        """The call runs in a thread of the pool."""
        return asyncio.get_running_loop().run_in_executor(self.pool, call, *arguments)


def listening(dsn: str) -> Any:
    """An autocommit connection that hears both channels; a peer that dies silently is noticed in half a minute."""
    connection = psycopg2.connect(
        dsn,
        application_name="ringdesk live",
        connect_timeout=5,
        keepalives=1,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"listen {live.CHANNEL}; listen {live.SESSION_CHANNEL}")
    return connection


def event_of(session: Session, event_id: int) -> tuple[str, str, str] | None:
    """Topic, kind and data of an event that was too large to travel in its NOTIFY."""
    row = session.execute(_ONE, {"id": event_id}).first()
    return (row.topic, row.kind, row.data) if row else None


@dataclass
class Hub:
    """Who listens to what in this process. Streams hear `resync` whenever something may have been missed."""

    doors: Doors
    streams: set[Stream] = field(default_factory=set)
    hearing: bool = False

    def __post_init__(self) -> None:
        self._topics: defaultdict[str, set[Stream]] = defaultdict(set)
        self._notes: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._due = asyncio.Event()
        self._heard_once = asyncio.Event()

    def start(self) -> None:
        """The hub listens until `stop`; a database that is away is waited for."""
        self._tasks = [asyncio.create_task(part()) for part in (self._listen, self._deliver, self._weed)]

    async def ready(self, wait: float) -> None:
        """PostgreSQL is heard, or `wait` seconds have passed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._heard_once.wait(), wait)

    async def stop(self) -> None:
        """Every stream ends and the connection is given back."""
        self.close_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def open(self, topics: Iterable[str], session_id: str) -> Stream:
        """A stream that hears `topics` from this moment on."""
        stream = Stream(frozenset(topics), session_id)
        self.streams.add(stream)
        for topic in stream.topics:
            self._topics[topic].add(stream)
        return stream

    def release(self, stream: Stream) -> None:
        """The stream is forgotten; nothing is kept for it."""
        stream.close()
        self.streams.discard(stream)
        for topic in stream.topics:
            self._topics[topic].discard(stream)
            if not self._topics[topic]:
                del self._topics[topic]

    def close_all(self) -> None:
        """Every open stream ends; browsers come back by themselves after `retry`."""
        for stream in self.streams:
            stream.close()

    def close_session(self, session_id: str) -> None:
        """Streams of a session that has ended end with it."""
        for stream in self.streams:
            if stream.session_id == session_id:
                stream.close()

    def tell_all(self, data: bytes) -> None:
        """Every open stream hears the frame."""
        for stream in self.streams:
            stream.put(data)

    async def _listen(self) -> None:
        pause = 0.1
        while True:
            try:
                connection = await self.doors.ask(self.doors.connect)
            except psycopg2.Error as error:
                log.warning("live: PostgreSQL cannot be heard (%s); trying again in %.1f s", _first(error), pause)
                self.close_all()  # a page whose stream is gone says so; one that hears nothing would look alive
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            pause = 0.1
            await self._hear_until_lost(connection)

    async def _hear_until_lost(self, connection: Any) -> None:
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()
        loop.add_reader(connection.fileno(), self._heard, connection, lost)
        descriptor = connection.fileno()
        self.hearing = True
        self._heard_once.set()
        self.tell_all(RESYNC)
        self._due.set()
        try:
            await lost
            log.warning("live: the connection to PostgreSQL was lost; listening again")
        finally:
            self.hearing = False
            loop.remove_reader(descriptor)
            with contextlib.suppress(psycopg2.Error):
                connection.close()

    def _heard(self, connection: Any, lost: asyncio.Future[None]) -> None:
        try:
            connection.poll()
        except psycopg2.Error:
            if not lost.done():
                lost.set_result(None)
        while connection.notifies:
            note = connection.notifies.pop(0)
            self._notes.put_nowait((note.channel, note.payload))

    async def _deliver(self) -> None:
        while True:
            channel, payload = await self._notes.get()
            try:
                await self._told(channel, payload)
            except Exception:
                log.exception("live: one event could not be delivered; all streams read their state anew")
                self.tell_all(RESYNC)

    async def _told(self, channel: str, payload: str) -> None:
        if channel == live.SESSION_CHANNEL:
            self.close_session(payload)
            return
        event_id, topic, kind, data = payload.split("|", 3)
        if topic not in self._topics:
            return
        if not data:
            found = await self.doors.ask(self.doors.event, int(event_id))
            if found is None:
                return
            data = found[2]
        sent = frame(kind, data, int(event_id))
        for stream in self._topics.get(topic, ()):
            stream.put(sent)

    async def _weed(self) -> None:
        """Sessions that expired, or ended while nobody could hear it, lose their streams."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), WEED_SECONDS)
            self._due.clear()
            await self._close_invalid()

    async def _close_invalid(self) -> None:
        asked = frozenset(stream.session_id for stream in self.streams)
        if not asked:
            return
        try:
            valid = await self.doors.ask(self.doors.valid, asked)
        except Exception as error:
            log.warning("live: sessions could not be checked (%s)", _first(error))
            return
        for gone in asked - valid:
            self.close_session(gone)


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
