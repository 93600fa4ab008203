"""One call becomes one row, whatever its channels were called before; older news never overwrites newer."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import rules
from service.calls.model import AgentPop, Call, CallAlias, CallLeg, PhoneLine, Recording
from service.calls.schemas import CallFacts
from service.core import phone as phones
from service.parties import actions as parties
from service.parties import queries as party_queries
from service.staff import queries as staff

COPIED = (
    "direction",
    "caller_number",
    "caller_name",
    "called",
    "queue",
    "agent",
    "answered_by",
    "disposition",
    "hangup_by",
    "started_at",
    "queued_at",
    "answered_at",
    "ended_at",
    "wait_seconds",
    "talk_seconds",
    "total_seconds",
    "recording_name",
    "live",
    "provenance",
    "end_certain",
    "revision",
    "call_key",
)


def store_call(session: Session, fact: CallFacts, *, at: datetime) -> int:
    """The call's row says what the facts say, unless it already knows better; returns its id."""
    call = _known(session, fact)
    if call is None:
        call = _new(session, fact, at)
    elif fact.revision < call.revision:
        return call.id
    _write(session, call, fact, at)
    return call.id


def _known(session: Session, fact: CallFacts) -> Call | None:
    names = {fact.call_key, *fact.aliases}
    ids = set(
        session.scalars(select(CallAlias.call_id).where(CallAlias.switch == fact.switch, CallAlias.uniqueid.in_(names)))
    )
    if not ids:
        return None
    calls = list(session.scalars(select(Call).where(Call.id.in_(ids)).order_by(Call.id).with_for_update()))
    for loser in calls[1:]:
        _merge(session, loser, calls[0])
    return calls[0]


def _merge(session: Session, loser: Call, winner: Call) -> None:
    """Two rows turned out to be one call: names and recordings move over, the later row goes."""
    session.execute(update(CallAlias).where(CallAlias.call_id == loser.id).values(call_id=winner.id))
    session.execute(update(Recording).where(Recording.call_id == loser.id).values(call_id=winner.id))
    session.execute(delete(CallLeg).where(CallLeg.call_id == loser.id))
    session.delete(loser)
    session.flush()


def _new(session: Session, fact: CallFacts, at: datetime) -> Call:
    call = Call(
        switch=fact.switch,
        stored_at=at,
        branch_id=staff.headquarters(session),
        recorded=fact.recorded,
        **{name: getattr(fact, name) for name in COPIED},
    )
    session.add(call)
    session.flush()
    return call


def _write(session: Session, call: Call, fact: CallFacts, at: datetime) -> None:
    for name in COPIED:
        setattr(call, name, getattr(fact, name))
    call.recorded = call.recorded or fact.recorded
    call.caller_e164 = phones.parse(fact.caller_number).e164
    seats = staff.seats(session, fact.switch, _extensions(fact), fact.started_at or at)
    seat = seats.get(fact.agent or fact.answered_by or "")
    call.staff_id = seat.staff_id if seat else None
    call.branch_id = seat.branch_id if seat else branch_for(session, fact)
    if call.party_id is None:
        _party(session, call, fact, at)
    call.stored_at = at
    session.flush()
    _aliases(session, call, fact)
    _legs(session, call, fact, seats)


def _extensions(fact: CallFacts) -> list[str]:
    named = {fact.agent, fact.answered_by, *(leg.extension for leg in fact.legs)}
    return [name for name in named if name]


def branch_for(session: Session, fact: CallFacts) -> int:
    """The branch of the queue, else of the line called, else the headquarters."""
    for kind, name in (("queue", fact.queue), ("line", fact.called)):
        if name:
            found = session.scalars(
                select(PhoneLine.branch_id).where(
                    PhoneLine.switch == fact.switch, PhoneLine.kind == kind, PhoneLine.name == name
                )
            ).first()
            if found is not None:
                return found
    return staff.headquarters(session)


def _party(session: Session, call: Call, fact: CallFacts, at: datetime) -> None:
    """What an agent chose in the pop, else the only match of the number."""
    chosen = session.execute(
        select(AgentPop.party_id, AgentPop.contact_id).where(
            AgentPop.switch == fact.switch,
            AgentPop.call_key.in_({fact.call_key, *fact.aliases}),
            AgentPop.party_id.is_not(None),
        )
    ).first()
    number = phones.parse(rules.customer_number(fact.direction, fact.caller_number, fact.called))
    matches = party_queries.match_phone(session, number) if not chosen and fact.direction != "internal" else []
    if chosen:
        call.party_id, call.contact_id = chosen
    elif len(matches) == 1:
        call.party_id, call.contact_id = matches[0].party_id, matches[0].contact_id
    if call.party_id and not fact.live:
        parties.called(session, call.party_id, number, at=fact.started_at or at)


def _aliases(session: Session, call: Call, fact: CallFacts) -> None:
    rows = [
        {"switch": fact.switch, "uniqueid": name, "call_id": call.id, "branch_id": call.branch_id}
        for name in sorted({fact.call_key, *fact.aliases})
    ]
    session.execute(insert(CallAlias).values(rows).on_conflict_do_nothing())


def _legs(session: Session, call: Call, fact: CallFacts, seats: dict[str, staff.Seat]) -> None:
    if not fact.legs:
        return
    rows = [
        {
            "call_id": call.id,
            "no": leg.no,
            "channel": leg.channel,
            "extension": leg.extension,
            "staff_id": seats[leg.extension].staff_id if leg.extension in seats else None,
            "rang_at": leg.rang_at,
            "answered_at": leg.answered_at,
            "ended_at": leg.ended_at,
            "outcome": leg.outcome,
            "branch_id": call.branch_id,
        }
        for leg in fact.legs
    ]
    added = insert(CallLeg).values(rows)
    kept = {name: added.excluded[name] for name in rows[0] if name not in ("call_id", "no")}
    session.execute(added.on_conflict_do_update(index_elements=["call_id", "no"], set_=kept))
