"""The connection: panoramisk's Manager on a protocol class of our own.

Ours frames bytes, never decodes a read on its own, sends no control character, repeats no action after a cut, and gives
up a silent peer. The Manager keeps the log-in and the action ids.
"""

import asyncio
import hashlib
import logging
import random
import time
from typing import Any, Protocol

from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from telephony import wire

log = logging.getLogger(__name__)
PING_EVERY, PING_DEADLINE = 5.0, 10.0
FIRST_PAUSE, LAST_PAUSE = 0.5, 30.0
REFUSED_PAUSE, REFUSED_LAST = 30.0, 300.0


class NotLetIn(Exception):
    """A run that is tried once reaches no switch, or is refused by it; the message names the next step."""


class Fatal(Exception):
    """Hearing on would lose calls; the message is one sentence and the process ends with it."""


class NoSwitch(Exception):
    """What comes over the line is no manager interface; the message is one sentence."""


class Ear(Protocol):
    """Who hears what the link brings."""

    def on_line(self) -> None:
        """A new connection begins."""

    def on_data(self, data: bytes) -> None:
        """A read of that connection."""

    def on_up(self) -> None:
        """The log-in was taken."""

    def on_down(self, reason: str) -> None:
        """Nothing is heard any more."""

    def on_refused(self, why: str) -> None:
        """The log-in was not taken."""

    def on_unreachable(self) -> None:
        """Nobody answers at the switch's address; told once until a log-in is taken."""


