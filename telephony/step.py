"""How one call changes when the switch speaks. Pure: same events in, same call out.

A step gets a call in which every channel that the event names has a leg already. It never raises: what is missing
stays unknown. Said twice changes nothing.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from telephony.event import Event, plain_name
from telephony.livecall import Leg, LiveCall, met, replace

Step = Callable[[LiveCall, Event], LiveCall]
STEPS: dict[str, Step] = {}
_RINGING, _UP, _BUSY = "5", "6", "7"
_DIALLED = re.compile(r"\+?[0-9*#]{2,}")


def on(*names: str) -> Callable[[Step], Step]:
    """Register the step for these events: STEPS is the table of contents."""
    def keep(step: Step) -> Step:
        STEPS.update(dict.fromkeys(names, step))
        return step
    return keep


def _leg(call: LiveCall, event: Event, prefix: str = "") -> Leg | None:
    return call.legs.get(event.headers.get(prefix + "uniqueid", ""))


@on("Newchannel")
def began(call: LiveCall, event: Event) -> LiveCall:
    """A channel exists; its first caller id is the one to believe."""
    leg = _leg(call, event)
    if leg is None or leg.number is not None:
        return call
    known = replace(leg, number=event["CallerIDNum"], name=plain_name(event["CallerIDName"]), shown=event["CallerIDNum"])
    return call.with_leg(known)


@on("NewCallerid")
def renamed(call: LiveCall, event: Event) -> LiveCall:
    """The channel shows another number now: for a call of ours the one that it is meant for."""
    leg = _leg(call, event)
    if leg is None or leg.shown == event["CallerIDNum"]:
        return call
    call = call.with_leg(replace(leg, shown=event["CallerIDNum"]))
    if leg.id == call.origin and leg.party and not leg.up and call.wanted is None:
        call = replace(call, wanted=event["CallerIDNum"])
    return call


@on("Newstate")
def changed_state(call: LiveCall, event: Event) -> LiveCall:
    """Ringing phones ring, answered phones are up; a trunk that is up may still hear music only."""
    leg = _leg(call, event)
    if leg is None:
        return call
    state = event.headers.get("channelstate")
    if state == _RINGING:
        return _rings(call, leg, event.at)
    if state == _UP:
        return _is_up(call, leg, event.at)
    return call


def _rings(call: LiveCall, leg: Leg, at: datetime | None) -> LiveCall:
    if leg.rang or leg.up or leg.ended:
        return call
    return call.with_leg(replace(leg, rang=True, rang_at=at))


def _is_up(call: LiveCall, leg: Leg, at: datetime | None) -> LiveCall:
    if leg.up or leg.ended:
        return call
    return call.with_leg(replace(leg, up=True, up_at=at))


@on("DialBegin")
def dialled(call: LiveCall, event: Event) -> LiveCall:
    """Somebody calls a phone or a trunk; without a caller it is an order of ours."""
    leg = _leg(call, event, "dest")
    if leg is None or leg.dialled:
        return call
    source = event["Uniqueid"]
    call = call.with_leg(replace(leg, dialled=True, parent=source))
    if call.asked_by is not None:
        call = replace(call, asked_by=None)  # it goes on: whoever left did not end it
    if source is None:
        return replace(call, originated=True, wanted=call.wanted or event["DestConnectedLineNum"])
    if leg.trunk and call.dialled is None:
        call = replace(call, dialled=_number_in(event["DialString"]) or event["DestCallerIDNum"])
    return call


def _number_in(dial_string: str | None) -> str | None:
    """Return the number of `0123@trunk`, `PJSIP/0123@trunk` or `SIP/trunk/0123`."""
    for piece in reversed((dial_string or "").split("@")[0].split("/")):
        if _DIALLED.fullmatch(piece):
            return piece
    return None


@on("DialState")
def progressed(call: LiveCall, event: Event) -> LiveCall:
    """The far phone says that it rings."""
    leg = _leg(call, event, "dest")
    return _rings(call, leg, event.at) if leg and event["DialStatus"] == "RINGING" else call


@on("DialEnd")
def dial_ended(call: LiveCall, event: Event) -> LiveCall:
    """The dial came to something; a second ending of a queue's cancel says nothing new."""
    leg = _leg(call, event, "dest")
    if leg is None or leg.status is not None:
        return call
    status = event["DialStatus"]
    leg = replace(leg, status=status, asked=leg.asked or status != "ANSWER")
    return _is_up(call.with_leg(leg), leg, event.at) if status == "ANSWER" else call.with_leg(leg)


