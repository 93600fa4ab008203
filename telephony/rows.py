"""A call as the desk stores it: what the ear knows, in the desk's own words. Pure."""

from decimal import Decimal

from service.calls.actions import CallFacts, LegFacts, SegmentFacts, TransferFacts
from telephony import facts
from telephony.grouping import id_key
from telephony.journal import Position
from telephony.livecall import LiveCall


def call_facts(switch: str, call: LiveCall, position: Position) -> CallFacts:
    """Return the call as the desk stores it."""
    return CallFacts(
        switch=switch, call_key=call.key, aliases=tuple(sorted(call.ids - {call.key}, key=id_key)),
        direction=facts.direction(call), caller_number=facts.caller_number(call), caller_name=facts.caller_name(call),
        called=facts.called(call), queue=call.queue, agent=facts.agent(call), answered_by=facts.answered_by(call),
        disposition=facts.disposition(call), hangup_by=facts.hangup_by(call), started_at=call.began_at,
        queued_at=call.queued_at, answered_at=call.answered_at, ended_at=call.ended_at,
        wait_seconds=_exact(facts.wait_seconds(call)), talk_seconds=_exact(facts.talk_seconds(call)),
        total_seconds=_exact(facts.total_seconds(call)), recorded=call.recorded if call.ended else call.recorded or None,
        recording_name=call.recording, legs=leg_facts(call), live=not call.ended,
        provenance="repaired" if call.repaired else "live", end_certain=call.ended and facts.certain(call),
        revision=position.revision, hold_seconds=_exact(facts.hold_seconds(call)), final_agent=facts.final_agent(call),
        role=call.role, consent=call.consent, mailbox=call.mailbox, conference=call.conference, segments=segment_facts(call),
        transfers=tuple(TransferFacts(one["type"], one["by"], one["to"], one["answered"], move.at)
                        for one, move in zip(facts.transfers(call), call.moves, strict=True)),
    )


def segment_facts(call: LiveCall) -> tuple[SegmentFacts, ...]:
    """Return where the customer was, in order."""
    return tuple(SegmentFacts(one.kind, one.party, one.began_at, one.ended_at, _exact(one.seconds) if one.ended else None)
                 for one in call.segments)


def leg_facts(call: LiveCall) -> tuple[LegFacts, ...]:
    """Return the phones that were rung, numbered in the order in which their channels began."""
    legs = sorted(facts.phones(call), key=lambda leg: id_key(leg.id))
    return tuple(
        LegFacts(no, leg.channel, leg.party, facts.member(call, leg), leg.rang_at, leg.up_at, leg.ended_at,
                 facts.outcome(call, leg))
        for no, leg in enumerate(legs, 1))


def _exact(seconds: float | None) -> Decimal | None:
    return None if seconds is None else Decimal(f"{seconds:.3f}")
