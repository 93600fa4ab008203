"""What a change means for the phones on the desks: rings, answers, silences, ends. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from telephony.floor import Change
from telephony.livecall import Leg, LiveCall


@dataclass(frozen=True, slots=True)
class News:
    """One phone's news: rings, answered, stopped, left; or the call's: ended."""

    kind: Literal["rings", "answered", "stopped", "left", "ended"]
    call: LiveCall
    leg: Leg | None
    at: datetime | None
    reason: str = ""


def news(change: Change) -> Iterator[News]:
    """Yield what the desks must be told of this change, in the order in which it happened."""
    old, call = change.old, change.new
    # A phone that rings for an order is nobody's until the order is known: then it is told as it stands.
    ordered = call.origin if old is not None and call.originated and not old.originated else None
    if call.role != "supervision" and (old is None or old.legs is not call.legs or ordered):
        for leg in call.legs.values():
            before = old.legs.get(leg.id) if old else None
            if leg.id == ordered:
                yield from _standing(call, leg, change.at)
            elif before is not leg and _is_desk(call, leg):
                yield from _of_leg(call, before, leg, change.at)
    if call.ended:
        yield News("ended", call, None, change.at)


def _is_desk(call: LiveCall, leg: Leg) -> bool:
    """A phone of ours that is rung; who dials out has no pop."""
    return bool(leg.party) and (leg.id != call.origin or call.originated)


def _of_leg(call: LiveCall, before: Leg | None, leg: Leg, at: datetime | None) -> Iterator[News]:
    if leg.up:
        if before is None or not before.up:
            yield News("answered", call, leg, at)
        elif leg.ended and not before.ended and not call.ended and not _is_taken(call, leg.party):
            yield News("left", call, leg, at)
    elif leg.ended:
        if leg.rang and not (before and before.ended):
            yield News("stopped", call, leg, at, _why(call))
    elif leg.rang and not (before and before.rang):
        yield News("rings", call, leg, at)


def _is_taken(call: LiveCall, party: str | None) -> bool:
    """True while somebody talks at that phone, on whichever of its channels."""
    return any(leg.party == party and leg.up and not leg.ended for leg in call.legs.values())


def _why(call: LiveCall) -> str:
    """The caller gave up, or only this phone rang out and the call goes on."""
    return "abandoned" if call.gave_up or call.ended or call.asked_by == call.origin else "rang-out"


def current(call: LiveCall, at: datetime | None) -> Iterator[News]:
    """Yield what a desk that has heard nothing must be told of a call that goes on."""
    for leg in call.legs.values() if call.role != "supervision" else ():
        yield from _standing(call, leg, at)


def _standing(call: LiveCall, leg: Leg, at: datetime | None) -> Iterator[News]:
    if _is_desk(call, leg) and not leg.ended and (leg.rang or leg.up):
        yield News("rings", call, leg, leg.rang_at or at)
        if leg.up:
            yield News("answered", call, leg, leg.up_at or at)
