"""Open sign-ins: who holds one and may go on with it, a person's own list, and how they end."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, lazyload

from service.core import audit, db, scope
from service.core.identity import Identity
from service.staff import actions, queries
from service.staff.model import Staff, StaffSession
from service.staff.security import demands, rules, second_factor, steps

SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Open:
    """One browser that is signed in. The mark stands for its id, which nobody is shown."""

    mark: str
    browser: str
    address: str
    began_at: datetime
    seen_at: datetime
    own: bool


def admitted(sid: str, address: str, *, at: datetime, on: date | None = None) -> Identity | None:
    """Who holds the sign-in and is still here on that day; it ends once it is not what their roles demand now.

    That is an address outside their ranges, or a second factor that they do not have: the next sign-in leads to where it is set up.
    """
    with db.begin(scope.NONE) as session:
        row = session.execute(_HELD.where(StaffSession.id == sid, queries.still_here(on))).one_or_none()
        if row is None:
            return None
        staff, seen_at = row
        why = _short_of(session, staff, address)
        if not why:
            if at - seen_at > SEEN_EVERY:
                session.execute(update(StaffSession).where(StaffSession.id == sid).values(seen_at=at))
            return queries.identity_of(session, staff, sid)
    _ended(sid, staff, why, address, at)
    return None


_HELD = (
    select(Staff, StaffSession.seen_at)
    .join(StaffSession, StaffSession.staff_id == Staff.id)
    .where(StaffSession.ended_at.is_(None), Staff.active)
    .options(lazyload(Staff.roles))  # what they demand is asked for with those of one branch
)


def _short_of(session: Session, staff: Staff, address: str) -> str:
    """What the sign-in lacks of what the person's roles demand: address, factor, or nothing."""
    asked = demands.of(session, staff.id)
    if not rules.admitted(address, asked.addresses):
        return "address"
    return "factor" if asked.second_factor and not second_factor.has_any(session, staff.id) else ""


def lacking(sid: str, address: str) -> str:
    """What the holder of a sign-in that has ended would lack now, so that they can be told: address, factor, or nothing."""
    with db.begin(scope.NONE) as session:
        staff = session.scalars(select(Staff).join(StaffSession, StaffSession.staff_id == Staff.id).where(StaffSession.id == sid, Staff.active)).first()
        return _short_of(session, staff, address) if staff else ""


def of(session: Session, staff_id: int, own: str) -> Sequence[Open]:
    """The person's open sign-ins, this browser's first, then by when they were last seen."""
    held = select(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))
    rows = session.scalars(held.order_by((StaffSession.id == own).desc(), StaffSession.seen_at.desc()).limit(100))
    return [Open(mark(r.id), rules.browser_of(r.browser), r.address, r.began_at, r.seen_at, r.id == own) for r in rows]


def end_one(session: Session, staff_id: int, marked: str, *, at: datetime) -> None:
    """That browser of the person is signed out."""
    for sid in _open(session, staff_id):
        if mark(sid) == marked:
            actions.end_session(session, sid, at=at)
            _told(session, staff_id, 1, by=staff_id, at=at)


def end_all(session: Session, staff_id: int, *, by: int, at: datetime, but: str = "") -> int:
    """Every browser of the person but one is signed out, those on their way in too; returns how many were open."""
    ended = [sid for sid in _open(session, staff_id) if sid != but]
    for sid in ended:
        actions.end_session(session, sid, at=at)
    steps.end_all(session, staff_id)
    _told(session, staff_id, len(ended), by=by, at=at)
    return len(ended)


def mark(sid: str) -> str:
    """What stands for a sign-in's id where people see it."""
    return hashlib.sha256(sid.encode()).hexdigest()[:16]


def _open(session: Session, staff_id: int) -> Sequence[str]:
    return session.scalars(select(StaffSession.id).where(StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None))).all()


def _told(session: Session, staff_id: int, count: int, *, by: int, at: datetime) -> None:
    branch_id = session.get_one(Staff, staff_id).branch_id
    audit.record(session, at=at, by=by, verb="sign-ins ended", entity="staff", entity_id=staff_id, new={"count": count}, branch_id=branch_id)


def _ended(sid: str, staff: Staff, why: str, address: str, at: datetime) -> None:
    with db.begin(scope.ALL) as session:
        actions.end_session(session, sid, at=at)
        audit.record(session, at=at, by=staff.id, verb="refused", entity="staff", entity_id=staff.id, new={"why": why, "from": address},
                     branch_id=staff.branch_id, kind="refused")
