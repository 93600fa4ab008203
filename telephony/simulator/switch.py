"""The pretended switch: its channels, bridges, queues and phones, and every event their changes cause."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from telephony.simulator.frames import (
    CAUSES,
    DOWN,
    RING,
    RINGING,
    UNKNOWN,
    UP,
    Channel,
    encoded,
    escaped,
    one_line,
    pairs,
)
from telephony.simulator.scenario import Caller, Queue, Scenario

EVENT_GAP = 0.00012                    # seconds between two events of one instant, as seen on a real switch
TRUNK_CONTEXT, AGENT_CONTEXT = "from-trunk", "internal"


@dataclass
class Member:
    """An agent's phone as all queues see it."""

    extension: str
    name: str
    status: int = 1                    # 1 free, 2 in use, 6 ringing
    in_call: int = 0
    calls_taken: dict[str, int] = field(default_factory=dict)
    last_call: int = 0
    paused: bool = False
    reason: str = ""


@dataclass
class Entry:
    """A caller who waits."""

    channel: Channel
    queue: str
    joined: float
    position: int


class Switch:
    """Says what happens through `hear(frame)`; `at` is its clock, in Unix seconds."""

    def __init__(self, scenario: Scenario, at: float, hear: Callable[[bytes], None]) -> None:
        self.scenario, self.hear, self.at, self.booted = scenario, hear, at, at
        self.random = random.Random(f"{scenario.seed}/switch")
        self.channels: dict[str, Channel] = {}
        self.waiting: list[Entry] = []
        self.members = {a.extension: Member(a.extension, a.name) for a in scenario.agents}
        self.serving = {queue.name: list(queue.members) for queue in scenario.queues}
        self.dynamic: set[tuple[str, str]] = set()
        self.serial = self.name_serial = self.cdr_serial = self.processed = 0
        self.turn: dict[str, int] = {}
        self.completed: dict[str, int] = {}
        self.abandoned: dict[str, int] = {}

    def tell(self, event: str, privilege: str, *blocks: str) -> None:
        """One event is on the wire."""
        self.at += EVENT_GAP
        stamp = f"Timestamp: {self.at:.6f}\r\n" if self.scenario.timestamps else ""
        system = f"SystemName: {self.scenario.systemname}\r\n" if self.scenario.systemname else ""
        self.hear(encoded(f"Event: {event}\r\nPrivilege: {privilege},all\r\n{system}{stamp}{''.join(blocks)}\r\n"))

    # channels

    def _channel(self, endpoint: str, context: str, exten: str, linkedid: str | None) -> Channel:
        prefix = f"{self.scenario.systemname}-" if self.scenario.systemname else ""
        uniqueid = f"{prefix}{int(self.at)}.{self.serial}"
        channel = Channel(f"PJSIP/{endpoint}-{self.name_serial:08x}", uniqueid, linkedid or uniqueid, context, exten, self.at)
        self.serial, self.name_serial = self.serial + 1, self.name_serial + 1
        self.channels[uniqueid] = channel
        return channel

    def caller_arrives(self, caller: Caller, called: str) -> Channel:
        """A call comes in over the trunk and is in the dialplan."""
        channel = self._channel("trunk", TRUNK_CONTEXT, called, None)
        channel.state, channel.dnid = RING, called
        channel.number = one_line(caller.number) if caller.number else UNKNOWN
        channel.display = escaped(caller.name) if caller.name else UNKNOWN
        self.processed += 1
        self.tell("Newchannel", "call", channel.headers())
        return channel

    def agent_picks_up_to_dial(self, extension: str, dialled: str) -> Channel:
        """An agent's phone starts a call of its own."""
        channel = self._channel(extension, AGENT_CONTEXT, dialled, None)
        channel.state, channel.dnid = RING, dialled
        channel.number, channel.display = extension, escaped(self.scenario.agent(extension).name)
        self.processed += 1
        self.tell("Newchannel", "call", channel.headers())
        return channel

    def ordered_leg(self, extension: str, channel_id: str, context: str) -> Channel:
        """An agent's phone is about to ring because somebody ordered it; its channel has the id that was asked for."""
        leg = self._channel(extension, context, "s", None)
        if channel_id:
            del self.channels[leg.uniqueid]
            leg.uniqueid = leg.linkedid = channel_id
            self.channels[channel_id] = leg
        leg.number, leg.display = extension, escaped(self.scenario.agent(extension).name)
        self.tell("Newchannel", "call", leg.headers())
        return leg

    def phone_leg(self, extension: str, caller: Channel) -> Channel:
        """A leg towards an agent's phone exists; it does not ring yet."""
        leg = self._channel(extension, AGENT_CONTEXT, "s", caller.linkedid)
        leg.number, leg.display = extension, escaped(self.scenario.agent(extension).name)
        self.tell("Newchannel", "call", leg.headers())
        caller.legs.append(leg)
        return leg

    def trunk_leg(self, caller: Channel) -> Channel:
        """A leg towards the provider exists."""
        leg = self._channel("trunk", TRUNK_CONTEXT, "s", caller.linkedid)
        self.tell("Newchannel", "call", leg.headers())
        caller.legs.append(leg)
        return leg

    def new_state(self, channel: Channel, state: int) -> None:
        """The channel is in that state and has said so."""
        channel.state = state
        self.tell("Newstate", "call", channel.headers())

    def new_caller_id(self, channel: Channel, number: str) -> None:
        """The channel shows that number from now on."""
        channel.number = number
        self.tell("NewCallerid", "call", channel.headers(),
                  "CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n")

    def connected(self, channel: Channel, peer: Channel) -> None:
        """The channel shows who is at its other end."""
        channel.peer_number, channel.peer_display = peer.number, peer.display
        self.tell("NewConnectedLine", "call", channel.headers())

    def music(self, channel: Channel, on: bool) -> None:
        """The caller hears music, or no longer."""
        block = "Class: default\r\n" if on else ""
        self.tell("MusicOnHoldStart" if on else "MusicOnHoldStop", "call", channel.headers(), block)

    def announces(self, channel: Channel) -> None:
        """The caller has heard that the call is recorded."""
        self.tell("UserEvent", "user", channel.headers(), "UserEvent: RingdeskConsent\r\nConsent: announced\r\n")

    def records(self, channel: Channel, name: str, segment: int) -> None:
        """The channel is being recorded into `name`; the dialplan has announced it."""
        self.tell("MixMonitorStart", "call", channel.headers())
        self.tell("UserEvent", "user", channel.headers(), "UserEvent: RingdeskRecording\r\n",
                  f"RecordingFile: {name}\r\nRecordingSegment: {segment}\r\nRecordingUniqueid: {channel.uniqueid}\r\n")

    def mutes(self, channel: Channel, on: bool) -> None:
        """The channel's recording is silent from now on, or has sound again."""
        self.tell("MixMonitorMute", "call", channel.headers(), f"Direction: both\r\nState: {int(on)}\r\n")

    def hangup_request(self, channel: Channel, cause: int | None = None) -> None:
        """One side wants to end it."""
        block = f"Cause: {cause}\r\n" if cause is not None else ""
        self.tell("HangupRequest", "call", channel.headers(), block)

    def soft_hangup(self, channel: Channel) -> None:
        """The switch ends the channel's dialplan."""
        self.tell("SoftHangupRequest", "call", channel.headers(), "Cause: 16\r\n")

    def hangup(self, channel: Channel, cause: int) -> None:
        """The channel is gone."""
        self.channels.pop(channel.uniqueid, None)
        self.tell("Hangup", "call", channel.headers(), f"Cause: {cause}\r\nCause-txt: {CAUSES[cause]}\r\n")

    # dialling

    def dial(self, event: str, caller: Channel, leg: Channel, line: str) -> None:
        """DialBegin, DialState or DialEnd of one leg."""
        self.tell(event, "call", caller.headers(), leg.headers("Dest"), line)

    # bridges

    def bridge(self, first: Channel, second: Channel) -> str:
        """Both hear each other; the bridge's id comes back."""
        bridge_id = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.tell("BridgeCreate", "call", _bridge(bridge_id, 0))
        for count, channel in enumerate((first, second), 1):
            channel.bridge = bridge_id
            self.tell("BridgeEnter", "call", _bridge(bridge_id, count), channel.headers())
        return bridge_id

    def leaves_bridge(self, channel: Channel, left: int) -> None:
        """The channel hears nobody; `left` others remain."""
        self.tell("BridgeLeave", "call", _bridge(channel.bridge, left), channel.headers())

    def bridge_ends(self, bridge_id: str) -> None:
        """The bridge is gone."""
        self.tell("BridgeDestroy", "call", _bridge(bridge_id, 0))

    # queues

    def joins(self, caller: Channel, queue: Queue) -> Entry:
        """The caller waits in the queue."""
        position = sum(1 for e in self.waiting if e.queue == queue.name) + 1
        entry = Entry(caller, queue.name, self.at, position)
        caller.application, caller.data = "Queue", f"{queue.name},tT,,,120"
        self.waiting.append(entry)
        self.device(f"Queue:{queue.name}", "RINGING")
        self.tell("QueueCallerJoin", "agent", caller.headers(), pairs(Queue=queue.name, Position=position, Count=position))
        return entry

    def leaves(self, entry: Entry) -> None:
        """The caller waits no more, whatever the reason."""
        self.waiting.remove(entry)
        behind = [e for e in self.waiting if e.queue == entry.queue]
        for place, other in enumerate(behind, 1):
            other.position = place
        self.tell("QueueCallerLeave", "agent", entry.channel.headers(),
                  pairs(Queue=entry.queue, Position=entry.position, Count=len(behind)))

    def queue_event(self, event: str, caller: Channel, leg: Channel, queue: str, more: str = "") -> None:
        """AgentCalled, AgentConnect, AgentComplete, AgentRingNoAnswer."""
        extension = leg.device.removeprefix("PJSIP/")
        self.tell(event, "agent", caller.headers(), leg.headers("Dest"),
                  pairs(Queue=queue, Interface=leg.device, MemberName=self.scenario.agent(extension).name), more)

    def free_members(self, queue: Queue) -> list[str]:
        """Extensions that could ring now, in the order the queue would ring them."""
        if queue.strategy == "ringall":
            return [m for m in self.serving[queue.name] if self._is_free(m)]
        start, members = self.turn.get(queue.name, 0), self.serving[queue.name]
        order = [members[(start + n) % len(members)] for n in range(len(members))]
        return next(([m] for m in order if self._is_free(m)), [])

    def _is_free(self, extension: str) -> bool:
        member = self.members[extension]
        return member.status == 1 and not member.paused

    def taken_turn(self, queue: Queue, extension: str) -> None:
        """The member after this one is rung next."""
        members = self.serving[queue.name]
        if extension in members:
            self.turn[queue.name] = (members.index(extension) + 1) % len(members)

    def pauses(self, extension: str, paused: bool, reason: str) -> bool:
        """The phone is left alone by all its queues, or no longer; False when none of them has it."""
        member = self.members.get(extension)
        queues = [name for name, members in self.serving.items() if extension in members]
        if member is None or not queues:
            return False
        member.paused, member.reason = paused, reason if paused else ""
        for name in queues:
            self.tell("QueueMemberPause", "agent", self.member_lines(name, member, "MemberName", "Interface"), "Ringinuse: 0\r\n")
        return True

    def enters(self, queue: str, extension: str, name: str) -> bool:
        """The phone serves the queue; False when it did already."""
        if extension in self.serving[queue]:
            return False
        member = self.members.setdefault(extension, Member(extension, name))
        self.serving[queue].append(extension)
        self.dynamic.add((queue, extension))
        self.tell("QueueMemberAdded", "agent", self.member_lines(queue, member, "MemberName", "Interface"), "Ringinuse: 0\r\n")
        return True

    def exits(self, queue: str, extension: str) -> bool:
        """The phone serves the queue no longer; False when it never entered it."""
        if (queue, extension) not in self.dynamic:
            return False
        self.dynamic.discard((queue, extension))
        self.serving[queue].remove(extension)
        lines = self.member_lines(queue, self.members[extension], "MemberName", "Interface")
        self.tell("QueueMemberRemoved", "agent", lines, "Ringinuse: 0\r\n")
        return True

    # phones

    def device(self, device: str, state: str) -> None:
        """The device has a new state."""
        self.tell("DeviceStateChange", "call", f"Device: {device}\r\nState: {state}\r\n")

    def phone_is(self, extension: str, status: int, in_call: int = 0) -> None:
        """The phone is free (1), in use (2) or ringing (6), and each queue it serves has said so."""
        member = self.members.get(extension)
        if member is None:
            return
        member.status, member.in_call = status, in_call
        self.device(f"PJSIP/{extension}", {1: "NOT_INUSE", 2: "INUSE", 6: "RINGING"}[status])
        for queue in self.scenario.queues:
            if extension in self.serving[queue.name]:
                lines = self.member_lines(queue.name, member, "MemberName", "Interface")
                self.tell("QueueMemberStatus", "agent", f"{lines}Ringinuse: 0\r\n")

    def member_lines(self, queue: str, member: Member, name_key: str, device_key: str) -> str:
        """One member as QueueMemberStatus and QueueMember show it."""
        return (
            f"Queue: {queue}\r\n{name_key}: {member.name}\r\n{device_key}: PJSIP/{member.extension}\r\n"
            f"StateInterface: PJSIP/{member.extension}\r\n"
            f"Membership: {'dynamic' if (queue, member.extension) in self.dynamic else 'static'}\r\nPenalty: 0\r\n"
            f"CallsTaken: {member.calls_taken.get(queue, 0)}\r\nLastCall: {member.last_call}\r\nLastPause: 0\r\n"
            f"LoginTime: {int(self.booted)}\r\nInCall: {member.in_call}\r\nStatus: {member.status}\r\nPaused: {int(member.paused)}\r\n"
            f"PausedReason: {member.reason}\r\nWrapuptime: 0\r\n"
        )

    # after the call

    def cdr(self, caller: Channel, leg: Channel | None, answered: float | None, disposition: str) -> None:
        """The switch's own call record; two to four of them for a queue call, as on a real one."""
        self.cdr_serial += 1
        display = "" if caller.display == UNKNOWN else caller.display
        number = "" if caller.number == UNKNOWN else caller.number
        self.tell("Cdr", "cdr", (
            f"AccountCode: \r\nSource: {number}\r\nDestination: {caller.dnid}\r\n"
            f"DestinationContext: {caller.context}\r\nCallerID: \"{display}\" <{number}>\r\nChannel: {caller.name}\r\n"
            f"DestinationChannel: {leg.name if leg else ''}\r\nLastApplication: {caller.application or 'Dial'}\r\n"
            f"LastData: {caller.data}\r\nStartTime: {_clock(caller.born)}\r\nAnswerTime: {_clock(answered)}\r\n"
            f"EndTime: {_clock(self.at)}\r\nDuration: {int(self.at - caller.born)}\r\n"
            f"BillableSeconds: {int(self.at - answered) if answered else 0}\r\nDisposition: {disposition}\r\n"
            f"AMAFlags: DOCUMENTATION\r\nUniqueID: {caller.uniqueid}\r\nUserField: \r\nLinkedid: {caller.linkedid}\r\n"
            f"PeerAccount: \r\nSequence: {self.cdr_serial}\r\n"
        ))


def _bridge(bridge_id: str, count: int) -> str:
    return (
        f"BridgeUniqueid: {bridge_id}\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\nBridgeCreator: {UNKNOWN}\r\n"
        f"BridgeName: {UNKNOWN}\r\nBridgeNumChannels: {count}\r\nBridgeVideoSourceMode: none\r\n"
    )


def _clock(at: float | None) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S") if at else ""


__all__ = ["DOWN", "RING", "RINGING", "UP", "Entry", "Member", "Switch"]
