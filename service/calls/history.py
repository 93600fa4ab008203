"""What a switch wrote down meets what was heard of it: gaps are filled, unsure calls corrected, and each run is on record."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls.model import BackfillRun, Call, CallAlias, CallSegment, FeedCursor, FeedDoubt, FeedGap, FeedState
from service.calls.schemas import CallFacts, Doubted, Heard, Hold, Place
from service.calls.store import store
from service.core import live

WRITTEN_DOWN = 5  # frames of one telling: whoever forges sends many
SHORTEST_HOLD = 0.1  # seconds; shorter ones are channels that change seats
UNSURE, NEAR = timedelta(days=1), timedelta(seconds=30)


class Reconciled(NamedTuple):
    """How many calls were not in the books before, and how many are told differently now."""

    found: int
    mended: int


def reconcile(session: Session, facts: Sequence[CallFacts], *, at: datetime) -> Reconciled:
    """Calls that the books lack are in them, calls whose end was not heard are told as they were; a second time changes nothing."""
    names = {name for fact in facts for name in (fact.call_key, *fact.aliases)}
    switch = facts[0].switch if facts else ""
    known = set(session.scalars(select(CallAlias.uniqueid).where(CallAlias.switch == switch, CallAlias.uniqueid.in_(names))))
    fresh = [fact for fact in facts if known.isdisjoint((fact.call_key, *fact.aliases))]
    before = _derivations(session, switch, names)
    ids = store(session, facts, at=at)
    after = _derivations(session, switch, names)
    changed = sum(1 for call_id in set(ids) if before.get(call_id) != after.get(call_id))
    return Reconciled(len(fresh), changed - len(fresh))


def _derivations(session: Session, switch: str, names: set[str]) -> dict[int, str | None]:
    ids = select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid.in_(names))
    return {row.id: row.derivation for row in session.execute(select(Call.id, Call.derivation).where(Call.id.in_(ids)))}


def holds_heard(session: Session, switch: str, since: datetime) -> list[Hold]:
    """The holds of calls since then: no file of the switch tells of them, so what was heard is all there is."""
    names = func.array_agg(CallAlias.uniqueid)
    rows = session.execute(
        select(CallSegment.id, CallSegment.extension, CallSegment.began_at, CallSegment.ended_at, names)
        .join(Call, Call.id == CallSegment.call_id)
        .join(CallAlias, CallAlias.call_id == Call.id)
        .where(Call.switch == switch, Call.started_at >= since, CallSegment.kind == "hold")
        .where(CallSegment.seconds >= SHORTEST_HOLD, CallSegment.extension.is_not(None))
        .group_by(CallSegment.id)
        .order_by(CallSegment.began_at, CallSegment.id)
    )
    return [
        Hold(frozenset(names), party, began, ended)
        for _, party, began, ended, names in rows
        if party is not None and began is not None and ended is not None
    ]


def unsure_since(session: Session, switch: str, gap: datetime) -> datetime | None:
    """When the oldest call began whose end was not heard since that gap began, a day before it at most."""
    unsure = or_(Call.live, Call.provenance == "repaired", Call.end_certain.is_(False))
    return session.scalar(
        select(func.min(Call.started_at)).where(
            Call.switch == switch, unsure, Call.started_at > gap - UNSURE, or_(Call.ended_at.is_(None), Call.ended_at >= gap - NEAR)
        )
    )


def heard_whole(session: Session, switch: str, since: datetime, until: datetime) -> dict[str, tuple[datetime, datetime]]:
    """The calls of that time that were heard from beginning to end, and when: whoever knows all calls knows these."""
    rows = session.execute(
        select(Call.call_key, Call.started_at, Call.ended_at)
        .where(Call.switch == switch, Call.provenance == "live", Call.live.is_(False), Call.end_certain)
        .where(Call.started_at >= since, Call.ended_at <= until)
        .order_by(Call.started_at.desc())
        .limit(5000)
    )
    return {row.call_key: (row.started_at, row.ended_at) for row in rows if row.started_at and row.ended_at}


def gaps_to_fill(session: Session, switch: str, *, since: datetime) -> list[tuple[int, datetime, datetime]]:
    """The gaps that have ended since then and are not yet filled, with their bounds."""
    gaps = session.scalars(
        select(FeedGap)
        .where(FeedGap.switch == switch, FeedGap.ended_at > since, FeedGap.filled_at.is_(None))
        .order_by(FeedGap.began_at)
    )
    return [(gap.id, gap.began_at, gap.ended_at) for gap in gaps if gap.ended_at]


def gaps_filled(session: Session, ids: Sequence[int], *, at: datetime) -> None:
    """What happened in these gaps is in the books."""
    session.execute(update(FeedGap).where(FeedGap.id.in_(ids)).values(filled_at=at))


def places(session: Session, switch: str) -> dict[str, Place]:
    """How far each of the switch's files has been read, by kind."""
    rows = session.scalars(select(FeedCursor).where(FeedCursor.switch == switch))
    return {row.kind: Place(row.path, row.inode, row.offset, row.known, row.head, row.low_at) for row in rows}


