"""How one call changes when the switch speaks. Pure: same events in, same call out.

A step gets a call in which every channel that the event names has a leg already. It never raises: what is missing
stays unknown. Said twice changes nothing.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from telephony.event import Event, plain_name
from telephony.livecall import SWITCH, Leg, LiveCall, are_halves, met, passed_on, replace
from telephony.timeline import WITH_AGENT, last_talk

Step = Callable[[LiveCall, Event], LiveCall]
STEPS: dict[str, Step] = {}
_DOWN, _RINGING, _UP, _BUSY = "0", "5", "6", "7"
_GOING_DOWN = "4"
_MAILBOX = re.compile("[@,&]")
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
    known = replace(leg, number=event["CallerIDNum"], name=plain_name(event["CallerIDName"]), shown=event["CallerIDNum"],
                    dialled=leg.dialled or (not leg.local and event.headers.get("channelstate") == _DOWN))
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
    if leg is None or leg.begun:
        return call
    source = event["Uniqueid"]
    call = sent_on(call, event).with_leg(replace(leg, dialled=True, begun=True, parent=source))
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


def sent_on(call: LiveCall, event: Event) -> LiveCall:
    """Return the call with what no event tells: whose agent vanished without hanging up was taken away from them.

    Such is AMI's Redirect: the customer's channel goes on in the dialplan, and the other side is simply gone.
    """
    me = _leg(call, event)
    at = last_talk(call.segments)
    if me is None or at < 0 or not _leads_to_customer(call, me):
        return call
    last = call.legs.get(call.segments[at].leg or "")
    if last is None or not last.ended or last.passed or last.asked:
        return call
    if any(move.talk == at for move in call.moves):
        return call
    return passed_on(call, "blind", last, last.party, event["Exten"], event.at)


def _leads_to_customer(call: LiveCall, leg: Leg) -> bool:
    """True for the customer's own channel, or the far half of a Local one that the customer is bridged with."""
    me = call.principal
    if me is None or leg.id == me.id:
        return me is not None
    return leg.local and any(are_halves(leg, near) and near.bridge is not None and near.bridge == me.bridge
                             for near in call.legs.values() if near.id != leg.id)


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
    call = sent_on(call, event)
    if call.queue is None:
        return replace(call, queue=event["Queue"], queued_at=event.at, gave_up=False)
    return replace(call, gave_up=False, left_at=None) if call.gave_up or call.left_at else call


@on("QueueCallerLeave")
def left_queue(call: LiveCall, event: Event) -> LiveCall:
    """The caller is out of the queue, for whatever reason."""
    return call if call.left_at else replace(_in_queue(call, event), left_at=event.at)


def _in_queue(call: LiveCall, event: Event) -> LiveCall:
    """That the caller is in a queue is said by more than the joining, which may be lost."""
    if call.queue is not None or event["Queue"] is None:
        return call
    return replace(call, queue=event["Queue"], queued_at=event.at)


@on("QueueCallerAbandon")
def gave_up(call: LiveCall, event: Event) -> LiveCall:
    """Nobody took the call in the queue; whether the caller hung up too shows later."""
    return call if call.gave_up else replace(_in_queue(call, event), gave_up=True)


@on("AgentCalled")
def agent_called(call: LiveCall, event: Event) -> LiveCall:
    """The queue tries a member."""
    leg = _leg(call, event, "dest")
    if leg is None or leg.interface is not None:
        return call
    return _in_queue(call, event).with_leg(
        replace(leg, interface=event["Interface"], member=event["MemberName"], dialled=True))


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
    if event["BridgeCreator"] == "ConfBridge":
        return _in_room(call, leg, event, event["BridgeName"])
    call = call.with_leg(replace(leg, bridge=bridge, left=None, asked=False, parked=False))
    return met(_with_unheard(call, bridge, event.number("BridgeNumChannels")), event.at)


def _with_unheard(call: LiveCall, bridge: str | None, count: int | None) -> LiveCall:
    """The switch counts one more in the bridge than entered: when only one leg can be meant, it is there."""
    inside = sum(leg.bridge == bridge for leg in call.legs.values())
    able = [leg for leg in call.legs.values() if leg.up and not leg.ended and leg.bridge is None and leg.left != bridge]
    if bridge is None or count != inside + 1 or len(able) != 1:
        return call
    return call.with_leg(replace(able[0], bridge=bridge))


