"""Who stands in which queue and is paused there, as the switch tells it. Pure: events in, what changed out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from telephony.event import Event
from telephony.switch import Switch

WANTED = frozenset({b"QueueParams", b"QueueMember", b"QueueStatusComplete", b"QueueMemberAdded", b"QueueMemberRemoved",
                    b"QueueMemberStatus", b"QueueMemberPause", b"QueueMemberPaused"})
LIMIT = 20_000  # a caller who forges members must not fill the memory
_TELLS = frozenset({"QueueMember", "QueueMemberAdded", "QueueMemberStatus", "QueueMemberPause"})
Name = tuple[str, str]  # queue and interface


@dataclass(frozen=True, slots=True)
class Member:
    """A phone in a queue: `status` is the device's (1 free, 2 in use, 3 busy, 5 unavailable, 6 ringing)."""

    queue: str
    interface: str
    extension: str
    status: int = 0
    paused: bool = False
    reason: str = ""
    dynamic: bool = False
    gone: bool = False


class Members:
    """Every member of every queue, and the only writer of them."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.all: dict[Name, Member] = {}
        self._listed: dict[str, set[Name]] = {}

    def hear(self, event: Event) -> list[Member]:
        """Take one event and return the members that are not as they were."""
        if event.name == "QueueParams":
            self._listed[event["Queue"] or ""] = set()
        elif event.name == "QueueStatusComplete":
            return list(self._unlisted())
        elif event.name == "QueueMemberRemoved":
            return list(self._gone((event["Queue"] or "", _interface(event))))
        elif event.name in _TELLS:
            return self._told(event)
        return []

    def _told(self, event: Event) -> list[Member]:
        queue, interface = event["Queue"], _interface(event)
        if not queue or not interface:
            return []
        name = (queue, interface)
        if event.name == "QueueMember" and queue in self._listed:
            self._listed[queue].add(name)
        old = self.all.get(name)
        new = self._with(old or Member(queue, interface, self._extension(event, interface)), event)
        if new == old or (old is None and len(self.all) >= LIMIT):
            return []
        self.all[name] = new
        return [new]

    def _with(self, member: Member, event: Event) -> Member:
        status = event.number("Status")
        paused = event.headers.get("paused")
        if paused is not None:
            member = replace(member, paused=paused == "1", reason=(event["PausedReason"] or event["Reason"] or "") if paused == "1" else "")
        kind = event["Membership"]
        return replace(member, status=member.status if status is None else status, dynamic=kind == "dynamic" if kind else member.dynamic)

    def _extension(self, event: Event, interface: str) -> str:
        """The phone behind the member: of a Local channel the one whose state counts, else what is dialled there."""
        watched = event["StateInterface"] or interface
        behind = watched if not watched.startswith(("Local/", "hint:")) else interface.removeprefix("Local/").partition("@")[0]
        return self._switch.party(behind) if "/" in behind else behind

    def _unlisted(self) -> Iterator[Member]:
        """A list of a queue is whole: whom it does not name has left."""
        listed, self._listed = self._listed, {}
        for name in list(self.all):
            if name[0] in listed and name not in listed[name[0]]:
                yield from self._gone(name)

    def _gone(self, name: Name) -> Iterator[Member]:
        member = self.all.pop(name, None)
        if member is not None:
            yield replace(member, gone=True)


def _interface(event: Event) -> str:
    return event["Interface"] or event["Location"] or ""
