"""A real server in this process, and a browser that tells what went wrong in it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn

from service.app import create_app
from service.asgi import Front
from service.core import db
from service.core.config import Settings, SwitchSettings
from tests import make

WIDTHS = (390, 1024, 1440)
REPLACED = ("htmx:afterRequest", "htmx:sendAbort")  # what htmx says of a request that a newer one took the place of; a failed one says more


@dataclass
class Site:
    """Where the pages are."""

    url: str
    server: Any


@contextmanager
def serving(settings: Settings, database: db.Database, port: int = 0) -> Iterator[Site]:
    """The whole web process, as `ringdesk web` runs it, in a thread."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind(("127.0.0.1", port))
    real = replace(settings, port=place.getsockname()[1], switches=settings.switches or (SwitchSettings(name="pbx1"),))
    options = uvicorn.Config(
        Front(real, create_app(real, database)),
        lifespan="on",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(options)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [place]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server could not start"
        time.sleep(0.02)
    try:
        yield Site(f"http://127.0.0.1:{real.port}", server)
    finally:
        server.should_exit = True
        thread.join(10)
        place.close()


@dataclass
class Person:
    """One browser of one person, with everything that went wrong in it."""

    site: Site
    context: Any
    page: Any
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Any) -> Any:
        """Errors and requests to other hosts of this tab are remembered."""
        page.on("console", lambda m: self.faults.append(m.text) if m.type in ("error", "warning") and not m.text.startswith(REPLACED) else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda r: None if self._own(r.url) else self.foreign.append(r.url))
        return page

    def _own(self, url: str) -> bool:
        return url.startswith((self.site.url, "data:", "blob:", "about:"))

    def go(self, path: str) -> Any:
        """The page at this path, loaded."""
        self.page.goto(self.site.url + path, wait_until="load")
        return self.page

    def sign_in(self, username: str) -> "Person":
        """Signed in as this person of the cast."""
        self.go("/sign-in")
        self.page.fill("#username", username)
        self.page.fill("#password", make.PASSWORD)
        self.page.click("button.primary")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        return self

    def tab(self, path: str) -> Any:
        """One more tab of the same browser."""
        page = self.watch(self.context.new_page())
        page.goto(self.site.url + path, wait_until="load")
        return page

    def until(self, truth: str, seconds: float = 10) -> None:
        """Waits until the expression holds; the page's own policy forbids the browser to poll for us."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(truth):
            assert time.monotonic() < end, f"never true: {truth}"
            time.sleep(0.05)

    def wide(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def deep(self) -> int:
        """By how many pixels the document is higher than its window: in the shell only its page scrolls, never the whole."""
        return int(self.page.evaluate("document.documentElement.scrollHeight - document.documentElement.clientHeight"))
