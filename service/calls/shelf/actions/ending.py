"""Recordings that are to be destroyed, and those that were."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.calls.model import Recording
from service.calls.shelf.model import RecordingDeletion
from service.core import audit, jobs

DESTROY = "recordings.destroy"


def doom(
    session: Session, recordings: Sequence[Recording], *, reason: str, by: int | None, at: datetime, note: str = ""
) -> None:
    """Nobody hears these from now on; their data keys are destroyed as soon as the jobs process takes the order."""
    for one in recordings:
        one.state = "doomed"
        session.add(
            RecordingDeletion(
                recording_id=one.id,
                call_id=one.call_id,
                sha256=one.sha256,
                bytes=one.bytes,
                reason=reason,
                note=note,
                asked_at=at,
                by_id=by,
                branch_id=one.branch_id,
            )
        )
        told = {"reason": reason, "sha256": one.sha256}
        audit.record(
            session,
            at=at,
            by=by,
            verb="destroy",
            entity="recording",
            entity_id=one.id,
            new=told,
            branch_id=one.branch_id,
        )
    session.flush()
    if recordings:
        jobs.enqueue(session, DESTROY, {}, at=at)


def destroyed(session: Session, recording_id: int, *, at: datetime) -> None:
    """Key and audio are gone; what is left is that there was a recording, and its hash."""
    row = session.get_one(Recording, recording_id)
    row.state, row.path, row.wave, row.silences, row.changed_at = "destroyed", "", None, None, at
    log = update(RecordingDeletion).where(RecordingDeletion.recording_id == recording_id)
    session.execute(log.where(RecordingDeletion.destroyed_at.is_(None)).values(destroyed_at=at))
