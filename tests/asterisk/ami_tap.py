"""What the switch says while a test does something."""

import threading
from datetime import UTC, datetime
from typing import Any

from telephony.replay import Played, told
from tests.asterisk.lab import Lab

Frame = list[tuple[str, str]]


class Tap:
    """Listens as the product's own AMI user from `with` to its end."""

    def __init__(self, lab: Lab, username: str = "listener") -> None:
        self._link = lab.ami(username)
        self.data = bytearray()

    def __enter__(self) -> "Tap":
        self._socket = self._link.__enter__()
        self._socket.settimeout(0.1)
        self._open = True
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        self._thread.join()
        self._link.__exit__(None, None, None)

    def _listen(self) -> None:
        quiet = 0
        while self._open or quiet < 3:                    # the last words come a moment later
            try:
                got = self._socket.recv(65536)
            except TimeoutError:
                quiet += not self._open
                continue
            if not got:
                return
            self.data += got

    def frames(self) -> list[Frame]:
        """Header pairs of each event, in order."""
        texts = self.data.decode("utf-8").split("\r\n\r\n")
        pairs = [[(k, v) for k, _, v in (line.partition(": ") for line in text.split("\r\n"))] for text in texts]
        return [frame for frame in pairs if frame and frame[0][0] == "Event"]

    def calls(self) -> list[dict[str, Any]]:
        """What the product's listener makes of it."""
        played = Played()
        played.hear(bytes(self.data), datetime.now(UTC))
        played.finish()
        assert played.feed.doubted + played.floor.doubted == 0
        return [told(call) for call in played.in_order()]
