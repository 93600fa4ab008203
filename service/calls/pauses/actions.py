"""Silence is asked for, verified, released, and ended by itself when nobody does it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from service.calls.model import AgentPop, CallAlias
from service.calls.orders import actions as orders
from service.calls.orders.model import PhoneOrder
from service.calls.pauses import rules
from service.calls.pauses.model import RecordingPause
from service.core import audit, live
from service.core.errors import DeskError, Invalid

Silence = tuple[str, str]  # extension, and a name of the call


class NoTalk(DeskError):
    """There is nothing to silence."""


def pause(session: Session, pop: AgentPop, field: str, *, key: str, by: int, at: datetime) -> RecordingPause:
    """The recording of this talk is to be silent; the same key again is the same field. `by` is the agent or who may act for them."""
    _alone(session, pop.switch)
    known = session.scalars(select(RecordingPause).where(RecordingPause.request_key == key)).first()
    if known is not None:
        if known.by_id != by:
            raise Invalid(_("The request could not be told from another one. Load the page again."))
        return known
    if pop.state != "talking":
        raise NoTalk(_("Nobody talks in this call, so nothing is being recorded."))
    order = orders.ask(
        session, "record_pause", pop.staff_id, pop.switch, pop.extension, {"call_key": pop.call_key}, by=by, at=at, key=key
    )
    row = RecordingPause(
        request_key=key, switch=pop.switch, uniqueid=pop.call_key, extension=pop.extension, field=rules.field(field),
        staff_id=pop.staff_id, by_id=by, order_id=order.id, asked_at=at, branch_id=pop.branch_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _audited(session, row, "record-pause", by, at)
    return row


def resume(session: Session, key: str, why: str, *, by: int, at: datetime) -> RecordingPause | None:
    """The field was left; the recording goes on unless another one is still open. None when nobody knows the key."""
    row = session.scalars(select(RecordingPause).where(RecordingPause.request_key == key)).first()
    if row is None or by not in (row.by_id, row.staff_id):
        return None
    _alone(session, row.switch)
    session.refresh(row, with_for_update=True)
    if row.released_at is None:
        _release(session, row, why if why in ("left", "sent", "gone") else "left", by, at)
    return row


def _alone(session: Session, switch: str) -> None:
    """Orders to silence and to go on are written in the order in which they were meant."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"recording pauses {switch}"))))


def _release(session: Session, row: RecordingPause, why: str, by: int | None, at: datetime) -> None:
    row.released_at, row.released_by_id, row.why = at, by, why
    session.flush()
    _audited(session, row, "record-resume", by, at)
    if _others(session, row, at):
        row.ended_at = at  # it is silent on, for somebody else
        session.flush()
    else:
        _go_on(session, row, at)
    _tell(session, row, at)


def _same_call(row: RecordingPause) -> ColumnElement[bool]:
    """The pauses of that call, under whatever name of it; a phone may be in another call by now, so it tells nothing."""
    own, other = aliased(CallAlias), aliased(CallAlias)
    named = (own.switch == row.switch) & (own.uniqueid == row.uniqueid)
    names = select(other.uniqueid).join(own, own.call_id == other.call_id).where(named, other.switch == row.switch)
    one = (RecordingPause.uniqueid == row.uniqueid) | RecordingPause.uniqueid.in_(names)  # it need not be stored yet
    return (RecordingPause.switch == row.switch) & one


def _others(session: Session, row: RecordingPause, at: datetime) -> bool:
    """True while another field of this call is open that has not outlived its time: it lets the recording go on later."""
    fresh = RecordingPause.asked_at > at - rules.LONGEST
    query = select(RecordingPause.id).where(_same_call(row), RecordingPause.released_at.is_(None), fresh)
    return session.scalars(query.limit(1)).first() is not None


def _took_over(session: Session, row: RecordingPause) -> bool:
    """True when another field of this call was left without an order because this one was open."""
    left = (RecordingPause.resume_id.is_(None)) & (RecordingPause.released_at >= row.asked_at) & (RecordingPause.why != "call-over")
    query = select(RecordingPause.id).where(_same_call(row), left, RecordingPause.id != row.id)
    return session.scalars(query.limit(1)).first() is not None


