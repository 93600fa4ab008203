"""A call while it happens: frozen legs in a frozen call; who is together with whom, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from telephony.grouping import id_key

LEG_LIMIT = 200  # a queue that retries each second for an hour must not grow; the oldest unanswered tries go

T = TypeVar("T", "Leg", "LiveCall")


def replace(old: T, **changes: Any) -> T:
    """Return a copy with some fields changed: dataclasses.replace, at a tenth of its cost on a busy feed."""
    new = object.__new__(type(old))
    new.__dict__.update(old.__dict__, **changes)
    return new


@dataclass(frozen=True)
class Leg:
    """One channel of a call. A Local half is a leg too, but nobody's presence."""

    id: str
    channel: str
    party: str | None = None       # the extension, else the interface, of a phone of ours; None for a trunk
    trunk: bool = False
    local: bool = False
    dialled: bool = False          # rung by us or on our behalf, so it has no dialplan of its own to begin with
    parent: str | None = None      # the leg that dialled it
    pair: str | None = None        # the other half of a Local channel
    number: str | None = None      # the first caller id, before a dialplan overwrites it
    name: str | None = None
    shown: str | None = None       # the caller id it has now
    exten: str | None = None
    interface: str | None = None
    member: str | None = None
    began_at: datetime | None = None
    rang: bool = False
    rang_at: datetime | None = None
    up: bool = False
    up_at: datetime | None = None
    bridge: str | None = None
    held: bool = False
    status: str | None = None      # how the dial to it ended
    cause: int | None = None
    asked: bool = False            # a hang-up was asked for: it will be gone in a moment
    ended: bool = False
    ended_at: datetime | None = None
    sure: bool = True              # its end was heard, not concluded


@dataclass(frozen=True)
class LiveCall:
    """One human call, from the first channel to the last hang-up; `key` is the smallest id it ever had."""

    key: str
    origin: str = ""                       # the first leg
    ids: frozenset[str] = frozenset()
    linkedids: tuple[str, ...] = ()        # in the order in which they were seen
    legs: Mapping[str, Leg] = field(default_factory=dict)
    queue: str | None = None
    queued_at: datetime | None = None
    left_at: datetime | None = None        # left the queue
    gave_up: bool = False                  # the queue says that the caller left unserved
    dialled: str | None = None             # the number that we dialled towards a trunk
    wanted: str | None = None              # the number that an Originate was for
    originated: bool = False
    answered: bool = False
    answered_at: datetime | None = None
    answered_by: str | None = None         # the leg that was together with the customer first
    talking: bool = False
    talking_since: datetime | None = None
    talked: float = 0.0                    # seconds together, holds left out
    asked_by: str | None = None            # the leg that hung up first, of those that matter
    left_by: str | None = None             # the leg that left the talk first, should no hang-up request be heard
    reason: str | None = None              # AgentComplete's word: caller, agent, transfer
    recorded: bool = False
    recording: str | None = None           # the file name, where the dialplan tells it
    repaired: bool = False
    lost: str | None = None                # why the end is not known
    began_at: datetime | None = None
    ended: bool = False
    ended_at: datetime | None = None

    def with_leg(self, leg: Leg) -> "LiveCall":
        """Return the call with this leg in the place of its older self; the smallest id is where it began."""
        if leg.id in self.legs:
            return replace(self, legs={**self.legs, leg.id: leg})
        origin = leg.id if not self.origin or id_key(leg.id) < id_key(self.origin) else self.origin
        began = min((t for t in (self.began_at, leg.began_at) if t), default=None)
        return replace(self, legs=_bounded({**self.legs, leg.id: leg}, origin), origin=origin, began_at=began)

    @property
    def principal(self) -> Leg | None:
        """The customer's leg: the oldest trunk, else whoever began."""
        if self.origin in self.legs and self.legs[self.origin].trunk:
            return self.legs[self.origin]
        trunks = [leg for leg in self.legs.values() if leg.trunk]
        return min(trunks, key=lambda leg: id_key(leg.id)) if trunks else self.legs.get(self.origin)


def _bounded(legs: dict[str, Leg], origin: str) -> dict[str, Leg]:
    if len(legs) > LEG_LIMIT:
        spare = next((leg.id for leg in legs.values() if leg.ended and not leg.up and leg.id != origin), None)
        if spare is not None:
            del legs[spare]
    return legs


def together(call: LiveCall) -> Leg | None:
    """Return the leg that the customer talks with, Local channels between them traversed; None when alone."""
    me = call.principal
    if me is None or me.bridge is None:
        return None
    seen, edge = {me.id}, [me]
    while edge:
        here = edge.pop()
        for leg in call.legs.values():
            if leg.id not in seen and _adjacent(here, leg):
                if not leg.local:
                    return leg
                seen.add(leg.id)
                edge.append(leg)
    return None


def _adjacent(one: Leg, other: Leg) -> bool:
    if one.ended or other.ended:
        return False
    return (one.bridge is not None and one.bridge == other.bridge) or are_halves(one, other)


def are_halves(one: Leg, other: Leg) -> bool:
    """True when the two are one Local channel, by the switch's word or by their names."""
    return one.local and other.local and (one.pair == other.id or one.channel[:-1] == other.channel[:-1])


def met(call: LiveCall, at: datetime | None) -> LiveCall:
    """Return the call with its talking clock started or stopped by who is together now."""
    partner = together(call)
    if partner is not None and not call.answered:
        call = replace(call, answered=True, answered_at=at, answered_by=partner.id)
    talking = partner is not None and not any(leg.held for leg in call.legs.values() if not leg.ended)
    if talking == call.talking:
        return call
    if talking:
        return replace(call, talking=True, talking_since=at, asked_by=None, left_by=None)
    return replace(call, talking=False, talking_since=None, talked=call.talked + seconds(call.talking_since, at))


def seconds(begin: datetime | None, end: datetime | None) -> float:
    """Return the seconds from begin to end, 0 when one of them is unknown or they are out of order."""
    return max(0.0, (end - begin).total_seconds()) if begin and end else 0.0


def merged(one: LiveCall, other: LiveCall, at: datetime | None) -> LiveCall:
    """Return both as one call: what either knew, and the earlier of two beginnings."""
    first, second = (one, other) if id_key(one.key) < id_key(other.key) else (other, one)
    call = replace(
        first, legs={**first.legs, **second.legs},
        linkedids=tuple(dict.fromkeys(first.linkedids + second.linkedids)),
        origin=min((o for o in (first.origin, second.origin) if o), key=id_key, default=""),
        queue=first.queue or second.queue, queued_at=first.queued_at or second.queued_at,
        left_at=first.left_at or second.left_at, gave_up=first.gave_up or second.gave_up,
        dialled=first.dialled or second.dialled, wanted=first.wanted or second.wanted,
        originated=first.originated or second.originated,
        answered=first.answered or second.answered, answered_at=_earlier(first.answered_at, second.answered_at),
        answered_by=first.answered_by or second.answered_by,
        talking=first.talking or second.talking, talking_since=_earlier(first.talking_since, second.talking_since),
        talked=first.talked + second.talked, reason=first.reason or second.reason,
        recorded=first.recorded or second.recorded, recording=first.recording or second.recording,
        repaired=first.repaired or second.repaired, began_at=_earlier(first.began_at, second.began_at),
    )
    return met(call, at)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((t for t in (one, other) if t is not None), default=None)
