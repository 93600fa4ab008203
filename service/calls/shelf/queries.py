"""Recordings, consents, holds and findings as screens and the shelf need them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import Session

from service.calls import joining
from service.calls.model import Call, CallAlias, Recording, RecordingPlay
from service.calls.shelf import rules as rules
from service.calls.shelf.model import (
    CallConsent,
    RecordingChain,
    RecordingDeletion,
    RecordingFinding,
    RecordingHold,
    RetentionClass,
)


class Kept(NamedTuple):
    """What is already known of a file: its length, its state and where it lies in the vault."""

    size: int
    state: str
    path: str


class Play(NamedTuple):
    """Somebody listened or downloaded."""

    staff_id: int
    at: datetime
    kind: str
    reason: str


def kept(session: Session, switch: str, uniqueids: Sequence[str]) -> dict[tuple[str, int], Kept]:
    """What is known of these channels' recordings, by uniqueid and segment."""
    columns = (Recording.uniqueid, Recording.segment, Recording.bytes, Recording.state, Recording.path)
    rows = session.execute(select(*columns).where(Recording.switch == switch, Recording.uniqueid.in_(uniqueids)))
    return {(row.uniqueid, row.segment): Kept(row.bytes, row.state, row.path) for row in rows}


_REFUSED = text("""
    select n.name from unnest(cast(:names as text[])) n(name) where 'refused' = (
        select k.state from call_consent k where (k.switch, k.uniqueid) in (
            select :switch, n.name union all select other.switch, other.uniqueid from call_alias mine join call c on c.id = mine.call_id
            join call half on half.id = coalesce(c.joined_to_id, c.id) or half.joined_to_id = coalesce(c.joined_to_id, c.id)
            join call_alias other on other.call_id = half.id
            where mine.switch = :switch and mine.uniqueid = n.name)
        order by k.id desc limit 1)
""")


def refused(session: Session, switch: str, uniqueids: Sequence[str]) -> set[str]:
    """Those of these channels whose caller refused to be recorded, under whatever name of the call or of its halves it was said."""
    return {name for (name,) in session.execute(_REFUSED, {"names": list(uniqueids), "switch": switch})}


def of_call(session: Session, *ids: int) -> list[Recording]:
    """The recordings of a call and of its halves, whatever became of them."""
    return list(session.scalars(select(Recording).where(Recording.call_id.in_(ids)).order_by(Recording.found_at, Recording.segment)))


def of_channel(session: Session, switch: str, uniqueid: str) -> list[Recording]:
    """The recordings of a channel whose call is not known yet."""
    return list(session.scalars(select(Recording).where(Recording.switch == switch, Recording.uniqueid == uniqueid)))


def recording_for(session: Session, recording_id: int) -> Recording | None:
    """The recording, when its branch is in scope."""
    return session.get(Recording, recording_id)


def last_play(session: Session, recording_id: int, staff_id: int, kind: str = "play") -> datetime | None:
    """When this person's last play (or download) of the recording began."""
    return session.scalars(
        select(func.max(RecordingPlay.at)).where(
            RecordingPlay.recording_id == recording_id, RecordingPlay.staff_id == staff_id, RecordingPlay.kind == kind
        )
    ).one()


def open_hold(session: Session, recording_id: int) -> RecordingHold | None:
    """The legal hold on a recording, if there is one now."""
    query = select(RecordingHold).where(RecordingHold.recording_id == recording_id, RecordingHold.lifted_at.is_(None))
    return session.scalars(query).first()


def consents(session: Session, *ids: int) -> list[CallConsent]:
    """What the caller was told or said, newest first."""
    return list(
        session.scalars(
            select(CallConsent)
            .join(CallAlias, (CallAlias.switch == CallConsent.switch) & (CallAlias.uniqueid == CallConsent.uniqueid))
            .where(CallAlias.call_id.in_(ids))
            .order_by(CallConsent.id.desc())
        )
    )


