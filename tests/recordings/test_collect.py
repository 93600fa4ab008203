"""From the switch's folder to the call: each finished file once, whatever else lies there."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from recordings import collect, vault
from service.calls.model import Call, Recording
from service.core import db, scope
from service.core.config import Settings, SwitchSettings
from tests import make
from tests.conftest import AT
from tests.recordings.sounds import leave, tone, wav

DAY = "pbx1/2026/11/23"
KEY = "1795395600.17"
SOUND = wav(tone(2.0))
LONG_AGO = AT.timestamp() - 30


@pytest.fixture
def shelf(committed_cast: SimpleNamespace, settings: Settings, tmp_path: Path) -> Settings:
    """Settings with one switch whose recordings lie in a folder of this test."""
    switch = SwitchSettings(name="pbx1", recordings=tmp_path / "monitor")
    (tmp_path / "monitor").mkdir()
    return replace(settings, data=tmp_path / "data", switches=(switch,))


@pytest.fixture
def there(shelf: Settings) -> Callable[..., Path]:
    """Leaves a file in the switch's folder."""
    folder = shelf.switches[0].recordings
    assert folder is not None
    return lambda relative, content=SOUND, at=LONG_AGO: leave(folder, relative, content, at)


def kept() -> list[Recording]:
    with db.begin(scope.ALL) as session:
        return list(session.scalars(select(Recording).order_by(Recording.id)))


def stored_call() -> int:
    with db.begin(scope.ALL) as session:
        return make.call(session, AT - timedelta(minutes=3), call_key=KEY, recorded=None).id


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

    assert [found.seconds for found in kept()] == [Decimal("3.000")]


def test_a_header_without_audio_is_empty_and_never_a_recording(shelf: Settings, there: Callable[..., Path]) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav", wav(b""))

    assert collect.scan(shelf, AT).empty == [f"{DAY}/{KEY}.1.wav"]
    assert kept() == []


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


def test_what_is_kept_is_not_opened_again_until_it_changes(
    shelf: Settings, there: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, remembered = there(f"{DAY}/{KEY}.1.wav"), {}
    for _look in range(2):
        collect.scan(shelf, AT, whole=False, kept=remembered)
    opened: list[Path] = []
    really = collect._opened
    monkeypatch.setattr(collect, "_opened", lambda path: opened.append(path) or really(path))

    collect.scan(shelf, AT, whole=False, kept=remembered)
    assert opened == []

    path.write_bytes(wav(tone(3.0)))
    os.utime(path, (LONG_AGO, LONG_AGO))
    assert collect.scan(shelf, AT, whole=False, kept=remembered).collected == [f"{DAY}/{KEY}.1.wav"]
    assert opened == [path]


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
