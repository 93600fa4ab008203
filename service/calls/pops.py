"""The pop: what one agent's screen is told, in a small transaction of its own, before the call is stored."""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, case, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import matching, rules
from service.calls.lines import Labels, queue_labels
from service.calls.model import AgentPop
from service.calls.orders import actions as orders
from service.calls.schemas import PhoneNews, Ring
from service.core import live, masking, scope
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
    }
    # The same person keeps whom they chose; another one at that phone may see other customers.
    | {
        name: case((POP.c.staff_id == _NEW.excluded.staff_id, POP.c[name]), else_=_NEW.excluded[name])
        for name in ("party_id", "contact_id", "matches")
    },
).returning(*POP.c)
_CHANGED = text("""
    update agent_pop pop set
        state = change.new,
        answered_by = coalesce(change.answered_by, pop.answered_by),
        answered_at = coalesce(change.answered_at, pop.answered_at),
        ended_at = coalesce(change.ended_at, pop.ended_at)
    from jsonb_to_recordset(cast(:changes as jsonb)) as change(
        switch text, call_key text, old text, new text, here text, but text, kind text, reason text,
        answered_by text, answered_at timestamptz, ended_at timestamptz, at timestamptz)
    where pop.switch = change.switch and pop.call_key = change.call_key and pop.state = change.old
        and (change.here is null or pop.extension = change.here) and (change.but is null or pop.extension <> change.but)
    returning pop.id, pop.staff_id, pop.answered_by, change.kind, coalesce(change.reason, '') as reason, change.at
""")
STEPS = {"rings": 0, "answered": 1, "stopped": 2, "left": 3, "ended": 4}


def tell(session: Session, news: Sequence[PhoneNews]) -> None:
    """All screens show it; what happened in the same moment costs the statements of one."""
    for wave in waves(news):
        _ring(session, [item for item in wave if item.kind == "rings"])
        for kind in ("answered", "stopped", "left", "ended"):
            _change(session, [change for item in wave if item.kind == kind for change in _changes(session, item)])


def waves(news: Sequence[PhoneNews]) -> Iterator[list[PhoneNews]]:
    """The news in pieces in which no call goes back from a later step to an earlier one, nor takes one twice."""
    wave: list[PhoneNews] = []
    reached: dict[tuple[str, str], tuple[int, set[str]]] = {}
    for item in news:
        call, step = (item.ring.switch, item.ring.call_key), STEPS[item.kind]
        before, phones_then = reached.get(call, (0, set()))
        again = step == before and (item.ring.extension in phones_then or (bool(phones_then) and item.kind == "answered"))
        if step < before or again:
            yield wave
            wave, reached, before, phones_then = [], {}, 0, set()
        wave.append(item)
        reached[call] = step, (phones_then if step == before else set()) | {item.ring.extension}
    if wave:
        yield wave


def phone_rings(session: Session, ring: Ring, *, at: datetime) -> int | None:
    """The agent who sits at that phone has a ringing pop; None when nobody sits there."""
    return next(iter(_ring(session, [PhoneNews("rings", ring, at)])), None)


def phone_answered(session: Session, ring: Ring, *, at: datetime) -> None:
    """The answering agent's pop talks; the same call's other ringing pops fold and say who took it."""
    tell(session, [PhoneNews("answered", ring, at)])


def phone_stopped(session: Session, ring: Ring, *, at: datetime, reason: str) -> None:
    """That phone rings no longer: `reason` is abandoned (the caller gave up) or rang-out (it goes on elsewhere)."""
    tell(session, [PhoneNews("stopped", ring, at, reason)])


def call_ended(session: Session, switch: str, call_key: str, *, at: datetime) -> None:
    """Pops that talked end with their forms kept; pops that still rang leave."""
    tell(session, [PhoneNews("ended", Ring(switch, call_key), at)])


def _ring(session: Session, news: list[PhoneNews]) -> list[int]:
    """Agents who sit at those phones have ringing pops; returns the pops' ids."""
    earliest = min((item.at for item in news), default=None)
    if earliest is None:
        return []
    seats = staff.seatings(session, {(item.ring.switch, item.ring.extension) for item in news}, since=earliest)
    at_seats = [(item, seats.at(item.ring.switch, item.ring.extension, item.at)) for item in news]
    rung = {(item.ring.switch, item.ring.call_key, item.ring.extension): (item, seat) for item, seat in at_seats if seat}
    if not rung:
        return []
    scopes = {seat: staff.scope_of(session, seat) for _, seat in rung.values()}
    wanted = [
        (customer(item.ring), scope.NONE if item.ring.direction == "internal" else scopes[seat])
        for item, seat in rung.values()
    ]
    matches = matching.matched(session, wanted)
    meant = orders.meant(session, [(item.ring.switch, item.ring.call_key) for item, _ in rung.values()])
    matches = [_meant(found, meant.get((item.ring.switch, item.ring.call_key))) for (item, _), found in zip(rung.values(), matches, strict=True)]
    rows = [_row(item, seat, found) for (item, seat), found in zip(rung.values(), matches, strict=True)]
    pops = session.execute(_RUNG, rows).all()
    queues = queue_labels(session) if any(pop.queue for pop in pops) else Labels()
    at = {key: item.at for key, (item, _) in rung.items()}
    sits = {seat.staff_id: seat for _, seat in rung.values()}
    live.publish_all(
        session,
        [
            live.Event(live.topic_of(pop.staff_id), "pop", told(pop, queues, sits[pop.staff_id]), at[pop.switch, pop.call_key, pop.extension])
            for pop in pops
        ],
    )
    return [pop.id for pop in pops]


