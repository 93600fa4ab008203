"""Who listened, and what the caller was told or said."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from service.calls import joining
from service.calls.model import Call, Recording, RecordingPlay
from service.calls.shelf import queries, rules
from service.calls.shelf.actions.ending import doom
from service.calls.shelf.actions.findings import call_of
from service.calls.shelf.actions.keeping import Held
from service.calls.shelf.model import CallConsent
from service.core import audit, live
from service.core.errors import Invalid
from service.staff import queries as staff


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

    The call need not be stored yet.
    """
    if state not in rules.CONSENTS:
        raise Invalid(_("There is no such consent. Choose announced, given or refused."))
    call = call_of(session, switch, uniqueid)
    sounds = queries.of_call(session, *joining.ids_of(session, call.id)) if call else queries.of_channel(session, switch, uniqueid)
    if state == "refused":
        sounds = _locked(session, sounds)
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
            live.publish(session, "all", "recording", {"call_id": call.joined_to_id or call.id}, at=at)


def consented(session: Session, told: Sequence[tuple[Call, str, str]], *, at: datetime) -> None:
    """What the dialplan says of a call (by its channel, the state) is on record once; a refusal ends its audio."""
    if not told:
        return
    named = tuple_(CallConsent.switch, CallConsent.uniqueid).in_({(call.switch, name) for call, name, _ in told})
    rows = select(CallConsent.switch, CallConsent.uniqueid, CallConsent.state).where(named, CallConsent.by_id.is_(None))
    known = {tuple(row) for row in session.execute(rows)}
    for call, name, state in told:
        if (call.switch, name, state) in known:
            continue
        known.add((call.switch, name, state))
        if state == "refused":
            consent(session, call.switch, name, state, by=None, at=at)
        else:
            session.add(CallConsent(switch=call.switch, uniqueid=name, state=state, at=at, by_id=None, branch_id=call.branch_id))


def _locked(session: Session, recordings: Iterable[Recording]) -> list[Recording]:
    """A hold, a second click and a purge wait for us, or we for them: what follows is seen as they leave it."""
    ids = [one.id for one in recordings]
    rows = select(Recording).where(Recording.id.in_(ids)).order_by(Recording.id).with_for_update()
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def doom_refused(session: Session, *, since: datetime, at: datetime) -> int:
    """Audio that was collected in the very moment of its caller's refusal is doomed after all; returns how many there were."""
    said = select(CallConsent.switch, CallConsent.uniqueid).where(CallConsent.state == "refused", CallConsent.at > since)
    count = 0
    for switch, uniqueid in session.execute(said.distinct()).all():
        call = call_of(session, switch, uniqueid)
        sounds = queries.of_call(session, *joining.ids_of(session, call.id)) if call else queries.of_channel(session, switch, uniqueid)
        if not any(one.state == "kept" for one in sounds) or not queries.refused(session, switch, [uniqueid]):
            continue
        kept = [one for one in _locked(session, sounds) if one.state == "kept" and not queries.open_hold(session, one.id)]
        doom(session, kept, reason="refused", by=None, at=at)
        count += len(kept)
    return count


def _not_held(session: Session, recordings: Iterable[Recording]) -> None:
    if any(queries.open_hold(session, one.id) for one in recordings):
        raise Held(_("This recording is under a legal hold. Have the hold lifted first; then it can be destroyed."))
