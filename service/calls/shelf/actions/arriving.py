"""Recordings arrive, find their call, and lie in the vault under one key or another."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls import joining
from service.calls.model import Call, CallAlias, Recording
from service.calls.shelf import queries, rules
from service.calls.shelf.actions.ending import doom
from service.calls.shelf.actions.findings import call_of, found, mended_where
from service.calls.shelf.model import RecordingFinding
from service.core import audit, live
from service.staff import queries as staff

LATE = timedelta(hours=1)


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
    wave: str | None = None,
    silences: Sequence[Sequence[float]] | None = None,
    source: str | None = None,
    written_at: datetime | None = None,
) -> int:
    """The file in the vault is known, and linked when its call is; the same file twice is one row.

    `source` names the file at the switch, which from now on may be deleted there; `written_at` is when it was last written.
    Audio of a caller who refused is doomed.
    """
    call = call_of(session, switch, uniqueid)
    row: dict[str, Any] = {
        "switch": switch,
        "uniqueid": uniqueid,
        "segment": segment,
        "call_id": call.id if call else None,
        "path": path,
        "sha256": sha256,
        "bytes": size,
        "seconds": seconds,
        "format": form,
        "kept_as": "wav",
        "kept_sha256": None,
        "kept_bytes": None,
        "transcoded_at": None,
        "state": "kept",
        "retention": rules.retention_for(call.direction if call else ""),
        "wave": wave,
        "silences": silences,
        "found_at": at,
        "changed_at": at,
        "source": source,
        "source_marked_at": at if source else None,
        "branch_id": call.branch_id if call else staff.headquarters(session),
    }
    once = ("switch", "uniqueid", "segment", "retention", "found_at", "branch_id")
    kept = {name: value for name, value in row.items() if name not in once}
    added = (
        insert(Recording).values(row).on_conflict_do_update(index_elements=["switch", "uniqueid", "segment"], set_=kept)
    )
    recording_id = int(session.execute(added.returning(Recording.id)).scalar_one())
    if source:
        mended_where(session, RecordingFinding.switch == switch, RecordingFinding.subject == source, at=at)
    _arrived(session, session.get_one(Recording, recording_id, populate_existing=True), call, at, written_at)
    return recording_id


def _arrived(session: Session, recording: Recording, call: Call | None, at: datetime, written_at: datetime | None = None) -> None:
    """What follows once a recording has its call, or is known to come from a caller who refused.

    Late is what was written long after its call; a file that was there in time while nobody collected is not.
    """
    if queries.refused(session, recording.switch, [recording.uniqueid]):
        doom(session, [recording], reason="refused", by=None, at=at)
        return
    if call is None:
        return
    joining.recorded(session, call)
    if call.ended_at and min(written_at or at, at) - call.ended_at > LATE:
        subject = recording.source or f"{recording.uniqueid}.{recording.segment}"
        found(session, "late", recording.switch, subject, at=at, uniqueid=recording.uniqueid, mended=True)
    live.publish(session, "all", "recording", {"call_id": call.joined_to_id or call.id}, at=at)


def link_orphans(session: Session, *, at: datetime) -> int:
    """Recordings that came before their call have found it now, and pages learn of it; returns how many."""
    pairs = session.execute(
        select(Recording, Call)
        .join(CallAlias, (CallAlias.switch == Recording.switch) & (CallAlias.uniqueid == Recording.uniqueid))
        .join(Call, Call.id == CallAlias.call_id)
        .where(Recording.call_id.is_(None))
    ).all()
    for recording, call in pairs:
        recording.call_id, recording.branch_id = call.id, call.branch_id
        recording.retention = rules.retention_for(call.direction)
        session.flush()
        if recording.state == "kept":
            _arrived(session, recording, call, at)
    return len(pairs)


def recording_sealed(session: Session, recording_id: int, before: str, path: str, wave: str | None, silences: Any) -> bool:
    """The same audio lies under another key now; False when it is not any more what was read (`before`), or was destroyed."""
    changed = (
        update(Recording)
        .where(Recording.id == recording_id, Recording.state == "kept", Recording.path == before)
        .values(path=path, wave=wave, silences=silences)
    )
    return session.execute(changed.returning(Recording.id)).first() is not None


def recording_transcoded(
    session: Session, recording_id: int, before: str, path: str, *, kept_as: str, sha256: str, size: int, at: datetime
) -> bool:
    """The recording lies under `path` in another form; what the switch wrote stays on record by its hash.

    False when it is not any more what was read (`before`), or is held: then it stays as it is.
    """
    row = session.get(Recording, recording_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != "kept" or row.path != before or queries.open_hold(session, recording_id):
        return False
    row.path, row.kept_as, row.kept_sha256, row.kept_bytes, row.transcoded_at = path, kept_as, sha256, size, at
    told = {"kept_as": kept_as, "sha256": sha256, "was": row.sha256}
    audit.record(
        session,
        at=at,
        by=None,
        verb="transcode",
        entity="recording",
        entity_id=recording_id,
        new=told,
        branch_id=row.branch_id,
    )
    session.flush()
    return True


def source_deleted(session: Session, recording_id: int, *, at: datetime) -> None:
    """The switch no longer has the file."""
    session.get_one(Recording, recording_id).source_deleted_at = at
