"""When things happened in a capture that nobody timed: by what the switch says of time in it."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from telephony.event import cel_moment, moment

_STAMP = re.compile(rb"\nTimestamp: (\d{9,11}(?:\.\d+)?)\r?\n(?:[^\r\n]+\r?\n)*\r?\n")
_SAID = re.compile(rb"Event: (?:CEL|Newchannel)\r?\n(?:[^\r\n]+\r?\n)*\r?\n")
_EPOCH = re.compile(rb"\nUnique[Ii][Dd]: (?:[^\r\n]*-)?(\d{9,11})\.\d+")
_CEL_TIME = re.compile(rb"\nEventTime: ([^\r\n]+)")
# With these something new begins in a silence between two times; what stands before them ended what was before it.
_TURN = re.compile(rb"\nEvent: (?:HangupRequest|SoftHangupRequest|BridgeLeave|BlindTransfer|AttendedTransfer|Hold|Unhold|Newstate)\r?\n")
_STEP = timedelta(seconds=0.02)
_ZONE = timedelta(minutes=15)

Mark = tuple[int, datetime]


def marks(data: bytes) -> list[Mark]:
    """Return from which byte on which time holds.

    The times are the events' own stamps; without them channels' births and the switch's event log, both in whole seconds.
    """
    stamps = [(found.end(), at) for found in _STAMP.finditer(data) if (at := moment(found.group(1).decode()))]
    ends, found, latest = stamps or _by_log(data), list[Mark](), None
    for (begin, _), (end, at) in pairwise([(0, datetime.min), *ends]):
        if latest is None or at - latest >= _STEP:
            turn = None if stamps or latest is None else _TURN.search(data, begin, end)
            latest = at
            found.append((turn.start() + 1 if turn else begin, at))
    return found


def _by_log(data: bytes) -> list[Mark]:
    zone: timedelta | None = None
    ends = list[Mark]()
    for frame in _SAID.finditer(data):
        epoch, log = _EPOCH.search(frame.group()), _CEL_TIME.search(frame.group())
        born = datetime.fromtimestamp(int(epoch.group(1)), UTC) if epoch else None
        at = cel_moment(log.group(1).decode("latin-1")) if log else born
        if at is not None and log and zone is None and born is not None and b"CHAN_START" in frame.group():
            zone = round((born - at) / _ZONE) * _ZONE  # the log is written in the switch's own time of day
        if at is not None:
            ends.append((frame.end(), at + (zone or timedelta()) if log else at))
    return ends
