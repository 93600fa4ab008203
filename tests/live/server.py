"""The real web process for tests and benches: started, signed in to, listened to, stopped."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from service.core import clock, config, db, scope
from service.core.config import Settings
from service.staff import actions
from service.staff.model import Staff


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """What a process needs to find this test's database and data."""
    return (
        os.environ
        | {
            "RINGDESK_DATA": str(settings.data),
            "RINGDESK_SECRET_KEY": settings.secret_key,
            "RINGDESK_PORT": "0",
            "RINGDESK_DSN_OWNER": settings.dsn_owner,
            "RINGDESK_DSN_APP": settings.dsn_app,
            "RINGDESK_DSN_NIGHT": settings.dsn_night,
            "RINGDESK_THREADS": str(settings.threads),
            "PYTHONUNBUFFERED": "1",
        }
        | ({"RINGDESK_SWITCHES": config.exported(settings)["RINGDESK_SWITCHES"]} if settings.switches else {})
        | more
    )


@dataclass
class Web:
    """A running web process."""

    process: "subprocess.Popen[str]"
    url: str

    def stop(self, wait: float = 10.0) -> float:
        """It ended in an orderly way; returns how long that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(wait)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return time.monotonic() - began

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(10)


def start(settings: Settings, **more: str) -> Web:
    """The process answers at an address of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "web"], env=environment(settings, **more), text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Ringdesk answers at"), f"the web process did not start: {line!r}"
    web = Web(process, line.rsplit(" ", 1)[1].strip())
    _wait_until_healthy(web)
    return web


def _wait_until_healthy(web: Web, wait: float = 30.0) -> None:
    until = time.monotonic() + wait
    while time.monotonic() < until:
        try:
            if httpx.get(f"{web.url}/health", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
        assert web.process.poll() is None, "the web process ended while it started"
    raise AssertionError("the web process does not answer")


@contextmanager
def serving(settings: Settings, **more: str) -> Iterator[Web]:
    """A web process for as long as the block runs."""
    web = start(settings, **more)
    try:
        yield web
    finally:
        web.stop()


def cookie(settings: Settings, person: Staff) -> dict[str, str]:
    """The cookie of a new sign-in of that person."""
    with db.begin(scope.ALL) as session:
        sid = actions.begin_session(session, person.id, at=clock.now(), address="127.0.0.1", browser="test")
    return {
        "ringdesk": signed(settings, {"sid": sid, "_user_id": person.fs_uniquifier, "_fresh": True, "_permanent": True})
    }


def signed(settings: Settings, data: dict[str, Any]) -> str:
    """A cookie as Flask signs it."""
    app = Flask("cookie")
    app.secret_key = settings.secret_key
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    return str(serializer.dumps(data))


def browser(web: Web, cookies: dict[str, str]) -> httpx.Client:
    """A client whose cookies the server can replace."""
    client = httpx.Client(base_url=web.url)
    for name, value in cookies.items():
        client.cookies.set(name, value, domain="127.0.0.1")
    return client


@dataclass
class News:
    """One event of the stream."""

    kind: str
    data: dict[str, Any]
    id: str | None = None
    at: float = field(default_factory=time.monotonic)


class Listener:
    """A browser's EventSource: events arrive in `heard`; `closed` once the server ended the stream."""

    def __init__(self, url: str, cookies: dict[str, str], last: str | None = None) -> None:
        self.heard: queue.Queue[News] = queue.Queue()
        self.closed = threading.Event()
        self._client = httpx.Client(cookies=cookies, timeout=httpx.Timeout(30, read=40))
        headers = {"Last-Event-ID": last} if last else {}
        request = self._client.build_request("GET", f"{url}/live", headers=headers)
        self.response = self._client.send(request, stream=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            self._hear()
        except (httpx.HTTPError, httpx.StreamError):
            pass
        finally:
            self.closed.set()

    def _hear(self) -> None:
        found: dict[str, str] = {}
        for line in _lines(self.response.iter_text()):
            if line:
                name, _, value = line.partition(": ")
                found[name] = value
            elif "event" in found:
                self.heard.put(News(found["event"], json.loads(found["data"]), found.get("id")))
                found = {}

    def next(self, *kinds: str, wait: float = 5.0) -> News:
        """The next event of one of these kinds; others are passed over."""
        until = time.monotonic() + wait
        while (left := until - time.monotonic()) > 0:
            try:
                news = self.heard.get(timeout=left)
            except queue.Empty:
                break
            if not kinds or news.kind in kinds:
                return news
        raise AssertionError(f"none of {kinds or 'any'} was heard in {wait} s")

    def nothing(self, wait: float = 0.5) -> bool:
        """True when nothing but heartbeats arrives meanwhile."""
        try:
            news = self.next(wait=wait)
        except AssertionError:
            return True
        return news.kind == "beat" and self.nothing(wait)

    def close(self) -> None:
        """The browser has gone."""
        self.response.close()
        self._client.close()


def _lines(pieces: Iterator[str]) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + piece).split("\n")
        yield from whole
