"""Which channels are one call: a union-find over every id that the switch ever put side by side.

Joined are a channel and each linkedid it ever had, who dials whom, the halves of a Local channel, both sides of a
transfer, of a pickup and of parking. A shared conference bridge joins nobody: strangers meet there.
"""

import re
from functools import lru_cache

from telephony.event import Event

IdKey = tuple[int, int, int, str]
_NUMBERED = re.compile(r"(?:.*-)?(\d+)\.(\d+)\Z", re.DOTALL)
_ONE = ("uniqueid", "linkedid")
_TWO = ("uniqueid", "linkedid", "destuniqueid", "destlinkedid")
MANY = frozenset({"AttendedTransfer", "BlindTransfer", "ParkedCall", "UnParkedCall", "ParkedCallTimeOut", "ParkedCallGiveUp",
                   "ParkedCallSwap", "Pickup", "LocalBridge"})
SPIES = "ChanSpyStart"  # somebody listens in: the event names two channels, and only the listener's call is told by it
PAIRS = frozenset({"DialBegin", "DialState", "DialEnd", "AgentCalled", "AgentConnect", "AgentComplete",
                    "AgentRingNoAnswer", "AgentDump"})


@lru_cache(maxsize=8192)
def id_key(text: str) -> IdKey:
    """Order ids as (epoch, sequence) numbers, not as text; ids of our own making come before all of them."""
    numbered = _NUMBERED.match(text)
    if not numbered:
        return (0, 0, 0, text)
    return (1, int(numbered.group(1)), int(numbered.group(2)), text)


def joined(event: Event) -> list[str]:
    """Return the ids that this event says belong to one call, channels and linkedids alike."""
    headers = event.headers
    if event.name in MANY:
        names = [name for name in headers if name.endswith(("uniqueid", "linkedid")) and "bridge" not in name]
    elif event.name == SPIES:
        names = ["spyeruniqueid"]
    else:
        names = list(_TWO if event.name in PAIRS else _ONE)
    found = [headers[name] for name in names if name in headers]
    return [value for value in found if value and value != "<unknown>"]


def linkedids(event: Event) -> list[str]:
    """Return the linkedids that the event shows."""
    if event.name in MANY:
        found = [value for name, value in event.headers.items() if name.endswith("linkedid")]
    else:
        found = [event.headers.get("linkedid", ""), event.headers.get("destlinkedid", "")]
    return [value for value in found if value and value != "<unknown>"]


def channels(event: Event) -> list[str]:
    """Return the header prefixes under which the event names channels of its own: "" and "dest" as a rule."""
    if event.name == "LocalBridge":
        return ["localone", "localtwo"]
    if event.name in PAIRS:
        return ["", "dest"]
    if event.name == SPIES:
        return ["spyer"]
    return [""] if event.name not in MANY else []


class Groups:
    """Which call each id belongs to; the smallest id names the call, the others are its aliases."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._parent)

    def find(self, member: str) -> str | None:
        """Return the name of the call that `member` belongs to, None when it was never seen."""
        return self._parent.get(member)

    def join(self, ids: list[str]) -> tuple[str, list[str]]:
        """Make all `ids` one group; return its name and the names of groups that went under in it."""
        roots = {self._parent.get(member, member) for member in ids}
        if len(roots) == 1 and all(member in self._parent for member in ids):
            return roots.pop(), []
        old = [root for root in roots if root in self._members]
        members = set(ids).union(*(self._members.pop(root) for root in old))
        name = min(members, key=id_key)
        self._members[name] = members
        self._parent.update(dict.fromkeys(members, name))
        return name, [root for root in old if root != name]

    def members(self, name: str) -> frozenset[str]:
        """Return every id of the call."""
        return frozenset(self._members.get(name, ()))

    def release(self, name: str) -> frozenset[str]:
        """Forget the call and return the ids it had."""
        members = self._members.pop(name, set())
        for member in members:
            self._parent.pop(member, None)
        return frozenset(members)


class Seats:
    """Which channels each phone has in calls that go on, so that nobody looks through all calls for one phone."""

    def __init__(self) -> None:
        self._phone: dict[str, str] = {}
        self._channels: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._phone)

    def taken(self, phone: str | None, channel: str) -> None:
        """The channel is one of that phone; a trunk's is of none."""
        if phone is not None:
            self._phone[channel] = phone
            self._channels.setdefault(phone, {})[channel] = None

    def at(self, phone: str) -> tuple[str, ...]:
        """Return the phone's channels, the oldest first."""
        return tuple(self._channels.get(phone, ()))

    def left(self, ids: frozenset[str]) -> None:
        """These ids belong to a call that is over."""
        for channel in ids & self._phone.keys():
            phone = self._phone.pop(channel)
            here = self._channels[phone]
            del here[channel]
            if not here:
                del self._channels[phone]
