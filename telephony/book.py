"""What a switch wrote down of a stretch of time, sorted by channel and by call: who lived when, and who called whom. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from telephony.grouping import id_key
from telephony.records import Cdr, Cel, Queued, Row

STOPPING = timedelta(seconds=60)   # a switch that is stopped and started again is back within
NEAR = timedelta(seconds=1.0)      # a hang-up belongs to the leaving of the bridge just before it
SECOND, LITTLE = timedelta(seconds=1), timedelta(microseconds=1)
LATER = frozenset({"CONNECT", "ABANDON", "EXITWITHTIMEOUT", "EXITWITHKEY", "EXITEMPTY", "COMPLETECALLER", "COMPLETEAGENT",
                   "RINGNOANSWER", "RINGCANCELED"})  # of a caller who must have entered a queue before
DIALLED = frozenset({"AppDial", "AppDial2", "AppQueue"})
DIALLING = frozenset({"Dial", "Queue"})


@dataclass
class Channel:
    """One channel from its birth to its end, as far as it was written down."""

    id: str
    name: str
    linkedid: str
    rows: list[Cel] = field(default_factory=list)
    cdrs: list[Cdr] = field(default_factory=list)      # those of its own
    dialled_by: Cdr | None = None
    answer: datetime | None = None
    end: datetime | None = None
    hangup: Cel | None = None

    @property
    def start(self) -> datetime:
        """When it began, or was first written of."""
        return self.rows[0].at if self.rows else self.cdrs[0].start if self.cdrs else self.dialled_by.start  # type: ignore[union-attr]

    @property
    def whole(self) -> bool:
        """True when it was written down from its start to its end."""
        return bool(self.rows) and self.rows[0].kind == "CHAN_START" and any(row.kind == "CHAN_END" for row in self.rows)

    @property
    def local(self) -> bool:
        """True for half of a Local channel."""
        return self.name.startswith("Local/")

    @property
    def dialled(self) -> bool:
        """True when the switch called it, so that it has no dialplan of its own to begin with."""
        if self.dialled_by is not None or any(row.app in DIALLED for row in self.rows):
            return True
        return not self.local and bool(self.rows) and self.rows[0].exten == "s"

    @property
    def originated(self) -> bool:
        """True when it was called by order, by no other channel."""
        return self.dialled and self.id == self.linkedid and not self.local

    def alive(self, at: datetime) -> bool:
        """True when it was there at that time."""
        return self.start <= at and (self.end is None or self.end >= at)

    @property
    def source(self) -> str:
        """The channel whose phone hung up first."""
        return self.hangup.extra.get("hangupsource", "") if self.hangup else ""

    @property
    def cause(self) -> str:
        """The Q.850 cause; empty where it is not known."""
        return self.hangup.extra.get("hangupcause", "") if self.hangup else ""


class Book:
    """All rows of a stretch of time, by channel and by call."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.channels: dict[str, Channel] = {}
        self.queued: dict[str, list[Queued]] = defaultdict(list)
        self.starts: list[datetime] = []
        cdrs: list[Cdr] = []
        for row in rows:
            if isinstance(row, Cel):
                self._channel(row.uniqueid, row.channel, row.linkedid).rows.append(row)
            elif isinstance(row, Queued):
                self._queued(row)
            else:
                cdrs.append(row)
        for channel in self.channels.values():
            _lived(channel)
        self.torn = {one.id for one in self.channels.values() if one.rows[0].kind != "CHAN_START"}
        self.torn |= {call for call, lines in self.queued.items() if lines[0].verb in LATER}
        self.starts = sorted({*self.starts, *self._counted_anew()})
        self.downs = self._downs()
        self._called(cdrs)
        self.family: dict[str, list[Channel]] = defaultdict(list)
        for channel in sorted(self.channels.values(), key=lambda one: id_key(one.id)):
            for linkedid in dict.fromkeys([channel.linkedid, *(row.linkedid for row in channel.rows)]):
                self.family[linkedid].append(channel)

    def _channel(self, uniqueid: str, name: str, linkedid: str) -> Channel:
        return self.channels.setdefault(uniqueid, Channel(uniqueid, name, linkedid))

    def _queued(self, row: Queued) -> None:
        if row.verb == "QUEUESTART":
            self.starts.append(row.at)
        else:
            self.queued[row.call].append(row)

    def _counted_anew(self) -> Iterator[datetime]:
        """When the switch's counter of channels began again: it was started just before, if nobody else says so."""
        last = 0
        for channel in sorted(self.channels.values(), key=lambda one: one.start):
            number = id_key(channel.id)[2]
            anew = number == 0 or (number < 5 and last > number + 20)
            if anew and last and not any(channel.start - STOPPING < at <= channel.start for at in self.starts):
                yield channel.start - LITTLE
            last = number if anew else max(last, number)

    def _downs(self) -> list[datetime]:
        """When something was written last before each start of the switch, if it was started again at once."""
        ends = sorted(channel.end for channel in self.channels.values() if channel.end)
        lasts = [(at, ends[bisect_right(ends, at) - 1]) for at in self.starts if ends and ends[0] <= at]
        return [last for at, last in lasts if at - last < STOPPING]

    def _called(self, cdrs: Sequence[Cdr]) -> None:
        """Who dialled whom; channels that only CDR knows are made of it."""
        names: dict[tuple[str, str], list[Channel]] = defaultdict(list)
        for channel in self.channels.values():
            for row in channel.rows:
                if channel not in names[row.linkedid, channel.name]:
                    names[row.linkedid, channel.name].append(channel)
        for cdr in sorted(cdrs, key=lambda one: (one.start, one.sequence)):
            own = self._channel(cdr.uniqueid, cdr.channel, cdr.linkedid)
            own.cdrs.append(cdr)
            if cdr.dstchannel:
                found = names.get((cdr.linkedid, cdr.dstchannel)) or ([] if own.rows else [self._unwritten(cdr)])
                _dialled_by(cdr, own, found)
        for channel in self.channels.values():
            if not channel.rows and channel.cdrs:
                _lived_by_cdr(channel)

    def _unwritten(self, row: Cdr) -> Channel:
        """A phone of which only its caller's CDR tells; its id sorts behind each of the switch's."""
        channel = self._channel(unwritten_id(row), row.dstchannel, row.linkedid)
        connected = [one.at for one in self.queued.get(row.uniqueid, ()) if one.verb == "CONNECT" and row.start <= one.at <= row.end]
        channel.answer = (connected[-1] if connected else row.answer) if row.disposition == "ANSWERED" else None
        channel.end, channel.dialled_by = row.end, row
        return channel

    def inside(self, channel: Channel, bridge: str | None, at: datetime) -> bool:
        """True when the channel was in that bridge at that time."""
        seats = [row for row in channel.rows if row.kind in ("BRIDGE_ENTER", "BRIDGE_EXIT") and row.at <= at]
        return bool(seats) and seats[-1].kind == "BRIDGE_ENTER" and seats[-1].extra.get("bridge_id") == bridge

    def stopped(self, channel: Channel) -> bool:
        """True when the switch itself ended the channel, on its way down."""
        if channel.end is None or channel.source:
            return False
        return any(down - NEAR <= channel.end <= down for down in self.downs)

    def parent(self, channel: Channel) -> Channel | None:
        """Return who dialled it: by CDR, else the Local half or the caller that was there."""
        if channel.originated:
            return None
        if channel.dialled_by is not None:
            return self.channels.get(channel.dialled_by.uniqueid)
        there = [one for one in self.family[channel.linkedid] if one is not channel and one.alive(channel.start)]
        halves = [one for one in there if one.local and one.name.endswith(";2") and id_key(one.id) < id_key(channel.id)]
        callers = [one for one in there if not one.dialled or one.answer]
        dialling = [one for one in callers if any(row.app in DIALLING for row in one.rows)]
        return next(iter(halves[-1:] or dialling[:1] or callers[:1]), None)


def _dialled_by(row: Cdr, own: Channel, found: Sequence[Channel]) -> None:
    """The CDR names the phone that was dialled, but a neighbour in a conference or a transfer as well."""
    able = [one for one in found if one is not own and one.dialled_by is None and (one.dialled or one.local)
            and row.start - SECOND <= one.start <= row.end + SECOND]
    if able:
        min(able, key=lambda one: abs(one.start - row.start)).dialled_by = row


def unwritten_id(row: Cdr) -> str:
    return f"~{row.dstchannel}-{row.uniqueid}"


def _lived(channel: Channel) -> None:
    for row in channel.rows:
        if row.kind == "ANSWER":
            channel.answer = channel.answer or row.at
        elif row.kind == "HANGUP":
            channel.hangup = channel.hangup or row
        if row.kind in ("HANGUP", "CHAN_END"):
            channel.end = channel.end or row.at


def _lived_by_cdr(channel: Channel) -> None:
    answers = [row.answer for row in channel.cdrs if row.answer]
    channel.answer = min(answers, default=None)
    channel.end = max(row.end for row in channel.cdrs)
