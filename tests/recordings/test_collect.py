"""From the switch's folder to the call: each finished file once, whatever else lies there."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from recordings import collect, names, vault, watch
from recordings.places import Folder
from service.calls.model import Call
from service.calls.shelf import actions, queries
from service.core import db, scope
from service.core.config import Settings
from service.core.model import LiveEvent
from tests.conftest import AT
from tests.recordings.shelf import DAY, KEY, LONG_AGO, SOUND, findings, kept, stored_call
from tests.recordings.sounds import leave, tone, wav


def test_a_finished_file_is_sealed_and_linked_to_its_call(shelf: Settings, there: Callable[..., Path]) -> None:
    call_id = stored_call()
    there(f"{DAY}/{KEY}.1.wav")

    report = collect.scan(shelf, AT)

    [found] = kept()
    assert report.collected == [f"{DAY}/{KEY}.1.wav"]
    assert found.call_id == call_id
    assert found.seconds == Decimal("2.000")
    assert b"".join(vault.of(shelf).read(found.path, 0, found.bytes)) == SOUND
    with db.begin(scope.ALL) as session:
        assert session.get_one(Call, call_id).recorded is True


def test_looking_again_collects_nothing_twice(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)

    again = collect.scan(shelf, AT)

    assert again.collected == []
    assert len(kept()) == 1


def test_a_file_that_came_before_its_call_finds_it_later(shelf: Settings, there: Callable[..., Path]) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    [orphan] = kept()
    assert orphan.call_id is None

    call_id = stored_call()
    collect.scan(shelf, AT)

    [found] = kept()
    assert found.call_id == call_id
    with db.begin(scope.ALL) as session:
        assert session.get_one(Call, call_id).recorded is True
        told = session.scalars(select(LiveEvent).where(LiveEvent.kind == "recording")).all()
        assert [event.payload for event in told] == [{"call_id": call_id}]


def test_a_file_still_being_written_is_waited_for(shelf: Settings, there: Callable[..., Path]) -> None:
    there(f"{DAY}/{KEY}.1.wav", wav(tone(1.0), told=0), AT.timestamp() - 5)

    assert collect.scan(shelf, AT).waiting == [f"{DAY}/{KEY}.1.wav"]
    assert kept() == []


def test_a_file_that_nobody_closed_is_taken_as_it_is_and_again_when_it_grew(
    shelf: Settings, there: Callable[..., Path]
) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav", wav(tone(1.0), told=0), AT.timestamp() - 90)
    collect.scan(shelf, AT)
    assert [found.seconds for found in kept()] == [Decimal("1.000")]

    there(f"{DAY}/{KEY}.1.wav", wav(tone(3.0)), AT.timestamp() + 60)
    collect.scan(shelf, AT + timedelta(minutes=2))

    [found] = kept()
    assert found.seconds == Decimal("3.000")
    assert [key for key, _at in vault.of(shelf).blobs()] == [found.path]  # the shorter one is gone


def test_a_header_without_audio_is_empty_and_never_a_recording(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav", wav(b""), AT.timestamp() - 700)

    assert collect.scan(shelf, AT).empty == [f"{DAY}/{KEY}.1.wav"]
    assert kept() == []


def test_a_header_alone_may_still_be_a_caller_in_a_queue(shelf: Settings, there: Callable[..., Path]) -> None:
    there(f"{DAY}/{KEY}.1.wav", wav(b""), AT.timestamp() - 300)

    report = collect.scan(shelf, AT)

    assert (report.waiting, report.empty, findings()) == ([f"{DAY}/{KEY}.1.wav"], [], [])


@pytest.mark.parametrize("name", ["13800001001.wav", "=cmd|'x'!A1.1.wav", f"{KEY}.wav", "$(reboot).1.wav"])
def test_a_name_the_dialplan_never_gives_is_reported_and_left(
    shelf: Settings, there: Callable[..., Path], name: str
) -> None:
    path = there(f"{DAY}/{name}")

    report = collect.scan(shelf, AT)

    assert list(report.refused) == [f"{DAY}/{name}"]
    assert path.exists() and kept() == []


def test_a_file_that_is_no_wav_is_reported(shelf: Settings, there: Callable[..., Path]) -> None:
    there(f"{DAY}/{KEY}.1.wav", b"#!/bin/sh\n" * 50, AT.timestamp() - 300)

    assert "not a 16-bit PCM WAV" in collect.scan(shelf, AT).refused[f"{DAY}/{KEY}.1.wav"]


def test_an_unfinished_copy_is_nobodys_business_yet(shelf: Settings, there: Callable[..., Path]) -> None:
    path = there(f"{DAY}/.{KEY}.1.wav.part")
    assert collect.scan(shelf, AT) == collect.Report()

    path.rename(path.with_name(f"{KEY}.1.wav"))
    assert collect.scan(shelf, AT).collected == [f"{DAY}/{KEY}.1.wav"]


def test_an_old_day_is_not_even_listed_until_its_folder_changes(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, remembered = "pbx1/2026/10/01", collect.Memory()
    folder = there(f"{old}/{KEY}.1.wav").parent
    os.utime(folder, (LONG_AGO, LONG_AGO))
    collect.scan(shelf, AT, memory=remembered)
    listed: list[str] = []
    really = collect.names.files
    monkeypatch.setattr(collect.names, "files", lambda place, day: listed.append(day) or really(place, day))

    collect.scan(shelf, AT, memory=remembered)
    assert "2026/10/01" not in listed
    assert remembered.files == {}

    there(f"{old}/1795395600.99.1.wav")
    assert collect.scan(shelf, AT, memory=remembered).collected == [f"{old}/1795395600.99.1.wav"]


def test_a_look_after_a_restart_opens_nothing_that_is_in_the_vault(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(f"pbx1/2026/10/01/{KEY}.1.wav")
    collect.scan(shelf, AT)
    monkeypatch.setattr(Folder, "opened", lambda _folder, name: pytest.fail(f"{name} was opened"))

    assert collect.scan(shelf, AT) == collect.Report()


def test_what_is_kept_is_not_opened_again_until_it_changes(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, remembered = there(f"{DAY}/{KEY}.1.wav"), collect.Memory()
    for _look in range(2):
        collect.scan(shelf, AT, whole=False, memory=remembered)
    opened: list[str] = []
    really = Folder.opened
    monkeypatch.setattr(Folder, "opened", lambda folder, name: opened.append(name) or really(folder, name))

    collect.scan(shelf, AT, whole=False, memory=remembered)
    assert opened == []

    path.write_bytes(wav(tone(3.0)))
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert collect.scan(shelf, AT, whole=False, memory=remembered).collected == [f"{DAY}/{KEY}.1.wav"]
    assert opened == [f"{DAY}/{KEY}.1.wav".partition("/")[2]]


def test_links_lead_nowhere(shelf: Settings, there: Callable[..., Path], tmp_path: Path) -> None:
    secret = leave(tmp_path, "secret.wav", SOUND, LONG_AGO)
    place = there(f"{DAY}/{KEY}.1.wav").parent
    os.symlink(secret, place / "1795395600.18.1.wav")
    os.symlink(tmp_path, place.parent / "24")

    assert collect.scan(shelf, AT).collected == [f"{DAY}/{KEY}.1.wav"]


def test_a_channel_that_was_recorded_twice_has_two_recordings(shelf: Settings, there: Callable[..., Path]) -> None:
    call_id = stored_call()
    there(f"{DAY}/{KEY}.1.wav")
    there(f"{DAY}/{KEY}.2.wav", wav(tone(1.0)))

    collect.scan(shelf, AT)

    assert [(found.segment, found.call_id) for found in kept()] == [(1, call_id), (2, call_id)]


def test_only_recent_days_are_looked_through_between_the_whole_looks(
    shelf: Settings, there: Callable[..., Path]
) -> None:
    there(f"pbx1/2026/10/01/{KEY}.1.wav")

    assert collect.scan(shelf, AT, whole=False).collected == []
    assert collect.scan(shelf, AT).collected == [f"pbx1/2026/10/01/{KEY}.1.wav"]


def test_what_is_wrong_with_a_file_is_on_the_list_until_it_is_mended(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav", wav(b""), AT.timestamp() - 700)
    there(f"{DAY}/13800001001.wav")
    collect.scan(shelf, AT)
    assert findings() == [("unusable", "2026/11/23/13800001001.wav", True), ("empty", f"2026/11/23/{KEY}.1.wav", True)]

    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    assert ("empty", f"2026/11/23/{KEY}.1.wav", False) in findings()


def test_a_call_without_its_file_is_missed_and_found_late(shelf: Settings, there: Callable[..., Path]) -> None:
    call_id = stored_call(AT - timedelta(hours=3), recorded=True)
    watch.look_for_missing(shelf)
    with db.begin(scope.ALL) as session:
        actions.look_for_missing(session, ["pbx1"], at=AT)
    assert findings() == [("missing", KEY, True)]

    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    with db.begin(scope.ALL) as session:
        actions.look_for_missing(session, ["pbx1"], at=AT)
    assert findings() == [("missing", KEY, False), ("late", f"2026/11/23/{KEY}.1.wav", False)]
    assert kept()[0].call_id == call_id


def test_a_file_that_was_there_in_time_is_not_late_because_nobody_collected(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call(AT - timedelta(hours=3))
    there(f"{DAY}/{KEY}.1.wav", at=(AT - timedelta(hours=2, minutes=50)).timestamp())
    collect.scan(shelf, AT)

    assert findings() == []


def test_a_switch_whose_folder_has_died_does_not_stop_the_others(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    dead = replace(shelf.switches[0], name="pbx0")
    listed = names.files

    def files(folder: Path, day: str) -> Iterator[str]:
        if folder.name == "pbx0":
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        yield from listed(folder, day)

    monkeypatch.setattr(names, "files", files)
    report = collect.scan(replace(shelf, switches=(dead, *shelf.switches)), AT)

    assert report.collected == [f"{DAY}/{KEY}.1.wav"]
    assert ("link", "pbx0", True) in findings()


def test_a_call_whose_file_is_empty_is_not_missed_as_well(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call(AT - timedelta(hours=3), recorded=True)
    there(f"{DAY}/{KEY}.1.wav", wav(b""), AT.timestamp() - 700)
    collect.scan(shelf, AT)
    with db.begin(scope.ALL) as session:
        actions.look_for_missing(session, ["pbx1"], at=AT)

    assert [kind for kind, *_rest in findings()] == ["empty"]


def test_a_file_without_a_call_is_an_orphan_until_its_call_is_known(shelf: Settings, there: Callable[..., Path]) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    for later, expected in ((timedelta(minutes=1), []), (timedelta(hours=1), [("orphan", f"2026/11/23/{KEY}.1.wav", True)])):
        with db.begin(scope.ALL) as session:
            actions.look_for_missing(session, ["pbx1"], at=AT + later)
        assert findings() == expected

    stored_call()
    collect.scan(shelf, AT + timedelta(minutes=30))
    with db.begin(scope.ALL) as session:
        actions.look_for_missing(session, ["pbx1"], at=AT + timedelta(hours=1))
    assert findings()[0] == ("orphan", f"2026/11/23/{KEY}.1.wav", False)


def test_without_the_master_key_audio_waits_and_an_alarm_says_so(shelf: Settings, there: Callable[..., Path]) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    away, waiting = vault.of(shelf).key_file.rename(shelf.data / "away"), there(f"{DAY}/1795395600.18.1.wav")
    memory = collect.Memory()

    report = collect.scan(shelf, AT, memory=memory)
    collect.scan(shelf, AT, memory=memory)

    assert "audio waits at the switch" in report.alarm
    assert report.collected == [] and waiting.exists()
    assert all(SOUND[100:132] not in path.read_bytes() for path in shelf.data.rglob("*") if path.is_file())
    assert findings() == [("key", "recordings.key", True)]
    with db.begin(scope.ALL) as session:
        assert queries.alarm(session) == report.alarm
    away.rename(vault.of(shelf).key_file)
    assert collect.scan(shelf, AT, memory=memory).collected == [f"{DAY}/1795395600.18.1.wav"]
    assert findings() == [("key", "recordings.key", False)]


def test_a_file_deleted_under_our_hands_is_one_sentence(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = there(f"{DAY}/{KEY}.1.wav")
    really = Folder.opened
    monkeypatch.setattr(Folder, "opened", lambda folder, name: path.unlink() or really(folder, name))

    refused = collect.scan(shelf, AT).refused

    assert refused == {f"{DAY}/{KEY}.1.wav": "it was deleted at the switch before it could be collected"}
    assert kept() == []


def test_a_full_disk_is_tried_again_and_leaves_nothing_half(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    memory = collect.Memory()
    with monkeypatch.context() as full:
        full.setattr(vault.seal, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        report = collect.scan(shelf, AT, memory=memory)
    assert "the disk of the vault is full" in report.refused[f"{DAY}/{KEY}.1.wav"]
    assert findings() == [("disk", f"2026/11/23/{KEY}.1.wav", True)]

    assert collect.scan(shelf, AT, memory=memory).collected == [f"{DAY}/{KEY}.1.wav"]
    assert findings() == [("disk", f"2026/11/23/{KEY}.1.wav", False)]


def test_audio_whose_row_cannot_be_written_is_not_left_behind(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    there(f"{DAY}/{KEY}.1.wav")
    monkeypatch.setattr(collect.actions, "recording_found", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("away")))

    with pytest.raises(RuntimeError):
        collect.scan(shelf, AT)
    assert list(vault.of(shelf).blobs()) == []


def test_an_empty_file_of_a_caller_who_gave_up_is_nothing_to_mend(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call(AT - timedelta(hours=3), answered_at=None, answered_by=None, agent=None, disposition="abandoned")
    there(f"{DAY}/{KEY}.1.wav", wav(b""), AT.timestamp() - 700)
    collect.scan(shelf, AT)
    with db.begin(scope.ALL) as session:
        actions.look_for_missing(session, ["pbx1"], at=AT)

    assert findings() == [("empty", f"2026/11/23/{KEY}.1.wav", False)]