@on("BridgeLeave")
def left_bridge(call: LiveCall, event: Event) -> LiveCall:
    """The channel is alone again; one that was not heard to enter was together since both were up."""
    leg = _leg(call, event)
    bridge = event["BridgeUniqueid"]
    if leg is None or leg.ended or bridge is None or leg.left == bridge:
        return call
    call = _was_there(call, leg, bridge, event)
    alone = met(call.with_leg(replace(call.legs[leg.id], bridge=None, left=bridge)), event.at)
    first = call.talking and not alone.talking and not (leg.local or leg.passed or _is_passing(call))
    return replace(alone, left_by=leg.id) if first else alone


def _was_there(call: LiveCall, leg: Leg, bridge: str, event: Event) -> LiveCall:
    """The call as it was just before the channel left a bridge that it, or who stays, was not heard to enter."""
    left = event.number("BridgeNumChannels")
    there = call if leg.bridge == bridge else call.with_leg(replace(leg, bridge=bridge))
    there = _with_unheard(there, bridge, None if left is None else left + 1)
    if there is call:
        return call
    ups = [one.up_at for one in there.legs.values() if one.bridge == bridge and one.up_at]
    return replace(met(there, max(ups, default=event.at)), asked_by=call.asked_by, left_by=call.left_by)


def _is_passing(call: LiveCall) -> bool:
    """True while the customer is on the way from who passed the call on: leaving that talk ends nothing."""
    return bool(call.moves) and call.moves[-1].talk == last_talk(call.segments)


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
    matters = not (leg.local or leg.passed) and (leg.bridge is not None or leg.id == call.origin or (leg.trunk and leg.up)) and \
        event.headers.get("channelstate") != _BUSY
    call = call.with_leg(replace(leg, asked=True))
    return replace(call, asked_by=leg.id) if matters and call.asked_by is None else call


@on("SoftHangupRequest")
def told_to_hang_up(call: LiveCall, event: Event) -> LiveCall:
    """The switch ends the channel; when it goes down itself, nobody else ended the call."""
    leg = _leg(call, event)
    if leg is None or leg.asked or leg.ended:
        return call
    call = call.with_leg(replace(leg, asked=True))
    return replace(call, asked_by=SWITCH) if event["Cause"] == _GOING_DOWN and call.asked_by is None else call


@on("Hangup")
def hung_up(call: LiveCall, event: Event) -> LiveCall:
    """The channel is gone; with the last one the call is over."""
    leg = _leg(call, event)
    if leg is None or leg.ended:
        return call
    gone = replace(leg, ended=True, ended_at=event.at, cause=event.number("Cause"), bridge=None, held=False,
                   parked=False)
    return over(_handed_over(met(call.with_leg(gone), event.at), gone, event.at), event.at)


def _handed_over(call: LiveCall, gone: Leg, at: datetime | None) -> LiveCall:
    """The call with what was not heard: who had the customer is gone, and somebody else has them already."""
    now = call.segments[-1] if call.segments else None
    if now is None or now.ended or now.kind not in WITH_AGENT or now.leg == gone.id or gone.passed:
        return call
    had = last_talk(call.segments[:-1])
    if had < 0 or call.segments[had].leg != gone.id or any(move.talk >= had for move in call.moves):
        return call
    return passed_on(call, "attended", gone, gone.party, now.party, at)


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
    """The dialplan names the recording's file, or says that the caller withholds the number, in headers of its own."""
    if event["UserEvent"] == "RingdeskWithheld":
        return call if call.withheld else replace(call, withheld=True)
    if event["UserEvent"] not in ("RecordingStarted", "RingdeskRecording") or call.recording:
        return call
    return replace(call, recorded=True, recording=event["RecordingFile"] or event["File"])


