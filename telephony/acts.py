"""An order of the desk as an action for the switch, and what the switch says of it afterwards. Pure.

Nothing of a request reaches the switch but digits, names of queues and a name without signs: channels come from the floor,
contexts from the settings, and applications from the switch's own dialplan.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from telephony.event import Event
from telephony.livecall import Leg, LiveCall

EXTEN = re.compile(r"\+?[0-9*#]{1,20}\Z", re.ASCII)
QUEUE = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z", re.ASCII)
RING_MS = 30_000  # how long the own phone rings for an order
SPYING = {"listen": "ringdesk-listen", "whisper": "ringdesk-whisper", "barge": "ringdesk-barge"}
# What a switch gives as the reason of an Originate that failed: frames of Asterisk's control plane.
REASONS = {"1": "phone-no-answer", "3": "phone-no-answer", "5": "phone-busy", "8": "phone-away"}
RECORDING = ("record_pause", "record_resume")
SOON = "soon"  # failed for a reason that the end of the channel tells better, if there was a channel at all
CAUSES = {"17": "phone-busy", "21": "phone-busy", "20": "phone-away", "3": "phone-away", "18": "phone-away"}  # Q.850
_DONE = {"already there": "queue_add", "not there": "queue_remove", "not dynamic": "queue_remove"}
Fields = list[tuple[str, str]]


class Refused(Exception):
    """The order cannot be sent; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Order:
    """One order that is to be sent, or was."""

    id: int
    kind: str
    extension: str
    args: Mapping[str, Any]
    channel_id: str | None
    interface: str
    context: str = "internal"
    leg: str = ""  # the channel of which more is heard when the order has been carried out

    @property
    def action_id(self) -> str:
        """What the switch repeats in its answer and in what follows."""
        return f"ringdesk-order-{self.id}"


def action(order: Order, calls: Mapping[str, LiveCall], phone: str) -> tuple[str, Fields, str]:
    """The action's name, its headers and the leg to watch; `phone` is the device of the order's extension. Raises Refused."""
    if order.kind == "dial" or order.kind in SPYING:
        return "Originate", _originate(order, phone), ""
    if order.kind in ("pause", "unpause"):
        paused = str(order.kind == "pause").lower()
        return "QueuePause", [("Interface", order.interface), ("Paused", paused), ("Reason", str(order.args.get("reason", "")))], ""
    if order.kind in ("queue_add", "queue_remove"):
        return *_membership(order), ""
    if order.kind in RECORDING:
        return _recording(order, calls)
    own, call = owned(order, calls)
    if order.kind == "park":
        other = _customer(call, own)
        return "Park", [("Channel", other.channel), ("TimeoutChannel", own.channel)], other.id
    return *_on_call(order, own), own.id


def _originate(order: Order, phone: str) -> Fields:
    exten = str(order.args.get("number") or order.args.get("target") or "")
    if not EXTEN.match(exten):
        raise Refused("bad-number")
    name = str(order.args.get("name") or "")
    context = SPYING.get(order.kind, order.context)
    return [("Channel", phone), ("Context", context), ("Exten", exten), ("Priority", "1"), ("Timeout", str(RING_MS)),
            ("CallerID", f'"{name}" <{exten}>' if name else f"<{exten}>"), ("ChannelId", order.channel_id or ""), ("Async", "true")]


def _membership(order: Order) -> tuple[str, Fields]:
    queue = str(order.args.get("queue", ""))
    if not QUEUE.match(queue):
        raise Refused("bad-queue")
    if order.kind == "queue_remove":
        return "QueueRemove", [("Queue", queue), ("Interface", order.interface)]
    return "QueueAdd", [("Queue", queue), ("Interface", order.interface), ("Penalty", str(int(order.args.get("penalty", 0)))),
                        ("Paused", "false"), ("MemberName", str(order.args.get("name") or order.extension)),
                        ("StateInterface", order.interface)]


def _on_call(order: Order, own: Leg) -> tuple[str, Fields]:
    if order.kind == "hangup":
        return "Hangup", [("Channel", own.channel), ("Cause", "16")]
    if order.kind == "atxfer_cancel":
        return "CancelAtxfer", [("Channel", own.channel)]
    to = str(order.args.get("to", ""))
    if not EXTEN.match(to):
        raise Refused("bad-number")
    name = "BlindTransfer" if order.kind == "blind" else "Atxfer"
    return name, [("Channel", own.channel), ("Context", order.context), ("Exten", to)]


def _recording(order: Order, calls: Mapping[str, LiveCall]) -> tuple[str, Fields, str]:
    """Silence is written in place of both voices, so that the recording keeps its length.

    It goes on whoever has the call by then; it is silenced only for the phone that is in it.
    """
    silent = order.kind == "record_pause"
    leg = _recorded(owned(order, calls)[1]) if silent else _silent(_named(order, calls))
    return "MixMonitorMute", [("Channel", leg.channel), ("Direction", "both"), ("State", "1" if silent else "0")], leg.id


def _recorded(call: LiveCall) -> Leg:
    """The customer's leg, which is known to be recorded: some switches never let go of a channel that is not."""
    legs = [leg for leg in call.legs.values() if leg.recording and not leg.ended]
    if not legs:
        raise Refused("not-recorded")
    if len(legs) > 1 or legs[0] is not call.principal:
        raise Refused("recorded-elsewhere")  # a second recording would keep what is said
    return legs[0]


