"""What the pretended switch answers to an action, truthfully for the calls it is playing."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from telephony.simulator.frames import Channel, duration, pairs
from telephony.simulator.scenario import Queue
from telephony.simulator.switch import Switch

Reply = Callable[[Switch, Mapping[str, str]], str]


def reply(switch: Switch, action: Mapping[str, str]) -> str:
    """The whole answer: a response, and for lists their items and the end of the list."""
    name = action.get("action", "")
    known = REPLIES.get(name.lower())
    if known is None:
        return refusal(action, f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands.")
    return known(switch, action)


def success(action: Mapping[str, str], *lines: str) -> str:
    """Response: Success with these lines."""
    return f"Response: Success\r\n{_id(action)}{''.join(lines)}\r\n"


def refusal(action: Mapping[str, str], why: str) -> str:
    """Response: Error with a message."""
    return f"Response: Error\r\n{_id(action)}Message: {why}\r\n\r\n"


def _id(action: Mapping[str, str]) -> str:
    return f"ActionID: {action['actionid']}\r\n" if "actionid" in action else ""


def _list(action: Mapping[str, str], message: str, items: Iterable[str], complete: str, more: str = "") -> str:
    found = list(items)
    head = success(action, f"EventList: start\r\nMessage: {message}\r\n")
    tail = f"Event: {complete}\r\n{_id(action)}EventList: Complete\r\nListItems: {len(found)}\r\n{more}\r\n"
    return head + "".join(found) + tail


def _ping(switch: Switch, action: Mapping[str, str]) -> str:
    return success(action, f"Ping: Pong\r\nTimestamp: {switch.at:.6f}\r\n")


def _channels(switch: Switch, action: Mapping[str, str]) -> str:
    return _list(action, "Channels will follow", (
        f"Event: CoreShowChannel\r\n{_id(action)}{channel.headers()}Application: {_application(channel)}\r\n"
        f"ApplicationData: {_data(channel)}\r\nDuration: {duration(switch.at - channel.born)}\r\nBridgeId: {channel.bridge}\r\n\r\n"
        for channel in switch.channels.values()), "CoreShowChannelsComplete")


def _status(switch: Switch, action: Mapping[str, str]) -> str:
    channels = list(switch.channels.values())
    return _list(action, "Channel status will follow", (
        f"Event: Status\r\nPrivilege: Call\r\n{channel.headers()}Type: PJSIP\r\nDNID: {channel.dnid}\r\n"
        f"EffectiveConnectedLineNum: {channel.peer_number}\r\nEffectiveConnectedLineName: {channel.peer_display}\r\n"
        f"TimeToHangup: 0\r\nBridgeID: {channel.bridge}\r\nApplication: {_application(channel)}\r\nData: {_data(channel)}\r\n"
        f"Nativeformats: (ulaw)\r\nReadformat: ulaw\r\nReadtrans: \r\nWriteformat: ulaw\r\nWritetrans: \r\nCallgroup: 0\r\n"
        f"Pickupgroup: 0\r\nSeconds: {int(switch.at - channel.born)}\r\n{_id(action)}\r\n"
        for channel in channels), "StatusComplete", f"Items: {len(channels)}\r\n")


def _queue_status(switch: Switch, action: Mapping[str, str]) -> str:
    wanted = action.get("queue")
    items = [item for queue in switch.scenario.queues if wanted in (None, "", queue.name)
             for item in _one_queue(switch, queue, _id(action))]
    return _list(action, "Queue status will follow", items, "QueueStatusComplete")


def _one_queue(switch: Switch, queue: Queue, action_id: str) -> list[str]:
    entries = [e for e in switch.waiting if e.queue == queue.name]
    head = "Event: QueueParams\r\n" + pairs(
        Queue=queue.name, Max=0, Strategy=queue.strategy, Calls=len(entries), Holdtime=0, TalkTime=0,
        Completed=switch.completed.get(queue.name, 0), Abandoned=switch.abandoned.get(queue.name, 0), ServiceLevel=20,
        ServicelevelPerf="0.0", ServicelevelPerf2="0.0", Weight=0) + f"{action_id}\r\n"
    members = [f"Event: QueueMember\r\n{switch.member_lines(queue.name, switch.members[m], 'Name', 'Location')}{action_id}\r\n"
               for m in switch.serving[queue.name]]
    # Here a real switch spells "no value" as unknown, without the brackets, and gives no Linkedid.
    waiting = ["Event: QueueEntry\r\n" + pairs(
        Queue=queue.name, Position=e.position, Channel=e.channel.name, Uniqueid=e.channel.uniqueid,
        CallerIDNum=_bare(e.channel.number), CallerIDName=_bare(e.channel.display),
        ConnectedLineNum=_bare(e.channel.peer_number), ConnectedLineName=_bare(e.channel.peer_display),
        Wait=int(switch.at - e.joined), Priority=0) + f"{action_id}\r\n" for e in entries]
    return [head, *members, *waiting]


def _bridges(switch: Switch, action: Mapping[str, str]) -> str:
    sizes: dict[str, int] = {}
    for channel in switch.channels.values():
        if channel.bridge:
            sizes[channel.bridge] = sizes.get(channel.bridge, 0) + 1
    return _list(action, "Bridge listing will follow", (
        f"Event: BridgeListItem\r\n{_id(action)}BridgeUniqueid: {bridge}\r\nBridgeType: basic\r\n"
        f"BridgeTechnology: simple_bridge\r\nBridgeCreator: <unknown>\r\nBridgeName: <unknown>\r\nBridgeNumChannels: {size}\r\n"
        f"BridgeVideoSourceMode: none\r\n\r\n" for bridge, size in sizes.items()), "BridgeListComplete")


def _core_status(switch: Switch, action: Mapping[str, str]) -> str:
    booted = datetime.fromtimestamp(switch.booted, UTC)
    return success(action, pairs(
        CoreStartupDate=f"{booted:%Y-%m-%d}", CoreStartupTime=f"{booted:%H:%M:%S}", CoreReloadDate=f"{booted:%Y-%m-%d}",
        CoreReloadTime=f"{booted:%H:%M:%S}", CoreCurrentCalls=len(switch.channels), CoreProcessedCalls=switch.processed))


def _core_settings(switch: Switch, action: Mapping[str, str]) -> str:
    return success(action, pairs(
        AMIversion="11.0.0", AsteriskVersion="22.10.1 (played by Ringdesk)", SystemName=switch.scenario.systemname,
        CoreMaxCalls=0, CoreMaxLoadAvg="0.000000", CoreRealTimeEnabled="No", CoreCDRenabled="Yes", CoreHTTPenabled="No"))


def _parked(switch: Switch, action: Mapping[str, str]) -> str:
    return _list(action, "Parked calls will follow", (), "ParkedCallsComplete", "Total: 0\r\n")


def _application(channel: Channel) -> str:
    return channel.application or ("AppDial" if channel.priority == 1 else "")


def _data(channel: Channel) -> str:
    return channel.data or ("(Outgoing Line)" if not channel.application else "")


def _bare(text: str) -> str:
    return "unknown" if text == "<unknown>" else text


REPLIES: dict[str, Reply] = {
    "ping": _ping, "coreshowchannels": _channels, "status": _status, "queuestatus": _queue_status, "bridgelist": _bridges,
    "corestatus": _core_status, "coresettings": _core_settings, "parkedcalls": _parked,
}
