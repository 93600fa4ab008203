"""The caller waits in a queue, members are tried, one takes the call."""

from telephony.event import Event
from telephony.livecall import LiveCall, replace
from telephony.step.channels import is_up
from telephony.step.passing import sent_on
from telephony.step.table import leg_of, on


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
    return call if call.left_at else replace(in_queue(call, event), left_at=event.at)


def in_queue(call: LiveCall, event: Event) -> LiveCall:
    """That the caller is in a queue is said by more than the joining, which may be lost."""
    if call.queue is not None or event["Queue"] is None:
        return call
    return replace(call, queue=event["Queue"], queued_at=event.at)


@on("QueueCallerAbandon")
def gave_up(call: LiveCall, event: Event) -> LiveCall:
    """Nobody took the call in the queue; whether the caller hung up too shows later."""
    return call if call.gave_up else replace(in_queue(call, event), gave_up=True)


@on("AgentCalled")
def agent_called(call: LiveCall, event: Event) -> LiveCall:
    """The queue tries a member."""
    leg = leg_of(call, event, "dest")
    if leg is None or leg.interface is not None:
        return call
    return in_queue(call, event).with_leg(
        replace(leg, interface=event["Interface"], member=event["MemberName"], dialled=True))


@on("AgentConnect")
def agent_connected(call: LiveCall, event: Event) -> LiveCall:
    """A member took the call; the bridge that follows is the answer."""
    call = agent_called(call, event)
    leg = leg_of(call, event, "dest")
    return is_up(call, leg, event.at) if leg else call


@on("AgentRingNoAnswer")
def rang_out(call: LiveCall, event: Event) -> LiveCall:
    """The member did not answer in time; the dial's own ending may have said less."""
    leg = leg_of(call, event, "dest")
    if leg is None or leg.status in ("NOANSWER", "ANSWER", "BUSY"):
        return call
    return call.with_leg(replace(leg, status="NOANSWER", asked=True))


@on("AgentComplete")
def agent_completed(call: LiveCall, event: Event) -> LiveCall:
    """The queue's own word on who ended the talk; used only when no hang-up was asked for."""
    return replace(call, reason=event["Reason"]) if call.reason is None else call
