"""Calls as screens need them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, tuple_
from sqlalchemy.orm import Session

from service.calls import finding, joining
from service.calls.agents import queries as agents
from service.calls.completeness import doubts as doubts
from service.calls.completeness import feeds as feeds
from service.calls.completeness import forged_lately as forged_lately
from service.calls.finding import Filters as Filters
from service.calls.lines import lines as lines
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
    FeedState,
    MissedCaller,
)
from service.calls.orders.actions import told as _order_told
from service.calls.rules import customer_number as customer_number
from service.calls.schemas import Checkpoint
from service.staff import queries as staff

RECENT = timedelta(hours=4)
agent_now = agents.now
order_told = _order_told


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
    queues, reader = queue_labels(session), staff.reader(session, staff_id)
    return [told(pop, queues, reader) for pop in pops]


def unheard(session: Session, switches: Collection[str]) -> list[tuple[str, str]]:
    """Those of the firm's switches that are not heard now, each with the time since when."""
    open_ = select(FeedGap).where(FeedGap.ended_at.is_(None), FeedGap.switch.in_(switches))
    gaps = session.scalars(open_.order_by(FeedGap.id))
    return [(gap.switch, gap.began_at.isoformat()) for gap in gaps]


def pop(session: Session, pop_id: int, *, lock: bool = False) -> AgentPop | None:
    """One pop, whatever its state; with `lock` nobody else changes it before this transaction ends."""
    return session.get(AgentPop, pop_id, with_for_update=lock or None, populate_existing=lock)


def call_of_pop(session: Session, switch: str, call_key: str) -> int | None:
    """The stored call behind a pop, once it is stored."""
    return session.scalars(
        select(func.coalesce(Call.joined_to_id, Call.id))
        .join(CallAlias, CallAlias.call_id == Call.id)
        .where(CallAlias.switch == switch, CallAlias.uniqueid == call_key)
    ).first()


def recent_calls(
    session: Session, *, before: tuple[datetime, int] | None = None, limit: int = 50, filters: Filters | None = None
) -> list[Call]:
    """Newest first, paged by (started_at, id) of the last row seen."""
    return list(session.scalars(finding.listed(filters or Filters(), before).limit(limit)))


@dataclass(frozen=True)
class CallPage:
    """How one call went, with the halves that were joined to it and the calls that may be halves too."""

    call: Call
    legs: list[CallLeg]
    segments: list[CallSegment]
    transfers: list[CallTransfer]
    halves: list[Call]
    suggestions: list[joining.Suggestion]

    @property
    def ids(self) -> list[int]:
        """The rows that it is made of, the call's own first."""
        return [self.call.id, *(half.id for half in self.halves)]


def call_page(session: Session, call_id: int) -> CallPage | None:
    """The call with its legs and where its customer was; None when it is not there or not in scope."""
    call = session.get(Call, call_id)
    if call is None:
        return None
    halves = joining.halves_of(session, call_id)
    ids = [call_id, *(half.id for half in halves)]
    legs = session.scalars(select(CallLeg).where(CallLeg.call_id.in_(ids)).order_by(*_as_told(CallLeg, ids)))
    segments = session.scalars(select(CallSegment).where(CallSegment.call_id.in_(ids)).order_by(*_as_told(CallSegment, ids)))
    transfers = session.scalars(select(CallTransfer).where(CallTransfer.call_id.in_(ids)).order_by(*_as_told(CallTransfer, ids)))
    return CallPage(call, list(legs), list(segments), list(transfers), halves, joining.suggestions(session, call))


def _as_told(table: type[CallLeg | CallSegment | CallTransfer], ids: list[int]) -> tuple[ColumnElement[Any], Any]:
    """Half by half in their order, each as it was told."""
    return case({call_id: place for place, call_id in enumerate(ids)}, value=table.call_id), table.no


def calls_by_keys(session: Session, keys: list[tuple[str, str]]) -> list[Call]:
    """The stored calls under these (switch, call key) names, oldest first."""
    if not keys:
        return []
    ids = (
        select(func.coalesce(Call.joined_to_id, Call.id))
        .join(CallAlias, CallAlias.call_id == Call.id)
        .where(tuple_(CallAlias.switch, CallAlias.uniqueid).in_(keys))
    )
    return list(session.scalars(select(Call).where(Call.id.in_(ids)).order_by(Call.started_at)))


def calls_until(
    session: Session, names: Select[str, str], *, until: tuple[datetime, int] | None, limit: int
) -> list[Call]:
    """The stored calls under the (switch, call key) names that the question gives, begun before that moment and id, newest first."""
    ids = (
        select(func.coalesce(Call.joined_to_id, Call.id))
        .join(CallAlias, CallAlias.call_id == Call.id)
        .where(tuple_(CallAlias.switch, CallAlias.uniqueid).in_(names))
    )
    query = select(Call).where(Call.id.in_(ids), Call.started_at.is_not(None))
    if until:
        query = query.where(tuple_(Call.started_at, Call.id) < until)
    return list(session.scalars(query.order_by(Call.started_at.desc(), Call.id.desc()).limit(limit)))


def gaps(session: Session, limit: int = 20) -> list[FeedGap]:
    """The last spans in which a switch was not heard."""
    return list(session.scalars(select(FeedGap).order_by(FeedGap.id.desc()).limit(limit)))


def doubted(session: Session, switch: str) -> int:
    """How many frames of this switch its listener has kept back as forged or broken since it began."""
    state = session.get(FeedState, switch)
    return state.doubted if state else 0


def call(session: Session, call_id: int) -> Call | None:
    """The call, when its branch is in scope."""
    return session.get(Call, call_id)


def missed_caller(session: Session, line_id: int) -> MissedCaller | None:
    """The caller whom nobody answered, settled or not, when their branch is in scope."""
    return session.get(MissedCaller, line_id)


def names_of(session: Session, call_id: int) -> list[tuple[str, str]]:
    """Every (switch, channel id) under which the call is known; empty when it is not in scope."""
    parts = select(Call.id).where(or_(Call.id == call_id, Call.joined_to_id == call_id))
    rows = session.execute(select(CallAlias.switch, CallAlias.uniqueid).where(CallAlias.call_id.in_(parts)))
    return [(row.switch, row.uniqueid) for row in rows]