def _go_on(session: Session, row: RecordingPause, at: datetime) -> None:
    args = {"call_key": row.uniqueid}
    order = orders.ask(session, "record_resume", row.staff_id, row.switch, row.extension, args, by=row.by_id, at=at)
    row.resume_id = order.id
    session.flush()


def _audited(session: Session, row: RecordingPause, verb: str, by: int | None, at: datetime) -> None:
    told = {"call": row.uniqueid, "field": row.field, "pause": row.id} | ({"why": row.why} if row.why else {})
    audit.record(session, at=at, by=by, verb=verb, entity="recording_pause", entity_id=row.id, new=told, branch_id=row.branch_id)


# ---- the switch's process


def tend(
    session: Session, switch: str, *, left: Collection[Silence] = (), gone: Collection[Silence] = (), at: datetime
) -> list[Silence]:
    """Each silence is as its orders went, and none outlives its reason; returns those that are not over yet.

    `left` are those whose phone is out of the call, `gone` those whose call is no more.
    """
    query = select(RecordingPause).where(RecordingPause.switch == switch, RecordingPause.ended_at.is_(None))
    if session.scalars(query.limit(1)).first() is None:
        return []
    _alone(session, switch)
    rows = session.scalars(query.order_by(RecordingPause.id).with_for_update().execution_options(populate_existing=True)).all()
    known = _orders(session, rows)
    for row in rows:
        _began(session, row, known[row.order_id], at)
    for row in rows:
        _outlived(session, row, left, gone, at)
    for row in rows:
        _ended(session, row, known.get(row.resume_id or 0), at)
    return [(row.extension, row.uniqueid) for row in rows if row.ended_at is None]


def _orders(session: Session, rows: Sequence[RecordingPause]) -> dict[int, PhoneOrder]:
    ids = {row.order_id for row in rows} | {row.resume_id for row in rows if row.resume_id}
    return {order.id: order for order in session.scalars(select(PhoneOrder).where(PhoneOrder.id.in_(ids)))}


def _began(session: Session, row: RecordingPause, order: PhoneOrder, at: datetime) -> None:
    if row.began_at is not None or row.error or order.state in orders.OPEN:
        return
    if order.state == "confirmed":
        row.began_at = order.ended_at
        session.flush()
        _tell(session, row, at)
        return
    row.error = order.error or order.state
    _audited(session, row, "record-pause-failed", None, at)
    if row.released_at is None and row.error in rules.NOT_SENT and not _took_over(session, row):
        row.released_at, row.why, row.ended_at = at, "failed", at
        session.flush()
        _tell(session, row, at)
    elif row.released_at is None:
        _release(session, row, "failed", None, at)


def _outlived(
    session: Session, row: RecordingPause, left: Collection[Silence], gone: Collection[Silence], at: datetime
) -> None:
    name = row.extension, row.uniqueid
    if name in gone and row.ended_at is None:
        row.ended_at = at
        if row.released_at is None:
            row.released_at, row.why = at, "call-over"
            session.flush()
            _audited(session, row, "record-resume", None, at)
            _tell(session, row, at)
    elif row.released_at is None and name in left:
        _release(session, row, "agent-left", None, at)
    elif row.released_at is None and at - row.asked_at >= rules.LONGEST:
        _release(session, row, "time", None, at)


def _ended(session: Session, row: RecordingPause, order: PhoneOrder | None, at: datetime) -> None:
    """The recording goes on since the switch said so; while it does not, it is asked again."""
    if row.ended_at is not None or row.released_at is None or order is None or order.state in orders.OPEN:
        return
    if order.state == "confirmed":
        row.ended_at = order.ended_at
        session.flush()
        _tell(session, row, at)
    elif at - order.requested_at >= rules.RETRY and not _others(session, row, at):
        _go_on(session, row, at)


def _tell(session: Session, row: RecordingPause, at: datetime) -> None:
    for staff_id in {row.staff_id, row.by_id}:
        live.publish(session, live.topic_of(staff_id), "recording-pause", told(row), at=at)


def told(row: RecordingPause) -> dict[str, Any]:
    """What a browser hears of it: asked, silent, failed or over."""
    state = "failed" if row.error else "over" if row.released_at else "silent" if row.began_at else "asked"
    return {
        "key": row.request_key, "state": state, "why": row.why, "error": row.error,
        "until": (row.asked_at + rules.LONGEST).isoformat(),
    }  # fmt: skip
