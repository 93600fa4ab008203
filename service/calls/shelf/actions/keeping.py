"""How long recordings stay: classes, complaints and holds."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from service.calls import joining
from service.calls.model import CallAlias, Recording
from service.calls.shelf import queries
from service.calls.shelf.model import (
    RecordingHold,
    RetentionClass,
)
from service.core import audit
from service.core.errors import DeskError, Invalid, NotFound


class Held(DeskError):
    """A legal hold stands in the way."""


def hold(session: Session, recording_id: int, reason: str, *, by: int, at: datetime) -> None:
    """The recording outlives its retention until the hold is lifted."""
    recording = _kept(session, recording_id)
    _reasoned(reason)
    if queries.open_hold(session, recording_id):
        raise Held(_("This recording is already under a legal hold."))
    session.add(
        RecordingHold(
            recording_id=recording_id,
            reason=reason.strip()[:300],
            set_at=at,
            set_by_id=by,
            branch_id=recording.branch_id,
        )
    )
    session.flush()
    _told_hold(session, recording, "hold", reason, by, at)


def lift(session: Session, recording_id: int, reason: str, *, by: int, at: datetime) -> None:
    """The hold has ended; retention counts again."""
    recording = _kept(session, recording_id)
    _reasoned(reason)
    found = queries.open_hold(session, recording_id)
    if found is None:
        raise Held(_("This recording is not under a legal hold. Load the page again."))
    found.lifted_at, found.lifted_by_id, found.lift_reason = at, by, reason.strip()[:300]
    _told_hold(session, recording, "lift hold", reason, by, at)


def _kept(session: Session, recording_id: int) -> Recording:
    """Locked, so that a purge and a hold never pass each other."""
    recording = session.get(Recording, recording_id, with_for_update=True, populate_existing=True)
    if recording is None or recording.state != "kept":
        raise NotFound(_("There is no such recording any more. Look for its call in the call list."))
    return recording


def _reasoned(reason: str) -> None:
    if not reason.strip():
        raise Invalid(
            _("Say why in a few words; it stands beside the recording."), {"reason": _("A reason is needed.")}
        )


def _told_hold(session: Session, recording: Recording, verb: str, reason: str, by: int, at: datetime) -> None:
    told = {"reason": reason.strip()[:300]}
    branch_id = recording.branch_id
    audit.record(
        session, at=at, by=by, verb=verb, entity="recording", entity_id=recording.id, new=told, branch_id=branch_id
    )


def keep_for(session: Session, code: str, days: int, *, by: int, at: datetime) -> None:
    """Recordings of that class are kept so many days from now on."""
    row = session.get(RetentionClass, code)
    if row is None or not 1 <= days <= 36_500:
        raise Invalid(_("Recordings are kept from 1 to 36500 days. Type a whole number of days."))
    old, new = {"days": row.days}, {"days": days, "class": code}
    row.days = days
    audit.record(session, at=at, by=by, verb="retention", entity="retention_class", entity_id=None, old=old, new=new)


def complained_of(session: Session, names: Sequence[tuple[str, str]]) -> int:
    """Recordings of these calls and of their halves are of the class complaint; returns how many were not before."""
    changed = 0
    for start in range(0, len(names), 1000):
        alias = select(CallAlias.call_id).where(
            tuple_(CallAlias.switch, CallAlias.uniqueid).in_(names[start : start + 1000])
        )
        update_ = update(Recording).where(Recording.call_id.in_(joining.rows_of(alias)), Recording.retention != "complaint")
        done = session.execute(
            update_.values(retention="complaint").returning(Recording.id).execution_options(synchronize_session=False)
        )
        changed += len(done.all())
    return changed
