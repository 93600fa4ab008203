"""One AMI connection: the banner, who may come in, and the events it is sent."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping

from telephony.simulator import acting
from telephony.simulator.day import Day
from telephony.simulator.frames import encoded
from telephony.simulator.replies import refusal, reply, success

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
MAX_LINE = 1024                        # a real switch throws longer lines away
MAX_BEHIND = 16 << 20                  # bytes a reader may lag before it is cut off, as a real switch does after writetimeout


class Session:
    """A client of the pretended switch."""

    def __init__(self, day: Day, secret: str, catch_up: Callable[[], None], writer: asyncio.StreamWriter) -> None:
        self.day, self.switch = day, day.switch
        self._secret, self._catch_up, self._writer = secret, catch_up, writer
        self.listening = False
        self._signed_in = self._leaving = False
        self._challenge = ""

    def send(self, data: bytes) -> None:
        """The bytes are on their way, unless the client lags too far behind: then it is cut off."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_BEHIND:
            transport.abort()
            return
        self._writer.write(data)

    def hang_up(self) -> None:
        """The connection is closed from this side."""
        self._writer.close()

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Talks until the client leaves or is refused."""
        self.send(BANNER)
        action: dict[str, str] = {}
        while not self._leaving:
            line = await reader.readline()
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if text and len(line) <= MAX_LINE:
                key, _, value = text.partition(":")
                action.setdefault(key.strip().lower(), value.strip())
            elif not text and action:
                self._act(action)
                action = {}

    def _act(self, action: Mapping[str, str]) -> None:
        name = action.get("action", "").lower()
        self._catch_up()
        special = {"login": self._login, "challenge": self._make_challenge, "logoff": self._logoff, "events": self._events}
        if name in ("login", "challenge") or (self._signed_in and name in special):
            special[name](action)
        elif not self._signed_in:
            self._say(refusal(action, "Permission denied"))
        elif name in acting.ACTIONS:
            self._say(acting.ACTIONS[name](self.day, action))
            self._catch_up()
        else:
            self._say(reply(self.switch, action))

    def _login(self, action: Mapping[str, str]) -> None:
        if not self._genuine(action):
            self._say(refusal(action, "Authentication failed"))
            self._leaving = True
            return
        self._signed_in = True
        self._say(success(action, "Message: Authentication accepted\r\n"))
        uptime = int(self.switch.at - self.switch.booted)
        self.listening = action.get("events", "on").lower() != "off"
        if self.listening:
            self._say(f"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: {uptime}\r\nLastReload: {uptime}\r\n"
                      "Status: Fully Booted\r\n\r\n")

    def _genuine(self, action: Mapping[str, str]) -> bool:
        given, expected = action.get("secret", ""), self._secret
        if action.get("authtype", "").lower() == "md5":
            # MD5 is what the protocol's challenge is made of.
            expected = hashlib.md5(f"{self._challenge}{self._secret}".encode()).hexdigest()  # noqa: S324
            given = action.get("key", "") if self._challenge else ""
        return bool(action.get("username")) and hmac.compare_digest(given.encode(), expected.encode())

    def _make_challenge(self, action: Mapping[str, str]) -> None:
        self._challenge = str(secrets.randbelow(1 << 30))
        self._say(success(action, f"Challenge: {self._challenge}\r\n"))

    def _logoff(self, action: Mapping[str, str]) -> None:
        action_id = f"ActionID: {action['actionid']}\r\n" if "actionid" in action else ""
        self._say(f"Response: Goodbye\r\n{action_id}Message: Thanks for all the fish.\r\n\r\n")
        self._leaving = True

    def _events(self, action: Mapping[str, str]) -> None:
        self.listening = action.get("eventmask", "on").lower() != "off"
        self._say(success(action, f"Events: {'On' if self.listening else 'Off'}\r\n"))

    def _say(self, text: str) -> None:
        self.send(encoded(text))