@on("BlindTransfer")
def passed_blind(call: LiveCall, event: Event) -> LiveCall:
    """Somebody sent the other side on; whether anybody answers there shows later."""
    leg = call.legs.get(event.headers.get("transfereruniqueid", ""))
    if event["Result"] != "Success" or (leg is not None and leg.passed):
        return call
    call = _were_together(call, event["BridgeUniqueid"], leg, call.legs.get(event.headers.get("transfereeuniqueid", "")), event)
    leg = call.legs.get(leg.id) if leg else None
    by = _whose(call, leg) or event["TransfererCallerIDNum"]
    return _keeping(passed_on(call, "blind", leg, by, event["Extension"], event.at), leg, event["TransfereeUniqueid"])


@on("AttendedTransfer")
def passed_attended(call: LiveCall, event: Event) -> LiveCall:
    """Somebody joined the other side with whom they had asked; a three-way talk passes nobody on yet."""
    leg = call.legs.get(event.headers.get("origtransfereruniqueid", ""))
    second = call.legs.get(event.headers.get("secondtransfereruniqueid", ""))
    if event["Result"] != "Success" or event["DestType"] in ("Threeway", "Fail") or (leg is not None and leg.passed):
        return call
    target = call.legs.get(event.headers.get("transfertargetuniqueid", ""))
    to = _asked_for(call, leg, second) or (event["TransferTargetExten"] if target and target.local else None) or _whose(call, target)
    if second is not None and leg is not None and second.id != leg.id:
        call = call.with_leg(replace(second, passed=True))
    to = to or event["TransferTargetCallerIDNum"] or event["SecondTransfererConnectedLineNum"]
    by = _whose(call, leg) or event["OrigTransfererCallerIDNum"]
    return _keeping(passed_on(call, "attended", leg, by, to, event.at), leg, event["TransfereeUniqueid"])


def _were_together(call: LiveCall, bridge: str | None, one: Leg | None, other: Leg | None, event: Event) -> LiveCall:
    """Who passes somebody on had them: the call with both in their bridge, should one not have been heard to enter it."""
    unheard = [leg for leg in (one, other) if leg is not None and not leg.ended and leg.bridge is None and leg.left != bridge]
    if bridge is None or not unheard:
        return call
    for leg in unheard:
        call = call.with_leg(replace(leg, bridge=bridge))
    ups = [leg.up_at for leg in (one, other) if leg is not None and leg.up_at]
    return met(call, max(ups, default=event.at))


def _asked_for(call: LiveCall, leg: Leg | None, second: Leg | None) -> str | None:
    """What the transferer dialled to ask, when the phone did so in a call of its own."""
    if second is None or leg is None or second.id == leg.id or second.dialled or second.local:
        return None
    return second.exten if second.exten != "s" else None


def _whose(call: LiveCall, leg: Leg | None) -> str | None:
    """The extension at the far end of the leg, through a Local channel where there is one."""
    for _ in range(6):
        if leg is None or not leg.local:
            return leg.party if leg else None
        half = next((one for one in call.legs.values() if one.id != leg.id and are_halves(one, leg)), None)
        leg = next((one for one in call.legs.values() if half and one.id not in (half.id, leg.id) and
                    (one.parent == half.id or (one.bridge and one.bridge == half.bridge))), None)
    return None


def _keeping(call: LiveCall, leg: Leg | None, other: str | None) -> LiveCall:
    """Who began an internal call passes it on: the one who stays is whom it is about now."""
    me = call.principal
    return replace(call, kept=other) if leg and me and leg.id == me.id and not me.trunk and other in call.legs else call


@on("ParkedCall")
def parked(call: LiveCall, event: Event) -> LiveCall:
    """The customer waits in the lot, for whoever fetches."""
    leg = call.legs.get(event.headers.get("parkeeuniqueid", ""))
    if leg is None or leg.parked or leg.ended:
        return call
    by = _parker(call, event["ParkerDialString"])
    call = replace(call.with_leg(replace(leg, parked=True, bridge=None)), asked_by=None, left_by=None, reason=None)
    last = call.moves[-1] if call.moves else None
    if last is not None and last.how == "blind" and last.talk == last_talk(call.segments):
        return met(replace(call, moves=(*call.moves[:-1], last.parks())), event.at)
    at = last_talk(call.segments)
    holder = call.legs.get(call.segments[at].leg or "") if at >= 0 else None
    return passed_on(call, "park", holder, by or (holder.party if holder else None), None, event.at)


