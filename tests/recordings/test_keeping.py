"""Who consents, what is held, what is purged, and that each deletion is on record."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from recordings import collect, purge, vault
from service.calls import actions as calls
from service.calls.model import Call, CallAlias, Recording
from service.calls.shelf import actions, queries
from service.calls.shelf.model import CallConsent, RecordingDeletion
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.errors import Invalid
from service.core.model import AuditEntry, Job
from service.tickets import queries as tickets
from tests import make
from tests.conftest import AT
from tests.recordings.shelf import DAY, KEY, SOUND, findings, kept, stored_call

File = Callable[..., Path]
YEAR = timedelta(days=365)


def nothing(_session: object) -> list[tuple[str, str, bool]]:
    return []


def collected(shelf: Settings, there: File, **call: object) -> Recording:
    stored_call(**call)
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    return kept()[0]


def say(state: str, by: int | None = None, name: str = KEY) -> None:
    with db.begin(scope.ALL) as session:
        actions.consent(session, "pbx1", name, state, by=by, at=AT)


def deletions() -> list[tuple[str, int | None, bool]]:
    with db.begin(scope.ALL) as session:
        rows = session.scalars(select(RecordingDeletion).order_by(RecordingDeletion.id)).all()
        return [(row.reason, row.by_id, row.destroyed_at is not None) for row in rows]


def test_a_refusal_destroys_the_audio_and_keeps_the_call(
    shelf: Settings, there: File, committed_cast: SimpleNamespace
) -> None:
    ada = committed_cast.ada.id
    before = collected(shelf, there)
    say("refused", by=ada)
    assert kept()[0].state == "doomed"

    with db.begin(scope.ALL) as session:
        assert session.scalars(select(Job.name)).all() == ["recordings.destroy"]
    purge.destroy(shelf, AT)

    [after] = kept()
    assert (after.state, after.path, after.wave, after.sha256) == ("destroyed", "", None, before.sha256)
    assert [path for path in shelf.vault_dir.rglob("*") if path.is_file() and path.name != "master-key-id"] == []
    assert deletions() == [("refused", ada, True)]
    with db.begin(scope.ALL) as session:
        assert session.get_one(Call, after.call_id).answered_at is not None
        assert "destroy" in session.scalars(select(AuditEntry.verb)).all()
    assert collect.scan(shelf, AT).collected == []


def test_what_the_dialplan_says_is_on_record_once_and_a_refusal_ends_it(shelf: Settings, there: File) -> None:
    facts = make.facts(AT, call_key=KEY, live=True, ended_at=None, disposition=None, consent="announced")
    with db.begin(scope.ALL) as session:
        calls.store_calls(session, [facts, replace(facts, revision=facts.revision + 1)], None, at=AT)
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    with db.begin(scope.ALL) as session:
        over = replace(facts, live=False, ended_at=AT + timedelta(minutes=2), disposition="answered", consent="refused", revision=facts.revision + 2)
        calls.store_calls(session, [over], None, at=AT)
        assert session.execute(select(CallConsent.state, CallConsent.by_id).order_by(CallConsent.id)).all() == [("announced", None), ("refused", None)]
    assert [row.state for row in kept()] == ["doomed"]


def test_who_refused_before_the_file_came_is_never_collected(shelf: Settings, there: File) -> None:
    say("refused")
    stored_call()
    there(f"{DAY}/{KEY}.1.wav")

    report = collect.scan(shelf, AT)

    assert report.collected == [] and kept() == []
    assert not shelf.vault_dir.exists() or list(vault.of(shelf).blobs()) == []
    assert findings() == [("refused", f"2026/11/23/{KEY}.1.wav", True)]


def test_a_refusal_counts_for_every_name_of_the_call(shelf: Settings, there: File) -> None:
    stored_call(aliases=("1795395600.18",))
    say("refused", name="1795395600.18")
    there(f"{DAY}/{KEY}.1.wav")

    assert collect.scan(shelf, AT).collected == []


def test_an_orphan_of_a_caller_who_refused_is_destroyed_when_its_call_is_known(shelf: Settings, there: File) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    say("refused", name="1795395600.18")
    stored_call(aliases=("1795395600.18",))
    collect.scan(shelf, AT)

    assert [row.state for row in kept()] == ["doomed"]


def test_audio_that_came_in_the_moment_of_the_refusal_is_doomed_after_all(shelf: Settings, there: File) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav")
    with db.begin(scope.ALL) as collecting:  # neither transaction sees what the other has not committed
        actions.recording_found(collecting, switch="pbx1", uniqueid=KEY, segment=1, path="v2/00/none", sha256="0" * 64, size=len(SOUND),
                                seconds=Decimal(2), form="PCM", at=AT)
        say("refused")
    assert [row.state for row in kept()] == ["kept"]

    collect.scan(shelf, AT)

    assert [row.state for row in kept()] == ["doomed"]


def test_a_second_click_on_a_refusal_destroys_nothing_twice(shelf: Settings, there: File, committed_cast: SimpleNamespace) -> None:
    collected(shelf, there)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: say("refused", by=committed_cast.ada.id), range(4)))

    assert [(reason, by) for reason, by, _done in deletions()] == [("refused", committed_cast.ada.id)]


def test_a_refusal_waits_for_a_hold_that_is_being_set(shelf: Settings, there: File, committed_cast: SimpleNamespace) -> None:
    found = collected(shelf, there)
    with ThreadPoolExecutor(1) as pool:
        with db.begin(scope.ALL) as session:
            actions.hold(session, found.id, "claim of 3 March", by=committed_cast.cleo.id, at=AT)
            refusing = pool.submit(say, "refused")
            with pytest.raises(TimeoutError):
                refusing.result(0.5)
        with pytest.raises(actions.Held):
            refusing.result(10)
    assert [row.state for row in kept()] == ["kept"]


def test_the_last_word_counts_and_each_is_on_record(shelf: Settings, there: File, committed_cast: SimpleNamespace) -> None:
    say("announced")
    say("refused")
    say("given", by=committed_cast.ada.id)
    assert collected(shelf, there).state == "kept"

    with db.begin(scope.ALL) as session:
        told = queries.consents(session, session.scalars(select(CallAlias.call_id)).one())
        assert [(one.state, one.by_id) for one in told] == [("given", committed_cast.ada.id), ("refused", None), ("announced", None)]
    with pytest.raises(Invalid):
        say("perhaps")


def test_consent_moves_with_its_call_to_the_branch_of_who_took_it(shelf: Settings, committed_cast: SimpleNamespace) -> None:
    say("announced")
    stored_call()
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(CallConsent.branch_id)).all() == [committed_cast.pudong.id]


def test_what_has_outlived_its_class_is_purged_and_logged(shelf: Settings, there: File) -> None:
    collected(shelf, there)
    assert purge.outlive(nothing, AT + timedelta(days=179)) == 0
    assert purge.outlive(nothing, AT + timedelta(days=181)) == 1
    purge.destroy(shelf, AT + timedelta(days=181))

    assert [row.state for row in kept()] == ["destroyed"]
    assert deletions() == [("retention", None, True)]
    assert list(vault.of(shelf).blobs()) == []


def test_each_class_has_its_days(shelf: Settings, there: File, committed_cast: SimpleNamespace) -> None:
    found = collected(shelf, there, direction="outbound")
    assert found.retention == "outbound"
    try:
        with db.begin(scope.ALL) as session:
            actions.keep_for(session, "outbound", 30, by=committed_cast.root.id, at=AT)
        assert purge.outlive(nothing, AT + timedelta(days=31)) == 1
    finally:
        with db.begin(scope.ALL) as session:
            actions.keep_for(session, "outbound", 180, by=committed_cast.root.id, at=AT)
    with db.begin(scope.ALL) as session, pytest.raises(Invalid):
        actions.keep_for(session, "outbound", 0, by=committed_cast.root.id, at=AT)


def test_a_hold_outlives_retention_and_refusal_until_it_is_lifted(
    shelf: Settings, there: File, committed_cast: SimpleNamespace
) -> None:
    found, cleo = collected(shelf, there), committed_cast.cleo.id
    with db.begin(scope.ALL) as session:
        actions.hold(session, found.id, "claim of 3 March", by=cleo, at=AT)
    with db.begin(scope.ALL) as session, pytest.raises(actions.Held):
        actions.hold(session, found.id, "again", by=cleo, at=AT)
    assert purge.outlive(nothing, AT + 10 * YEAR) == 0
    with pytest.raises(actions.Held, match="legal hold"):
        say("refused")

    with db.begin(scope.ALL) as session, pytest.raises(Invalid):
        actions.lift(session, found.id, " ", by=cleo, at=AT)
    with db.begin(scope.ALL) as session:
        actions.lift(session, found.id, "settled", by=cleo, at=AT)
    assert purge.outlive(nothing, AT + 10 * YEAR) == 1


def test_an_open_complaint_keeps_its_recordings_and_a_closed_one_for_its_own_days(
    shelf: Settings, there: File, committed_cast: SimpleNamespace
) -> None:
    collected(shelf, there)
    with db.begin(scope.ALL) as session:
        customer = make.party(session, committed_cast.pudong)
        make.ticket(session, customer, committed_cast.ada, AT, type="complaint", call=("pbx1", KEY))
    assert purge.outlive(tickets.complained_calls, AT + 10 * YEAR) == 0
    assert kept()[0].retention == "complaint"

    with db.begin(scope.ALL) as session:
        session.execute(text("update ticket set state = 'closed'"))
    assert purge.outlive(tickets.complained_calls, AT + YEAR) == 0
    assert purge.outlive(tickets.complained_calls, AT + 3 * YEAR) == 1


def test_files_are_deleted_at_the_switch_only_when_told_and_only_when_the_vault_is_sound(
    shelf: Settings, there: File
) -> None:
    found = collected(shelf, there)
    path = shelf.switches[0].recordings / f"{DAY}/{KEY}.1.wav"  # type: ignore[operator]
    assert purge.delete_at_switch(shelf, AT + YEAR) == 0

    told = replace(shelf, delete_at_switch_after_days=7)
    assert purge.delete_at_switch(told, AT + timedelta(days=6)) == 0
    blob = vault.of(shelf).path(found.path)
    sound = blob.read_bytes()
    blob.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    assert purge.delete_at_switch(told, AT + timedelta(days=8)) == 0
    assert path.exists()

    blob.write_bytes(sound)
    assert purge.delete_at_switch(told, AT + timedelta(days=8)) == 1
    assert not path.exists() and kept()[0].source_deleted_at is not None
    assert purge.delete_at_switch(told, AT + timedelta(days=9)) == 0
    assert b"".join(vault.of(shelf).read(found.path, 0, found.bytes)) == SOUND


@pytest.mark.parametrize("mounted", [False, True])
def test_a_file_whose_disk_is_away_is_not_taken_for_deleted(shelf: Settings, there: File, mounted: bool) -> None:
    collected(shelf, there)
    root = shelf.switches[0].recordings / "pbx1"  # type: ignore[operator]
    away = root.rename(root.with_name("away"))
    if mounted:
        root.mkdir()  # the place of the mount is there, the disk is not
    soon, later = replace(shelf, delete_at_switch_after_days=7), AT + timedelta(days=8)

    assert (purge.delete_at_switch(soon, later), kept()[0].source_deleted_at) == (0, None)

    if mounted:
        root.rmdir()
    away.rename(root)
    assert purge.delete_at_switch(soon, later) == 1


def test_a_file_that_somebody_deleted_at_the_switch_with_its_day_is_gone(shelf: Settings, there: File) -> None:
    collected(shelf, there)
    there("pbx1/2026/11/24/1795395600.18.1.wav")
    shutil.rmtree(shelf.switches[0].recordings / DAY)  # type: ignore[operator]

    assert purge.delete_at_switch(replace(shelf, delete_at_switch_after_days=7), AT + timedelta(days=8)) == 1


def test_a_file_that_must_stay_does_not_stand_in_the_way_of_the_others(
    shelf: Settings, there: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries.deletable, "__kwdefaults__", {"after": 0, "limit": 1})
    for number in range(3):
        stored_call(key=f"179539560{number}.17")
        there(f"{DAY}/179539560{number}.17.1.wav")
    collect.scan(shelf, AT)
    blob = vault.of(shelf).path(kept()[0].path)
    blob.write_bytes(blob.read_bytes()[:-1])

    assert purge.delete_at_switch(replace(shelf, delete_at_switch_after_days=7), AT + timedelta(days=8)) == 2


def test_what_a_crash_left_half_is_swept(shelf: Settings, there: File) -> None:
    found, place = collected(shelf, there), vault.of(shelf)
    key = place.path(found.path).with_name("ab" * 16 + ".key")
    for path in (place.root / "drafts" / "left", key):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")

    assert purge.unclaimed(shelf, clock.now()) == 0
    assert purge.unclaimed(shelf, clock.now() + timedelta(days=2)) == 2
    assert not (place.root / "drafts" / "left").exists() and not key.exists()
    assert b"".join(place.read(found.path, 0, found.bytes)) == SOUND


def test_audio_that_no_recording_stands_for_is_swept(shelf: Settings, there: File, tmp_path: Path) -> None:
    found = collected(shelf, there)
    with (shelf.switches[0].recordings / f"{DAY}/{KEY}.1.wav").open("rb") as file:  # type: ignore[operator]
        vault.of(shelf).put(file)
    later = AT + timedelta(days=2000)

    assert purge.unclaimed(shelf, AT - timedelta(days=2000)) == 0
    assert purge.unclaimed(shelf, later) == 1
    assert [key for key, _at in vault.of(shelf).blobs()] == [found.path]


def test_the_daily_work_goes_on_when_a_step_fails(
    shelf: Settings, there: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected(shelf, there)
    monkeypatch.setattr(purge, "outlive", lambda *_: (_ for _ in ()).throw(RuntimeError("no")))
    with pytest.raises(RuntimeError):
        purge.daily_job(shelf, nothing, {})

    with db.begin(scope.ALL) as session:
        assert queries.chain_head(session) is not None
