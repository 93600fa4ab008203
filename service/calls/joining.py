"""Halves of one call are suggested, joined and parted by people, and stay so whatever is told of them later.

Both rows live on, each with its own ids, legs and derivations, so that late news and the backfill write the half that they
mean; the half with the customer shows the whole and keeps its own values beside it. So parting gives back what was; only
what people have said of the call meanwhile stays as they said it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, func, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import halves
from service.calls.halves import Half
from service.calls.model import Call, CallAlias, CallLeg, CallPair, CallSegment
from service.core import audit
from service.core.errors import Invalid, NotFound
from service.staff import queries as staff

SAID = {"party": ("party_id", "contact_id"), "reason": ("reason",), "ticketed": ("ticketed",)}  # by people, of any half
MOST = 50  # calls that are looked at for one page


class Suggestion(NamedTuple):
    """A call that may be the other half, and what the two share: number or line."""

    call: Call
    why: str


def suggestions(session: Session, call: Call) -> list[Suggestion]:
    """Calls that may be halves of this one and of which nobody has said otherwise; in a fixed number of questions."""
    if call.live or call.joined_to_id is not None or call.role == "supervision" or not (call.started_at and call.ended_at):
        return []
    mine = _halves(session, [call])[0]
    others = {one.id: one for one in session.scalars(_near(session, call, mine))}
    decided = {other for pair in session.scalars(select(CallPair).where(_names(call.id))) for other in (pair.call_id, pair.other_id)}
    found = _halves(session, [one for one in others.values() if one.id not in decided])
    return [Suggestion(others[half.id], why) for half in found if (why := halves.why(mine, half))]


def _near(session: Session, call: Call, mine: Half) -> Any:
    """Ended calls of that time with one of the numbers, from one of the phones, or of whoever was at them: each by an index."""
    assert call.started_at is not None and call.ended_at is not None
    people = {call.staff_id, _sat(session, call)} - {None}
    same: list[ColumnElement[bool]] = [Call.caller_number.in_(mine.phones), Call.staff_id.in_(people)]
    if mine.numbers:
        same += [Call.caller_e164.in_(mine.numbers), Call.called_e164.in_(mine.numbers)]
    then = Call.started_at.between(call.started_at - halves.LONGEST, call.ended_at + halves.TOUCH)
    whole = Call.live.is_(False) & Call.joined_to_id.is_(None) & (Call.ended_at >= call.started_at - halves.TOUCH)
    return select(Call).where(then, or_(*same), whole, Call.id != call.id).order_by(Call.started_at, Call.id).limit(MOST)


def _sat(session: Session, call: Call) -> int | None:
    """Who sat at the phone that began the call, if a phone of ours did."""
    if call.direction == "inbound" or not call.caller_number or call.started_at is None:
        return None
    seat = staff.seat(session, call.switch, call.caller_number, call.started_at)
    return seat.staff_id if seat else None


def _halves(session: Session, calls: Sequence[Call]) -> list[Half]:
    phones: dict[int, set[str]] = {call.id: {name for name in (call.agent, call.answered_by, call.final_agent) if name} for call in calls}
    legs = select(CallLeg.call_id, CallLeg.extension).where(CallLeg.call_id.in_(phones), CallLeg.answered_at.is_not(None))
    for call_id, extension in session.execute(legs) if calls else ():
        if extension:
            phones[call_id].add(extension)
    return [
        Half(
            call.id, call.switch, call.direction, call.role, frozenset({call.caller_e164, call.called_e164} - {None}),  # type: ignore[arg-type]
            call.caller_number, frozenset(phones[call.id] - {"customer"}), call.started_at, call.ended_at,
        )
        for call in calls
        if call.started_at is not None and call.ended_at is not None
    ]  # fmt: skip


def rows_of(ids: Iterable[int] | Select[Any]) -> Any:
    """Selects the ids of these calls with the whole and all the halves that each belongs to: what is said of one is said of all."""
    wholes = select(func.coalesce(Call.joined_to_id, Call.id)).where(Call.id.in_(ids))
    return union_all(select(Call.id).where(Call.id.in_(wholes)), select(Call.id).where(Call.joined_to_id.in_(wholes)))


def ids_of(session: Session, call_id: int) -> list[int]:
    """The call's own row with all that it belongs to."""
    return list(session.scalars(rows_of([call_id])))


def locked(session: Session, ids: Iterable[int]) -> dict[int, Call]:
    """These calls with all that they belong to, as they are now; nobody who locks calls takes them in another order than by id."""
    rows = select(Call).where(Call.id.in_(rows_of(ids))).order_by(Call.id).with_for_update()
    return {call.id: call for call in session.scalars(rows.execution_options(populate_existing=True))}


def halves_of(session: Session, call_id: int) -> list[Call]:
    """The calls that were joined to this one, oldest first."""
    return list(session.scalars(select(Call).where(Call.joined_to_id == call_id).order_by(Call.started_at, Call.id)))


