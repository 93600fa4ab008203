"""Anything that a line can bring: real frames torn, mixed, forged and garbled; nothing raises and nothing grows without end."""

import gzip
import random
import re
import time
from dataclasses import dataclass

from telephony import replay, wire
from telephony.feed import Feed
from telephony.floor import LATE, Floor
from telephony.guard import FORGERY_LIMIT
from tests.telephony.faults.harm import CAPTURES, captures

NAMES = ("Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid", "BridgeUniqueid", "BridgeNumChannels", "ChannelState", "Cause",
         "TransfererUniqueid", "TransfereeUniqueid", "ParkeeUniqueid", "Timestamp", "Uptime", "ListItems", "Duration", "Exten")
ODD = (b"", b"<unknown>", b"0", b"-1", b"9" * 400, b"\xff\xfe\xc0", b"1e309", b"nan", b"a" * 70000, "十一".encode(), b"\x00", b"6", b"5")
_ID = re.compile(rb"((?:[Uu]nique|[Ll]inked)[Ii][Dd]: (?:pbx1-)?)\d{10}\.")  # a stream is of another day than the last one
PONG = b"Response: Success\r\nPing: Pong\r\n\r\n"
ROUNDS_A_FLOOR = 400  # then it is looked at how much stays


@dataclass
class Report:
    """What was tried, and the most that stayed behind of it."""

    frames: int = 0
    bytes: int = 0
    most_calls: int = 0
    most_ids: int = 0
    most_remembered: int = 0


class Fuzzer:
    """Makes streams out of real ones; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.streams = [self._frames(name) for name in captures("asterisk-22", "further-22")[::3]]

    @staticmethod
    def _frames(name: str) -> list[bytes]:
        data = gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes())
        return [frame for _, frame in wire.Framer().feed(data)]

    def stream(self) -> bytes:
        """Return a piece of a day that no switch ever had."""
        one, other = self.dice.choice(self.streams), self.dice.choice(self.streams)
        at = self.dice.randrange(len(one))
        frames = one[at : at + self.dice.randrange(200)] + other[: self.dice.randrange(30)]
        if self.dice.random() < 0.3:
            self.dice.shuffle(frames)
        day = b"%d" % (1_600_000_000 + self.dice.randrange(10**8))
        return b"".join(self._end(self._hurt(_ID.sub(rb"\g<1>" + day + b".", frame))) for frame in frames)

    def _hurt(self, frame: bytes) -> bytes:
        chance = self.dice.random()
        if chance < 0.80:
            return frame
        if chance < 0.84:
            return frame[: self.dice.randrange(len(frame) + 1)]
        if chance < 0.92:
            return frame + b"\r\n" + self.dice.choice(NAMES).encode() + b": " + self.dice.choice(ODD)
        if chance < 0.96:
            lines = frame.split(b"\r\n")
            at = self.dice.randrange(len(lines))
            lines[at] = lines[at].split(b":")[0] + b": " + self.dice.choice(ODD)
            return b"\r\n".join(lines)
        return bytes(self.dice.randrange(256) for _ in range(self.dice.randrange(300)))

    def _end(self, frame: bytes) -> bytes:
        return frame + self.dice.choice((b"\r\n\r\n",) * 20 + (b"\n\n", b"\r\n\n", b"\r\n\r\n\r\n", b""))


def fuzz(seconds: float, seed: int = 1) -> Report:
    """Return what was tried in that time; raises what the ear raised."""
    fuzzer, report, end = Fuzzer(seed), Report(), time.monotonic() + seconds
    while time.monotonic() < end:
        _one_floor(fuzzer, report, end)
    return report


def _one_floor(fuzzer: Fuzzer, report: Report, end: float) -> None:
    feed, floor, seen = Feed(), Floor(), 0
    for _ in range(ROUNDS_A_FLOOR):
        data = fuzzer.stream()
        if fuzzer.dice.random() < 0.05:
            feed.reconnected()
        seen += _heard(feed, floor, data)
        report.bytes += len(data)
        report.most_calls = max(report.most_calls, len(floor.calls))
        report.most_ids = max(report.most_ids, floor.live_ids)
        report.most_remembered = max(report.most_remembered, floor.remembered)
        if time.monotonic() > end:
            break
    report.frames += feed.frames
    assert floor.remembered <= LATE
    assert len(feed.doubts) <= 1000 and len(floor.doubts) <= 1000
    assert all(len(call.legs) <= 200 and len(call.segments) <= 400 and len(call.moves) <= 100 for call in floor.calls.values())
    _heard(feed, floor, b"\r\n\r\n" + PONG * (FORGERY_LIMIT // len(PONG) + 2))  # what waits for the rest of a broken event waits no more
    for _ in range(2):  # a channel heard since the last list may be too young for this one
        _heard(feed, floor, b"\r\n\r\nEvent: CoreShowChannelsComplete\r\nListItems: 0\r\n\r\n")
    assert not floor.calls
    assert not floor.live_ids


def _heard(feed: Feed, floor: Floor, data: bytes) -> int:
    for event in feed.hear(data, None):
        for change in floor._heard(event):
            replay.told(change.new)
    return len(data)
