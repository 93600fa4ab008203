"""What a call amounts to, read off its legs: who called whom, who answered, how it ended, how long it took."""

from typing import Any

from telephony.grouping import id_key
from telephony.livecall import SWITCH, Leg, LiveCall, are_halves, seconds
from telephony.timeline import Move, Segment, turns

_DIAL_WORDS = {"BUSY": "busy", "NOANSWER": "no-answer", "CANCEL": "abandoned", "CONGESTION": "failed",
               "CHANUNAVAIL": "failed"}
WITHHELD = "anonymous"  # what is told in place of a number that its caller withholds: nothing else leaves the ear
_TOGETHER = 1.0  # seconds within which phones ring at once
_CLEARED, _BUSY, _REJECTED, _ELSEWHERE = 16, 17, 21, 26  # Q.850 causes
_NO_WAY = frozenset({1, 2, 3, 27, 28, 34, 38, 41, 42, 44, 58})  # no such number, no route, no line: nobody was rung


def spies(call: LiveCall) -> bool:
    """Return True when somebody listens in to another call by this one."""
    return call.role == "supervision"


def direction(call: LiveCall) -> str:
    """Return inbound when a trunk began, outbound when we ordered or reached a trunk, internal otherwise."""
    if spies(call):
        return "internal"
    me = call.principal
    if me is not None and me.trunk:
        return "outbound" if me.dialled and (me.id != call.origin or call.originated) else "inbound"
    return "outbound" if call.originated and not call.aside else "internal"


def opener(call: LiveCall) -> Leg | None:
    """Return the leg that began: the customer's when a trunk came in, else ours."""
    return call.principal if direction(call) == "inbound" else ours(call)


def ours(call: LiveCall) -> Leg | None:
    """Return our own phone in a call that began with us.

    An order may ring it through a Local channel, or ring the customer first: then it is whichever phone came to talk.
    """
    origin = call.legs.get(call.origin)
    if origin is None or not (origin.local or (origin.trunk and call.originated)):
        return origin
    phones = [leg for leg in call.legs.values() if leg.party and (origin.trunk or _behind(call, leg, origin))]
    return min(phones, key=lambda leg: (not leg.up, id_key(leg.id)), default=origin if origin.local else None)


def _behind(call: LiveCall, leg: Leg, half: Leg) -> bool:
    parent = call.legs.get(leg.parent or "")
    return parent is not None and parent.local and are_halves(parent, half)


def caller_number(call: LiveCall) -> str | None:
    """Return the number of who began: what the trunk said, or our own extension."""
    origin = opener(call)
    if origin is None:
        return None
    if call.withheld and origin.trunk:
        return WITHHELD
    if origin.party and origin.party.isdigit():
        return origin.party
    return origin.number or origin.shown


def caller_name(call: LiveCall) -> str | None:
    """Return the name of who began, as the switch first had it."""
    origin = opener(call)
    return origin.name if origin and not (call.withheld and origin.trunk) else None


def called(call: LiveCall) -> str | None:
    """Return the line that was called; of an outbound call the number that was dialled."""
    origin = opener(call)
    exten = origin.exten if origin and origin.exten != "s" else None
    if direction(call) == "outbound" or spies(call):
        return call.dialled or call.wanted or exten
    return exten


def customer_number(call: LiveCall) -> str | None:
    """Return the outside party's number, whichever side began."""
    return called(call) if direction(call) == "outbound" else caller_number(call)


def phones(call: LiveCall) -> list[Leg]:
    """Return the legs that were rung: no Local halves, and nobody who dialled by themselves."""
    return [leg for leg in call.legs.values()
            if not leg.local and (leg.dialled or leg.rang) and (leg.id != call.origin or call.originated)]


def agents_rung(call: LiveCall) -> list[str]:
    """Return the extensions whose phone rang, in the order in which they did; those that rang together by number."""
    order: dict[str, int] = {}
    round_, before = 0, None
    for leg in sorted((leg for leg in phones(call) if leg.party and leg.rang), key=lambda leg: id_key(leg.id)):
        round_ += seconds(before, leg.rang_at) > _TOGETHER
        before = leg.rang_at or before
        order.setdefault(leg.party or "", round_)
    return sorted(order, key=lambda party: (order[party], len(party), party))


def agent(call: LiveCall) -> str | None:
    """Return our side of the call: who answered, or who called out."""
    leg = ours(call) if direction(call) == "outbound" or spies(call) else call.legs.get(call.answered_by or "")
    return leg.party if leg else None


