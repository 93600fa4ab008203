"""Verbs of the shelf: found, linked, played, consented, held, doomed, destroyed, chained."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.calls.model import Call, CallAlias, Recording, RecordingPlay
from service.calls.shelf import queries, rules
from service.calls.shelf.model import (
    CallConsent,
    RecordingChain,
    RecordingDeletion,
    RecordingFinding,
    RecordingHold,
    RetentionClass,
)
from service.core import audit, jobs, live
from service.core.errors import DeskError, Invalid, NotFound
from service.staff import queries as staff

LATE = timedelta(hours=1)
DESTROY = "recordings.destroy"


class Held(DeskError):
    """A legal hold stands in the way."""


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
) -> int:
    """The file in the vault is known, and linked when its call is; the same file twice is one row.

    `source` names the file at the switch, which from now on may be deleted there. Audio of a caller who refused is doomed.
    """
    call = _call_of(session, switch, uniqueid)
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
        _mended(session, RecordingFinding.switch == switch, RecordingFinding.subject == source, at=at)
    _arrived(session, session.get_one(Recording, recording_id, populate_existing=True), call, at)
    return recording_id


def _call_of(session: Session, switch: str, uniqueid: str) -> Call | None:
    alias = select(CallAlias.call_id).where(CallAlias.switch == switch, CallAlias.uniqueid == uniqueid)
    return session.scalars(select(Call).where(Call.id.in_(alias))).first()


def _arrived(session: Session, recording: Recording, call: Call | None, at: datetime) -> None:
    """What follows once a recording has its call, or is known to come from a caller who refused."""
    if queries.refused(session, recording.switch, [recording.uniqueid]):
        doom(session, [recording], reason="refused", by=None, at=at)
        return
    if call is None:
        return
    call.recorded = True
    session.flush()
    if call.ended_at and at - call.ended_at > LATE:
        subject = recording.source or f"{recording.uniqueid}.{recording.segment}"
        found(session, "late", recording.switch, subject, at=at, uniqueid=recording.uniqueid, mended=True)
    live.publish(session, "all", "recording", {"call_id": call.id}, at=at)


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


def recording_sealed(session: Session, recording_id: int, path: str, wave: str | None, silences: Any) -> bool:
    """The same audio lies under another key now; False when it was destroyed meanwhile."""
    changed = (
        update(Recording)
        .where(Recording.id == recording_id, Recording.state == "kept")
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
        session, at=at, by=None, verb="transcode", entity="recording", entity_id=recording_id, new=told, branch_id=row.branch_id
    )
    session.flush()
    return True


def recording_played(
    session: Session, recording_id: int, *, by: int, at: datetime, kind: str = "play", reason: str = ""
) -> None:
    """Who listened or took the file along, when and why, is on record."""
    recording = session.get_one(Recording, recording_id)
    branch_id = recording.branch_id
    session.add(
        RecordingPlay(
            recording_id=recording_id, staff_id=by, kind=kind, reason=reason[:300], at=at, branch_id=branch_id
        )
    )
    told = {"reason": reason[:300]} if reason else None
    audit.record(
        session, at=at, by=by, verb=kind, entity="recording", entity_id=recording_id, new=told, branch_id=branch_id
    )


def consent(session: Session, switch: str, uniqueid: str, state: str, *, by: int | None, at: datetime) -> None:
    """What the caller was told or said is on record; after a refusal the audio is destroyed, and none is collected.

    `by` is who asked, or None when the dialplan tells it. The call need not be stored yet.
    """
    if state not in rules.CONSENTS:
        raise Invalid(_("There is no such consent. Choose announced, given or refused."))
    call = _call_of(session, switch, uniqueid)
    sounds = queries.of_call(session, call.id) if call else queries.of_channel(session, switch, uniqueid)
    if state == "refused":
        _not_held(session, sounds)
    branch_id = call.branch_id if call else staff.headquarters(session)
    session.add(CallConsent(switch=switch, uniqueid=uniqueid, state=state, at=at, by_id=by, branch_id=branch_id))
    told = {"consent": state, "call": uniqueid}
    call_id = call.id if call else None
    audit.record(session, at=at, by=by, verb="consent", entity="call", entity_id=call_id, new=told, branch_id=branch_id)
    session.flush()
    if state == "refused":
        doom(session, [one for one in sounds if one.state == "kept"], reason="refused", by=by, at=at)
        if call:
            live.publish(session, "all", "recording", {"call_id": call.id}, at=at)


def _not_held(session: Session, recordings: Iterable[Recording]) -> None:
    if any(queries.open_hold(session, one.id) for one in recordings):
        raise Held(_("This recording is under a legal hold. Have the hold lifted first; then it can be destroyed."))


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
    """Recordings of these calls are of the class complaint; returns how many were not before."""
    changed = 0
    for start in range(0, len(names), 1000):
        alias = select(CallAlias.call_id).where(
            tuple_(CallAlias.switch, CallAlias.uniqueid).in_(names[start : start + 1000])
        )
        update_ = update(Recording).where(Recording.call_id.in_(alias), Recording.retention != "complaint")
        done = session.execute(
            update_.values(retention="complaint").returning(Recording.id).execution_options(synchronize_session=False)
        )
        changed += len(done.all())
    return changed


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
    call = _call_of(session, switch, uniqueid) if uniqueid else None
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
    _mended(session, RecordingFinding.kind == kind, *narrowed, at=at)


def _mended(session: Session, *which: Any, at: datetime) -> None:
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
    where c.switch = any(:switches) and c.recorded and c.answered_at is not null and not c.live
    and c.started_at > :since and c.ended_at < :before
    and not exists (select from recording r where r.call_id = c.id)
    and not exists (select from call_alias a join recording_finding f on f.switch = a.switch and f.uniqueid = a.uniqueid
                    where a.call_id = c.id and f.kind in ('empty', 'unusable'))
    and 'refused' is distinct from (
        select k.state from call_alias a join call_consent k on k.switch = a.switch and k.uniqueid = a.uniqueid
        where a.call_id = c.id order by k.id desc limit 1)
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


def source_deleted(session: Session, recording_id: int, *, at: datetime) -> None:
    """The switch no longer has the file."""
    session.get_one(Recording, recording_id).source_deleted_at = at


def chained(session: Session, day: date, since: datetime, until: datetime, *, at: datetime) -> str:
    """The recordings that were found or destroyed that day are one more link of the chain; returns its hash."""
    rows = queries.changed_between(session, since, until)
    previous = queries.last_link(session)
    assert previous is None or previous.day < day, "a day follows the one before"
    entries, before = rules.listed(rows), previous.hash if previous else rules.FIRST
    linked = rules.linked(before, day, entries)
    session.add(RecordingChain(day=day, entries=entries, previous=before, hash=linked, made_at=at))
    session.flush()
    return linked


def sweep(session: Session, *, at: datetime) -> None:
    """Findings that were mended long ago have told their story."""
    session.execute(delete(RecordingFinding).where(RecordingFinding.mended_at < at - timedelta(days=90)))