@dataclass(frozen=True)
class Sounds:
    """What the page of a call shows of its recordings; holds and deletions by recording, days by class."""

    recordings: list[Recording]
    plays: list[Play]
    consents: list[CallConsent]
    holds: dict[int, RecordingHold]
    deletions: list[RecordingDeletion]
    days: dict[str, int]
    findings: list[RecordingFinding]

    @property
    def people(self) -> set[int]:
        """Everybody who is named."""
        ids = {play.staff_id for play in self.plays} | {one.by_id for one in self.consents}
        ids |= {one.set_by_id for one in self.holds.values()} | {one.by_id for one in self.deletions}
        return {found for found in ids if found is not None}

    def until(self, recording: Recording, ended: datetime | None) -> datetime | None:
        """When retention ends for it, hold and open complaint aside."""
        days = self.days.get(recording.retention)
        return None if days is None else (ended or recording.found_at) + timedelta(days=days)


def sounds(session: Session, *calls: int) -> Sounds:
    """Everything that is known of the audio of a call and of its halves."""
    recordings = of_call(session, *calls)
    ids = [one.id for one in recordings]
    plays = session.execute(
        select(RecordingPlay.staff_id, RecordingPlay.at, RecordingPlay.kind, RecordingPlay.reason)
        .where(RecordingPlay.recording_id.in_(ids))
        .order_by(RecordingPlay.id.desc())
        .limit(20)
    )
    holds = session.scalars(
        select(RecordingHold).where(RecordingHold.recording_id.in_(ids), RecordingHold.lifted_at.is_(None))
    )
    gone = session.scalars(select(RecordingDeletion).where(RecordingDeletion.recording_id.in_(ids)))
    wrong = session.scalars(
        select(RecordingFinding)
        .join(
            CallAlias, (CallAlias.switch == RecordingFinding.switch) & (CallAlias.uniqueid == RecordingFinding.uniqueid)
        )
        .where(CallAlias.call_id.in_(calls), RecordingFinding.mended_at.is_(None))
        .order_by(RecordingFinding.id)
    )
    return Sounds(
        recordings,
        [Play(*row) for row in plays],
        consents(session, *calls),
        {one.recording_id: one for one in holds},
        list(gone),
        days(session),
        list(wrong),
    )


def days(session: Session) -> dict[str, int]:
    """Days by class."""
    return {row.code: row.days for row in session.scalars(select(RetentionClass).order_by(RetentionClass.code))}


class Found(NamedTuple):
    """A finding with its call, when it has one."""

    finding: RecordingFinding
    call_id: int | None


def findings(session: Session, limit: int = 100, mended: int = 10) -> list[Found]:
    """What is wrong now, alarms first, and after it what was mended last."""
    closed = select(RecordingFinding.id).where(RecordingFinding.mended_at.is_not(None))
    last = closed.order_by(RecordingFinding.mended_at.desc()).limit(mended)
    rows = session.execute(
        select(RecordingFinding, CallAlias.call_id)
        .outerjoin(
            CallAlias, (CallAlias.switch == RecordingFinding.switch) & (CallAlias.uniqueid == RecordingFinding.uniqueid)
        )
        .where(RecordingFinding.mended_at.is_(None) | RecordingFinding.id.in_(last))
        .order_by(
            RecordingFinding.mended_at.is_not(None),
            case((RecordingFinding.kind.in_(("key", "disk", "link")), 0), else_=1),
            RecordingFinding.id.desc(),
        )
        .limit(limit)
    )
    return [Found(*row) for row in rows]


def alarm(session: Session) -> str:
    """Why nothing can be collected or heard now, in one sentence; empty when all is well."""
    query = select(RecordingFinding.note).where(RecordingFinding.kind == "key", RecordingFinding.mended_at.is_(None))
    return session.scalars(query.limit(1)).first() or ""