def _silent(call: LiveCall) -> Leg:
    """The leg whose recording is silent, or might be."""
    legs = sorted((leg for leg in call.legs.values() if leg.recording and not leg.ended), key=lambda leg: not leg.muted)
    if not legs:
        raise Refused("call-over")
    return legs[0]


def owned(order: Order, calls: Mapping[str, LiveCall]) -> tuple[Leg, LiveCall]:
    """The leg that is up at the order's own phone in the call that it names; anybody else's channel is never touched."""
    call = _named(order, calls)
    legs = [leg for leg in call.legs.values() if leg.party == order.extension and not leg.ended and not leg.local and not leg.passed]
    up = [leg for leg in legs if leg.up or order.kind == "hangup"]
    if not up:
        raise Refused("not-yours")
    return up[-1], call


def _named(order: Order, calls: Mapping[str, LiveCall]) -> LiveCall:
    call = known_as(str(order.args.get("call_key", "")), calls)
    if call is None:
        raise Refused("call-over")
    return call


def known_as(key: str, calls: Mapping[str, LiveCall]) -> LiveCall | None:
    """The call that goes on and had that name at any time."""
    return calls.get(key) or next((one for one in calls.values() if key in one.ids), None)


def has(extension: str, call: LiveCall) -> bool:
    """True while that phone is in the call."""
    return any(leg.party == extension and leg.up and not (leg.ended or leg.local or leg.passed) for leg in call.legs.values())


def _customer(call: LiveCall, own: Leg) -> Leg:
    me = call.principal
    if me is None or me.ended or me.id == own.id:
        raise Refused("call-over")
    return me


def answered(order: Order, success: bool, message: str) -> tuple[str, str]:
    """State and error that the switch's answer means: accepted, or confirmed where nothing was left to do, or failed."""
    if success:
        return "accepted", ""
    words = message.lower()
    if any(sign in words and kind == order.kind for sign, kind in _DONE.items()):
        return "confirmed", ""
    if "permission" in words:
        return "failed", "no-right"
    if "invalid/unknown command" in words:
        return "failed", "unknown-action"
    return "failed", "refused"


def outcome(order: Order, event: Event) -> tuple[str, str] | None:
    """State and error that an event means for an order that was accepted; None when it says nothing of it."""
    told = _OUTCOMES.get(event.name)
    return told(order, event) if told else None


def _originated(order: Order, event: Event) -> tuple[str, str] | None:
    if event["ActionID"] != order.action_id:
        return None
    if event["Response"] == "Success":
        return "confirmed", ""
    reason = REASONS.get(event.headers.get("reason", ""))
    return ("failed", reason) if reason else (SOON, "phone-away")


def _paused(order: Order, event: Event) -> tuple[str, str] | None:
    if order.kind not in ("pause", "unpause") or event["Interface"] != order.interface:
        return None
    return ("confirmed", "") if (event.headers.get("paused") == "1") == (order.kind == "pause") else None


def _joined(order: Order, event: Event) -> tuple[str, str] | None:
    return _of_queue(order, event, "queue_add")


def _left(order: Order, event: Event) -> tuple[str, str] | None:
    return _of_queue(order, event, "queue_remove")


def _of_queue(order: Order, event: Event, kind: str) -> tuple[str, str] | None:
    same = order.kind == kind and event["Interface"] == order.interface and event["Queue"] == order.args.get("queue")
    return ("confirmed", "") if same else None


def _hung_up(order: Order, event: Event) -> tuple[str, str] | None:
    if order.channel_id and event["Uniqueid"] == order.channel_id:  # the own phone, before it was picked up
        return "failed", CAUSES.get(event.headers.get("cause", ""), "phone-no-answer")
    mine = event["Uniqueid"] == order.leg
    return ("confirmed", "") if order.kind == "hangup" and mine else None


def _passed(order: Order, event: Event) -> tuple[str, str] | None:
    if order.kind != "blind" or event["TransfererUniqueid"] != order.leg:
        return None
    return ("confirmed", "") if event["Result"] == "Success" else ("failed", "transfer-failed")


def _handed(order: Order, event: Event) -> tuple[str, str] | None:
    if order.kind != "atxfer" or event["OrigTransfererUniqueid"] != order.leg:
        return None
    return ("confirmed", "") if event["Result"] == "Success" else ("failed", "transfer-failed")


def _parked(order: Order, event: Event) -> tuple[str, str] | None:
    mine = event["ParkeeUniqueid"] == order.leg
    return ("confirmed", "") if order.kind == "park" and mine else None


def _silenced(order: Order, event: Event) -> tuple[str, str] | None:
    if order.kind not in RECORDING or event["Uniqueid"] != order.leg or event["Direction"] != "both":
        return None
    return ("confirmed", "") if (event["State"] == "1") == (order.kind == "record_pause") else None


_OUTCOMES = {"OriginateResponse": _originated, "QueueMemberPause": _paused, "QueueMemberAdded": _joined, "QueueMemberRemoved": _left,
             "Hangup": _hung_up, "BlindTransfer": _passed, "AttendedTransfer": _handed, "ParkedCall": _parked,
             "MixMonitorMute": _silenced}
TELLS = frozenset(_OUTCOMES)
