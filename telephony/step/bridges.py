"""Who hears whom: bridges, holds, and the ends of channels."""

from datetime import datetime

from telephony.event import Event
from telephony.livecall import SWITCH, Leg, LiveCall, met, passed_on, replace
from telephony.step.passing import in_room
from telephony.step.table import leg_of, on
from telephony.timeline import WITH_AGENT, last_talk

_BUSY, _GOING_DOWN = "7", "4"


@on("BridgeEnter")
def entered_bridge(call: LiveCall, event: Event) -> LiveCall:
    """The channel hears who else is in the bridge; a holding bridge plays music only."""
    leg = leg_of(call, event)
    bridge = event["BridgeUniqueid"]
    if leg is None or leg.ended or leg.bridge == bridge or event["BridgeTechnology"] == "holding_bridge":
        return call
    if event["BridgeCreator"] == "ConfBridge":
        return in_room(call, leg, event, event["BridgeName"])
    call = call.with_leg(replace(leg, bridge=bridge, left=None, asked=False, parked=False))
    return _taken_over(met(_with_unheard(call, bridge, event.number("BridgeNumChannels")), event.at), event.at)


def _with_unheard(call: LiveCall, bridge: str | None, count: int | None) -> LiveCall:
    """The switch counts one more in the bridge than entered: when only one leg can be meant, it is there."""
    inside = sum(leg.bridge == bridge for leg in call.legs.values())
    alive = [leg for leg in call.legs.values() if not leg.ended and leg.bridge is None and leg.left != bridge]
    able = [leg for leg in alive if leg.up] or alive  # that it is up may not have been heard either
    if bridge is None or count != inside + 1 or len(able) != 1:
        return call
    return call.with_leg(replace(able[0], bridge=bridge, up=True))


@on("BridgeLeave")
def left_bridge(call: LiveCall, event: Event) -> LiveCall:
    """The channel is alone again; one that was not heard to enter was together since both were up."""
    leg = leg_of(call, event)
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
    leg = leg_of(call, event)
    hold = event.name == "Hold"
    return call if leg is None or leg.held == hold else met(call.with_leg(replace(leg, held=hold)), event.at)


@on("HangupRequest")
def asked_to_hang_up(call: LiveCall, event: Event) -> LiveCall:
    """A phone hung up; of those that matter the first one ended the call."""
    leg = leg_of(call, event)
    if leg is None or leg.ended or (leg.asked and leg.id == call.asked_by):
        return call
    matters = not (leg.local or leg.passed) and (leg.bridge is not None or leg.id == call.origin or (leg.trunk and leg.up)) and \
        event.headers.get("channelstate") != _BUSY
    call = call.with_leg(replace(leg, asked=True, hung=True))
    return replace(call, asked_by=leg.id) if matters and call.asked_by is None else call


@on("SoftHangupRequest")
def told_to_hang_up(call: LiveCall, event: Event) -> LiveCall:
    """The switch ends the channel; when it goes down itself, nobody else ended the call."""
    leg = leg_of(call, event)
    if leg is None or leg.asked or leg.ended:
        return call
    call = call.with_leg(replace(leg, asked=True))
    return replace(call, asked_by=SWITCH) if event["Cause"] == _GOING_DOWN and call.asked_by is None else call


@on("Hangup")
def hung_up(call: LiveCall, event: Event) -> LiveCall:
    """The channel is gone; with the last one the call is over."""
    leg = leg_of(call, event)
    if leg is None or leg.ended:
        return call
    gone = replace(leg, ended=True, ended_at=event.at, cause=event.number("Cause"), bridge=None, held=False,
                   parked=False)
    call = _handed_over(met(call.with_leg(gone), event.at), gone, event.at)
    if call.asked_by == gone.id and call.talking:
        call = replace(call, asked_by=None)  # one of three left: that ended nothing
    return over(call, event.at)


def _handed_over(call: LiveCall, gone: Leg, at: datetime | None) -> LiveCall:
    """The call with what was not heard: who had the customer is gone, and somebody else has them already."""
    now = call.segments[-1] if call.segments else None
    if now is None or now.ended or now.kind not in WITH_AGENT or now.leg == gone.id or gone.passed:
        return call
    had = last_talk(call.segments[:-1])
    if had < 0 or call.segments[had].leg != gone.id or any(move.talk >= had for move in call.moves):
        return call
    return passed_on(call, "attended", gone, gone.party, now.party, at)


def _taken_over(call: LiveCall, at: datetime | None) -> LiveCall:
    """The call with what no event tells: who had the customer was taken away without hanging up, and another has them."""
    had = last_talk(call.segments[:-1])
    gone = call.legs.get(call.segments[had].leg or "") if had >= 0 else None
    return call if gone is None or not gone.ended or gone.hung else _handed_over(call, gone, at)


def over(call: LiveCall, at: datetime | None) -> LiveCall:
    """Return the call, ended when none of its legs is left."""
    if call.ended or not call.legs or not all(leg.ended for leg in call.legs.values()):
        return call
    ends = [leg.ended_at for leg in call.legs.values() if leg.ended_at]
    return replace(met(call, at), ended=True, ended_at=max(ends, default=at))