def answered_by(call: LiveCall) -> str | None:
    """Return the extension that took the call, `customer` when the outside party did, None when nobody did."""
    if not call.answered:
        return None
    return "customer" if direction(call) == "outbound" else agent(call)


def member(call: LiveCall, leg: Leg) -> str | None:
    """Return the queue's name for the phone, looked up through the Local channel that dialled it."""
    here: Leg | None = leg
    for _ in range(6):
        if here is None or here.member:
            return here.member if here else None
        here = _other_half(call, here) if here.channel.endswith(";2") else call.legs.get(here.parent or "")
    return None


def _other_half(call: LiveCall, leg: Leg) -> Leg | None:
    return next((one for one in call.legs.values() if one.id != leg.id and are_halves(one, leg)), None)


def outcome(call: LiveCall, leg: Leg) -> str | None:
    """Return how one phone's ringing ended; None while it rings."""
    if leg.up:
        return "answered"
    if not leg.ended and leg.status is None:
        return None
    if leg.cause == _REJECTED:
        return "rejected"
    if leg.status == "BUSY" or leg.cause == _BUSY:
        return "busy"
    status = _status(call, leg)
    if status == "NOANSWER" or (status is None and leg.cause != _ELSEWHERE):
        return "no-answer"
    return "elsewhere" if leg.cause == _ELSEWHERE or call.answered else "cancelled"


def disposition(call: LiveCall) -> str | None:
    """Return how the call came out; None while that is open."""
    if call.answered:
        return "transferred" if call.moves else "answered"
    if spies(call) and call.origin in call.legs and call.legs[call.origin].up:
        return "answered"
    if call.conference:
        return "conference"
    if call.mailbox:
        return "voicemail"
    return _unanswered(call) if call.ended else None


def _unanswered(call: LiveCall) -> str:
    if call.lost or call.asked_by == SWITCH or not certain(call):
        return "failed"
    if direction(call) == "outbound" or spies(call):
        return _outbound(call)
    if call.queue is not None:
        return "abandoned" if _left_for_good(call) else "no-answer"
    return _dialled(call)


def _left_for_good(call: LiveCall) -> bool:
    """The queue says the same of a caller who gives up and of one that it sends on to a voice mailbox."""
    return (call.gave_up or call.asked_by == call.origin) and seconds(call.left_at, call.ended_at) < 2


def _outbound(call: LiveCall) -> str:
    origin = call.legs[call.origin]
    if origin.trunk and not origin.up:
        return {"busy": "busy", "rejected": "rejected"}.get(outcome(call, origin) or "", "no-answer")
    origin = ours(call) or origin
    if call.originated and not origin.up:
        return {"busy": "agent-busy", "rejected": "agent-rejected"}.get(outcome(call, origin) or "", "agent-no-answer")
    return _dialled(call)


def _dialled(call: LiveCall) -> str:
    own = ours(call)
    began = (call.origin, own.id if own is not None and call.originated else None)
    ends = [leg for leg in phones(call) if leg.id not in began and (leg.status or leg.cause)]
    if not ends:
        return "abandoned" if call.asked_by == call.origin else "failed"
    statuses = [_status(call, leg) for leg in ends]
    if call.asked_by == call.origin and "CANCEL" in statuses:
        return "abandoned"  # a phone was ringing still, whatever the others had said
    if any(leg.cause == _REJECTED for leg in ends):
        return "rejected"
    if any(leg.cause == _BUSY for leg in ends):
        return "busy"
    if call.asked_by == call.origin:
        return "abandoned"
    return "failed" if ends[-1].cause in _NO_WAY else _DIAL_WORDS.get(statuses[-1] or "", "no-answer")


def _status(call: LiveCall, leg: Leg) -> str | None:
    """How the dial to the phone ended; of one that a Local channel dialled and cancelled, how the dial to that ended."""
    half = call.legs.get(leg.parent or "")
    outer = _other_half(call, half) if half is not None and half.local and leg.status in (None, "CANCEL") else None
    return outer.status if outer is not None and outer.status else leg.status


def hangup_by(call: LiveCall) -> str | None:
    """Return who ended the call: caller, agent, customer or pbx; None when it is open or was not heard."""
    if not call.ended:
        return None
    if call.asked_by == SWITCH or call.lost == "restart":
        return "pbx"
    if call.lost or not certain(call):
        return None
    return _ended_by(call)