def deletions(session: Session, limit: int = 50) -> list[RecordingDeletion]:
    """The last recordings that were destroyed or are about to be."""
    return list(session.scalars(select(RecordingDeletion).order_by(RecordingDeletion.id.desc()).limit(limit)))


class Holding(NamedTuple):
    """A hold with the call of its recording."""

    hold: RecordingHold
    call_id: int | None


def open_holds(session: Session, limit: int = 100) -> list[Holding]:
    """Every recording that is held now, newest hold first."""
    rows = session.execute(
        select(RecordingHold, Recording.call_id)
        .join(Recording, Recording.id == RecordingHold.recording_id)
        .where(RecordingHold.lifted_at.is_(None))
        .order_by(RecordingHold.id.desc())
        .limit(limit)
    )
    return [Holding(*row) for row in rows]


class Shelf(NamedTuple):
    """How much there is."""

    kept: int
    bytes: int
    plain: int


def shelf(session: Session) -> Shelf:
    """How many recordings are kept, their size, and how many of them are not sealed."""
    row = session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(func.coalesce(Recording.kept_bytes, Recording.bytes)), 0),
            func.count().filter(Recording.path.startswith("v1/")),
        ).where(Recording.state == "kept")
    ).one()
    return Shelf(*map(int, row))


def outlived(
    session: Session, at: datetime, open_complaints: set[tuple[str, str]], limit: int = 500
) -> list[Recording]:
    """Recordings whose class has run out, oldest first and locked; those that are held or under an open complaint are not among them."""
    spared = _calls_named(session, open_complaints)
    age = func.coalesce(Call.ended_at, Recording.found_at)
    held = select(RecordingHold.recording_id).where(RecordingHold.lifted_at.is_(None))
    query = (
        select(Recording)
        .join(RetentionClass, RetentionClass.code == Recording.retention)
        .outerjoin(Call, Call.id == Recording.call_id)
        .where(
            Recording.state == "kept",
            age + func.make_interval(0, 0, 0, RetentionClass.days) < at,
            Recording.id.not_in(held),
            Recording.call_id.is_(None) | Recording.call_id.not_in(spared),
        )
        .order_by(Recording.id)
        .limit(limit)
        .with_for_update(of=Recording, skip_locked=True)
    )
    return list(session.scalars(query))


def _calls_named(session: Session, names: set[tuple[str, str]]) -> set[int]:
    rows = session.execute(
        select(CallAlias.call_id, CallAlias.switch, CallAlias.uniqueid).where(
            CallAlias.uniqueid.in_({uniqueid for _switch, uniqueid in names})
        )
    )
    ids = {row.call_id for row in rows if (row.switch, row.uniqueid) in names}
    return set(session.scalars(joining.rows_of(ids)))


def doomed(session: Session) -> list[tuple[int, str]]:
    """Recordings that are to be destroyed: id and place in the vault."""
    rows = session.execute(
        select(Recording.id, Recording.path).where(Recording.state == "doomed").order_by(Recording.id)
    )
    return [(row.id, row.path) for row in rows]


class Source(NamedTuple):
    """A file that may be deleted at the switch."""

    recording_id: int
    switch: str
    source: str | None
    sha256: str
    path: str
    state: str
    kept: str


def deletable(session: Session, switches: Sequence[str], before: datetime, *, after: int = 0, limit: int = 500) -> list[Source]:
    """Files of these switches marked for deletion before then, and those of refused calls at once; by id, `after` the last one seen."""
    columns = (
        *(Recording.id, Recording.switch, Recording.source, Recording.sha256, Recording.path, Recording.state),
        func.coalesce(Recording.kept_sha256, Recording.sha256),
    )
    query = select(*columns).where(
        Recording.id > after,
        Recording.switch.in_(switches),
        Recording.source.is_not(None),
        Recording.source_deleted_at.is_(None),
        (Recording.source_marked_at < before) | (Recording.state == "destroyed"),
        Recording.state != "doomed",
    )
    return [Source(*row) for row in session.execute(query.order_by(Recording.id).limit(limit))]


