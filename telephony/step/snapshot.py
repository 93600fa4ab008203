"""After a cut: what a list of channels and queues shows of a call."""

from datetime import timedelta

from telephony.event import Event, plain_name
from telephony.livecall import LiveCall, met, replace
from telephony.step.passing import MAILBOX
from telephony.step.table import leg_of, on

_RINGING, _UP = "5", "6"


@on("CoreShowChannel", "Status")
def seen_alive(call: LiveCall, event: Event) -> LiveCall:
    """A snapshot shows the channel: what was missed about it is known now."""
    leg = leg_of(call, event)
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
    leg, application = leg_of(call, event), event["Application"]
    what = MAILBOX.split((event["ApplicationData"] or "").split(",")[0])[0]
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
    if call.queued_at is not None or call.queue not in (None, event["Queue"]):
        return call
    wait = event.number("Wait")
    since = event.at - timedelta(seconds=wait) if event.at and wait is not None and wait < 10**8 else event.at
    return replace(call, queue=event["Queue"], queued_at=since)
