"""What the pretended switch does when a user that may act asks it to; parking and consultations are not played."""

import re
from collections.abc import Callable, Mapping

from telephony.simulator.day import Day
from telephony.simulator.ordered import Ordered
from telephony.simulator.plan import Plan
from telephony.simulator.replies import refusal, success
from telephony.simulator.scenario import Caller
from telephony.simulator.scripts import Call, Order
from telephony.simulator.switch import Switch

Action = Mapping[str, str]
DEVICE = re.compile(r"PJSIP/(\d+)")
SPY_CONTEXTS = ("ringdesk-listen", "ringdesk-whisper", "ringdesk-barge")


def _extension(interface: str) -> str:
    found = DEVICE.fullmatch(interface)
    return found[1] if found else ""


def _pause(day: Day, action: Action) -> str:
    paused = action.get("paused", "").lower() in ("1", "true", "yes", "on")
    if not day.switch.pauses(_extension(action.get("interface", "")), paused, action.get("reason", "")):
        return refusal(action, "Interface not found")
    return success(action, f"Message: Interface {'paused' if paused else 'unpaused'} successfully\r\n")


def _add(day: Day, action: Action) -> str:
    extension, queue = _extension(action.get("interface", "")), action.get("queue", "")
    if queue not in day.switch.serving:
        return refusal(action, "Unable to add interface to queue: No such queue")
    if not extension or not day.switch.enters(queue, extension, action.get("membername", extension)):
        return refusal(action, "Unable to add interface: Already there")
    return success(action, "Message: Added interface to queue\r\n")


def _remove(day: Day, action: Action) -> str:
    extension, queue = _extension(action.get("interface", "")), action.get("queue", "")
    if queue not in day.switch.serving or not day.switch.exits(queue, extension):
        return refusal(action, "Unable to remove interface: Not there")
    return success(action, "Message: Removed interface from queue\r\n")


def _originate(day: Day, action: Action) -> str:
    extension, number = _extension(action.get("channel", "")), action.get("exten", "")
    if not extension or not re.fullmatch(r"\+?[0-9*#]{1,20}", number):
        return refusal(action, "Invalid channel")
    spies = action.get("context", "") in SPY_CONTEXTS
    member = day.switch.members.get(extension)
    plan = Plan("ordered-spy" if spies else "ordered", Caller(number), extension=extension, peer=number if spies else "",
                answer_after=4.0, talk=40.0, hangup_by="caller", recorded=not spies and day.scenario.recordings is not None)
    if member is not None and member.status != 1:
        _fails(day.switch, action, 5)
    else:
        day.play(Ordered(day.switch, plan, action))
    return success(action, "Message: Originate successfully queued\r\n")


def _fails(switch: Switch, action: Action, reason: int) -> None:
    action_id = f"ActionID: {action['actionid']}\r\n" if "actionid" in action else ""
    switch.tell("OriginateResponse", "call", action_id, (
        f"Response: Failure\r\nChannel: {action.get('channel', '')}\r\nContext: {action.get('context', '')}\r\n"
        f"Exten: {action.get('exten', '')}\r\nReason: {reason}\r\nUniqueid: <unknown>\r\nCallerIDNum: <unknown>\r\nCallerIDName: <unknown>\r\n"))


def _call_of(day: Day, name: str) -> Call | None:
    """The call of which this is a channel."""
    channel = next((c for c in day.switch.channels.values() if c.name == name), None)
    if channel is None:
        return None
    return next((p.call for p in day.running if p.call.truth is not None and p.call.truth.linkedid == channel.linkedid), None)


def _mute(day: Day, action: Action) -> str:
    """Silence is noted with the truth of the call, and written when its file is."""
    name, on = action.get("channel", ""), action.get("state", "") in ("1", "on", "true")
    call = _call_of(day, name)
    if call is None or call.truth is None or not call.truth.recorded:
        return refusal(action, "Cannot set mute flag")
    if on:
        call.truth.silent.append([day.switch.at, day.switch.at])
    elif call.truth.silent:
        call.truth.silent[-1][1] = day.switch.at
    day.switch.mutes(next(one for one in day.switch.channels.values() if one.name == name), on)
    return success(action)


def _hangup(day: Day, action: Action) -> str:
    call = _call_of(day, action.get("channel", ""))
    if call is None:
        return refusal(action, "No such channel")
    day.order(call, Order("hangup", "agent"))
    return success(action, "Message: Channel Hungup\r\n")


def _transfer(day: Day, action: Action) -> str:
    call, to = _call_of(day, action.get("channel", "")), action.get("exten", "")
    if call is None or call.plan.kind.startswith("ordered"):
        return refusal(action, "No call is up on this channel")
    day.order(call, Order("transfer", to))
    return success(action, "Message: Transfer succeeded\r\n")


ACTIONS: dict[str, Callable[[Day, Action], str]] = {
    "queuepause": _pause, "queueadd": _add, "queueremove": _remove, "originate": _originate, "hangup": _hangup,
    "mixmonitormute": _mute,
    "blindtransfer": _transfer,
}
