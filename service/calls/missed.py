"""Callers whom nobody answered: one line a caller, however often they tried, open until somebody has spoken with them.

Who called outside opening hours waits like anybody else, but behind those who called within them.
A caller is closed by speaking: they call again and are answered, or somebody reaches them. Who takes a caller owns the line;
closing by hand says why. A withheld number cannot be called back and has no line.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from service.calls import rules
from service.calls.model import Call, MissedCaller
from service.core import audit, live
from service.core import phone as phones
from service.core.errors import Invalid, NotFound
from service.hours import queries as hours

PAGE = 50
Place = tuple[bool, datetime, int]  # outside hours, when, which
Lines = dict[str, dict[int, MissedCaller]]  # number, branch -> the open line


def noted(session: Session, calls: Iterable[Call], *, at: datetime) -> None:
    """Callers of these calls, as they are stored now, are on the list, or off it because they were spoken with."""
    over = [call for call in calls if not call.live and call.role is None and call.started_at is not None]
    told = [(call, number) for call in over if (number := _number(call))]
    if not told:
        return
    around = _Around(session, told)
    changed = [_told(session, around, call, number) for call, number in told]
    session.flush()  # the new lines have their ids
    for call, line in around.behind:
        call.missed_caller_id = line.id
    if any(changed):
        session.flush()
        live.publish(session, "all", "missed", {}, at=at)


def _told(session: Session, around: "_Around", call: Call, number: str) -> bool:
    """True when somebody's line is another now."""
    lines = around.lines.setdefault(number, {})
    if _is_missed(call):
        return call.missed_caller_id is None and _missed(session, around, call, number, lines)
    was = _was_not(session, call)
    spoke = call.outcome == "answered" and call.direction in ("inbound", "outbound")
    return (spoke and _spoken(call, lines)) or was


class _Around:
    """What a batch needs to know, read once: the open lines of its callers, opening hours, and who was spoken with since."""

    def __init__(self, session: Session, told: Sequence[tuple[Call, str]]) -> None:
        missed = {number: call.started_at for call, number in told if _is_missed(call)}
        self.lines = _open_lines(session, {number for _call, number in told})
        self.opening = hours.all_hours(session) if missed else hours.Hours()
        self.spoken = _spoken_with(session, set(missed), min((call.started_at for call, _ in told if call.started_at)))
        self.settled = _settled_by(session, {call.id for calls in self.spoken.values() for call in calls})
        self.behind: list[tuple[Call, MissedCaller]] = []


def _spoken_with(session: Session, numbers: set[str], since: datetime) -> dict[str, list[Call]]:
    """The answered calls of these numbers after that moment, in order: a call that is told late may have been made good already."""
    either = or_(Call.caller_e164.in_(numbers), Call.called_e164.in_(numbers))
    query = select(Call).where(Call.outcome == "answered", Call.started_at > since, either).order_by(Call.started_at, Call.id)
    found: dict[str, list[Call]] = {}
    for call in session.scalars(query) if numbers else ():
        for number in {call.caller_e164, call.called_e164} & numbers:
            found.setdefault(str(number), []).append(call)
    return found


def _settled_by(session: Session, calls: set[int]) -> dict[tuple[str, int, int], MissedCaller]:
    """The lines that these calls closed: a try that is told late stands behind the one of its time."""
    query = select(MissedCaller).where(MissedCaller.closing_call_id.in_(calls)).order_by(MissedCaller.id).with_for_update()
    rows = session.scalars(query) if calls else ()
    return {(line.number, line.branch_id, line.closing_call_id): line for line in rows if line.closing_call_id}


def _is_missed(call: Call) -> bool:
    return call.direction == "inbound" and call.outcome == "missed"


def _number(call: Call) -> str:
    """The caller's number as one writes it internationally, else its digits; empty when it is withheld."""
    number = phones.parse(rules.customer_number(call.direction, call.caller_number, call.called))
    return number.e164 or number.digits


def _open_lines(session: Session, numbers: set[str]) -> Lines:
    """The open lines of these callers, locked: one question for a batch of calls."""
    query = select(MissedCaller).where(MissedCaller.number.in_(numbers), MissedCaller.closed_at.is_(None))
    lines: Lines = {}
    for line in session.scalars(query.order_by(MissedCaller.id).with_for_update()) if numbers else ():
        lines.setdefault(line.number, {})[line.branch_id] = line
    return lines


def _outside(opening: hours.Hours, call: Call) -> bool:
    """True when nobody was meant to answer at that hour."""
    calendar = opening.of(call.branch_id, call.switch, call.queue, call.called)
    return call.started_at is not None and not hours.is_open(calendar, call.started_at)


