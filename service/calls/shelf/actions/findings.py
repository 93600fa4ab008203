"""What is wrong with a file or a call's audio, and when it is mended."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls.model import Call, CallAlias
from service.calls.shelf.model import RecordingFinding
from service.staff import queries as staff


def call_of(session: Session, switch: str, uniqueid: str) -> Call | None:
    """The stored call that has or had a channel of that id."""
    alias = select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid == uniqueid)
    return session.scalars(select(Call).where(Call.id.in_(alias))).first()


def found(
    session: Session,
    kind: str,
    switch: str,
    subject: str,
    *,
    at: datetime,
    note: str = "",
    uniqueid: str | None = None,
    mended: bool = False,
) -> None:
    """The finding stands on the list of what is wrong; found again it is open again."""
    call = call_of(session, switch, uniqueid) if uniqueid else None
    row = {
        "switch": switch,
        "kind": kind,
        "subject": subject[:300],
        "uniqueid": uniqueid,
        "note": note[:300],
        "found_at": at,
        "mended_at": at if mended else None,
        "branch_id": call.branch_id if call else staff.headquarters(session),
    }
    again = {name: row[name] for name in ("note", "mended_at")}
    session.execute(
        insert(RecordingFinding)
        .values(row)
        .on_conflict_do_update(index_elements=["switch", "kind", "subject"], set_=again)
    )


def mended(session: Session, kind: str, *, at: datetime, switch: str | None = None, subject: str | None = None) -> None:
    """Findings of that kind are closed: all of them, those of a switch, or the one with that subject."""
    narrowed = [] if switch is None else [RecordingFinding.switch == switch]
    narrowed += [] if subject is None else [RecordingFinding.subject == subject]
    mended_where(session, RecordingFinding.kind == kind, *narrowed, at=at)


def mended_where(session: Session, *which: Any, at: datetime) -> None:
    session.execute(
        update(RecordingFinding)
        .where(RecordingFinding.mended_at.is_(None), *which)
        .values(mended_at=at)
        .execution_options(synchronize_session=False)
    )


MISSING_AFTER = timedelta(minutes=10)
ORPHAN_AFTER = timedelta(minutes=15)
LOOKED_BACK = timedelta(days=3)
_MISSING = text("""
    insert into recording_finding (switch, kind, subject, uniqueid, note, found_at, branch_id)
    select c.switch, 'missing', c.call_key, c.call_key, '', :at, c.branch_id from call c
    where c.switch = any(:switches) and not c.live
    and case when c.own is null then c.recorded and c.answered_at is not null
        else cast(c.own ->> 'recorded' as boolean) and c.own ->> 'answered_at' is not null end
    and c.started_at > :since and c.ended_at < :before
    and not exists (select from recording r where r.call_id = c.id)
    and not exists (select from call_alias a join recording_finding f on f.switch = a.switch and f.uniqueid = a.uniqueid
                    where a.call_id = c.id and f.kind in ('empty', 'unusable'))
    and 'refused' is distinct from (
        select k.state from call half join call_alias a on a.call_id = half.id
        join call_consent k on k.switch = a.switch and k.uniqueid = a.uniqueid
        where half.id = coalesce(c.joined_to_id, c.id) or half.joined_to_id = coalesce(c.joined_to_id, c.id)
        order by k.id desc limit 1)
    on conflict (switch, kind, subject) do nothing
""")
_NOT_MISSING = text("""
    update recording_finding f set mended_at = :at
    from call_alias a join recording r on r.call_id = a.call_id
    where f.kind = 'missing' and f.mended_at is null and a.switch = f.switch and a.uniqueid = f.uniqueid
""")
_NOBODY_TALKED = text("""
    update recording_finding f set mended_at = :at from call_alias a join call c on c.id = a.call_id
    where f.kind = 'empty' and f.mended_at is null and a.switch = f.switch and a.uniqueid = f.uniqueid
    and not c.live and c.answered_at is null
""")
_ORPHANS = text("""
    insert into recording_finding (switch, kind, subject, uniqueid, note, found_at, branch_id)
    select switch, 'orphan', coalesce(source, uniqueid || '.' || segment), uniqueid, '', :at, branch_id from recording
    where call_id is null and state = 'kept' and found_at < :before
    on conflict (switch, kind, subject) do nothing
""")
_NOT_ORPHANS = text("""
    update recording_finding f set mended_at = :at from recording r
    where f.kind = 'orphan' and f.mended_at is null and r.switch = f.switch and r.uniqueid = f.uniqueid
    and r.call_id is not null
""")


def look_for_missing(session: Session, switches: Sequence[str], *, at: datetime) -> None:
    """Calls that were recorded and have no file, and files that have no call, are findings; those that were found are closed.

    So is an empty file of a call that nobody answered: nothing is missing there.
    """
    given = {"switches": list(switches), "at": at, "since": at - LOOKED_BACK, "before": at - MISSING_AFTER}
    session.execute(_NOT_MISSING, given)
    session.execute(_MISSING, given)
    session.execute(_NOT_ORPHANS, given)
    session.execute(_NOBODY_TALKED, given)
    session.execute(_ORPHANS, given | {"before": at - ORPHAN_AFTER})


def sweep(session: Session, *, at: datetime) -> None:
    """Findings that were mended long ago have told their story."""
    session.execute(delete(RecordingFinding).where(RecordingFinding.mended_at < at - timedelta(days=90)))