@on("LocalBridge")
def paired(call: LiveCall, event: Event) -> LiveCall:
    """Two halves of a Local channel are one wire."""
    one, two = _leg(call, event, "localone"), _leg(call, event, "localtwo")
    if one is None or two is None or one.pair == two.id:
        return call
    return call.with_leg(replace(one, pair=two.id)).with_leg(replace(two, pair=one.id))


@on("QueueCallerJoin")
def joined_queue(call: LiveCall, event: Event) -> LiveCall:
    """The caller hears music: waiting time counts from the first queue."""
    if call.queue is not None:
        return replace(call, gave_up=False) if call.gave_up else call
    return replace(call, queue=event["Queue"], queued_at=event.at, gave_up=False)


@on("QueueCallerLeave")
def left_queue(call: LiveCall, event: Event) -> LiveCall:
    """The caller is out of the queue, for whatever reason."""
    return call if call.left_at or call.queue is None else replace(call, left_at=event.at)


@on("QueueCallerAbandon")
def gave_up(call: LiveCall, event: Event) -> LiveCall:
    """Nobody took the call in the queue; whether the caller hung up too shows later."""
    return replace(call, gave_up=True, queue=call.queue or event["Queue"]) if not call.gave_up else call


@on("AgentCalled")
def agent_called(call: LiveCall, event: Event) -> LiveCall:
    """The queue tries a member."""
    leg = _leg(call, event, "dest")
    if leg is None or leg.interface is not None:
        return call
    return call.with_leg(replace(leg, interface=event["Interface"], member=event["MemberName"], dialled=True))


@on("AgentConnect")
def agent_connected(call: LiveCall, event: Event) -> LiveCall:
    """A member took the call; the bridge that follows is the answer."""
    call = agent_called(call, event)
    leg = _leg(call, event, "dest")
    return _is_up(call, leg, event.at) if leg else call


@on("AgentRingNoAnswer")
def rang_out(call: LiveCall, event: Event) -> LiveCall:
    """The member did not answer in time; the dial's own ending may have said less."""
    leg = _leg(call, event, "dest")
    if leg is None or leg.status in ("NOANSWER", "ANSWER", "BUSY"):
        return call
    return call.with_leg(replace(leg, status="NOANSWER", asked=True))


@on("AgentComplete")
def agent_completed(call: LiveCall, event: Event) -> LiveCall:
    """The queue's own word on who ended the talk; used only when no hang-up was asked for."""
    return replace(call, reason=event["Reason"]) if call.reason is None else call


@on("BridgeEnter")
def entered_bridge(call: LiveCall, event: Event) -> LiveCall:
    """The channel hears who else is in the bridge; a holding bridge plays music only."""
    leg = _leg(call, event)
    bridge = event["BridgeUniqueid"]
    if leg is None or leg.ended or leg.bridge == bridge or event["BridgeTechnology"] == "holding_bridge":
        return call
    call = call.with_leg(replace(leg, bridge=bridge, asked=False))
    return met(_with_unheard(call, bridge, event.number("BridgeNumChannels")), event.at)


def _with_unheard(call: LiveCall, bridge: str | None, count: int | None) -> LiveCall:
    """The switch counts one more in the bridge than entered: when only one leg can be meant, it is there."""
    inside = sum(leg.bridge == bridge for leg in call.legs.values())
    able = [leg for leg in call.legs.values() if leg.up and not leg.ended and leg.bridge is None]
    if bridge is None or count != inside + 1 or len(able) != 1:
        return call
    return call.with_leg(replace(able[0], bridge=bridge))


@on("BridgeLeave")
def left_bridge(call: LiveCall, event: Event) -> LiveCall:
    """The channel is alone again; one that was not heard to enter was together since both were up."""
    leg = _leg(call, event)
    bridge = event["BridgeUniqueid"]
    if leg is None or leg.ended or bridge is None:
        return call
    if not call.answered:
        left = event.number("BridgeNumChannels")
        there = _with_unheard(call.with_leg(replace(leg, bridge=bridge)), bridge, None if left is None else left + 1)
        ups = [one.up_at for one in there.legs.values() if one.bridge == bridge and one.up_at]
        call = met(there, max(ups, default=event.at))
    elif leg.bridge != bridge:
        return call
    alone = met(call.with_leg(replace(leg, bridge=None)), event.at)
    return replace(alone, left_by=leg.id) if call.talking and not alone.talking and not leg.local else alone


