"""Callers whom nobody answered: one line a caller, however often they tried, open until somebody has spoken with them.

A caller is closed by speaking: they call again and are answered, or somebody reaches them. Who takes a caller owns the line;
closing by hand says why. A withheld number cannot be called back and has no line.
"""

from collections.abc import Iterable
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

PAGE = 50
WHYS = ("called again", "called back", "by hand")


def noted(session: Session, calls: Iterable[Call], *, at: datetime) -> None:
    """Callers of these calls, as they are stored now, are on the list, or off it because they were spoken with."""
    for call in calls:
        number = _number(call)
        if call.live or call.role is not None or not number or call.started_at is None:
            continue
        if call.direction == "inbound" and call.outcome == "missed":
            _missed(session, call, number, at)
        elif call.outcome == "answered" and call.direction in ("inbound", "outbound"):
            _spoken(session, call, number, at)


def _number(call: Call) -> str:
    """The caller's number as one writes it internationally, else its digits; empty when it is withheld."""
    number = phones.parse(rules.customer_number(call.direction, call.caller_number, call.called))
    return number.e164 or number.digits


def _missed(session: Session, call: Call, number: str, at: datetime) -> None:
    if call.missed_caller_id is not None:
        return
    line = _open_line(session, call, number)
    if line is None:
        line = MissedCaller(
            number=number,
            branch_id=call.branch_id,
            party_id=call.party_id,
            first_at=call.started_at,
            last_at=call.started_at,
            queue=call.queue,
            switch=call.switch,
            calls=0,
        )
        session.add(line)
        session.flush()
        _close_if_spoken(session, line, at)
    line.calls += 1
    line.last_at = max(line.last_at, call.started_at or line.last_at)
    line.party_id = line.party_id or call.party_id
    call.missed_caller_id = line.id
    session.flush()
    live.publish(session, "all", "missed", {}, at=at)


def _open_line(session: Session, call: Call, number: str) -> MissedCaller | None:
    query = select(MissedCaller).where(
        MissedCaller.number == number, MissedCaller.branch_id == call.branch_id, MissedCaller.closed_at.is_(None)
    )
    return session.scalars(query.with_for_update()).first()


def _close_if_spoken(session: Session, line: MissedCaller, at: datetime) -> None:
    """A call that is told late: the caller may have been spoken with since."""
    since = select(Call).where(
        Call.outcome == "answered",
        Call.started_at > line.first_at,
        or_(Call.caller_e164 == line.number, Call.called_e164 == line.number),
    )
    spoken = session.scalars(since.order_by(Call.started_at).limit(1)).first()
    if spoken is not None:
        _close(line, spoken)


def _spoken(session: Session, call: Call, number: str, at: datetime) -> None:
    """Every line of the caller that was open when they were spoken with is closed, whatever its branch."""
    query = select(MissedCaller).where(
        MissedCaller.number == number, MissedCaller.closed_at.is_(None), MissedCaller.first_at <= call.started_at
    )
    lines = session.scalars(query.with_for_update()).all()
    for line in lines:
        _close(line, call)
    if lines:
        session.flush()
        live.publish(session, "all", "missed", {}, at=at)


def _close(line: MissedCaller, call: Call) -> None:
    line.closed_at, line.closing_call_id = call.answered_at or call.started_at, call.id
    line.why = "called back" if call.direction == "outbound" else "called again"
    line.closed_by = call.staff_id


class Line(NamedTuple):
    """One caller on the list and the newest call of theirs."""

    caller: MissedCaller
    call_id: int | None


def listed(
    session: Session, *, state: str = "open", owner: int | None = None, before: tuple[datetime, int] | None = None, limit: int = PAGE
) -> list[Line]:
    """The callers, who waits longest first when open, newest first when closed; paged by (time, id) of the last seen."""
    newest = select(func.max(Call.id)).where(Call.missed_caller_id == MissedCaller.id).scalar_subquery()
    query = select(MissedCaller, newest)
    if state == "closed":
        query = query.where(MissedCaller.closed_at.is_not(None))
        place = tuple_(MissedCaller.closed_at, MissedCaller.id)
        query = query.where(place < before) if before else query
        query = query.order_by(MissedCaller.closed_at.desc(), MissedCaller.id.desc())
    else:
        query = query.where(MissedCaller.closed_at.is_(None))
        place = tuple_(MissedCaller.first_at, MissedCaller.id)
        query = query.where(place > before) if before else query
        query = query.order_by(MissedCaller.first_at, MissedCaller.id)
    if owner is not None:
        query = query.where(MissedCaller.owner_id == owner)
    return [Line(*row) for row in session.execute(query.limit(limit))]


def waiting(session: Session) -> int:
    """How many callers wait to be called back."""
    return session.scalar(select(func.count()).select_from(MissedCaller).where(MissedCaller.closed_at.is_(None))) or 0


def take(session: Session, line_id: int, *, by: int, at: datetime) -> None:
    """The caller is this person's to call back; whose it was before is on record."""
    line = _locked(session, line_id)
    before, line.owner_id = line.owner_id, by
    _recorded(session, line, "take", {"owner": before}, {"owner": by}, by=by, at=at)


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


