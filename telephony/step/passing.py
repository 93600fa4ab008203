"""The customer is passed on: transfers, Redirect, parking, rooms and mailboxes."""

import re

from telephony.event import Event
from telephony.livecall import Leg, LiveCall, are_halves, met, passed_on, replace
from telephony.step.table import leg_of, on
from telephony.timeline import last_talk

MAILBOX = re.compile("[@,&]")  # what follows the name of a mailbox


def sent_on(call: LiveCall, event: Event, *, together: bool = False) -> LiveCall:
    """Return the call with what no event tells: whose agent vanished without hanging up was taken away from them.

    Such is AMI's Redirect: the customer's channel goes on in the dialplan, and the other side is gone, or was sent elsewhere
    itself; but where both may have been sent to (`together`) nobody was passed on.
    """
    me = leg_of(call, event)
    at = last_talk(call.segments)
    if me is None or at < 0 or not _leads_to_customer(call, me):
        return call
    last = call.legs.get(call.segments[at].leg or "")
    if last is None or last.id == me.id or last.passed or last.hung or not (last.ended or (not together and _is_out(me))):
        return call
    if any(move.talk == at for move in call.moves):
        return call
    return passed_on(call, "blind", last, last.party, event["Exten"], event.at)


def _is_out(leg: Leg | None) -> bool:
    """True of a leg that has left a bridge and is in none."""
    return leg is not None and leg.bridge is None and leg.left is not None


def _leads_to_customer(call: LiveCall, leg: Leg) -> bool:
    """True for the customer's own channel, or the far half of a Local one that the customer is bridged with."""
    me = call.principal
    if me is None or leg.id == me.id:
        return me is not None
    return leg.local and any(are_halves(leg, near) and near.bridge is not None and near.bridge == me.bridge
                             for near in call.legs.values() if near.id != leg.id)


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
    target = call.legs.get(event.headers.get("transfertargetuniqueid", "")) or _local_target(call, leg, event)
    dialled = (event["TransferTargetExten"] or target.exten) if target and target.local else None
    to = _asked_for(call, leg, second) or dialled or _whose(call, target)
    if second is not None and leg is not None and second.id != leg.id:
        call = call.with_leg(replace(second, passed=True))
    to = to or event["TransferTargetCallerIDNum"] or event["SecondTransfererConnectedLineNum"]
    by = _whose(call, leg) or event["OrigTransfererCallerIDNum"]
    return _keeping(passed_on(call, "attended", leg, by, to, event.at), leg, event["TransfereeUniqueid"])


def _local_target(call: LiveCall, leg: Leg | None, event: Event) -> Leg | None:
    """Whom the key codes of the switch asked through a Local channel, should the event not name them: it is in a bridge of theirs."""
    bridges = {event["SecondBridgeUniqueid"], event["DestBridgeUniqueid"]} - {None}
    return next((one for one in call.legs.values() if one.local and not one.ended and one.bridge in bridges
                 and leg is not None and _whose(call, one) != leg.party), None)


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
    last, at = call.moves[-1] if call.moves else None, last_talk(call.segments)
    holder = call.legs.get(call.segments[at].leg or "") if at >= 0 else None
    if holder is not None and holder.ended and (last is None or last.talk < at):  # that they were parked was not heard
        return passed_on(call, "park", holder, holder.party, who, event.at)
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
    leg = leg_of(call, event)
    return call if leg is None else in_room(call, leg, event, event["Conference"])


def in_room(call: LiveCall, leg: Leg, event: Event, room: str | None) -> LiveCall:
    if leg.ended or leg.conference:
        return call
    call = sent_on(call, event, together=True)
    return replace(call.with_leg(replace(call.legs[leg.id], conference=True)), conference=call.conference or room)


@on("ConfbridgeLeave")
def left_conference(call: LiveCall, event: Event) -> LiveCall:
    """The channel is out of the room."""
    leg = leg_of(call, event)
    return call.with_leg(replace(leg, conference=False)) if leg is not None and leg.conference else call


@on("Newexten", "CEL", "MessageWaiting")
def speaks_to_mailbox(call: LiveCall, event: Event) -> LiveCall:
    """The dialplan, its log or the mailbox itself says that the caller speaks to one."""
    leg = leg_of(call, event)
    if event.name != "MessageWaiting" and event["Application"] != "VoiceMail":
        return call
    box = event["Mailbox"] or event["AppData"] or event["ApplicationData"]
    if leg is None or leg.ended or leg.mailbox or not box or leg.trunk != _is_trunk_call(call):
        return call
    call = sent_on(call, event).with_leg(replace(leg, mailbox=True))
    return replace(call, mailbox=call.mailbox or MAILBOX.split(box)[0])


def _is_trunk_call(call: LiveCall) -> bool:
    me = call.principal
    return me is not None and me.trunk