@on("Hold", "Unhold")
def held(call: LiveCall, event: Event) -> LiveCall:
    """Music for the other side does not count as talk."""
    leg = _leg(call, event)
    hold = event.name == "Hold"
    return call if leg is None or leg.held == hold else met(call.with_leg(replace(leg, held=hold)), event.at)


@on("HangupRequest")
def asked_to_hang_up(call: LiveCall, event: Event) -> LiveCall:
    """A phone hung up; of those that matter the first one ended the call."""
    leg = _leg(call, event)
    if leg is None or leg.ended or (leg.asked and leg.id == call.asked_by):
        return call
    matters = not leg.local and (leg.bridge is not None or leg.id == call.origin) and \
        event.headers.get("channelstate") != _BUSY
    call = call.with_leg(replace(leg, asked=True))
    return replace(call, asked_by=leg.id) if matters and call.asked_by is None else call


@on("SoftHangupRequest")
def told_to_hang_up(call: LiveCall, event: Event) -> LiveCall:
    """The switch ends the channel."""
    leg = _leg(call, event)
    return call if leg is None or leg.asked or leg.ended else call.with_leg(replace(leg, asked=True))


@on("Hangup")
def hung_up(call: LiveCall, event: Event) -> LiveCall:
    """The channel is gone; with the last one the call is over."""
    leg = _leg(call, event)
    if leg is None or leg.ended:
        return call
    gone = replace(leg, ended=True, ended_at=event.at, cause=event.number("Cause"), bridge=None, held=False)
    return over(met(call.with_leg(gone), event.at), event.at)


def over(call: LiveCall, at: datetime | None) -> LiveCall:
    """Return the call, ended when none of its legs is left."""
    if call.ended or not call.legs or not all(leg.ended for leg in call.legs.values()):
        return call
    ends = [leg.ended_at for leg in call.legs.values() if leg.ended_at]
    return replace(met(call, at), ended=True, ended_at=max(ends, default=at))


@on("OriginateResponse")
def order_answered(call: LiveCall, event: Event) -> LiveCall:
    """Our order has an outcome; it names the number that was wanted."""
    return replace(call, originated=True, wanted=call.wanted or event["Exten"]) if not call.originated else call


@on("MixMonitorStart")
def recording_began(call: LiveCall, event: Event) -> LiveCall:
    """There will be a recording; the event carries no file name."""
    return call if call.recorded else replace(call, recorded=True)


@on("UserEvent")
def dialplan_told(call: LiveCall, event: Event) -> LiveCall:
    """The dialplan names the recording's file, in headers of its own."""
    if event["UserEvent"] not in ("RecordingStarted", "RingdeskRecording") or call.recording:
        return call
    return replace(call, recorded=True, recording=event["RecordingFile"] or event["File"])


@on("AttendedTransfer", "BlindTransfer", "ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp",
    "ParkedCallSwap", "Pickup")
def moved(call: LiveCall, event: Event) -> LiveCall:
    """The ids in it join calls; nothing else is believed of it, bridges say the rest."""
    return call


@on("CoreShowChannel", "Status")
def seen_alive(call: LiveCall, event: Event) -> LiveCall:
    """A snapshot shows the channel: what was missed about it is known now."""
    leg = _leg(call, event)
    if leg is None or leg.ended:
        return call
    age = _age(event)
    began_at = leg.began_at or (event.at - age if event.at and age is not None else None)
    up = leg.up or event.headers.get("channelstate") == _UP
    bridge = event.headers.get("bridgeid", leg.bridge or "") or None
    shown = replace(leg, began_at=began_at, up=up, bridge=bridge, number=leg.number or event["CallerIDNum"],
                    name=leg.name or plain_name(event["CallerIDName"]))
    if event.headers.get("channelstate") == _RINGING and not leg.rang:
        shown = replace(shown, rang=True, rang_at=event.at)
    return call if shown == leg else met(call.with_leg(shown), event.at)


def _age(event: Event) -> timedelta | None:
    parts = (event["Duration"] or event["Seconds"] or "").split(":")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    total = 0
    for part in parts:
        total = total * 60 + int(part)
    return timedelta(seconds=total) if total < 10**8 else None


@on("QueueEntry")
def seen_waiting(call: LiveCall, event: Event) -> LiveCall:
    """A snapshot shows the caller in a queue, for so many seconds."""
    if call.queue is not None:
        return call
    wait = event.number("Wait")
    since = event.at - timedelta(seconds=wait) if event.at and wait is not None and wait < 10**8 else event.at
    return replace(call, queue=event["Queue"], queued_at=since)
