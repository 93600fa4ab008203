"""A switch's folder over SFTP, against a real server of this process: the same rules as for a mounted one, and a host that is known."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncssh
import pytest

from recordings import collect, purge, vault
from recordings.collect import Memory
from service.core import config
from service.core.config import Settings
from tests.conftest import AT
from tests.recordings.shelf import DAY, KEY, LONG_AGO, SOUND, findings, kept, stored_call
from tests.recordings.sounds import leave, tone, wav
from tests.sftp import Server

File = Callable[..., Path]
NAME = f"{DAY}/{KEY}.1.wav"
BELOW = NAME.partition("/")[2]
LONG = wav(tone(70.0))  # more than one piece


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "far" / "monitor" / "pbx1").mkdir(parents=True)
    running = Server(tmp_path / "far")
    yield running
    running.close()


@pytest.fixture
def far(committed_cast: SimpleNamespace, settings: Settings, tmp_path: Path, server: Server) -> Settings:
    """Settings with one switch that is reached over SFTP."""
    return replace(settings, data=tmp_path / "data", switches=(server.switch(tmp_path),))


@pytest.fixture
def memory() -> Iterator[Memory]:
    made = Memory()
    yield made
    made.close()


@pytest.fixture
def there(server: Server) -> File:
    return lambda relative=NAME, content=SOUND, at=LONG_AGO: leave(server.folder / "monitor", relative, content, at)


def test_a_file_is_fetched_sealed_and_linked_and_left_where_it_is(far: Settings, there: File, memory: Memory) -> None:
    call = stored_call()
    there()
    there(f"pbx1/2026/10/02/{KEY}9.1.wav", LONG)
    there("pbx1/notes/readme.txt")

    report = collect.scan(far, AT, memory=memory)

    assert sorted(report.collected) == [f"pbx1/2026/10/02/{KEY}9.1.wav", NAME]
    row = next(one for one in kept() if one.uniqueid == KEY)
    assert (row.call_id, row.bytes) == (call, len(SOUND))
    place = vault.of(far)
    assert b"".join(place.read(row.path, 0, place.size(row.path))) == SOUND
    assert collect.scan(far, AT, memory=memory).collected == []


def test_the_same_rules_hold_for_open_empty_and_strange_files(far: Settings, there: File, memory: Memory, server: Server) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav", wav(tone(1.0), told=0), AT.timestamp() - 5)
    there(f"{DAY}/1795395600.18.1.wav", wav(b""), AT.timestamp() - 700)
    there(f"{DAY}/evil%2f.wav")
    os.symlink("/etc/passwd", server.folder / "monitor" / DAY / "1795395600.19.1.wav")

    report = collect.scan(far, AT, memory=memory)

    assert (report.waiting, report.empty, report.collected) == ([NAME], [f"{DAY}/1795395600.18.1.wav"], [])
    assert {kind for kind, _subject, _open in findings()} == {"empty", "unusable"}


def test_a_link_cut_in_the_midst_of_a_file_leaves_nothing_half_and_it_is_fetched_again(
    far: Settings, there: File, memory: Memory, server: Server
) -> None:
    stored_call()
    there(NAME, LONG)
    server.cut_after = 1

    report = collect.scan(far, AT, memory=memory)
    assert (report.collected, kept(), list(vault.of(far).blobs())) == ([], [], [])
    assert "link was cut" in report.refused["pbx1"]
    assert findings() == [("link", "pbx1", True)]

    server.cut_after = 0
    assert collect.scan(far, AT, memory=memory).collected == [NAME]
    assert findings() == [("link", "pbx1", False)]
    assert kept()[0].bytes == len(LONG)


def test_another_host_key_is_refused_in_a_sentence_and_nothing_is_sent_there(
    far: Settings, there: File, memory: Memory, server: Server, tmp_path: Path
) -> None:
    there()
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    wrong = replace(far, switches=(server.switch(tmp_path, sftp_host_key=other),))

    report = collect.scan(wrong, AT, memory=memory)

    assert "shows another host key" in report.refused["pbx1"]
    assert (kept(), server.links, findings()) == ([], [], [("link", "pbx1", True)])


def test_a_key_that_is_not_let_in_is_told_so(far: Settings, memory: Memory, server: Server, tmp_path: Path) -> None:
    switch = server.switch(tmp_path)
    assert switch.sftp_key_file is not None
    switch.sftp_key_file.write_bytes(asyncssh.generate_private_key("ssh-ed25519").export_private_key())

    assert "does not let ringdesk in" in collect.scan(far, AT, memory=memory).refused["pbx1"]
    switch.sftp_key_file.unlink()
    memory.close()
    assert "cannot be read" in collect.scan(far, AT, memory=memory).refused["pbx1"]


def test_a_switch_that_is_away_is_told_and_found_again(far: Settings, there: File, memory: Memory) -> None:
    away = replace(far, switches=(replace(far.switches[0], recordings_url="sftp://ringdesk@127.0.0.1:1/monitor"),))

    assert "does not answer by SFTP" in collect.scan(away, AT, memory=memory).refused["pbx1"]


def test_a_folder_that_is_not_there_is_told_until_it_is(far: Settings, there: File, memory: Memory, server: Server) -> None:
    (server.folder / "monitor").rename(server.folder / "unmounted")

    assert "has no folder /monitor/pbx1" in collect.scan(far, AT, memory=memory).refused["pbx1"]
    assert findings() == [("link", "pbx1", True)]

    (server.folder / "unmounted").rename(server.folder / "monitor")
    collect.scan(far, AT, memory=memory)
    assert findings() == [("link", "pbx1", False)]


def test_a_file_that_may_not_be_read_is_told_by_its_name(far: Settings, there: File, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    stored_call()
    there()

    def refuses(*_args: object) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    with monkeypatch.context() as patch:
        patch.setattr(asyncssh.SFTPServer, "open", refuses)
        report = collect.scan(far, AT, memory=memory)
    assert "does not let us at it" in report.refused[NAME]
    assert findings() == [("disk", BELOW, True)]
    assert collect.scan(far, AT, memory=memory).collected == [NAME]
    assert findings() == [("disk", BELOW, False)]


def test_a_file_that_the_switch_cannot_give_does_not_stand_in_the_way_of_the_others(
    far: Settings, there: File, memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_call()
    there()
    there(f"{DAY}/{KEY}9.1.wav")
    opens = asyncssh.SFTPServer.open

    def broken(self: Any, path: bytes, *more: Any) -> Any:
        if path.endswith(f"{KEY}.1.wav".encode()):
            raise asyncssh.SFTPFailure("Failure")
        return opens(self, path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(asyncssh.SFTPServer, "open", broken)
        report = collect.scan(far, AT, memory=memory)
    assert report.collected == [f"{DAY}/{KEY}9.1.wav"]
    assert "does not give it (Failure)" in report.refused[NAME]
    assert ("disk", BELOW, True) in findings() and "link" not in {kind for kind, _subject, _open in findings()}
    assert collect.scan(far, AT, memory=memory).collected == [NAME]


def test_a_file_is_deleted_there_only_when_the_vault_has_the_same(far: Settings, there: File, memory: Memory, server: Server) -> None:
    from datetime import timedelta

    stored_call()
    file = there()
    collect.scan(far, AT, memory=memory)
    soon, later = replace(far, delete_at_switch_after_days=1), AT + timedelta(days=2)
    file.write_bytes(SOUND[:-2] + b"xx")
    assert (purge.delete_at_switch(soon, later), file.exists()) == (0, True)
    file.write_bytes(SOUND)
    away = server.folder / "monitor" / "pbx1"
    away.rename(server.folder / "away")
    assert purge.delete_at_switch(soon, later) == 0  # the disk is away, not the file
    (server.folder / "away").rename(away)
    assert (purge.delete_at_switch(soon, later), file.exists()) == (1, False)


@pytest.mark.parametrize(("change", "sentence"), [
    ({"recordings": "sftp://pbx/monitor"}, "sftp://user@host:port/path"), ({"recordings": "sftp://u:secret@pbx/monitor"}, "without a password"),
    ({"sftp_key_file": ""}, "sftp_key_file"), ({"sftp_host_key": ""}, "ssh-keyscan"), ({"sftp_host_key": "ssh-ed25519 nonsense"}, "ssh-keyscan"),
])
def test_an_address_without_a_key_or_a_known_host_is_refused(change: dict[str, str], sentence: str) -> None:
    item = {"recordings": "sftp://u@pbx:2222/monitor", "sftp_key_file": "/k", "sftp_host_key": "ssh-ed25519 " + "A" * 68}
    assert config._switch(dict(item)).recordings_url == "sftp://u@pbx:2222/monitor"

    with pytest.raises(config.BadSetting, match=sentence):
        config._switch(item | change)