def join(session: Session, call_id: int, other_id: int, *, by: int, at: datetime) -> int:
    """The two are one call; returns the id under which it stands. Raises NotFound, Invalid."""
    one, other = _both(session, call_id, other_id)
    if one.live or other.live or one.joined_to_id or other.joined_to_id or one.id == other.id:
        raise Invalid(_("These two cannot be joined: one of them goes on, or belongs to another call. Load the page again."))
    _in_sight(session, one, other)
    main_id = halves.main(_halves(session, [one, other])).id
    whole, part = (one, other) if main_id == one.id else (other, one)
    _decided(session, one, other, "joined", by=by, at=at)
    moved = [part, *halves_of(session, part.id)]
    if part.own is not None:
        _unsaid(part)
        _set(part, halves.read(part.own))
        part.own = None
    whole.own = whole.own or halves.plain(_values(whole))
    for half in moved:
        half.joined_to_id = whole.id
        _said_of(whole, half)
    session.flush()
    _combined(session, whole)
    _recorded(session, "join", whole, part, by=by, at=at)
    return whole.id


def _in_sight(session: Session, *calls: Call) -> None:
    """Every half of these calls is in scope, or nobody could show what they amount to. Raises Invalid."""
    for call in calls:
        there = set(call.own.get("halves", ())) if call.own is not None else set()
        if there - {half.id for half in halves_of(session, call.id)}:
            raise Invalid(_("A half of this call belongs to a branch that you do not see. Ask somebody who sees all of its branches."))


def _said_of(whole: Call, part: Call) -> None:
    """What people have said of the half is said of the call, where nobody said anything else of it."""
    for what, (first, *_more) in SAID.items():
        if getattr(part, first) and not getattr(whole, first):
            _given(whole, what, part.id, _of(part, what))


def _given(whole: Call, what: str, half_id: int, values: list[Any]) -> None:
    """The half gives that to the whole, which remembers what it had before."""
    kept = whole.own or halves.plain(_values(whole))
    known = kept.get("said", {}).get(what)
    before = known["before"] if known and known["given"] == _of(whole, what) else _of(whole, what)
    whole.own = kept | {"said": kept.get("said", {}) | {what: {"half": half_id, "before": before, "given": values}}}
    _say(whole, what, values)


def _unsaid(whole: Call, half_id: int | None = None) -> None:
    """What that half gave, or every half, is taken back, unless somebody said something else since."""
    for what, one in (whole.own or {}).get("said", {}).items():
        if half_id in (None, one["half"]):
            if one["given"] == _of(whole, what):
                _say(whole, what, one["before"])
            meant(whole, what)


def meant(call: Call, what: str) -> None:
    """That is said of the call itself, whatever a half gave it: no parting takes it back."""
    if call.own is not None and what in call.own.get("said", {}):
        call.own = call.own | {"said": {name: one for name, one in call.own["said"].items() if name != what}}


def said(session: Session, switch: str, call_key: str, what: str, *values: Any) -> None:
    """The call under that name, if it is stored already, has these values, and so has the one that it is part of."""
    names = select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid == call_key)
    ids = list(session.scalars(names))
    rows = locked(session, ids) if ids else {}
    for call in [rows[call_id] for call_id in ids if call_id in rows]:
        meant(call, what)
        _say(call, what, list(values))
        if call.joined_to_id in rows:
            _given(rows[call.joined_to_id], what, call.id, list(values))
    session.flush()


def _of(call: Call, what: str) -> list[Any]:
    return [getattr(call, name) for name in SAID[what]]


def _say(call: Call, what: str, values: list[Any]) -> None:
    for name, value in zip(SAID[what], values, strict=True):
        setattr(call, name, value)


def differ(session: Session, call_id: int, other_id: int, *, by: int, at: datetime) -> None:
    """The two are not one call, and are not suggested again."""
    one, other = _both(session, call_id, other_id)
    _decided(session, one, other, "different", by=by, at=at)
    _recorded(session, "tell apart", one, other, by=by, at=at)


def part(session: Session, call_id: int, half_id: int, *, by: int, at: datetime) -> None:
    """The half is a call of its own again, and the other shows what it was without it."""
    whole, half = _both(session, call_id, half_id)
    if half.joined_to_id != whole.id:
        raise NotFound(_("This call is not part of the other any more. Load the page again."))
    _in_sight(session, whole)
    half.joined_to_id = None
    session.flush()
    _unsaid(whole, half.id)
    for other in halves_of(session, whole.id):
        _said_of(whole, other)
    _combined(session, whole)
    _decided(session, whole, half, "different", by=by, at=at)
    _recorded(session, "part", whole, half, by=by, at=at)


