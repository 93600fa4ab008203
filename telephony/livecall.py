"""A call while it happens: frozen legs in a frozen call; who is together with whom, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from telephony.grouping import IdKey, id_key
from telephony.timeline import MOVES, WITH_AGENT, How, Kind, Move, Segment, last_talk, moved_to

SWITCH = "pbx"  # who hung up when it was the switch itself
CONSENTS = ("announced", "given", "refused")
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
    begun: bool = False            # its dial was heard to begin
    parent: str | None = None      # the leg that dialled it
    pair: str | None = None        # the other half of a Local channel
    number: str | None = None      # the first caller id, before a dialplan overwrites it
    name: str | None = None
    shown: str | None = None       # the caller id it has now
    exten: str | None = None       # where it began
    place: str | None = None       # where a snapshot shows it in the dialplan
    interface: str | None = None
    member: str | None = None
    began_at: datetime | None = None
    rang: bool = False
    rang_at: datetime | None = None
    up: bool = False
    up_at: datetime | None = None
    bridge: str | None = None
    left: str | None = None        # the bridge that it left last
    held: bool = False
    parked: bool = False
    conference: bool = False
    mailbox: bool = False          # speaks to one
    recording: bool = False        # a recording runs on it
    muted: bool = False            # and is silent for now
    passed: bool = False           # passed the other side on: what it does now ends nothing
    status: str | None = None      # how the dial to it ended
    cause: int | None = None
    asked: bool = False            # a hang-up was asked for: it will be gone in a moment
    hung: bool = False             # by its own phone
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
    left_at: datetime | None = None        # left the queue, the last time
    gave_up: bool = False                  # the queue says that the caller left unserved
    dialled: str | None = None             # the number that we dialled towards a trunk
    wanted: str | None = None              # the number that an Originate was for
    originated: bool = False
    aside: bool = False                    # an order for something else than a number: it calls nobody
    withheld: bool = False                 # the caller wants nobody to see the number
    consent: str | None = None             # what the dialplan last said of recording: announced, given or refused
    answered: bool = False
    answered_at: datetime | None = None
    answered_by: str | None = None         # the leg that was together with the customer first
    segments: tuple[Segment, ...] = ()     # where the customer was, in order
    moves: tuple[Move, ...] = ()           # who passed the customer on
    kept: str | None = None                # the leg that stayed when whoever began an internal call passed it on
    mailbox: str | None = None
    conference: str | None = None
    role: str | None = None                # consultation: an agent asks a colleague while a customer waits; supervision: listens in
    serves: str | None = None              # the call that the consultation is for
    asked_by: str | None = None            # the leg that hung up first, of those that matter
    left_by: str | None = None             # the leg that left the talk first, should no hang-up request be heard
    reason: str | None = None              # AgentComplete's word: caller, agent, transfer
    recorded: bool = False
    recording: str | None = None           # the file name, where the dialplan tells it
    repaired: bool = False
    lost: str | None = None                # why the end is not known
    clock: timedelta = timedelta()         # how far the clock had been put forward when it began: its times are that clock's
    began_at: datetime | None = None
    ended: bool = False
    ended_at: datetime | None = None

    def with_leg(self, leg: Leg) -> "LiveCall":
        """Return the call with this leg in the place of its older self; the smallest id is where it began."""
        if leg.id in self.legs:
            return replace(self, legs={**self.legs, leg.id: leg})
        origin = leg.id if not self.origin or id_key(leg.id) < id_key(self.origin) else self.origin
        began = _earlier(self.began_at, leg.began_at)
        return replace(self, legs=_bounded({**self.legs, leg.id: leg}, origin), origin=origin, began_at=began)

    @property
    def principal(self) -> Leg | None:
        """The customer's leg: the oldest trunk, those first that were reached; without one whoever began.

        Who began and passed an internal call on is none of its parties any more: then it is the one who stayed.
        """
        origin = self.legs.get(self.origin)
        if origin is not None and origin.trunk and not origin.dialled:
            return origin
        trunks = [leg for leg in self.legs.values() if leg.trunk]
        return min(trunks, key=_reached) if trunks else self.legs.get(self.kept or self.origin)

    @property
    def talking(self) -> bool:
        """True while the customer and somebody hear each other."""
        return bool(self.segments) and self.segments[-1].kind == "talk" and not self.segments[-1].ended


def _reached(trunk: Leg) -> tuple[bool, bool, IdKey]:
    """Order trunks by whether somebody was reached there, or still may be, then by age: a first route may fail."""
    up = trunk.up or bool(trunk.bridge or trunk.left)
    return not up, trunk.ended, id_key(trunk.id)


def _bounded(legs: dict[str, Leg], origin: str) -> dict[str, Leg]:
    if len(legs) > LEG_LIMIT:
        spare = next((leg.id for leg in legs.values() if leg.ended and not leg.up and leg.id != origin), None)
        if spare is not None:
            del legs[spare]
    return legs


def together(call: LiveCall) -> Leg | None:
    """Return the leg that the customer talks with, Local channels between them traversed; None when alone.

    Of several it is the one that had the customer first since nobody passed them on: a third who joins takes nothing.
    """
    me = call.principal
    if me is None or me.bridge is None:
        return None
    found, seen, edge = list[Leg](), {me.id}, [me]
    while edge:
        here = edge.pop()
        for leg in call.legs.values():
            if leg.id not in seen and _adjacent(here, leg):
                seen.add(leg.id)
                (edge if leg.local else found).append(leg)
    return found[0] if len(found) == 1 else _in_charge(call, found)


def _in_charge(call: LiveCall, found: list[Leg]) -> Leg | None:
    since = call.moves[-1].talk + 1 if call.moves else 0
    had = (one.leg for one in call.segments[since:] if one.kind in WITH_AGENT)
    return next((leg for id_ in had for leg in found if leg.id == id_), found[0] if found else None)


def _adjacent(one: Leg, other: Leg) -> bool:
    if one.ended or other.ended:
        return False
    if one.bridge is not None and one.bridge == other.bridge:
        return True
    return are_halves(one, other) or (one.local and _behind(one, other)) or (other.local and _behind(other, one))


def _behind(half: Leg, phone: Leg) -> bool:
    """True when the Local half dialled the phone, that answered, and one of them was not heard to enter their bridge."""
    return phone.parent == half.id and phone.up and phone.left is None and (phone.bridge is None) != (half.bridge is None)


def are_halves(one: Leg, other: Leg) -> bool:
    """True when the two are one Local channel, by the switch's word or by their names."""
    return one.local and other.local and (one.pair == other.id or one.channel[:-1] == other.channel[:-1])