def _missed(session: Session, around: _Around, call: Call, number: str, lines: dict[int, MissedCaller]) -> bool:
    """The call stands behind its caller's line, a new one when none is open."""
    began = call.started_at
    assert began is not None
    outside = _outside(around.opening, call)
    since = next((spoken for spoken in around.spoken.get(number, ()) if spoken.started_at and spoken.started_at > began), None)
    place = (number, call.branch_id, since.id) if since else None
    line = around.settled.get(place) if place else lines.get(call.branch_id)
    if line is None:
        line = _line(session, call, number, outside=outside)
        if since is None or place is None:
            lines[call.branch_id] = line
        else:
            around.settled[place] = line
            _close(line, since)
    line.calls += 1
    line.outside = line.outside and outside
    line.first_at, line.last_at = min(line.first_at, began), max(line.last_at, began)
    line.party_id = line.party_id or call.party_id
    around.behind.append((call, line))
    return True


def _line(session: Session, call: Call, number: str, *, outside: bool) -> MissedCaller:
    line = MissedCaller(
        number=number,
        branch_id=call.branch_id,
        party_id=call.party_id,
        first_at=call.started_at,
        last_at=call.started_at,
        queue=call.queue,
        switch=call.switch,
        calls=0,
        outside=outside,
    )
    session.add(line)
    return line


def _was_not(session: Session, call: Call) -> bool:
    """A call that was taken for missed, and is told otherwise now, is nobody's reason to call back; True when it was one."""
    line = session.get(MissedCaller, call.missed_caller_id, with_for_update=True) if call.missed_caller_id else None
    if line is None:
        return False
    call.missed_caller_id = None
    _less(session, line)
    return True


def _less(session: Session, line: MissedCaller) -> None:
    """One call fewer stands behind the line; a line without any is gone."""
    line.calls -= 1
    if line.calls == 0 and line.closed_at is None and line.owner_id is None:
        session.flush()
        session.delete(line)


def merged(session: Session, loser: Call, winner: Call) -> None:
    """Two rows turned out to be one call: it counts once on its caller's line."""
    if loser.missed_caller_id is None:
        return
    line = session.get_one(MissedCaller, loser.missed_caller_id, with_for_update=True)
    loser.missed_caller_id = None
    if winner.missed_caller_id is None:
        winner.missed_caller_id = line.id
    else:
        _less(session, line)


def _spoken(call: Call, lines: dict[int, MissedCaller]) -> bool:
    """Every line of the caller that was open when they were spoken with is closed, whatever its branch; True when there was one."""
    closed = [line for line in lines.values() if call.started_at is not None and line.first_at <= call.started_at]
    for line in closed:
        _close(line, call)
        del lines[line.branch_id]
    return bool(closed)


def _close(line: MissedCaller, call: Call) -> None:
    line.closed_at, line.closing_call_id = call.answered_at or call.started_at, call.id
    line.why = "called back" if call.direction == "outbound" else "called again"
    line.closed_by = call.staff_id


def judged_anew(session: Session) -> None:
    """The hours have changed: everybody who still waits is in or outside of them as they are now."""
    opening = hours.all_hours(session)
    lines = {line.id: line for line in session.scalars(select(MissedCaller).where(MissedCaller.closed_at.is_(None)).with_for_update())}
    outside: dict[int, bool] = dict.fromkeys(lines, True)
    for call in session.scalars(select(Call).where(Call.missed_caller_id.in_(lines))):
        outside[call.missed_caller_id or 0] &= _outside(opening, call)
    for line in lines.values():
        line.outside = outside[line.id]
    session.flush()


class Line(NamedTuple):
    """One caller on the list, the newest call of theirs, and the open seconds since the first."""

    caller: MissedCaller
    call_id: int | None
    waits: float