class Lane(AMIProtocol):  # type: ignore[misc]
    """Bytes in, bytes out. What comes goes to the link whole; answers come back to it as headers."""

    def __init__(self, link: "Link") -> None:
        self.link = link
        self.closed = False
        self.heard_at = time.monotonic()

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A connection begins, and with it what the ear keeps of one."""
        super().connection_made(transport)
        try:
            self.link.ear.on_line()
        except Exception as error:
            self.link.fail(error)

    def data_received(self, data: bytes) -> None:
        """Hand a read to the ear; a fault in our own code is told and never cuts the line."""
        self.heard_at = time.monotonic()
        try:
            self.link.ear.on_data(data)
        except Fatal as error:
            self.link.fail(error)
        except NoSwitch as error:
            log.error("%s It is tried again in half a minute.", error)
            self.link.rest(LAST_PAUSE)
            self.transport.abort()
        except Exception:
            log.exception("A read of %d bytes could not be understood; it is in the journal", len(data))

    def send(self, data: Any, as_list: bool | None = None) -> "asyncio.Future[Message]":
        """Write one action; raises WireError instead of writing a control character."""
        action = data if isinstance(data, Action) else Action(data, as_list=as_list)
        fields = [(key, str(value)) for key, value in action.items() if key.lower() != "action"]
        encoded = wire.action(str(action["action"]), fields)
        self.responses[action.id] = action
        self.transport.write(encoded)
        return action.future  # type: ignore[no-any-return]

    def answered(self, headers: dict[str, str]) -> None:
        """Settle the action that this answers; a list's events come by the ear's own way."""
        action = self.responses.pop(headers.get("actionid", ""), None)
        if action is not None and not action.future.done():
            action.future.set_result(Message(headers))

    def close(self) -> None:
        """Let go of the line; open actions end as unknown and are never sent again."""
        for action in list(self.responses.values()):
            if not action.future.done():
                action.future.cancel()
        self.responses.clear()
        if not self.closed:
            self.closed = True
            self.transport.abort()


class Link(Manager):  # type: ignore[misc]
    """Keeps one switch connected: back-off with jitter, keep-alive with a deadline, a slow retry when refused."""

    def __init__(self, *, host: str, port: int, username: str, secret: str, ear: Ear) -> None:
        super().__init__(host=host, port=port, username=username, secret=secret, events="on",
                         protocol_factory=lambda: Lane(self))
        self.ear = ear
        self.over: asyncio.Future[None] | None = None
        self.refusals = 0
        self.logins = 0
        self._pause = FIRST_PAUSE
        self._unreachable = False
        self._closing = False

    def start(self) -> "asyncio.Future[None]":
        """Begin to connect; the future ends when the link is closed, or raises what made it stop."""
        self.loop = asyncio.get_running_loop()
        self.over = self.loop.create_future()
        self.connect()
        return self.over

    def fail(self, error: Exception) -> None:
        """Stop for good; the reason reaches whoever waits."""
        self._closing = True
        self.close()
        if self.over is not None and not self.over.done():
            self.over.set_exception(error)

    def stop(self) -> None:
        """Stop in peace."""
        self._closing = True
        self.close()
        if self.over is not None and not self.over.done():
            self.over.set_result(None)

    def rest(self, pause: float) -> None:
        """The next try comes after that pause."""
        self._pause = pause

    def connection_made(self, f: "asyncio.Future[Any]") -> None:
        """The line is there, or is tried again."""
        if f.cancelled() or f.exception() is not None:
            self._not_reached()
            return
        _, self.protocol = f.result()
        if self._closing:
            self.protocol.close()
            return
        self.protocol.factory, self.protocol.log = self, self.log
        self.responses = self.protocol.responses
        self.loop.create_task(self._log_in(self.protocol))

    def _not_reached(self) -> None:
        self._tell_unreachable()
        self._again("The switch does not answer", "unreachable")

    def _tell_unreachable(self) -> None:
        if not self._unreachable:
            self._unreachable = True
            self.ear.on_unreachable()

    async def _log_in(self, lane: Lane) -> None:
        try:
            answer = await asyncio.wait_for(self._credentials(lane), PING_DEADLINE)
        except TimeoutError:
            self._tell_unreachable()
            lane.transport.abort()
            return
        except asyncio.CancelledError:
            lane.transport.abort()
            return
        except Exception as error:  # of this task nobody would hear
            log.error("The log-in to %s could not be sent: %s", self.config["host"], error)
            lane.transport.abort()
            return
        if answer.success:
            self.authenticated, self.refusals, self._pause, self._unreachable = True, 0, FIRST_PAUSE, False
            self.logins += 1
            self.ear.on_up()
            self._ping(lane)
        else:
            self._refused(lane, str(answer.get("message", "no reason given")))

    async def _credentials(self, lane: Lane) -> Message:
        """Log in by challenge, so that the secret never travels; in the clear only where the switch has no challenge."""
        user, secret = self.config["username"], self.config["secret"]
        challenge = await lane.send({"Action": "Challenge", "AuthType": "MD5"})
        words = {"Action": "Login", "Username": user, "Events": "on"}
        if challenge.success and challenge.get("challenge"):
            key = hashlib.md5((challenge["challenge"] + secret).encode(), usedforsecurity=False).hexdigest()
            return await lane.send({**words, "AuthType": "MD5", "Key": key})
        return await lane.send({**words, "Secret": secret})

    def _refused(self, lane: Lane, why: str) -> None:
        self.refusals += 1
        self._pause = min(REFUSED_PAUSE * 2 ** (self.refusals - 1), REFUSED_LAST)
        shown = why.encode("unicode_escape").decode()[:100]
        self.ear.on_refused(shown)
        lane.transport.abort()

    def _ping(self, lane: Lane) -> None:
        """Ask for a sign of life; a peer silent past the deadline is given up."""
        if lane.closed or lane.transport.is_closing():
            return
        if time.monotonic() - lane.heard_at > PING_EVERY + PING_DEADLINE:
            log.warning("%s is silent; connecting anew", self.config["host"])
            lane.transport.abort()
            return
        lane.send({"Action": "Ping"})
        self.pinger = self.loop.call_later(PING_EVERY, self._ping, lane)

    def ask(self, action: str) -> None:
        """Send an action that needs no arguments and whose answer is heard as events."""
        if self.protocol is not None and not self.protocol.closed:
            self.protocol.send({"Action": action})

    def send_awaiting_actions(self, *_: object) -> None:
        """Nothing is ever sent twice."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone; tell since when, and try again."""
        if self.pinger is not None:
            self.pinger.cancel()
        if self.authenticated:
            self.authenticated = False
            self.ear.on_down("the listener was stopped" if self._closing else "connection lost")
        self._again("The connection is lost", "lost")

    def _again(self, what: str, kind: str) -> None:
        if self._closing:
            return
        pause = self._pause * random.uniform(0.5, 1.0)
        self.log.info("%s; next try in %.1f s (%s)", what, pause, kind)
        if not self.refusals:
            self._pause = min(self._pause * 2, LAST_PAUSE)
        self.loop.call_later(pause, self._reconnect)

    def _reconnect(self) -> None:
        if not self._closing:
            self.connect()
