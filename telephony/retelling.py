"""What a switch wrote down is told again as the events that it would have said, so that the same steps make calls of it. Pure.

CEL has channels, bridges and transfers to the microsecond; CDR knows who dialled whom and how that came out; queue_log
knows the waiting. Ringing and holds are in none of them: a phone that was dialled for a moment rang, and holds are
handed in by whoever heard them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from telephony.book import LITTLE, NEAR, SECOND, Book, Channel, unwritten_id
from telephony.event import Event
from telephony.grouping import id_key
from telephony.livecall import CONSENTS
from telephony.records import Cel, Queued

RANG = timedelta(seconds=0.3)      # a phone that refused sooner did not ring
DIALS = timedelta(seconds=0.005)   # from the making of a channel to its dial
BLINK = timedelta(seconds=0.1)     # channels change bridges one after the other
_LEAVES = frozenset({"ABANDON", "EXITWITHTIMEOUT", "EXITWITHKEY", "EXITEMPTY"})
_COMPLETE = {"COMPLETECALLER": "caller", "COMPLETEAGENT": "agent", "TRANSFER": "transfer", "BLINDTRANSFER": "transfer",
             "ATTENDEDTRANSFER": "transfer"}
_CDR_STATUS = {"BUSY": "BUSY", "FAILED": "CHANUNAVAIL", "CONGESTION": "CONGESTION"}
_PARK_ENDS = {"ParkedCallUnparked": "UnParkedCall", "ParkedCallTimeout": "ParkedCallTimeOut",
              "ParkedCallTimeOut": "ParkedCallTimeOut", "ParkedCallGiveUp": "ParkedCallGiveUp", "ParkedCallSwap": "ParkedCallSwap"}


@dataclass(frozen=True)
class Held:
    """A hold that somebody heard: by which extension in which call, from when to when."""

    names: frozenset[str]
    party: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """An event with its place among those of the same moment."""

    at: datetime
    order: int
    event: Event


def events(book: Book, holds: Iterable[Held] = ()) -> list[Event]:
    """Return what the rows tell, in order of time; the same rows give the same events."""
    told: list[Told] = []
    for channel in sorted(book.channels.values(), key=lambda one: id_key(one.id)):
        told += _channel(book, channel)
        told += _bridges(book, channel)
        told += _waiting(book, channel)
    told += _held(book, holds)
    told += [_restart(at) for at in book.starts]
    told.sort(key=lambda one: (one.at, one.order))
    return [one.event for one in told]


def _event(name: str, at: datetime, order: int, **headers: str) -> Told:
    return Told(at, order, Event(name, headers | {"event": name}, at))


# ---- channels -----------------------------------------------------------------------------------------------------


def _channel(book: Book, channel: Channel) -> Iterator[Told]:
    first = channel.rows[0] if channel.rows else None
    if first is None and not channel.cdrs and channel.dialled_by is None:
        return
    own = {"uniqueid": channel.id, "linkedid": channel.linkedid, "channel": channel.name}
    yield _event("Newchannel", channel.start, 0, **own, **_birth(channel), channelstate="0" if channel.dialled else "4")
    parent = book.parent(channel) if channel.dialled else None
    if channel.dialled and (parent is not None or channel.originated):
        yield _dial(channel, parent)
    if channel.dialled and not channel.local and (channel.answer or (channel.end and channel.end - channel.start >= RANG)):
        yield _event("Newstate", _dialled_at(channel), 3, **own, channelstate="5")
    yield from _renamed(channel, own)
    if channel.answer is not None:
        yield _event("Newstate", channel.answer, 21, **own, channelstate="6")
    yield from _spying(channel, own)
    yield from _end(book, channel, parent, own)


def _birth(channel: Channel) -> dict[str, str]:
    if channel.rows:
        row = channel.rows[0]
        return {"context": row.context, "exten": row.exten, "calleridnum": row.number, "calleridname": row.name}
    if channel.cdrs:
        row_ = channel.cdrs[0]
        return {"context": row_.context, "exten": row_.dst, "calleridnum": row_.src, "calleridname": row_.name}
    return {"context": "", "exten": "s", "calleridnum": "", "calleridname": ""}


def _dial(channel: Channel, parent: Channel | None) -> Told:
    by = channel.dialled_by
    up = next((row.number for row in channel.rows if row.kind == "ANSWER"), "")
    dest = {"destuniqueid": channel.id, "destlinkedid": channel.linkedid, "destchannel": channel.name,
            "destcalleridnum": up, "dialstring": by.data.split(",")[0] if by and by.app == "Dial" else ""}
    source = {} if parent is None else {"uniqueid": parent.id, "linkedid": parent.linkedid, "channel": parent.name,
                                        "exten": by.dst if by else "", "context": by.context if by else ""}
    return _event("DialBegin", _dialled_at(channel), 2, **source, **dest)


def _dialled_at(channel: Channel) -> datetime:
    """A channel is made a little before it is dialled; in between whoever had the customer before is gone."""
    after = next((row.at for row in channel.rows[1:]), channel.end)
    return channel.start if after is None or after - channel.start < 2 * DIALS else channel.start + DIALS


def _renamed(channel: Channel, own: dict[str, str]) -> Iterator[Told]:
    """The number that the channel shows later: of a call by order the one that was wanted."""
    before = channel.rows[0].number if channel.rows else ""
    for row in channel.rows:
        if row.number and row.number != before:
            before = row.number
            yield _event("NewCallerid", row.at, 20, **own, calleridnum=row.number)


def _end(book: Book, channel: Channel, parent: Channel | None, own: dict[str, str]) -> Iterator[Told]:
    if channel.dialled and (parent is not None or channel.originated):
        dest = {"destuniqueid": channel.id, "destlinkedid": channel.linkedid, "destchannel": channel.name}
        source = {} if parent is None else {"uniqueid": parent.id, "linkedid": parent.linkedid, "channel": parent.name}
        if channel.answer is not None:
            yield _event("DialEnd", channel.answer, 22, **source, **dest, dialstatus="ANSWER")
        elif channel.end is not None:
            yield _event("DialEnd", channel.end, 50, **source, **dest, dialstatus=_status(channel, parent))
    if channel.end is not None:
        if book.stopped(channel):
            yield _event("SoftHangupRequest", _asked_at(channel), 9, **own, cause="4")
        elif channel.source == channel.name:
            yield _event("HangupRequest", _asked_at(channel), 9, **own)
        yield _event("Hangup", channel.end, 60, **own, cause=channel.cause)


def _status(channel: Channel, parent: Channel | None) -> str:
    if channel.cause in ("17", "21"):
        return "BUSY"
    if channel.cause == "26":
        return "CANCEL"
    if channel.dialled_by is not None and channel.dialled_by.disposition in _CDR_STATUS:
        return _CDR_STATUS[channel.dialled_by.disposition]
    said = parent.hangup.extra.get("dialstatus", "") if parent is not None and parent.hangup else ""
    near = parent is not None and parent.end is not None and channel.end is not None and parent.end - channel.end < NEAR
    if near and said in ("CANCEL", "NOANSWER", "CHANUNAVAIL", "CONGESTION"):
        return said
    return "CANCEL" if near and parent is not None and parent.source == parent.name else "NOANSWER"


def _asked_at(channel: Channel) -> datetime:
    """When the phone hung up: just before it left the bridge that it was in until then."""
    assert channel.end is not None
    left = [row.at for row in channel.rows if row.kind == "BRIDGE_EXIT" and row.at >= channel.end - NEAR]
    return (left[-1] if left else channel.end) - 2 * timedelta(milliseconds=1) if left else channel.end - LITTLE


# ---- where it was -------------------------------------------------------------------------------------------------


def _bridges(book: Book, channel: Channel) -> Iterator[Told]:
    for row in channel.rows:
        own = {"uniqueid": row.uniqueid, "linkedid": row.linkedid, "channel": row.channel, "context": row.context}
        told = _SAYS.get(row.kind)
        if told is not None:
            yield from told(book, channel, row, own)
    yield from _mailbox(book, channel)
    if not channel.rows:
        yield from _bridges_by_cdr(book, channel)


def _bridges_by_cdr(book: Book, channel: Channel) -> Iterator[Told]:
    """Where only CDR tells: together from the answer, of a queue's caller from the queue's word, to the end."""
    for row in channel.cdrs:
        other = book.channels.get(unwritten_id(row))
        if other is None or other.answer is None:
            continue
        bridge = f"{row.uniqueid}-{row.sequence}"
        for one in (channel, other):
            own = {"uniqueid": one.id, "linkedid": one.linkedid, "channel": one.name, "context": row.context}
            yield _event("BridgeEnter", other.answer, 30, **own, bridgeuniqueid=bridge, bridgetechnology="simple_bridge")
            yield _event("BridgeLeave", row.end, 31, **own, bridgeuniqueid=bridge)


def _entered(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    if row.app == "ConfBridge":
        yield _event("ConfbridgeJoin", row.at, 30, **own, exten=row.exten, conference=_first(_data(channel, "ConfBridge", row)))
    else:
        yield _event("BridgeEnter", row.at, 30, **own, bridgeuniqueid=row.extra.get("bridge_id", ""),
                     bridgetechnology=row.extra.get("bridge_technology", ""))


def _left(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    if row.app == "ConfBridge":
        yield _event("ConfbridgeLeave", row.at, 31, **own)
    elif row.extra.get("bridge_technology") != "holding_bridge":
        yield from _asking(book, channel, row, own)
        yield _event("BridgeLeave", row.at, 31, **own, bridgeuniqueid=row.extra.get("bridge_id", ""))


def _asking(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    """Who goes over to another bridge while the other side stays has them wait."""
    bridge = row.extra.get("bridge_id")
    on = next((one for one in channel.rows if one.kind == "BRIDGE_ENTER" and row.at <= one.at < row.at + BLINK
               and one.extra.get("bridge_id") != bridge and one.extra.get("bridge_technology") != "holding_bridge"), None)
    stays = on is not None and any(book.inside(one, bridge, row.at + BLINK) for one in book.family[row.linkedid] if one is not channel)
    if on is not None and stays:
        yield _event("Hold", row.at, 28, **own)
        yield _event("Unhold", on.at, 33, **own)


def _blind(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    other = row.extra.get("transferee_channel_uniqueid", "")
    yield _event("BlindTransfer", row.at, 10, result="Success", extension=row.extra.get("extension", ""),
                 context=row.extra.get("context", ""), bridgeuniqueid=row.extra.get("bridge_id", ""),
                 **_who("transferer", row), **_of("transferee", book, other))


def _attended(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    extra = row.extra
    called = book.channels.get(extra.get("transfer_target_channel_uniqueid", "")) or _stepped_in(book, channel, row)
    exten = called.rows[0].exten if called is not None and called.rows else ""
    yield _event("AttendedTransfer", row.at, 10, result="Success", desttype="App" if "app" in extra else "Bridge",
                 transfertargetexten=exten, **_who("origtransferer", row),
                 **_of("secondtransferer", book, extra.get("channel2_uniqueid", "")),
                 **_of("transferee", book, extra.get("transferee_channel_uniqueid", "")), **_of("transfertarget", book, called.id if called else ""))


def _stepped_in(book: Book, channel: Channel, row: Cel) -> Channel | None:
    """Where the target has no name: whoever took the transferer's place in the bridge just then."""
    bridge = row.extra.get("bridge1_id", "")
    return next((one for one in book.family[row.linkedid] if one is not channel and any(
        other.kind == "BRIDGE_ENTER" and other.extra.get("bridge_id") == bridge and abs(other.at - row.at) < BLINK
        for other in one.rows)), None)


