"""What a stream of AMI bytes proves about the switch that sent it."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from telephony import journal, wire
from telephony.doctor.facts import Evidence
from telephony.feed import Feed
from telephony.switch import Switch, parted

TAIL = 12 * 1024 * 1024  # bytes of the journal that are read: half an hour of a busy switch, days of a quiet one
_PRIVILEGE = re.compile(rb"\nPrivilege: ([a-z]+)")
_VOICEMAIL = re.compile(rb"\nAppName: VoiceMail")
_OWN = re.compile(rb"\nActionID: ")  # an answer to somebody's question is never stamped
_UNSTAMPED = frozenset({"FullyBooted"})


class Reader:
    """Counts; the frames themselves are forgotten."""

    def __init__(self, names: Switch) -> None:
        self._names = names
        self._feed = Feed()
        self._events: Counter[str] = Counter()
        self._classes: Counter[str] = Counter()
        self._facts: Counter[str] = Counter()
        self._inbound: Counter[tuple[str, str]] = Counter()
        self._queues: set[str] = set()
        self._since: datetime | None = None

    def read(self, data: bytes, at: datetime | None = None) -> None:
        """One connection's bytes; a frame that is torn at either end does not count."""
        self._since = min(filter(None, (self._since, at)), default=None)
        self._feed.reconnected()
        for _ in self._feed.hear(data, None):
            pass  # for its doubts alone
        for _, frame in wire.Framer().feed(data):
            self._count(frame)

    def _count(self, frame: bytes) -> None:
        name = wire.event_name(frame).decode("ascii", "replace")
        if not name:
            return
        self._events[name] += 1
        found = _PRIVILEGE.search(frame)
        if found and not _OWN.search(frame):
            self._classes[found[1].decode()] += 1
            if name not in _UNSTAMPED:
                self._facts["stamped" if b"\nTimestamp: " in frame else "bare"] += 1
        look = getattr(self, f"_in_{name.lower()}", None)
        if look is not None:
            look(frame)

    def _in_newchannel(self, frame: bytes) -> None:
        headers = wire.headers(frame)[0]
        channel = headers.get("channel", "")
        came_in = headers.get("channelstate") in ("4", "5") and headers.get("uniqueid") == headers.get("linkedid")
        if came_in and not channel.startswith("Local/") and self._names.extension(channel) is None:
            self._inbound[parted(channel)[1], headers.get("context", "")] += 1

    def _in_queuecallerjoin(self, frame: bytes) -> None:
        self._queues.add(wire.headers(frame)[0].get("queue", ""))

    def _in_cdr(self, frame: bytes) -> None:
        self._facts["unanswered"] += b"\nDisposition: NO ANSWER" in frame

    def _in_cel(self, frame: bytes) -> None:
        self._facts["voicemail"] += _VOICEMAIL.search(frame) is not None

    def _in_userevent(self, frame: bytes) -> None:
        said = wire.headers(frame)[0].get("userevent", "")
        self._facts["withheld"] += said == "RingdeskWithheld"
        self._facts["recordings"] += said == "RingdeskRecording"

    def evidence(self) -> Evidence:
        """What was counted."""
        kept = {name: self._facts[name] for name in ("stamped", "bare", "unanswered", "voicemail", "withheld", "recordings")}
        return Evidence(since=self._since, events=self._events, classes=self._classes, inbound=self._inbound,
                        queues=frozenset(self._queues - {""}), doubts=self._feed.doubted, **kept)


def of_journal(folder: Path, names: Switch, tail: int = TAIL) -> Evidence:
    """What the newest part of a switch's journal proves; nothing when there is none."""
    reader = Reader(names)
    for path, begin in _newest(folder, tail):
        try:
            with path.open("rb") as file:
                file.seek(begin)
                data = file.read(tail)
            reader.read(_whole(data) if begin else data, _began(path))
        except OSError:
            continue  # the listener has just dropped it, or it is not ours to read
    return reader.evidence()


def _newest(folder: Path, tail: int) -> list[tuple[Path, int]]:
    found: list[tuple[Path, int]] = []
    for _, path in reversed(journal.segments(folder)):
        if tail <= 0:
            break
        try:
            size = path.stat().st_size
        except OSError:
            continue
        found.append((path, max(0, size - tail)))
        tail -= size
    return found[::-1]


def _whole(data: bytes) -> bytes:
    """From the first frame that is there from its beginning."""
    return data[data.find(b"\r\n\r\n") + 4 :]


def _began(path: Path) -> datetime | None:
    try:
        with path.with_name(path.name + ".times").open("rb") as file:
            first = file.readline(60).split()
        return datetime.fromtimestamp(float(first[1]), UTC)
    except (OSError, ValueError, IndexError, OverflowError):
        return None


def together(one: Evidence, other: Evidence) -> Evidence:
    """Both as one."""
    return Evidence(
        since=min(filter(None, (one.since, other.since)), default=None), events=one.events + other.events,
        classes=one.classes + other.classes, stamped=one.stamped + other.stamped, bare=one.bare + other.bare,
        inbound=one.inbound + other.inbound, queues=one.queues | other.queues, unanswered=one.unanswered + other.unanswered,
        voicemail=one.voicemail + other.voicemail, withheld=one.withheld + other.withheld,
        recordings=one.recordings + other.recordings, doubts=one.doubts + other.doubts,
    )  # fmt: skip
