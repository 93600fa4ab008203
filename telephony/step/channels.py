"""Channels are born, ring, are dialled and answered; the dialplan says what it records."""

import re
from datetime import datetime

from telephony.event import Event, plain_name
from telephony.livecall import CONSENTS, Leg, LiveCall, replace
from telephony.step.passing import sent_on
from telephony.step.table import leg_of, on

_DOWN, _RINGING, _UP = "0", "5", "6"
_DIALLED = re.compile(r"\+?[0-9*#]{2,}")


@on("Newchannel")
def began(call: LiveCall, event: Event) -> LiveCall:
    """A channel exists; its first caller id is the one to believe."""
    leg = leg_of(call, event)
    if leg is None or leg.number is not None:
        return call
    known = replace(leg, number=event["CallerIDNum"], name=plain_name(event["CallerIDName"]), shown=event["CallerIDNum"],
                    dialled=leg.dialled or (not leg.local and event.headers.get("channelstate") == _DOWN))
    return call.with_leg(known)


@on("ChanSpyStart")
def listens_in(call: LiveCall, event: Event) -> LiveCall:
    """Whoever listens in to another's call is no customer's agent meanwhile."""
    return call if call.role else replace(call, role="supervision")


@on("NewCallerid")
def renamed(call: LiveCall, event: Event) -> LiveCall:
    """The channel shows another number now: for a call of ours the one that it is meant for."""
    leg = leg_of(call, event)
    if leg is None or leg.shown == event["CallerIDNum"]:
        return call
    call = call.with_leg(replace(leg, shown=event["CallerIDNum"]))
    if leg.id == call.origin and leg.party and not leg.up and call.wanted is None:
        call = replace(call, wanted=event["CallerIDNum"])
    return call


@on("Newstate")
def changed_state(call: LiveCall, event: Event) -> LiveCall:
    """Ringing phones ring, answered phones are up; a trunk that is up may still hear music only."""
    leg = leg_of(call, event)
    if leg is None:
        return call
    state = event.headers.get("channelstate")
    if state == _RINGING:
        return rings(call, leg, event.at)
    if state == _UP:
        return is_up(call, leg, event.at)
    return call


def rings(call: LiveCall, leg: Leg, at: datetime | None) -> LiveCall:
    if leg.rang or leg.up or leg.ended:
        return call
    return call.with_leg(replace(leg, rang=True, rang_at=at))


def is_up(call: LiveCall, leg: Leg, at: datetime | None) -> LiveCall:
    if leg.up or leg.ended:
        return call
    return call.with_leg(replace(leg, up=True, up_at=at))


@on("DialBegin")
def dialled(call: LiveCall, event: Event) -> LiveCall:
    """Somebody calls a phone or a trunk; without a caller it is an order of ours."""
    leg = leg_of(call, event, "dest")
    if leg is None or leg.begun:
        return call
    source = event["Uniqueid"]
    call = sent_on(call, event).with_leg(replace(leg, dialled=True, begun=True, parent=source))
    if call.asked_by is not None:
        call = replace(call, asked_by=None)  # it goes on: whoever left did not end it
    if leg.trunk and call.dialled is None:
        call = replace(call, dialled=_number_in(event["DialString"]) or (event["DestCallerIDNum"] if source else None))
    if source is None:
        return replace(call, originated=True, wanted=call.wanted or event["DestConnectedLineNum"])
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
    leg = leg_of(call, event, "dest")
    return rings(call, leg, event.at) if leg and event["DialStatus"] == "RINGING" else call


@on("DialEnd")
def dial_ended(call: LiveCall, event: Event) -> LiveCall:
    """The dial came to something; a second ending of a queue's cancel says nothing new."""
    leg = leg_of(call, event, "dest")
    if leg is None or leg.status is not None:
        return call
    status = event["DialStatus"]
    leg = replace(leg, status=status, asked=leg.asked or status != "ANSWER", parent=leg.parent or event["Uniqueid"])
    return is_up(call.with_leg(leg), leg, event.at) if status == "ANSWER" else call.with_leg(leg)


@on("LocalBridge")
def paired(call: LiveCall, event: Event) -> LiveCall:
    """Two halves of a Local channel are one wire."""
    one, two = leg_of(call, event, "localone"), leg_of(call, event, "localtwo")
    if one is None or two is None or one.pair == two.id:
        return call
    return call.with_leg(replace(one, pair=two.id)).with_leg(replace(two, pair=one.id))


@on("OriginateResponse")
def order_answered(call: LiveCall, event: Event) -> LiveCall:
    """Our order has an outcome; it names the number that was wanted, or what else the phone was rung for: to listen in, say."""
    if event["Application"] is not None and not call.aside:
        call = replace(call, aside=True)
    return replace(call, originated=True, wanted=call.wanted or event["Exten"]) if not call.originated else call


@on("MixMonitorStart")
def recording_began(call: LiveCall, event: Event) -> LiveCall:
    """There will be a recording; the event carries no file name."""
    call = call if call.recorded else replace(call, recorded=True)
    return _records(call, event, recording=True, muted=False)


@on("MixMonitorStop")
def recording_ended(call: LiveCall, event: Event) -> LiveCall:
    """Nothing more is recorded on that channel; a recording that a hang-up ends is not told."""
    return _records(call, event, recording=False, muted=False)


@on("MixMonitorMute")
def recording_muted(call: LiveCall, event: Event) -> LiveCall:
    """The recording goes on in silence, or with sound again; that only happens where there is one."""
    return _records(call, event, recording=True, muted=event["State"] == "1")


def _records(call: LiveCall, event: Event, *, recording: bool, muted: bool) -> LiveCall:
    leg = leg_of(call, event)
    if leg is None or (leg.recording, leg.muted) == (recording, muted):
        return call
    return call.with_leg(replace(leg, recording=recording, muted=muted))


@on("UserEvent")
def dialplan_told(call: LiveCall, event: Event) -> LiveCall:
    """The dialplan names the recording's file, or what the caller wants: no number shown, no recording; in headers of its own."""
    if event["UserEvent"] == "RingdeskWithheld":
        return call if call.withheld else replace(call, withheld=True)
    if event["UserEvent"] == "RingdeskConsent":
        known = event["Consent"] in CONSENTS and event["Consent"] != call.consent
        return replace(call, consent=event["Consent"]) if known else call
    if event["UserEvent"] not in ("RecordingStarted", "RingdeskRecording") or call.recording:
        return call
    return replace(call, recorded=True, recording=event["RecordingFile"] or event["File"])
