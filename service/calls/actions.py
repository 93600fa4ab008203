"""Calls are stored, pops are told, gaps are kept. The ear and the shelf come through this door."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import history, joining, pops, rules
from service.calls.agents import actions as agents
from service.calls.missed import judged_anew
from service.calls.model import AgentPop, Call, FeedCheckpoint, FeedDoubt, FeedGap
from service.calls.orders import actions as orders
from service.calls.orders.actions import About, PhoneOrder
from service.calls.pauses import actions as pauses
from service.calls.pops import call_ended, phone_answered, phone_rings, phone_stopped
from service.calls.queries import checkpoint
from service.calls.schemas import (
    CallFacts,
    Checkpoint,
    Doubted,
    Heard,
    Hold,
    LegFacts,
    MemberNews,
    OrderOutcome,
    PhoneNews,
    PhoneState,
    Place,
    Ring,
    SegmentFacts,
    TakenOrder,
    TransferFacts,
)
from service.calls.shelf import actions as shelf
from service.calls.shelf.actions import link_orphans, recording_found, recording_played
from service.calls.store import store
from service.core import audit, live
from service.core.errors import Invalid, NotFound

__all__ = [
    "About",
    "CallFacts",
    "Checkpoint",
    "Doubted",
    "Heard",
    "Hold",
    "LegFacts",
    "MemberNews",
    "OrderOutcome",
    "PhoneNews",
    "PhoneOrder",
    "PhoneState",
    "Place",
    "Ring",
    "SegmentFacts",
    "TakenOrder",
    "TransferFacts",
    "agents",
    "call_ended",
    "checkpoint",
    "gap_began",
    "gap_ended",
    "gaps_found",
    "history",
    "joining",
    "judged_anew",
    "link_orphans",
    "orders",
    "pauses",
    "phone_answered",
    "phone_rings",
    "phone_stopped",
    "pops",
    "reason_given",
    "recording_found",
    "recording_played",
    "store_calls",
    "sweep",
    "ticket_linked",
    "watch_feeds",
]


SILENT = timedelta(seconds=60)  # a listener that lives moves its checkpoint at least every ten
SILENCE = "the listener is silent"
BLINK = timedelta(milliseconds=10)  # gaps that share less than this only touch


def store_calls(session: Session, facts: Sequence[CallFacts], mark: Checkpoint | None, *, at: datetime) -> list[int]:
    """Each call is one row, not older than told, and the checkpoint moved with them in the same transaction."""
    ids = store(session, facts, at=at)
    if mark is not None:
        row = {
            "switch": mark.switch,
            "segment": mark.segment,
            "offset": mark.offset,
            "low_segment": mark.low_segment,
            "low_offset": mark.low_offset,
            "at": at,
        }
        session.execute(insert(FeedCheckpoint).values(row).on_conflict_do_update(index_elements=["switch"], set_=row))
    return ids


def gap_began(session: Session, switch: str, *, at: datetime, reason: str) -> int:
    """From `at` the switch is not heard; an open gap is not opened twice."""
    known = session.scalars(select(FeedGap).where(FeedGap.switch == switch, FeedGap.ended_at.is_(None))).first()
    if known is not None:
        known.reason = reason[:200]  # who hears himself knows better than who only sees him silent
        return known.id
    gap = FeedGap(switch=switch, began_at=at, reason=reason[:200])
    session.add(gap)
    session.flush()
    live.publish(session, "all", "feed", {"switch": switch, "up": False, "since": at.isoformat()}, at=at)
    return gap.id


def gap_ended(session: Session, switch: str, *, at: datetime, note: str = "") -> None:
    """The switch is heard again; what lies between the bounds is for the backfill."""
    closed = session.execute(
        update(FeedGap)
        .where(FeedGap.switch == switch, FeedGap.ended_at.is_(None))
        .values(ended_at=at, note=note[:200])
        .returning(FeedGap.id)
    ).first()
    if closed:
        live.publish(session, "all", "feed", {"switch": switch, "up": True, "since": at.isoformat()}, at=at)


def watch_feeds(session: Session, switches: Sequence[str], *, at: datetime) -> None:
    """A switch whose listener has died without a word is known as not heard; the gap ends when it is stored again."""
    for switch in switches:
        mark = session.get(FeedCheckpoint, switch)
        known = session.scalars(select(FeedGap).where(FeedGap.switch == switch, FeedGap.ended_at.is_(None))).first()
        quiet = mark is None or at - mark.at > SILENT
        if quiet and known is None:
            gap_began(session, switch, at=mark.at if mark else at, reason=SILENCE)
        elif mark is not None and not quiet and known is not None and known.reason == SILENCE:
            gap_ended(session, switch, at=mark.at)


def gaps_found(session: Session, switch: str, gaps: Sequence[tuple[datetime | None, datetime, str]]) -> None:
    """Gaps that a journal tells of are on record, each once; of one whose beginning is not known only the end is new."""
    for began, ended, note in gaps:
        known = FeedGap.ended_at > began + BLINK if began else None
        same = select(FeedGap).where(FeedGap.switch == switch, FeedGap.began_at < ended)
        open_ = session.scalars(same.where(FeedGap.ended_at.is_(None)).order_by(FeedGap.id)).first()
        if open_ is not None:
            open_.ended_at, open_.note = ended, note[:200]
        elif known is not None and session.scalars(same.where(known)).first() is None:
            session.add(FeedGap(switch=switch, began_at=began, ended_at=ended, reason="found in the journal", note=note[:200]))
        session.flush()


def sweep(session: Session, *, at: datetime) -> None:
    """Old pops, findings, orders of queues and members that are told of no more have done their work."""
    session.execute(delete(AgentPop).where(AgentPop.ended_at < at - timedelta(days=30)))
    session.execute(delete(FeedDoubt).where(FeedDoubt.at < at - timedelta(days=30)))
    shelf.sweep(session, at=at)
    orders.sweep(session, at=at)
    agents.forget(session, at=at)


def party_chosen(session: Session, switch: str, call_key: str, party_id: int, contact_id: int | None) -> None:
    """The call, if it is stored already, belongs to this party."""
    joining.said(session, switch, call_key, "party", party_id, contact_id)


def ticket_linked(session: Session, switch: str, call_key: str) -> None:
    """The call has a ticket; of one that is not stored yet its pop remembers it."""
    joining.said(session, switch, call_key, "ticketed", True)
    popped = update(AgentPop).where(AgentPop.switch == switch, AgentPop.call_key == call_key)
    session.execute(popped.values(ticketed=True))


def reason_given(session: Session, call_id: int, reason: str, *, by: int, at: datetime) -> None:
    """The call says what it was about; an empty reason takes it back. Raises Invalid for an unknown one, NotFound."""
    call = session.get(Call, call_id, with_for_update=True)
    if call is None:
        raise NotFound(_("There is no such call in your branches. Look for it in the list of calls."))
    if reason and reason not in rules.REASONS:
        refusal = _("Choose one of the reasons in the list.")
        raise Invalid(refusal, {"reason": refusal})
    before, call.reason = call.reason, reason or None
    joining.meant(call, "reason")
    if before != call.reason:
        was, now = {"reason": before}, {"reason": call.reason}
        audit.record(
            session,
            at=at,
            by=by,
            verb="reason",
            entity="call",
            entity_id=call.id,
            old=was,
            new=now,
            branch_id=call.branch_id,
        )