def places(session: Session, paths: Sequence[str]) -> set[str]:
    """Those of these vault keys that a recording stands under."""
    return set(session.scalars(select(Recording.path).where(Recording.path.in_(paths))))


class Row(NamedTuple):
    """A recording as the proof sees it."""

    id: int
    state: str
    sha256: str
    path: str
    at: datetime
    kept_as: str = "wav"
    kept_sha256: str | None = None
    transcoded_at: datetime | None = None


def rows(session: Session, page: int = 1000) -> Iterator[Row]:
    """Every recording, by id; read in pages so that a long proof holds no transaction's memory."""
    last = 0
    columns = (Recording.id, Recording.state, Recording.sha256, Recording.path)
    changed = func.coalesce(Recording.changed_at, Recording.found_at)
    form = (Recording.kept_as, Recording.kept_sha256, Recording.transcoded_at)
    while found := session.execute(
        select(*columns, changed, *form).where(Recording.id > last).order_by(Recording.id).limit(page)
    ).all():
        yield from (Row(*row) for row in found)
        last = found[-1].id


def plain(session: Session, limit: int = 200) -> list[Row]:
    """Recordings that are kept and not sealed yet."""
    columns = (Recording.id, Recording.state, Recording.sha256, Recording.path, Recording.found_at)
    query = select(*columns).where(Recording.state == "kept", Recording.path.startswith("v1/"))
    return [Row(*row) for row in session.execute(query.order_by(Recording.id).limit(limit))]


def wavs(session: Session, after: int, limit: int) -> list[Row]:
    """The next recordings that are kept as the switch wrote them and are not held, by id."""
    columns = (Recording.id, Recording.state, Recording.sha256, Recording.path, Recording.found_at)
    held = select(RecordingHold.recording_id).where(RecordingHold.lifted_at.is_(None))
    query = select(*columns).where(
        Recording.id > after, Recording.state == "kept", Recording.kept_as == "wav", Recording.id.not_in(held)
    )
    return [Row(*row) for row in session.execute(query.order_by(Recording.id).limit(limit))]


def first_change(session: Session) -> datetime | None:
    """When the first recording was found."""
    return session.scalars(select(func.min(func.coalesce(Recording.changed_at, Recording.found_at)))).one()


def changed_between(session: Session, since: datetime, until: datetime) -> list[tuple[int, str, str]]:
    """Id, hash and state of what was found or destroyed from `since` up to `until`; with their form those that got another."""
    changed = func.coalesce(Recording.changed_at, Recording.found_at)
    query = select(Recording.id, Recording.sha256, Recording.state).where(changed >= since, changed < until)
    other = select(Recording.id, Recording.kept_sha256, Recording.kept_as).where(
        Recording.transcoded_at >= since, Recording.transcoded_at < until
    )
    return [(one, sha256, word) for one, sha256, word in (*session.execute(query), *session.execute(other))]


def last_link(session: Session) -> RecordingChain | None:
    """The newest day of the chain."""
    return session.scalars(select(RecordingChain).order_by(RecordingChain.day.desc()).limit(1)).first()


def chain(session: Session) -> Iterator[RecordingChain]:
    """Every day of the chain, oldest first."""
    days_ = list(session.scalars(select(RecordingChain.day).order_by(RecordingChain.day)))
    for day in days_:
        yield session.get_one(RecordingChain, day)


def logged(session: Session, recording_id: int) -> bool:
    """True when its deletion is on record."""
    query = select(RecordingDeletion.id).where(RecordingDeletion.recording_id == recording_id)
    return session.scalars(query).first() is not None


def chain_head(session: Session) -> tuple[date, str] | None:
    """The newest day of the chain and its hash, to be written down elsewhere."""
    last = last_link(session)
    return (last.day, last.hash) if last else None
