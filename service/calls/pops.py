"""The pop: what one agent's screen is told, in a small transaction of its own, before the call is stored."""

from dataclasses import asdict
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Executable, Row, Table, bindparam, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import rules
from service.calls.lines import Labels, queue_labels
from service.calls.model import AgentPop
from service.calls.schemas import Ring
from service.core import live, scope
from service.core import phone as phones
from service.parties import queries as parties
from service.staff import queries as staff

OPEN = ("ringing", "talking")
POP = cast("Table", AgentPop.__table__)
_NEW = insert(POP)
# Built once, like all statements that a pop waits for.
_RUNG = _NEW.on_conflict_do_update(
    index_elements=["switch", "call_key", "extension"],
    set_={
        name: _NEW.excluded[name]
        for name in ("state", "answered_by", "answered_at", "ended_at", "queue", "staff_id", "branch_id")
    },
).returning(*POP.c)


def phone_rings(session: Session, ring: Ring, *, at: datetime) -> int | None:
    """The agent who sits at that phone has a ringing pop; None when nobody sits there."""
    seat = staff.seat(session, ring.switch, ring.extension, at)
    if seat is None:
        return None
    number = phones.parse(rules.customer_number(ring.direction, ring.caller_number, ring.called))
    within = scope.NONE if ring.direction == "internal" else staff.scope_of(session, seat)
    matches = [asdict(match) for match in parties.match_phone(session, number, within=within)]
    pop = _upsert(session, ring, seat, matches, at)
    live.publish(session, live.topic_of(seat.staff_id), "pop", told(pop, queue_labels(session) if ring.queue else Labels()), at=at)
    return int(pop.id)


def _upsert(session: Session, ring: Ring, seat: staff.Seat, matches: list[dict[str, Any]], at: datetime) -> Row[Any]:
    """The row as it stands now; the table and not the class, since every statement delays the pop."""
    sure = matches[0] if len(matches) == 1 else {}
    row = {
        "switch": ring.switch,
        "call_key": ring.call_key,
        "extension": ring.extension,
        "staff_id": seat.staff_id,
        "direction": ring.direction,
        "caller_number": _short(ring.caller_number),
        "caller_name": _short(ring.caller_name),
        "called": _short(ring.called),
        "queue": ring.queue,
        "state": "ringing",
        "answered_by": None,
        "party_id": sure.get("party_id"),
        "contact_id": sure.get("contact_id"),
        "matches": matches,
        "began_at": at,
        "answered_at": None,
        "ended_at": None,
        "branch_id": seat.branch_id,
    }
    return session.execute(_RUNG, row).one()


def _short(value: str | None) -> str | None:
    return value[:200] if value else value


def told(pop: AgentPop | Row[Any], queues: Labels) -> dict[str, Any]:
    """What the browser hears of a pop: data, never markup."""
    number = rules.customer_number(pop.direction, pop.caller_number, pop.called)
    return {
        "pop_id": pop.id,
        "call_key": pop.call_key,
        "number": number,
        "display": phones.display(number),
        "name": pop.caller_name,
        "queue": queues.of(pop.switch, pop.queue),
        "called": pop.called,
        "direction": pop.direction,
        "state": pop.state,
        "at": pop.began_at.isoformat(),
        "answered_at": pop.answered_at.isoformat() if pop.answered_at else None,
        "answered_by": pop.answered_by,
        "party_id": pop.party_id,
        "matches": [
            {
                "party_id": m["party_id"],
                "name": m["name"],
                "contact": m["contact_name"],
                "grade": m["grade"],
                "reason": m["reason"],
            }
            for m in pop.matches
        ],
    }


def phone_answered(session: Session, ring: Ring, *, at: datetime) -> None:
    """The answering agent's pop talks; the same call's other ringing pops fold and say who took it."""
    taker = staff.seat(session, ring.switch, ring.extension, at)
    name = taker.name if taker else ring.extension
    call = (ring.switch, ring.call_key)
    _change(session, call, "ringing", "talking", "pop-talking", at, here=ring.extension, answered_at=at)
    elsewhere: dict[str, Any] = {"answered_by": name, "ended_at": at}
    _change(session, call, "ringing", "answered-elsewhere", "pop-answered", at, but=ring.extension, **elsewhere)


def phone_stopped(session: Session, ring: Ring, *, at: datetime, reason: str) -> None:
    """That phone rings no longer: `reason` is abandoned (the caller gave up) or rang-out (it goes on elsewhere)."""
    call = (ring.switch, ring.call_key)
    _change(session, call, "ringing", "gone", "pop-gone", at, here=ring.extension, reason=reason, ended_at=at)


def call_ended(session: Session, switch: str, call_key: str, *, at: datetime) -> None:
    """Pops that talked end with their forms kept; pops that still rang leave."""
    call = (switch, call_key)
    _change(session, call, "talking", "ended", "pop-ended", at, ended_at=at)
    _change(session, call, "ringing", "gone", "pop-gone", at, reason="abandoned", ended_at=at)


def _change(
    session: Session,
    call: tuple[str, str],
    old: str,
    new: str,
    kind: str,
    at: datetime,
    *,
    here: str = "",
    but: str = "",
    reason: str = "",
    **changes: Any,
) -> None:
    """The call's pops in the old state, at this phone or at all others or at any, are in the new; their agents hear it."""
    statement = _changing("here" if here else "but" if but else "any", tuple(changes))
    which = {"of_switch": call[0], "of_call": call[1], "old": old, "phone": here or but}
    for pop in session.execute(statement, which | {"new": new} | changes).all():
        news = {"pop_id": pop.id, "at": at.isoformat(), "by": pop.answered_by, "reason": reason}
        live.publish(session, live.topic_of(pop.staff_id), kind, news, at=at)


@cache
def _changing(where: str, columns: tuple[str, ...]) -> Executable:
    values = {"state": bindparam("new")} | {name: bindparam(name, type_=POP.c[name].type) for name in columns}
    found = update(POP).where(
        POP.c.switch == bindparam("of_switch"),
        POP.c.call_key == bindparam("of_call"),
        POP.c.state == bindparam("old"),
    )
    phone = POP.c.extension == bindparam("phone")
    narrowed = found if where == "any" else found.where(phone if where == "here" else ~phone)
    return narrowed.values(values).returning(POP.c.id, POP.c.staff_id, POP.c.answered_by)


def close_stale(session: Session, switch: str, keys: set[str], *, at: datetime) -> None:
    """After a resync, pops of calls that are no longer up have ended."""
    stale = update(AgentPop).where(
        AgentPop.switch == switch, AgentPop.state.in_(OPEN), AgentPop.call_key.not_in(keys or {""})
    )
    for row in session.execute(
        stale.values(state="ended", ended_at=at).returning(AgentPop.id, AgentPop.staff_id)
    ).all():
        live.publish(session, live.topic_of(row.staff_id), "pop-ended", {"pop_id": row.id, "at": at.isoformat()}, at=at)


def belongs_to(session: Session, pop_id: int, party_id: int, contact_id: int | None) -> None:
    """The agent has said who this is: the screen keeps it, and the call gets it when it is stored."""
    session.execute(update(AgentPop).where(AgentPop.id == pop_id).values(party_id=party_id, contact_id=contact_id))