def told_again(session: Session, calls: Iterable[Call]) -> None:
    """What was just written of halves shows in the calls that they belong to; a half with the customer was written over.

    Whoever wrote them had `locked` them all.
    """
    fresh = {call.id: call for call in calls if call.joined_to_id is not None or call.own is not None}
    for call in fresh.values():
        if call.own is not None:
            call.own = call.own | halves.plain(_values(call))
    if not fresh:
        return
    session.flush()
    wholes = {call.joined_to_id or call.id for call in fresh.values()}
    for whole in session.scalars(select(Call).where(Call.id.in_(wholes)).order_by(Call.id)):
        _combined(session, whole)


def recorded(session: Session, call: Call) -> None:
    """There is audio of the call: of itself, and so of the whole that it belongs to."""
    rows = locked(session, [call.id])
    call.recorded = True
    if call.own is not None:
        call.own = call.own | {"recorded": True}
    if call.joined_to_id in rows:
        rows[call.joined_to_id].recorded = True
    session.flush()


def was_recorded(call: Call) -> bool | None:
    """Whether there is audio of the row itself, its halves aside; once recorded, a row stays so."""
    return call.recorded if call.own is None else call.own["recorded"]


def merged(session: Session, loser: Call, winner: Call) -> None:
    """The ear has found out that two rows are one call: halves of the one that goes are halves of the other, and show there."""
    if loser.own is None and loser.joined_to_id is None and winner.joined_to_id is None:
        return
    left = loser.joined_to_id
    if winner.joined_to_id == loser.id:
        winner.joined_to_id = None
    if loser.joined_to_id is not None and winner.joined_to_id is None and loser.joined_to_id != winner.id:
        winner.joined_to_id = loser.joined_to_id
    loser.joined_to_id = None
    session.execute(update(Call).where(Call.joined_to_id == loser.id, Call.id != winner.id).values(joined_to_id=winner.joined_to_id or winner.id))
    if winner.own is None and winner.joined_to_id is None and loser.own is not None:
        winner.own = halves.plain(_values(winner))
    if winner.own is not None and was_recorded(loser):
        winner.own = winner.own | {"recorded": True}
    session.flush()
    told = {left, winner.joined_to_id or winner.id}
    for whole in session.scalars(select(Call).where(Call.id.in_(told - {None})).order_by(Call.id)):
        _combined(session, whole)


def _combined(session: Session, whole: Call) -> None:
    """The call shows itself and its halves together; without halves only itself. Whoever calls this sees all the halves."""
    parts = halves_of(session, whole.id)
    if whole.own is None and not parts:
        return
    kept = whole.own or halves.plain(_values(whole))  # whose own values were lost shows them now
    own = halves.read(kept)
    if parts:
        whole.own = kept | {"halves": [part.id for part in parts]}
        _set(whole, halves.together(own, [_values(part) for part in parts], _talks(session, own, whole.id, parts)))
    else:
        _set(whole, own)
        whole.own = None
    session.flush()


def _talks(session: Session, own: dict[str, Any], whole_id: int, parts: Sequence[Call]) -> list[halves.Talk]:
    """Every span of talk; of a half without segments the time from its answer to its end."""
    ids = {whole_id: (own["answered_at"], own["ended_at"])} | {part.id: (part.answered_at, part.ended_at) for part in parts}
    rows = session.execute(
        select(CallSegment.call_id, CallSegment.began_at, CallSegment.ended_at).where(
            CallSegment.call_id.in_(ids), CallSegment.kind == "talk", CallSegment.ended_at.is_not(None)
        )
    ).all()
    told = {call_id for call_id, _, _ in rows}
    spans = [(began, ended) for _, began, ended in rows if began and ended]
    return spans + [(began, ended) for call_id, (began, ended) in ids.items() if call_id not in told and began and ended]


def _values(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in halves.TOGETHER}


def _set(call: Call, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(call, name, value)


def _names(call_id: int) -> ColumnElement[bool]:
    return or_(CallPair.call_id == call_id, CallPair.other_id == call_id)


def _both(session: Session, call_id: int, other_id: int) -> tuple[Call, Call]:
    found = locked(session, [call_id, other_id])
    if call_id not in found or other_id not in found:
        raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
    return found[call_id], found[other_id]


def _decided(session: Session, one: Call, other: Call, verdict: str, *, by: int, at: datetime) -> None:
    first, second = sorted((one.id, other.id))
    row = {"call_id": first, "other_id": second, "verdict": verdict, "by_id": by, "at": at, "branch_id": one.branch_id}
    said = {name: row[name] for name in ("verdict", "by_id", "at")}
    session.execute(insert(CallPair).values(row).on_conflict_do_update(index_elements=["call_id", "other_id"], set_=said))


def _recorded(session: Session, verb: str, one: Call, other: Call, *, by: int, at: datetime) -> None:
    new = {"other": other.id, "switch": other.switch, "key": other.call_key}
    audit.record(session, at=at, by=by, verb=verb, entity="call", entity_id=one.id, new=new, branch_id=one.branch_id)
    session.flush()
