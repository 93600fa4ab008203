"""Calls are stored, pops are told, gaps are kept. The ear and the shelf come through this door."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import history, pops
from service.calls.model import AgentPop, Call, CallAlias, FeedCheckpoint, FeedGap, Recording, RecordingPlay
from service.calls.pops import call_ended, phone_answered, phone_rings, phone_stopped
from service.calls.queries import checkpoint
from service.calls.schemas import (
    CallFacts,
    Checkpoint,
    Heard,
    Hold,
    LegFacts,
    PhoneNews,
    Place,
    Ring,
    SegmentFacts,
    TransferFacts,
)
from service.calls.store import store
from service.core import audit, live
from service.staff import queries as staff

__all__ = [
    "CallFacts",
    "Checkpoint",
    "Heard",
    "Hold",
    "LegFacts",
    "PhoneNews",
    "Place",
    "Ring",
    "SegmentFacts",
    "TransferFacts",
    "call_ended",
    "checkpoint",
    "gap_began",
    "gap_ended",
    "gaps_found",
    "history",
    "phone_answered",
    "phone_rings",
    "phone_stopped",
    "pops",
    "recording_found",
    "recording_played",
    "store_calls",
    "sweep",
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


def recording_found(
    session: Session,
    *,
    switch: str,
    uniqueid: str,
    segment: int,
    path: str,
    sha256: str,
    size: int,
    seconds: Decimal,
    form: str,
    at: datetime,
    state: str = "kept",
) -> int:
    """The file in the vault is known, and linked when its call is; the same file twice is one row."""
    call_id = session.scalars(
        select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid == uniqueid)
    ).first()
    branch_id = session.get_one(Call, call_id).branch_id if call_id else staff.headquarters(session)
    row = {
        "switch": switch,
        "uniqueid": uniqueid,
        "segment": segment,
        "call_id": call_id,
        "path": path,
        "sha256": sha256,
        "bytes": size,
        "seconds": seconds,
        "format": form,
        "state": state,
        "found_at": at,
        "branch_id": branch_id,
    }
    kept = {k: row[k] for k in ("call_id", "path", "sha256", "bytes", "seconds", "state")}
    added = (
        insert(Recording).values(row).on_conflict_do_update(index_elements=["switch", "uniqueid", "segment"], set_=kept)
    )
    recording_id = session.execute(added.returning(Recording.id)).scalar_one()
    if call_id:
        session.execute(
            update(Call)
            .where(Call.id == call_id, Call.recorded.is_distinct_from(state == "kept"))
            .values(recorded=state == "kept")
        )
        live.publish(session, "all", "recording", {"call_id": call_id}, at=at)
    return int(recording_id)


def link_orphans(session: Session) -> int:
    """Recordings that came before their call have found it now; returns how many."""
    done = session.execute(
        text("""
        update recording r set call_id = a.call_id, branch_id = c.branch_id
        from call_alias a join call c on c.id = a.call_id
        where r.call_id is null and a.switch = r.switch and a.uniqueid = r.uniqueid returning r.id""")
    )
    return len(done.all())


def recording_played(session: Session, recording_id: int, *, by: int, at: datetime, kind: str = "play") -> None:
    """Who listened, and when, is on record."""
    recording = session.get_one(Recording, recording_id)
    session.add(RecordingPlay(recording_id=recording_id, staff_id=by, kind=kind, at=at, branch_id=recording.branch_id))
    audit.record(
        session, at=at, by=by, verb=kind, entity="recording", entity_id=recording_id, branch_id=recording.branch_id
    )


def sweep(session: Session, *, at: datetime) -> None:
    """Old pops have done their work."""
    session.execute(delete(AgentPop).where(AgentPop.ended_at < at - timedelta(days=30)))


def party_chosen(session: Session, switch: str, call_key: str, party_id: int, contact_id: int | None) -> None:
    """The call, if it is stored already, belongs to this party."""
    session.execute(
        update(Call)
        .where(
            Call.switch == switch,
            Call.id.in_(select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid == call_key)),
        )
        .values(party_id=party_id, contact_id=contact_id)
    )
