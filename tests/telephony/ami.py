"""A manager interface on loopback that says what a test tells it to: bytes of captures, cuts, refusals, silence."""

import gzip
import hashlib
import re
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
CAPTURES = Path(__file__).parent / "captures"
SECRET = "s3cret"


class Ami:
    """One listening port; speaks to the newest connection."""

    def __init__(self, *, secret: str = SECRET, boot: bool = True) -> None:
        self.secret, self.boot = secret, boot
        self.began = time.time() - 3600
        self.channels: list[bytes] = []
        self.actions: list[dict[str, str]] = []
        self.logins = 0
        self.connections = 0
        self.mute = False
        self.patience: float | None = None  # seconds until a reader that takes nothing is given up
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._peer: socket.socket | None = None
        self._open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self._open:
            try:
                peer, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        peer.sendall(BANNER)
        buffer = b""
        try:
            while data := peer.recv(65536):
                buffer += data
                *whole, buffer = buffer.split(b"\r\n\r\n")
                for frame in whole:
                    self._answer(peer, frame.decode())
        except OSError:
            return

    def _answer(self, peer: socket.socket, frame: str) -> None:
        asked = {k.lower(): v for k, v in (line.split(": ", 1) for line in frame.split("\r\n"))}
        self.actions.append(asked)
        if self.mute:
            return
        name = asked["action"].lower()
        reply = {"challenge": self._challenge, "login": self._login, "coreshowchannels": self._channels}.get(name)
        words = reply(asked) if reply else [b"Response: Success"]
        tag = b"\r\nActionID: " + asked.get("actionid", "").encode()
        first, *others = words
        peer.sendall(first + tag + b"\r\n\r\n" + b"".join(part + tag + b"\r\n\r\n" for part in others))
        if name == "login" and words[0].startswith(b"Response: Success"):
            self._peer = peer
            self.logins += 1
            if self.boot:
                uptime = int(time.time() - self.began)
                peer.sendall(b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: %d\r\n\r\n" % uptime)

    def _challenge(self, asked: dict[str, str]) -> list[bytes]:
        return [b"Response: Success\r\nChallenge: 4711"]

    def _login(self, asked: dict[str, str]) -> list[bytes]:
        right = hashlib.md5(b"4711" + self.secret.encode()).hexdigest() == asked.get("key")
        if right:
            return [b"Response: Success\r\nMessage: Authentication accepted"]
        return [b"Response: Error\r\nMessage: Authentication failed"]

    def _channels(self, asked: dict[str, str]) -> list[bytes]:
        done = b"Event: CoreShowChannelsComplete\r\nEventList: Complete\r\nListItems: %d" % len(self.channels)
        return [b"Response: Success\r\nEventList: start\r\nMessage: Channels will follow", *self.channels, done]

    def say(self, data: bytes) -> None:
        """Send bytes to the listener as they are."""
        assert self._peer is not None
        self._peer.settimeout(self.patience)
        self._peer.sendall(data)

    def cut(self) -> None:
        """Break the connection, as a switch or a network does."""
        peer, self._peer = self._peer, None
        if peer is not None:
            with suppress(OSError):  # the other side may have gone first
                peer.shutdown(socket.SHUT_RDWR)
            peer.close()

    def close(self) -> None:
        """No port and no connection is left."""
        self._open = False
        self._server.close()
        self.cut()


def frames(name: str, *, fresh: bool = True) -> list[bytes]:
    """Return a capture's frames after the log-in, moved to this moment when `fresh`."""
    data = gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes())
    found = [frame for frame in data.split(b"\r\n\r\n") if frame.startswith(b"Event: ") and b"FullyBooted" not in frame]
    return moved(found) if fresh else found


def moved(found: list[bytes]) -> list[bytes]:
    """The same frames with ids and stamps as if the first of them came now."""
    stamps = [int(match.group(1)) for frame in found for match in re.finditer(rb"Timestamp: (\d+)", frame)]
    by = int(time.time()) - stamps[0]

    def shift(match: re.Match[bytes]) -> bytes:
        return match.group(1) + str(int(match.group(2)) + by).encode()

    return [re.sub(rb"((?:[Ii][Dd]|Timestamp): )(\d{10})(?=\.)", shift, frame) for frame in found]


def until(check: "object", patience: float = 10.0, what: str = "it") -> None:
    """Return as soon as check() is true; fail after `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if check():  # type: ignore[operator]
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {patience} s")
