"""Calls as screens need them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service.calls.completeness import feeds as feeds
from service.calls.lines import queue_labels as queue_labels
from service.calls.model import AgentPop as AgentPop
from service.calls.model import Call as Call
from service.calls.model import (
    CallAlias,
    CallLeg,
    CallSegment,
    CallTransfer,
    FeedCheckpoint,
    FeedGap,
    Recording,
    RecordingPlay,
)
from service.calls.rules import customer_number as customer_number
from service.calls.schemas import Checkpoint

RECENT = timedelta(hours=4)


def checkpoint(session: Session, switch: str) -> Checkpoint | None:
    """How far the store has followed this switch's journal."""
    row = session.get(FeedCheckpoint, switch)
    return Checkpoint(row.switch, row.segment, row.offset, row.low_segment, row.low_offset) if row else None


def snapshot(session: Session, staff_id: int, at: datetime) -> list[dict[str, Any]]:
    """The person's pops that are still ringing or talking, oldest first."""
    from service.calls.pops import OPEN, told

    pops = session.scalars(
        select(AgentPop)
        .where(AgentPop.staff_id == staff_id, AgentPop.state.in_(OPEN), AgentPop.began_at > at - RECENT)
        .order_by(AgentPop.id)
    )
    queues = queue_labels(session)
    return [told(pop, queues) for pop in pops]


def unheard(session: Session) -> list[tuple[str, str]]:
    """The switches that are not heard now, each with the time since when."""
    gaps = session.scalars(select(FeedGap).where(FeedGap.ended_at.is_(None)).order_by(FeedGap.id))
    return [(gap.switch, gap.began_at.isoformat()) for gap in gaps]


def pop(session: Session, pop_id: int, *, lock: bool = False) -> AgentPop | None:
    """One pop, whatever its state; with `lock` nobody else changes it before this transaction ends."""
    return session.get(AgentPop, pop_id, with_for_update=lock or None, populate_existing=lock)


def call_of_pop(session: Session, switch: str, call_key: str) -> int | None:
    """The stored call behind a pop, once it is stored."""
    return session.scalars(
        select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid == call_key)
    ).first()


@dataclass(frozen=True)
class Filters:
    """What the list of calls is narrowed to; empty means everything."""

    party_id: int | None = None
    staff_id: int | None = None
    direction: str = ""
    disposition: str = ""
    number: str = ""
    since: datetime | None = None
    until: datetime | None = None


def recent_calls(
    session: Session, *, before: tuple[datetime, int] | None = None, limit: int = 50, filters: Filters | None = None
) -> list[Call]:
    """Newest first, paged by (started_at, id) of the last row seen."""
    query = select(Call).where(Call.started_at.is_not(None))
    wanted = filters or Filters()
    for column, value in (
        (Call.party_id, wanted.party_id),
        (Call.staff_id, wanted.staff_id),
        (Call.direction, wanted.direction),
        (Call.disposition, wanted.disposition),
    ):
        if value:
            query = query.where(column == value)
    if wanted.number:
        query = query.where(_has_number(wanted.number))
    if wanted.since:
        query = query.where(Call.started_at >= wanted.since)
    if wanted.until:
        query = query.where(Call.started_at < wanted.until)
    if before:
        query = query.where(tuple_(Call.started_at, Call.id) < before)
    return list(session.scalars(query.order_by(Call.started_at.desc(), Call.id.desc()).limit(limit)))


def _has_number(part: str) -> ColumnElement[bool]:
    """Either side's number contains it, as it was dialled or as it is written internationally."""
    digits = "".join(letter for letter in part if letter.isdigit()) or part
    return or_(
        *(column.contains(part, autoescape=True) for column in (Call.caller_number, Call.called)),
        Call.caller_e164.contains(digits, autoescape=True),
    )


class Play(NamedTuple):
    """Somebody listened or downloaded."""

    staff_id: int
    at: datetime
    kind: str


@dataclass(frozen=True)
class CallPage:
    """Everything the page of one call shows."""

    call: Call
    legs: list[CallLeg]
    segments: list[CallSegment]
    transfers: list[CallTransfer]
    recordings: list[Recording]
    plays: list[Play]


def call_page(session: Session, call_id: int) -> CallPage | None:
    """The call with legs, recordings and who listened; None when it is not there or not in scope."""
    call = session.get(Call, call_id)
    if call is None:
        return None
    legs = list(session.scalars(select(CallLeg).where(CallLeg.call_id == call_id).order_by(CallLeg.no)))
    recordings = list(
        session.scalars(select(Recording).where(Recording.call_id == call_id).order_by(Recording.segment))
    )
    plays = session.execute(
        select(RecordingPlay.staff_id, RecordingPlay.at, RecordingPlay.kind)
        .where(RecordingPlay.recording_id.in_([r.id for r in recordings]))
        .order_by(RecordingPlay.id.desc())
        .limit(20)
    )
    segments = session.scalars(select(CallSegment).where(CallSegment.call_id == call_id).order_by(CallSegment.no))
    transfers = session.scalars(select(CallTransfer).where(CallTransfer.call_id == call_id).order_by(CallTransfer.no))
    return CallPage(call, legs, list(segments), list(transfers), recordings, [Play(*row) for row in plays])


def recording_for(session: Session, recording_id: int) -> Recording | None:
    """The recording, when its branch is in scope."""
    return session.get(Recording, recording_id)


def calls_by_keys(session: Session, keys: list[tuple[str, str]]) -> list[Call]:
    """The stored calls under these (switch, call key) names, oldest first."""
    if not keys:
        return []
    ids = select(CallAlias.call_id).where(tuple_(CallAlias.switch, CallAlias.uniqueid).in_(keys))
    return list(session.scalars(select(Call).where(Call.id.in_(ids)).order_by(Call.started_at)))


def gaps(session: Session, limit: int = 20) -> list[FeedGap]:
    """The last spans in which a switch was not heard."""
    return list(session.scalars(select(FeedGap).order_by(FeedGap.id.desc()).limit(limit)))


def kept_bytes(session: Session, switch: str, uniqueids: list[str]) -> dict[tuple[str, int], int]:
    """How many bytes of these channels' recordings are in the vault, by uniqueid and segment."""
    rows = session.execute(
        select(Recording.uniqueid, Recording.segment, Recording.bytes).where(
            Recording.switch == switch, Recording.uniqueid.in_(uniqueids)
        )
    )
    return {(row.uniqueid, row.segment): row.bytes for row in rows}


def last_play(session: Session, recording_id: int, staff_id: int) -> datetime | None:
    """When this person's last play of the recording began."""
    return session.scalars(
        select(func.max(RecordingPlay.at)).where(
            RecordingPlay.recording_id == recording_id, RecordingPlay.staff_id == staff_id
        )
    ).one()


def call(session: Session, call_id: int) -> Call | None:
    """The call, when its branch is in scope."""
    return session.get(Call, call_id)


def names_of(session: Session, call_id: int) -> list[tuple[str, str]]:
    """Every (switch, channel id) under which the call is known; empty when it is not in scope."""
    rows = session.execute(select(CallAlias.switch, CallAlias.uniqueid).where(CallAlias.call_id == call_id))
    return [(row.switch, row.uniqueid) for row in rows]
