"""What is known to be missing of each switch's calls, and what is not: how it is heard, its gaps, and who told today's calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from service.calls.model import BackfillRun, Call, FeedDoubt, FeedGap, FeedState

LISTENS = timedelta(seconds=20)  # a listener tells how it stands every three
LOOK_BACK = timedelta(days=7)
SHOWN = 20
LAST = 8
LATELY = timedelta(days=1)


@dataclass(frozen=True)
class Gap:
    """A span in which the switch was not heard, and how many calls its files told of it."""

    gap: FeedGap
    calls: int


@dataclass(frozen=True)
class Today:
    """Today's calls by who told them; `unsure` of them have an end that nobody knows."""

    live: int = 0
    repaired: int = 0
    backfilled: int = 0
    unsure: int = 0


@dataclass(frozen=True)
class Doubts:
    """The frames of one switch that were kept back in the last week: how many were forged, since when, and the last of all."""

    forged: int = 0
    since: datetime | None = None
    last: tuple[FeedDoubt, ...] = ()


@dataclass(frozen=True)
class Feed:
    """One switch as its listener, its gaps and its files stand.

    `age` is the seconds since anything was heard; `older` gaps were never filled, and nobody expects it any more.
    """

    switch: str
    state: FeedState | None
    listens: bool
    age: float | None
    complete_to: datetime | None
    gaps: tuple[Gap, ...]
    unfilled: int
    older: int
    today: Today
    run: BackfillRun | None
    doubts: Doubts
    files: tuple[str, ...]

    @property
    def up(self) -> bool:
        """True while the switch is heard."""
        return self.state is not None and self.state.up and self.listens


def feeds(session: Session, switches: Sequence[tuple[str, tuple[str, ...]]], *, at: datetime, day: datetime) -> list[Feed]:
    """Each switch with the kinds of its files, as it stands at this moment; `day` is when the firm's day began."""
    return [_feed(session, name, files, at, day) for name, files in switches]


def _feed(session: Session, switch: str, files: tuple[str, ...], at: datetime, day: datetime) -> Feed:
    state = session.get(FeedState, switch)
    recent = select(FeedGap).where(FeedGap.switch == switch).order_by(FeedGap.began_at.desc()).limit(SHOWN)
    shown = session.scalars(recent).all()
    told, missing = _told(session, [gap.id for gap in shown], at), _missing(session, switch)
    open_ = next((gap for gap in missing if gap.ended_at is None), None)
    young = [gap for gap in missing if gap.ended_at is None or gap.ended_at > at - LOOK_BACK]
    heard = state.heard_at if state else None
    run = select(BackfillRun).where(BackfillRun.switch == switch).order_by(BackfillRun.id.desc()).limit(1)
    return Feed(
        switch=switch,
        state=state,
        listens=state is not None and at - state.at <= LISTENS,
        age=max((at - heard).total_seconds(), 0.0) if heard else None,
        complete_to=open_.began_at if open_ else heard,
        gaps=tuple(Gap(gap, told.get(gap.id, 0)) for gap in shown),
        unfilled=len(young),
        older=len(missing) - len(young),
        today=_today(session, switch, day),
        run=session.scalars(run).first(),
        doubts=doubts(session, switch, at=at),
        files=files,
    )


def doubts(session: Session, switch: str, *, at: datetime) -> Doubts:
    """What was kept back of this switch, and the last few frames, newest first."""
    young = (FeedDoubt.switch == switch, FeedDoubt.at > at - LOOK_BACK)
    forged = select(func.coalesce(func.sum(1 + FeedDoubt.more), 0), func.min(FeedDoubt.at)).where(*young, FeedDoubt.forged)
    last = select(FeedDoubt).where(*young).order_by(FeedDoubt.id.desc()).limit(LAST)
    count, since = session.execute(forged).one()
    return Doubts(int(count), since, tuple(session.scalars(last)))


def forged_lately(session: Session, *, at: datetime) -> list[tuple[str, int, datetime]]:
    """The switches into whose stream somebody has forged lines in the last day: how many, and when last."""
    counted = select(FeedDoubt.switch, func.sum(1 + FeedDoubt.more), func.max(FeedDoubt.at))
    rows = session.execute(counted.where(FeedDoubt.at > at - LATELY, FeedDoubt.forged).group_by(FeedDoubt.switch).order_by(FeedDoubt.switch))
    return [(switch, int(count), last) for switch, count, last in rows]


def unfilled(session: Session, switches: Sequence[str], *, at: datetime) -> int:
    """How many gaps of these switches in the last week nothing has filled yet, open ones among them."""
    missing = select(func.count()).select_from(FeedGap).where(FeedGap.switch.in_(switches), FeedGap.filled_at.is_(None))
    return session.scalars(missing.where(func.coalesce(FeedGap.ended_at, at) > at - LOOK_BACK)).one()


def _missing(session: Session, switch: str) -> list[FeedGap]:
    """The gaps that nothing has filled."""
    found = select(FeedGap).where(FeedGap.switch == switch, FeedGap.filled_at.is_(None))
    return list(session.scalars(found.order_by(FeedGap.began_at)))


def _told(session: Session, gaps: Sequence[int], at: datetime) -> dict[int, int]:
    """Calls in each gap that the files told."""
    within = and_(
        Call.switch == FeedGap.switch,
        Call.provenance == "backfilled",
        Call.started_at <= func.coalesce(FeedGap.ended_at, at),
        Call.ended_at >= FeedGap.began_at,
        Call.started_at > FeedGap.began_at - timedelta(days=1),
    )
    counted = select(FeedGap.id, func.count()).join(Call, within).where(FeedGap.id.in_(gaps)).group_by(FeedGap.id)
    return {row[0]: row[1] for row in session.execute(counted)} if gaps else {}


def _today(session: Session, switch: str, day: datetime) -> Today:
    rows = session.execute(
        select(Call.provenance, func.count(), func.count().filter(Call.live.is_(False), Call.end_certain.is_(False)))
        .where(Call.switch == switch, Call.started_at >= day)
        .group_by(Call.provenance)
    ).all()
    counts = {provenance: count for provenance, count, _ in rows}
    return Today(
        counts.get("live", 0), counts.get("repaired", 0), counts.get("backfilled", 0), sum(unsure for _, _, unsure in rows)
    )