def _meant(found: list[parties.Match], party_id: int | None) -> list[parties.Match]:
    """Of several customers with that number the one for whom it was dialled."""
    return [match for match in found if match.party_id == party_id][:1] or found


def customer(ring: Ring) -> matching.Side:
    """The other side."""
    return matching.side(ring.direction, ring.caller_number, ring.called)


def _row(item: PhoneNews, seat: staff.Seat, found: list[parties.Match]) -> dict[str, Any]:
    ring, (party_id, contact_id) = item.ring, matching.sure(found)
    return {
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
        "party_id": party_id,
        "contact_id": contact_id,
        "matches": [asdict(match) for match in found],
        "began_at": item.at,
        "answered_at": None,
        "ended_at": None,
        "branch_id": seat.branch_id,
    }


def _short(value: str | None) -> str | None:
    return value[:200] if value else value


def told(pop: AgentPop | Row[Any], queues: Labels, reader: masking.Reader) -> dict[str, Any]:
    """What the browser of `reader` hears of a pop: data, never markup; `covered` when more of the number can be shown."""
    number = rules.customer_number(pop.direction, pop.caller_number, pop.called)
    shown = masking.shown_phone(reader, number)
    covered = masking.is_masked(shown)
    return {
        "pop_id": pop.id,
        "call_key": pop.call_key,
        "number": shown if covered else number,
        "display": shown,
        "covered": covered,
        "name": masking.shown_name(reader, pop.caller_name),
        "queue": queues.of(pop.switch, pop.queue),
        "called": shown if covered and pop.direction == "outbound" else pop.called,
        "direction": pop.direction,
        "state": pop.state,
        "at": pop.began_at.isoformat(),
        "answered_at": pop.answered_at.isoformat() if pop.answered_at else None,
        "answered_by": pop.answered_by,
        "party_id": pop.party_id,
        "matches": [_named(match) for match in pop.matches] if pop.party_id is None else _one(pop.matches),
    }


def _one(matches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The customer whom all of them mean; who of several people there calls is not said."""
    first = [_named(match) for match in matches[:1]]
    return first if len({match["contact_id"] for match in matches}) == 1 else [one | {"contact": None} for one in first]


def _named(match: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: match[name] for name in ("party_id", "name", "grade", "reason")}
    where = match.get("site") or match.get("department") or ""  # a pop from before there were departments has none
    return kept | {"contact": " · ".join(filter(None, (match["contact_name"], where))) or None}


def _changes(session: Session, item: PhoneNews) -> list[dict[str, Any]]:
    """What one piece of news does to the pops of its call: at the phone itself, at all but it, or at any."""
    ring, at = item.ring, item.at
    call = {"switch": ring.switch, "call_key": ring.call_key, "old": "ringing", "at": at, "ended_at": at}
    gone = call | {"new": "gone", "kind": "pop-gone", "reason": item.reason or "abandoned"}
    if item.kind == "stopped":
        return [gone | {"here": ring.extension}]
    over = call | {"old": "talking", "new": "ended", "kind": "pop-ended"}
    if item.kind == "left":
        return [over | {"here": ring.extension}]
    if item.kind == "ended":
        return [over, gone]
    taker = staff.seat(session, ring.switch, ring.extension, at)
    name = taker.name if taker else ring.extension
    talks = {"new": "talking", "kind": "pop-talking", "here": ring.extension, "answered_at": at, "ended_at": None}
    folds = {"new": "answered-elsewhere", "kind": "pop-answered", "but": ring.extension, "answered_by": name}
    return [call | talks, call | folds]


def _change(session: Session, changes: list[dict[str, Any]]) -> None:
    """The pops are in their new states and their agents hear it."""
    if not changes:
        return
    rows = session.execute(_CHANGED, {"changes": json.dumps(changes, default=str)}).all()
    news = ({"pop_id": row.id, "at": row.at.isoformat(), "by": row.answered_by, "reason": row.reason} for row in rows)
    live.publish_all(
        session,
        [live.Event(live.topic_of(row.staff_id), row.kind, told, row.at) for row, told in zip(rows, news, strict=True)],
    )


def close_stale(session: Session, switch: str, up: Set[tuple[str, str]], *, at: datetime) -> None:
    """After a resync, pops other than of these calls at these phones have ended."""
    known = tuple_(AgentPop.call_key, AgentPop.extension).in_(sorted(up) or [("", "")])
    stale = update(AgentPop).where(AgentPop.switch == switch, AgentPop.state.in_(OPEN), ~known)
    for row in session.execute(
        stale.values(state="ended", ended_at=at).returning(AgentPop.id, AgentPop.staff_id)
    ).all():
        live.publish(session, live.topic_of(row.staff_id), "pop-ended", {"pop_id": row.id, "at": at.isoformat()}, at=at)


def belongs_to(session: Session, pop_id: int, chosen: parties.Match, *, at: datetime) -> None:
    """The agent has said who this is: their screens name nobody else, and the call gets it when it is stored."""
    known = {"party_id": chosen.party_id, "contact_id": chosen.contact_id, "matches": [asdict(chosen)]}
    settled = update(AgentPop).where(AgentPop.id == pop_id).values(known).returning(AgentPop.staff_id)
    staff_id = session.execute(settled).scalar_one()
    told = {"pop_id": pop_id, "party_id": chosen.party_id, "matches": [_named(asdict(chosen))]}
    live.publish(session, live.topic_of(staff_id), "pop-party", told, at=at)