def places_moved(session: Session, switch: str, moved: Mapping[str, Place], *, at: datetime) -> None:
    """The next run reads on from here."""
    for kind, place in moved.items():
        row = {"switch": switch, "kind": kind, "path": place.path, "inode": place.inode, "offset": place.offset,
               "known": place.known, "head": place.head, "low_at": place.low_at, "at": at}
        session.execute(insert(FeedCursor).values(row).on_conflict_do_update(index_elements=["switch", "kind"], set_=row))


def run_began(session: Session, switch: str, *, why: str, since: datetime, at: datetime) -> int:
    """A run is on record; one that never ended was killed, and is known as such."""
    left = update(BackfillRun).where(BackfillRun.switch == switch, BackfillRun.state == "running")
    session.execute(left.values(state="failed", ended_at=at, note="its process ended in the midst of it"))
    run = BackfillRun(switch=switch, why=why[:60], since=since, began_at=at, state="running")
    session.add(run)
    session.flush()
    return run.id


def run_went(session: Session, run_id: int, *, read_to: datetime | None, records: int, unreadable: int, calls: int, met: Reconciled) -> None:
    """How far the run has come."""
    values = {"read_to": read_to, "records": records, "unreadable": unreadable, "calls": calls, "found": met.found, "mended": met.mended}
    session.execute(update(BackfillRun).where(BackfillRun.id == run_id).values(values))


def run_ended(session: Session, run_id: int, *, at: datetime, failed: str = "", note: str = "") -> None:
    """The run is over; `failed` is a sentence that says what to do."""
    state = "failed" if failed else "done"
    session.execute(update(BackfillRun).where(BackfillRun.id == run_id).values(state=state, ended_at=at, note=(failed or note)[:400]))


def doubted(session: Session, switch: str, doubts: Sequence[Doubted], *, at: datetime) -> None:
    """Frames that were kept back are on record, a few of each telling with their bytes and all of them in number."""
    for is_forged in (True, False):
        told = [one for one in doubts if one.forged is is_forged]
        for no, one in enumerate(told[:WRITTEN_DOWN], 1):
            more = len(told) - no if no == WRITTEN_DOWN else 0
            session.add(FeedDoubt(switch=switch, at=at, forged=is_forged, reason=one.reason[:200], frame=one.frame[:2000], more=more))
    if any(one.forged for one in doubts):
        live.publish(session, "all", "forged", {"switch": switch}, at=at)


def feed_stands(session: Session, switch: str, heard: Heard, *, at: datetime) -> None:
    """How the listener stands is known to whoever looks."""
    row = {"switch": switch, "up": heard.up, "since": heard.since, "heard_at": heard.heard_at, "frames": heard.frames,
           "doubted": heard.doubted, "calls": heard.calls, "at": at}
    session.execute(insert(FeedState).values(row).on_conflict_do_update(index_elements=["switch"], set_=row))