def _parker(call: LiveCall, dial_string: str | None) -> str | None:
    """The extension in PJSIP/1001, which the lot would ring again."""
    piece = (dial_string or "").rpartition("/")[2]
    return next((leg.party for leg in call.legs.values() if leg.party == piece), None)


@on("UnParkedCall")
def fetched(call: LiveCall, event: Event) -> LiveCall:
    """Somebody fetches the customer from the lot."""
    call = _out_of_lot(call, event)
    who = _whose(call, call.legs.get(event.headers.get("retrieveruniqueid", ""))) or event["RetrieverCallerIDNum"]
    last = call.moves[-1] if call.moves else None
    if last is None or last.how != "park" or last.to is not None:
        return call
    return replace(call, moves=(*call.moves[:-1], last.reaches(who)))


@on("ParkedCallTimeOut", "ParkedCallGiveUp", "ParkedCallSwap")
def left_lot(call: LiveCall, event: Event) -> LiveCall:
    """The customer is in the lot no more."""
    return _out_of_lot(call, event)


def _out_of_lot(call: LiveCall, event: Event) -> LiveCall:
    leg = call.legs.get(event.headers.get("parkeeuniqueid", ""))
    return call.with_leg(replace(leg, parked=False)) if leg is not None and leg.parked else call


@on("Pickup")
def moved(call: LiveCall, event: Event) -> LiveCall:
    """The ids in it join calls; nothing else is believed of it, bridges say the rest."""
    return call


@on("ConfbridgeJoin")
def joined_conference(call: LiveCall, event: Event) -> LiveCall:
    """The channel is in a room where strangers meet."""
    leg = _leg(call, event)
    return call if leg is None else _in_room(call, leg, event, event["Conference"])


def _in_room(call: LiveCall, leg: Leg, event: Event, room: str | None) -> LiveCall:
    if leg.ended or leg.conference:
        return call
    call = sent_on(call, event)
    return replace(call.with_leg(replace(call.legs[leg.id], conference=True)), conference=call.conference or room)


@on("ConfbridgeLeave")
def left_conference(call: LiveCall, event: Event) -> LiveCall:
    """The channel is out of the room."""
    leg = _leg(call, event)
    return call.with_leg(replace(leg, conference=False)) if leg is not None and leg.conference else call


@on("Newexten", "CEL", "MessageWaiting")
def speaks_to_mailbox(call: LiveCall, event: Event) -> LiveCall:
    """The dialplan, its log or the mailbox itself says that the caller speaks to one."""
    leg = _leg(call, event)
    if event.name != "MessageWaiting" and event["Application"] != "VoiceMail":
        return call
    box = event["Mailbox"] or event["AppData"] or event["ApplicationData"]
    if leg is None or leg.ended or leg.mailbox or not box or leg.trunk != _is_trunk_call(call):
        return call
    call = sent_on(call, event).with_leg(replace(leg, mailbox=True))
    return replace(call, mailbox=call.mailbox or _MAILBOX.split(box)[0])


def _is_trunk_call(call: LiveCall) -> bool:
    me = call.principal
    return me is not None and me.trunk


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
                    name=leg.name or plain_name(event["CallerIDName"]), place=event["Exten"],
                    dialled=leg.dialled or event["ApplicationData"] == "(Outgoing Line)")
    if event.headers.get("channelstate") == _RINGING and not leg.rang:
        shown = replace(shown, rang=True, rang_at=event.at)
    if shown == leg:
        return call
    began = min((at for at in (call.began_at, began_at) if at), default=None)
    return met(_busy_with(replace(call.with_leg(shown), began_at=began), event), event.at)


def _busy_with(call: LiveCall, event: Event) -> LiveCall:
    """What the snapshot's application says of the customer's channel: which queue, room or mailbox."""
    leg, application = _leg(call, event), event["Application"]
    what = _MAILBOX.split((event["ApplicationData"] or "").split(",")[0])[0]
    if leg is None or not what or leg is not call.principal:
        return call
    if application == "Queue" and call.queue is None:
        return replace(call, queue=what)
    if application == "ConfBridge":
        return replace(call.with_leg(replace(leg, conference=True)), conference=call.conference or what)
    if application == "VoiceMail":
        return replace(call.with_leg(replace(leg, mailbox=True)), mailbox=call.mailbox or what)
    return call


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
