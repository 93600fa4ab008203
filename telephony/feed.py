"""One switch's feed: bytes of one connection after another become events with times, and nothing else does."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from telephony import wire
from telephony.event import Event, event, moment
from telephony.floor import WANTED
from telephony.guard import KEPT, Doubt, Guard, mended, parted

_REPEATS = frozenset({"UserEvent"})  # the dialplan's own headers may be named like the channel's
_OF_MAILBOXES = frozenset({b"Newexten", b"CEL"})  # half of all events; a few of them say that somebody speaks to a mailbox
_ABSOLUTE = 10**8  # seconds beyond this are a Unix time, below it a time since the connection was made
_SANE = timedelta(days=1)  # a switch whose clock is further off is not followed by the events that bear no stamp
_JUMP = timedelta(minutes=5)  # so far a clock is put, not late: a living line brings a sign of life each few seconds
_READ = re.compile(r"(\d{1,18}) (\d{1,10}(?:\.\d+)?)", re.ASCII)
_EPOCH = re.compile(rb"[Uu]nique[Ii][Dd]: (?:[^\r\n]*-)?(\d{9,11})\.\d+")
_BIRTH = re.compile(rb"Event: (?:Newchannel|CoreShowChannel)\r?\n(?:[^\r\n]+\r?\n)*")
_AGE = re.compile(rb"\nDuration: (\d{1,6}):(\d\d):(\d\d)")
_STAMP = re.compile(rb"\nTimestamp: (\d{9,11}(?:\.\d+)?)")


class Feed:
    """Cuts, guards, drops what no step wants on its bytes, decodes and dates the rest; keeps state over a cut."""

    def __init__(self) -> None:
        self.doubts: deque[Doubt] = deque(maxlen=1000)
        self.doubted = 0
        self.answers: list[dict[str, str]] = []
        self.keep_answers = False
        self.frames = 0
        self._skew = timedelta()
        self._last = b""
        self._received: datetime | None = None
        self._jumped = timedelta()
        self._back = timedelta()  # how far our own clock was put back
        self.reconnected()

    def reconnected(self, offset: int = 0) -> None:
        """A new connection begins: a torn frame of the last one will never be finished."""
        self._framer = wire.Framer(offset)
        self._guard = Guard()
        self._stamped: tuple[datetime, datetime] | None = None  # the last stamp, and when it came
        self._new = True

    @property
    def alive_at(self) -> datetime | None:
        """When the switch was last heard, by its own clock: until then nothing was missed."""
        stamp = _STAMP.search(self._last)
        said = moment(stamp.group(1).decode()) if stamp else None
        return said or (self._received + self._skew if self._received else None)

    @property
    def offset(self) -> int:
        """Everything before this byte of the connection has been heard."""
        return self._framer.offset

    @property
    def endless(self) -> int:
        """How many bytes of this connection were of no frame that ended."""
        return self._framer.endless

    def take_lost_sight(self) -> bool:
        """True once after a forgery that could not be told from the switch's own words."""
        lost, self._guard.lost_sight = self._guard.lost_sight, False
        return lost

    def hear(self, data: bytes, received: datetime | None) -> Iterator[Event]:
        """Yield the events that `data` completes."""
        if received is not None and self._received is not None and not self._new:
            self._passed(received - self._received)
        self._received, self._new = received, False
        for begin, raw in self._framer.feed(data):
            self.frames += 1
            self._last = raw
            for offset, frame in self._guard.sift(begin, raw):
                heard = self._event(offset, frame, received)
                if heard is not None:
                    yield heard
            if self._guard.doubts:
                self._doubt(self._guard.taken())

    def _event(self, offset: int, frame: bytes, received: datetime | None) -> Event | None:
        name = wire.event_name(frame)
        if name not in WANTED or (name in _OF_MAILBOXES and b": VoiceMail" not in frame):
            if not name and self.keep_answers and frame.startswith(b"Response:"):
                self.answers.append(wire.headers(frame)[0])
            return None
        found, odd = wire.headers(frame)
        if odd or parted(frame):
            whole = mended(frame)
            repeats = found.get("event") in _REPEATS
            if whole != frame or not repeats:
                self._doubt([Doubt(offset, "a header twice, or a line that is none, or one inside a number", frame)])
                found, odd = wire.headers(whole)
            if odd and not repeats:
                return None
        return self._dated(event(found, received, offset), received)

    def _dated(self, heard: Event, received: datetime | None) -> Event:
        """Events without a stamp of the switch are put on its clock, by the difference last seen."""
        if received is None:
            return heard
        if "timestamp" not in heard.headers:
            return Event(heard.name, heard.headers, received + self._skew, heard.offset, self._jumped)
        if heard.at is not None and abs(heard.at - received) < _SANE:
            self._stamp(heard.at, received)
        return Event(heard.name, heard.headers, heard.at, heard.offset, self._jumped) if self._jumped else heard

    def _passed(self, time: timedelta) -> None:
        """So much passed between two reads by our own clock; where a switch stamps nothing, that clock counts."""
        self._back += min(time, timedelta())
        if self._stamped is None and abs(time) > _JUMP:
            self._jumped += time

    def _stamp(self, at: datetime, received: datetime) -> None:
        """The switch's clock is known; that it was put is seen where its stamps go back, or on while hardly any time passed."""
        came = received - self._back
        if self._stamped is not None:
            on, passed = at - self._stamped[0], came - self._stamped[1]
            if on < -_JUMP or on - passed > _JUMP:
                self._jumped += on - min(passed, _JUMP)
        self._stamped, self._skew = (at, came), at - received

    def _doubt(self, doubts: Iterable[Doubt]) -> None:
        for doubt in doubts:
            self.doubts.append(replace(doubt, frame=doubt.frame[:KEPT]))
            self.doubted += 1


def times(lines: str, data: bytes) -> list[tuple[int, datetime]]:
    """Return when each read came, from "byte-offset seconds" lines; relative seconds are dated by the first channel id.

    A power failure may leave lines that cannot be read; the bytes that such a line dates belong to the read before.
    """
    whole = lines[: lines.rfind("\n") + 1]  # a crash may have torn the last line
    reads = sorted(read for line in whole.split("\n") for read in _read(line))
    absolute = [read for read in reads if read[1] > _ABSOLUTE]
    reads, base = (absolute, 0.0) if absolute else (reads, _base(reads, data))
    if base is None:
        return []
    return [(offset, datetime.fromtimestamp(base + second, UTC)) for offset, second in reads]


def _read(line: str) -> Iterator[tuple[int, float]]:
    """Yield what the line says, nothing when it is none."""
    found = _READ.fullmatch(line)
    if found:
        yield int(found.group(1)), float(found.group(2))


def _base(reads: list[tuple[int, float]], data: bytes) -> float | None:
    """When the connection was made, by the first thing in it that has a time: a stamp, a channel's birth, or its age."""
    stamp = _STAMP.search(data)
    if stamp is not None:
        return float(stamp.group(1)) - _second(reads, stamp.start())
    for frame in _BIRTH.finditer(data):
        epoch, age = _EPOCH.search(frame.group()), _AGE.search(frame.group())
        if epoch is not None:
            hours, minutes, seconds = map(int, age.groups()) if age else (0, 0, 0)
            return int(epoch.group(1)) + hours * 3600 + minutes * 60 + seconds - _second(reads, frame.start())
    return None


def _second(reads: list[tuple[int, float]], at: int) -> float:
    return max((second for offset, second in reads if offset <= at), default=0.0)
