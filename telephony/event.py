"""One thing the switch said, under one name whatever the version, with a time that may be unknown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ABSENT = frozenset({None, "", "<unknown>", "unknown", "<none>"})
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_QUOTED = re.compile(r'\\(["\\])')  # chan_pjsip leaves the quoted pairs of a display name in
_OLD_NAMES = {"Join": "QueueCallerJoin", "Leave": "QueueCallerLeave", "QueueMemberPaused": "QueueMemberPause"}
_SUBEVENTS = {("Dial", "Begin"): "DialBegin", ("Dial", "End"): "DialEnd", ("Hold", "On"): "Hold", ("Hold", "Off"): "Unhold"}
_OLD_HEADERS = {"destination": "destchannel"}


@dataclass(frozen=True, slots=True)
class Event:
    """An event: headers are asked for in any spelling of case, and "no value" is None."""

    name: str
    headers: Mapping[str, str]
    at: datetime | None = None
    offset: int = 0
    jumped: timedelta = timedelta()  # how far the clock of `at` was put forward so far, back is negative

    def __getitem__(self, header: str) -> str | None:
        """Return the header's value, None when the switch says that there is none."""
        value = self.headers.get(header.lower())
        return None if value in ABSENT else value

    def number(self, header: str) -> int | None:
        """Return a header that counts something, None when it does not."""
        value = self.headers.get(header.lower(), "")
        return int(value) if value.isascii() and value.isdigit() else None


def event(headers: Mapping[str, str], received: datetime | None, offset: int) -> Event:
    """Return the event that the headers tell; its time is the switch's own, else when it was received."""
    name = headers.get("event", "")
    if name in _OLD_NAMES:
        name = _OLD_NAMES[name]
    elif name in ("Dial", "Hold"):
        mark = headers.get("subevent") or headers.get("status") or "On"
        name = _SUBEVENTS.get((name, mark), name)
        headers = {_OLD_HEADERS.get(key, key): value for key, value in headers.items()}
    stamp = headers.get("timestamp")
    return Event(name, headers, (moment(stamp) if stamp else None) or received, offset)


def moment(stamp: str) -> datetime | None:
    """Return the instant of a Unix time stamp with fraction, None when it is not one."""
    try:
        return datetime.fromtimestamp(float(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def cel_moment(stamp: str) -> datetime | None:
    """Return the instant of a CEL EventTime; the switch writes it in its own zone, taken for UTC."""
    try:
        return datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return moment(stamp)


def plain_name(value: str | None) -> str | None:
    """Return a caller's name without the switch's escapes and SIP's own in them; line ends and tabs become blanks."""
    if value is None or "\\" not in value:
        return value
    name = _ESCAPED.sub(lambda found: " " if found.group(1) in "rntabfv" else found.group(1), value)
    return _QUOTED.sub(r"\1", name).strip() or None