def met(call: LiveCall, at: datetime | None) -> LiveCall:
    """Return the call with the customer where its legs say; the first talk is the answer."""
    kind, leg = standing(call)
    segments = moved_to(call.segments, kind, leg.id if leg else None, leg.party if leg else None, at)
    if segments is call.segments:
        return call
    talked = call.talking
    call = replace(call, segments=segments)
    if leg is not None and kind in ("talk", "hold") and not call.answered:
        call = replace(call, answered=True, answered_at=at, answered_by=leg.id)
    return replace(call, asked_by=None, left_by=None) if call.talking and not talked else call


def standing(call: LiveCall) -> tuple[Kind | None, Leg | None]:
    """Return where the customer is now, and at whose phone; None when gone, or not yet anywhere."""
    me = call.principal
    if me is None or me.ended:
        return None, None
    if me.parked or me.conference or me.mailbox:
        return ("park" if me.parked else "conference" if me.conference else "voicemail"), None
    partner = together(call)
    if partner is not None:
        return ("hold" if me.held or partner.held else "talk"), partner
    owner = _owner(call)
    if owner is not None:
        return "consult", owner
    return _alone(call, me), None


def _owner(call: LiveCall) -> Leg | None:
    """Whoever has the customer wait: still there, and not having passed the call on."""
    last = call.segments[-1] if call.segments else None
    leg = call.legs.get(last.leg or "") if last is not None and last.kind in WITH_AGENT else None
    return leg if leg is not None and not (leg.ended or leg.passed or leg.asked) and (leg.bridge or leg.held) else None


def _alone(call: LiveCall, me: Leg) -> Kind | None:
    if call.queue is not None and call.left_at is None:
        return "queue_wait"
    if any(leg.dialled and not (leg.up or leg.ended or leg.status or leg is me) for leg in call.legs.values()):
        return "ringing"
    return "ivr" if me.up and not me.dialled else "ringing" if me.dialled and me.rang and not me.up else None


def passed_on(call: LiveCall, how: How, leg: Leg | None, by: str | None, to: str | None, at: datetime | None) -> LiveCall:
    """Return the call with the customer passed on by that leg; who hung up first until now ended nothing."""
    if (leg is not None and leg.passed) or len(call.moves) >= MOVES:
        return call
    if leg is not None:
        call = call.with_leg(replace(leg, passed=True))
    call = met(call, at)  # what the seats in between looked like is no segment, and must not be counted
    move = Move(how, by, to, leg.id if leg else None, at, last_talk(call.segments, leg.id if leg else None))
    return replace(call, moves=(*call.moves, move), asked_by=None, left_by=None, reason=None)


def seconds(begin: datetime | None, end: datetime | None) -> float:
    """Return the seconds from begin to end, 0 when one of them is unknown or they are out of order."""
    return max(0.0, (end - begin).total_seconds()) if begin and end else 0.0


def merged(one: LiveCall, other: LiveCall, at: datetime | None) -> LiveCall:
    """Return both as one call: what either knew, and the story of the one that has the customer."""
    main, side = _main(one, other)
    call = replace(
        main, key=min(one.key, other.key, key=id_key), legs={**side.legs, **main.legs},
        linkedids=tuple(dict.fromkeys(linkedid for call in sorted((one, other), key=lambda call: id_key(call.key))
                                      for linkedid in call.linkedids)),
        queue=main.queue or side.queue, queued_at=main.queued_at or side.queued_at, left_at=main.left_at or side.left_at,
        gave_up=main.gave_up or side.gave_up, dialled=main.dialled or side.dialled, wanted=main.wanted or side.wanted,
        originated=main.originated or side.originated, aside=main.aside and side.aside, withheld=main.withheld or side.withheld, consent=main.consent or side.consent, reason=main.reason or side.reason,
        recorded=main.recorded or side.recorded, recording=main.recording or side.recording,
        mailbox=main.mailbox or side.mailbox, conference=main.conference or side.conference,
        repaired=main.repaired or side.repaired, began_at=_earlier(main.began_at, side.began_at),
    )
    return met(call, at)


def _main(one: LiveCall, other: LiveCall) -> tuple[LiveCall, LiveCall]:
    """The call with the customer first; of two alike the older one."""
    first, second = (one, other) if id_key(one.key) < id_key(other.key) else (other, one)
    return (second, first) if _has_customer(second) and not _has_customer(first) else (first, second)


def _has_customer(call: LiveCall) -> bool:
    return any(leg.trunk for leg in call.legs.values())


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((t for t in (one, other) if t is not None), default=None)