def listed(
    session: Session,
    *,
    at: datetime,
    state: str = "open",
    owner: int | None = None,
    outside: bool | None = None,
    before: Place | None = None,
    limit: int = PAGE,
) -> list[Line]:
    """The callers, paged by the place of the last seen: when closed the newest first, when open who waits longest first.

    Who called while it was open stands before those who called outside hours: they were right to expect an answer.
    """
    newest = select(func.max(Call.id)).where(Call.missed_caller_id == MissedCaller.id).scalar_subquery()
    query = select(MissedCaller, newest)
    if state == "closed":
        query = query.where(MissedCaller.closed_at.is_not(None))
        place = tuple_(MissedCaller.closed_at, MissedCaller.id)
        query = query.where(place < before[1:]) if before else query
        query = query.order_by(MissedCaller.closed_at.desc(), MissedCaller.id.desc())
    else:
        query = query.where(MissedCaller.closed_at.is_(None))
        place = tuple_(MissedCaller.outside, MissedCaller.first_at, MissedCaller.id)
        query = query.where(place > before) if before else query
        query = query.order_by(MissedCaller.outside, MissedCaller.first_at, MissedCaller.id)
    if owner is not None:
        query = query.where(MissedCaller.owner_id == owner)
    if outside is not None:
        query = query.where(MissedCaller.outside.is_(outside))
    rows, opening = session.execute(query.limit(limit)).all(), hours.all_hours(session)
    ids = {call_id for _, call_id in rows}
    called: dict[int, str | None] = dict(session.execute(select(Call.id, Call.called).where(Call.id.in_(ids))).all())
    return [Line(caller, call_id, _waits(opening, caller, called.get(call_id), at)) for caller, call_id in rows]


def _waits(opening: hours.Hours, caller: MissedCaller, called: str | None, at: datetime) -> float:
    """The open seconds from the first try until now, or until the caller was spoken with."""
    calendar = opening.of(caller.branch_id, caller.switch, caller.queue, called)
    return hours.open_seconds(calendar, caller.first_at, caller.closed_at or at)


def waiting(session: Session) -> int:
    """How many callers wait to be called back."""
    return session.scalar(select(func.count()).select_from(MissedCaller).where(MissedCaller.closed_at.is_(None))) or 0


def take(session: Session, line_id: int, *, by: int, at: datetime) -> None:
    """The caller is this person's to call back; whose it was before is on record."""
    line = _locked(session, line_id)
    before, line.owner_id = line.owner_id, by
    _recorded(session, line, "take", {"owner": before}, {"owner": by}, by=by, at=at)


def waits(session: Session, line_id: int) -> MissedCaller:
    """The caller, who still waits to be called back. Raises NotFound."""
    return _locked(session, line_id)


def taken(session: Session, line_id: int, *, by: int, at: datetime) -> None:
    """Whoever dials a caller whom nobody has taken has taken them."""
    line = _locked(session, line_id)
    if line.owner_id is None:
        take(session, line_id, by=by, at=at)


def reached(session: Session, spoken: Iterable[tuple[int, Call]], *, at: datetime) -> None:
    """The callers for whom these calls were dialled were spoken with, by whatever number."""
    for line_id, call in spoken:
        line = session.get(MissedCaller, line_id, with_for_update=True)
        if line is not None and line.closed_at is None:
            _close(line, call)
            session.flush()
            live.publish(session, "all", "missed", {}, at=at)


def close(session: Session, line_id: int, note: str, *, by: int, at: datetime) -> None:
    """The caller need not be called back, for the reason in the note. Raises Invalid without one."""
    line = _locked(session, line_id)
    if not note.strip():
        refusal = _("Say in a few words why nobody needs to call back.")
        raise Invalid(refusal, {"note": refusal})
    line.closed_at, line.closed_by, line.why, line.note = at, by, "by hand", note.strip()[:300]
    _recorded(session, line, "close", {}, {"note": line.note}, by=by, at=at)


def reopen(session: Session, line_id: int, *, by: int, at: datetime) -> None:
    """A caller who was taken off the list by hand is on it again, unless a newer line of theirs is open."""
    line = session.get(MissedCaller, line_id, with_for_update=True)
    if line is None or line.why != "by hand":
        raise NotFound(_("There is no such caller to put back on the list."))
    same = select(MissedCaller.id).where(
        MissedCaller.number == line.number, MissedCaller.branch_id == line.branch_id, MissedCaller.closed_at.is_(None)
    )
    if session.scalars(same).first() is not None:
        raise Invalid(_("This caller has tried again and stands on the list already."))
    line.closed_at = line.closed_by = line.why = line.note = None
    _recorded(session, line, "reopen", {}, {}, by=by, at=at)


def _locked(session: Session, line_id: int) -> MissedCaller:
    line = session.get(MissedCaller, line_id, with_for_update=True)
    if line is None or line.closed_at is not None:
        raise NotFound(_("This caller is not on the list any more. Load the list again."))
    return line


def _recorded(
    session: Session, line: MissedCaller, verb: str, old: dict[str, object], new: dict[str, object], *, by: int, at: datetime
) -> None:
    audit.record(
        session, at=at, by=by, verb=verb, entity="missed_caller", entity_id=line.id, old=old, new=new, branch_id=line.branch_id
    )
    session.flush()
    live.publish(session, "all", "missed", {}, at=at)