def _ended_by(call: LiveCall) -> str:
    """By who asked first, else who left the talk first (AMI's Hangup asks nobody), else the queue's word."""
    for who in (call.asked_by, call.left_by):
        leg = call.legs.get(who or "")
        if leg is not None:
            return _side(call, leg)
    if call.reason in ("caller", "agent") and not call.moves:
        return call.reason
    me = call.principal
    sent_away = me is not None and me.cause == _CLEARED and call.left_at is not None  # who gives up in a queue has cause 0
    return "caller" if disposition(call) == "abandoned" and not sent_away else "pbx"


def _side(call: LiveCall, leg: Leg) -> str:
    me = call.principal
    if direction(call) == "outbound":
        return "customer" if me is not None and leg.id == me.id else "agent"
    first = opener(call)
    return "caller" if first is not None and leg.id == first.id else "agent"


def certain(call: LiveCall) -> bool:
    """True when the end was heard; of an answered call only the legs matter that lasted until then.

    Of a caller who is said to have left the queue unserved it does not matter which phones rang meanwhile.
    """
    me = call.principal
    if call.gave_up and call.lost is None and me is not None and me.ended and me.sure:
        return True
    last = [leg for leg in call.legs.values() if not (call.answered and _before_end(call, leg))]
    return call.lost is None and all(leg.sure for leg in last)


def _before_end(call: LiveCall, leg: Leg) -> bool:
    return leg.ended_at is not None and call.ended_at is not None and leg.ended_at < call.ended_at


def wait_seconds(call: LiveCall) -> float | None:
    """Return the seconds from entering the queue to the answer, or to leaving; None without a queue."""
    end = call.answered_at or call.left_at or call.ended_at
    return seconds(call.queued_at, end) if call.queued_at and end else None


def talk_seconds(call: LiveCall) -> float | None:
    """Return the seconds together, holds left out; None when nobody answered or times are unknown."""
    if not call.answered_at or call.talking:
        return None
    return sum(segment.seconds for segment in call.segments if segment.kind == "talk")


def hold_seconds(call: LiveCall) -> float | None:
    """Return the seconds on hold; None when nobody answered."""
    return sum(one.seconds for one in call.segments if one.kind == "hold") if call.answered_at else None


def agent_turns(call: LiveCall) -> list[list[Segment]]:
    """Return each agent's turn with the customer in order; a turn is talk, holds and consultations."""
    return list(turns(call.segments, call.moves))


def final_agent(call: LiveCall) -> str | None:
    """Return the extension that had the customer last; None when nobody took the call after it was passed on."""
    if not call.answered or (call.moves and not _taken(call, len(call.moves) - 1)):
        return None
    had = agent_turns(call)
    return had[-1][-1].party if had else agent(call)


def transfers(call: LiveCall) -> list[dict[str, Any]]:
    """Return who passed the customer on, how, to whom, and whether anybody took it there."""
    return [{"type": move.how, "by": move.by, "to": move.to or _fetcher(call, no, move), "answered": _taken(call, no) is not None}
            for no, move in enumerate(call.moves)]


def _taken(call: LiveCall, no: int) -> Segment | None:
    """The first talk between this move and the next."""
    end = call.moves[no + 1].talk + 1 if no + 1 < len(call.moves) else len(call.segments)
    return next((one for one in call.segments[call.moves[no].talk + 1 : end] if one.kind in ("talk", "hold")), None)


def _fetcher(call: LiveCall, no: int, move: Move) -> str | None:
    taken = _taken(call, no)
    return taken.party if move.how == "park" and taken else None


def total_seconds(call: LiveCall) -> float | None:
    """Return the seconds from the first channel to the last hang-up."""
    return seconds(call.began_at, call.ended_at) if call.began_at and call.ended_at else None


def agent_segments(call: LiveCall) -> list[dict[str, Any]]:
    """Return each agent's time with the customer, in order, holds and consultations in it; seconds null while open."""
    ours = agent(call) if direction(call) == "outbound" else None
    return [{"agent": turn[0].party or ours, "seconds": _sum(turn)} for turn in agent_turns(call)]


def holds(call: LiveCall) -> list[dict[str, Any]]:
    """Return each hold: by whom, and how long."""
    return [{"agent": one.party, "seconds": _sum([one])} for one in call.segments if one.kind == "hold"]


def _sum(segments: list[Segment]) -> float | None:
    if not all(one.ended and one.began_at and one.ended_at for one in segments):
        return None
    return round(sum(one.seconds for one in segments), 3)
