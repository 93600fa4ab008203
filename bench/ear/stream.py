"""A captured load as a switch would send it again and again: each time with new ids and the time of sending."""

import gzip
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CAPTURES = Path(__file__).parents[2] / "tests" / "telephony" / "captures"
# What read=system,call,agent,user,cdr leaves of a stream.
PRODUCT = (b"system,", b"call,", b"agent,", b"user,", b"cdr,")
STREAMS = ("product", "full")
END = b"\r\n\r\n"
_CHANGING = re.compile(rb"(?<=\nTimestamp: )\d+\.\d+|\b(\d{10})\.(\d+)\b")
_CHANNEL = re.compile(rb"\nUniqueid: ([^\r\n]+)\r\nLinkedid: ([^\r\n]+)")


OWN = CAPTURES / "load-300-queue.ami.gz"


def full_stream(capture: Path = OWN) -> bytes:
    """Every event of the load."""
    return gzip.decompress(capture.read_bytes()) if capture.suffix == ".gz" else capture.read_bytes()


def product_stream(capture: Path = OWN) -> bytes:
    """The load as a user with the product's classes is sent it."""
    kept = [frame for frame in full_stream(capture).split(END)
            if frame.partition(b"Privilege: ")[2].startswith(PRODUCT) or not frame.startswith(b"Event:")]
    return END.join(kept)


def stream(name: str, capture: Path = OWN) -> bytes:
    """The stream of that name."""
    return full_stream(capture) if name == "full" else product_stream(capture)


@dataclass(frozen=True)
class Sent:
    """One event, ready for the wire."""

    data: bytes
    born: bytes | None = None  # the channel that begins with it
    gone: bytes | None = None  # the channel that ends with it


class Laps:
    """The load without end; each lap's ids are new, as those of a switch that runs on."""

    def __init__(self, source: bytes) -> None:
        frames = [frame + END for frame in source.split(END) if frame.startswith(b"Event: ")]
        self.frames = [frame for frame in frames if not frame.startswith((b"Event: FullyBooted", b"Event: SuccessfulAuth"))]
        self.calls = sum(self._starts_call(frame) for frame in self.frames)
        self.lap = 0

    def _starts_call(self, frame: bytes) -> bool:
        named = _CHANNEL.search(frame) if frame.startswith(b"Event: Newchannel") else None
        return named is not None and named[1] == named[2]

    def next_lap(self) -> Iterator[Sent]:
        """Each event of one more lap, as it is to be sent at the moment it is asked for."""
        self.lap += 1
        epoch = b"%d" % time.time()
        for frame in self.frames:
            yield self._renewed(frame, epoch)

    def _renewed(self, frame: bytes, epoch: bytes) -> Sent:
        now, shift = b"%.6f" % time.time(), self.lap * 1_000_000
        data = _CHANGING.sub(lambda found: b"%s.%d" % (epoch, int(found[2]) + shift) if found[1] else now, frame)
        return Sent(data, _uniqueid(data, b"Newchannel"), _uniqueid(data, b"Hangup"))


def _uniqueid(data: bytes, event: bytes) -> bytes | None:
    if not data.startswith(b"Event: " + event + b"\r\n"):
        return None
    named = _CHANNEL.search(data)
    return named[1] if named else None