def _parked(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    yield _event("ParkedCall", row.at, 29, parkerdialstring=row.extra.get("parker_dial_string", ""), **_who("parkee", row))


def _unparked(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    name = _PARK_ENDS.get(row.extra.get("reason", ""))
    if name is None:
        return
    who = row.extra.get("retriever", "")
    found = next((one for one in book.channels.values() if who and one.name == who and one.alive(row.at)), None)
    yield _event(name, row.at, 29, **_who("parkee", row), **(_of("retriever", book, found.id) if found else {}))


def _picked_up(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    yield _event("Pickup", row.at, 29, **own, **_of("target", book, row.extra.get("pickup_channel_uniqueid", "")))


def _one_wire(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    two = row.extra.get("local_two_uniqueid", "")
    if two in book.channels:
        yield _event("LocalBridge", row.at, 29, **_who("localone", row), **_of("localtwo", book, two))


def _said(book: Book, channel: Channel, row: Cel, own: dict[str, str]) -> Iterator[Told]:
    name, _, consent = (row.said if row.kind == "USER_DEFINED" else row.kind).partition("-")
    yield _event("UserEvent", row.at, 29, **own, userevent=name, **({"consent": consent} if consent else {}))


_SAYS = {"BRIDGE_ENTER": _entered, "BRIDGE_EXIT": _left, "BLINDTRANSFER": _blind, "ATTENDEDTRANSFER": _attended,
         "PARK_START": _parked, "PARK_END": _unparked, "PICKUP": _picked_up, "LOCAL_OPTIMIZE": _one_wire,
         "USER_DEFINED": _said, "RingdeskWithheld": _said, **{f"RingdeskConsent-{state}": _said for state in CONSENTS}}


def _who(prefix: str, row: Cel) -> dict[str, str]:
    return {f"{prefix}uniqueid": row.uniqueid, f"{prefix}linkedid": row.linkedid, f"{prefix}channel": row.channel,
            f"{prefix}calleridnum": row.number}


def _of(prefix: str, book: Book, uniqueid: str) -> dict[str, str]:
    found = book.channels.get(uniqueid)
    if found is None:
        return {}
    number = found.rows[0].number if found.rows else ""
    return {f"{prefix}uniqueid": found.id, f"{prefix}linkedid": found.linkedid, f"{prefix}channel": found.name,
            f"{prefix}calleridnum": number}


def _mailbox(book: Book, channel: Channel) -> Iterator[Told]:
    """The caller speaks to a mailbox from the first row that says so; where only the end does, since the last thing before it."""
    row = next((row for row in channel.rows if row.app == "VoiceMail"), None)
    cdr = next((cdr for cdr in channel.cdrs if cdr.app == "VoiceMail"), None)
    if channel.dialled or (row is None and cdr is None):
        return
    if row is None or row.kind in ("HANGUP", "CHAN_END"):
        end = row.at if row is not None else channel.end or channel.start
        before = [one.end for one in book.family[channel.linkedid] if one is not channel and one.end and one.end < end]
        at, exten = max([*before, channel.answer or channel.start]), cdr.dst if cdr else ""
    else:
        at, exten = row.at, row.exten
    box = (row.data if row is not None else "") or (cdr.data if cdr is not None else "") or UNKNOWN
    yield _event("Newexten", at, 70, uniqueid=channel.id, linkedid=channel.linkedid, channel=channel.name,
                 context=channel.rows[-1].context if channel.rows else "", application="VoiceMail", appdata=box, exten=exten)


def _spying(channel: Channel, own: dict[str, str]) -> Iterator[Told]:
    """By the application that the channel was in; whom it listened to is not written down."""
    row = next((row for row in channel.rows if row.app == "ChanSpy"), None)
    if row is not None or any(cdr.app == "ChanSpy" for cdr in channel.cdrs):
        at = channel.answer or channel.start
        yield _event("ChanSpyStart", at, 23, **{f"spyer{name}": value for name, value in own.items()})


UNKNOWN = "?"  # a mailbox or a room whose number nobody wrote down


def _data(channel: Channel, app: str, row: Cel) -> str:
    """What the application was called with: CEL says so where it has that column, else CDR."""
    return row.data or next((cdr.data for cdr in channel.cdrs if cdr.app == app), "")


def _first(data: str) -> str:
    return data.split(",", maxsplit=1)[0] or UNKNOWN


# ---- queues -------------------------------------------------------------------------------------------------------


def _waiting(book: Book, channel: Channel) -> Iterator[Told]:
    """queue_log's seconds, put where the channels say that it was."""
    own = {"uniqueid": channel.id, "linkedid": channel.linkedid, "channel": channel.name,
           "context": channel.rows[-1].context if channel.rows else ""}
    for row in book.queued.get(channel.id, ()):
        if row.verb == "ENTERQUEUE":
            yield _event("QueueCallerJoin", _joined_at(book, channel, row), 24, **own, queue=row.queue, exten=_exten(channel, row))
        elif row.verb == "CONNECT":
            yield from _connected(book, channel, row, own)
        elif row.verb in _LEAVES:
            at = _left_at(book, channel, row)
            yield _event("QueueCallerLeave", at, 51, **own, queue=row.queue)
            if row.verb == "ABANDON":
                yield _event("QueueCallerAbandon", at, 52, **own, queue=row.queue)
        elif row.verb in _COMPLETE and channel.hangup is None:  # else the channels say who hung up, and queue_log guesses
            yield _event("AgentComplete", max(row.at, channel.start), 25, **own, queue=row.queue, reason=_COMPLETE[row.verb])
    if not book.queued.get(channel.id):
        yield from _queue_by_cdr(channel, own)


def _exten(channel: Channel, row: Queued) -> str:
    """Where in the dialplan the caller was when the queue began."""
    return next((cdr.dst for cdr in channel.cdrs if cdr.app == "Queue" and cdr.data.split(",")[0] == row.queue), "")


def _joined_at(book: Book, channel: Channel, row: Queued) -> datetime:
    """Just before the first phone that the queue rang in that second, else after what the caller's channel did in it."""
    until = row.at + SECOND
    rung = [one.start for one in book.family[channel.linkedid]
            if one.dialled and row.at <= one.start < until and book.parent(one) is channel]
    did = [one.at for one in channel.rows if one.kind in ("CHAN_START", "ANSWER", "BRIDGE_EXIT") and row.at <= one.at < until]
    if rung and min(rung) - LITTLE >= max([at for at in did if at < min(rung)], default=row.at):
        return min(rung) - LITTLE
    return max([row.at, *did, channel.start])


def _connected(book: Book, channel: Channel, row: Queued, own: dict[str, str]) -> Iterator[Told]:
    leg = book.channels.get(row.data[1]) if len(row.data) > 1 else None
    at = max(row.at, channel.start)
    if leg is not None and leg.answer is not None and abs(leg.answer - row.at) < 2 * SECOND:
        at = leg.answer
    yield _event("QueueCallerLeave", at, 23, **own, queue=row.queue)
    if leg is not None:
        dest = {"destuniqueid": leg.id, "destlinkedid": leg.linkedid, "destchannel": leg.name}
        yield _event("AgentConnect", at, 24, **own, **dest, queue=row.queue, membername=row.agent, interface=row.agent)


def _left_at(book: Book, channel: Channel, row: Queued) -> datetime:
    """When the last phone fell silent in that second, else when the caller's channel ended in it."""
    until = row.at + SECOND
    ends = [one.end for one in book.family[channel.linkedid] if one.dialled and one.end and row.at <= one.end < until]
    own = [channel.end] if channel.end and row.at <= channel.end < until else []
    return max([*ends, *own[: not ends]], default=max(row.at, channel.start))


def _queue_by_cdr(channel: Channel, own: dict[str, str]) -> Iterator[Told]:
    """Without a queue_log the CDR still names the queue; the waiting began with the attempt."""
    cdr = next((cdr for cdr in channel.cdrs if cdr.app == "Queue" and cdr.data), None)
    started = next((row for row in channel.rows if row.kind == "APP_START" and row.app == "Queue"), None)
    if started is not None:
        yield _event("QueueCallerJoin", started.at, 24, **own, queue=_first(_data(channel, "Queue", started)), exten=started.exten)
    elif cdr is not None:
        yield _event("QueueCallerJoin", max(cdr.start, channel.answer or channel.start), 24, **own, queue=_first(cdr.data), exten=cdr.dst)


# ---- what is said besides -----------------------------------------------------------------------------------------


def _held(book: Book, holds: Iterable[Held]) -> Iterator[Told]:
    for hold in holds:
        legs = [channel for name in sorted(hold.names) if (channel := book.channels.get(name)) is not None]
        leg = next((one for one in legs if _party(one) == hold.party and one.alive(hold.began_at)), None)
        if leg is not None:
            own = {"uniqueid": leg.id, "linkedid": leg.linkedid, "channel": leg.name}
            yield _event("Hold", hold.began_at, 32, **own)
            yield _event("Unhold", hold.ended_at, 8, **own)


def _party(channel: Channel) -> str:
    return channel.name.partition("/")[2].rpartition("-")[0]


def _restart(at: datetime) -> Told:
    """The switch began: what was up before is gone. The floor allows two seconds for clocks, which one file does not need."""
    return Told(at, -1, Event("FullyBooted", {"event": "FullyBooted", "uptime": "0"}, at + 2 * SECOND))
