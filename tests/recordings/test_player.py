"""Who may listen, and that every play is written down once."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from recordings import collect, player, serve
from recordings.keys import NoKey
from recordings.vault import Vault
from service.calls.model import Recording, RecordingPlay
from service.calls.shelf import actions
from service.core import scope
from service.core.errors import Forbidden, NotFound
from service.staff import queries as staff
from service.staff.model import Staff
from tests import make
from tests.conftest import AT
from tests.recordings.sounds import tone, wav

SOUND = wav(tone(2.0))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", tmp_path / "keys" / "recordings.key")


@pytest.fixture
def recording(session: Session, cast: SimpleNamespace, vault: Vault, tmp_path: Path) -> int:
    """A recording of a call that Ada answered."""
    source = tmp_path / "call.wav"
    source.write_bytes(SOUND)
    call = make.call(session, AT)
    with source.open("rb") as file:
        sealed = vault.put(file)
    return actions.recording_found(
        session,
        switch="pbx1",
        uniqueid=call.call_key,
        segment=1,
        path=sealed.key,
        sha256=sealed.sha256,
        size=sealed.size,
        seconds=collect.wav.header(SOUND, len(SOUND)).seconds,  # type: ignore[union-attr]
        form="wav/8000/1",
        at=AT,
    )


def listen(session: Session, vault: Vault, recording: int, person: Staff, at=AT, **asked: str) -> serve.Reply:
    identity = staff.identity_of(session, person)
    return serve.reply(session, vault, serve.Asked(recording, **asked), identity, at=at)


def plays(session: Session) -> list[tuple[int, str]]:
    rows = session.scalars(select(RecordingPlay).order_by(RecordingPlay.id))
    return [(row.staff_id, row.at.isoformat()) for row in rows]


def test_the_agent_of_the_call_hears_all_of_it(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    reply = listen(session, vault, recording, cast.ada)

    assert reply.status == 200
    assert b"".join(reply.pieces) == SOUND
    assert reply.headers["content-length"] == str(len(SOUND))


def test_a_seek_is_a_part(session: Session, vault: Vault, recording: int, cast: SimpleNamespace) -> None:
    reply = listen(session, vault, recording, cast.ada, range="bytes=16044-")

    assert reply.status == 206
    assert reply.headers["content-range"] == f"bytes 16044-{len(SOUND) - 1}/{len(SOUND)}"
    assert b"".join(reply.pieces) == SOUND[16044:]


def test_a_seek_past_the_end_cannot_be_served_and_is_no_play(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    reply = listen(session, vault, recording, cast.ada, range="bytes=99999999-")

    assert (reply.status, reply.headers["content-range"]) == (416, f"bytes */{len(SOUND)}")
    assert plays(session) == []


def test_a_part_of_a_file_that_changed_meanwhile_is_the_whole_file(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    reply = listen(session, vault, recording, cast.ada, range="bytes=100-", if_range='"another"')

    assert reply.status == 200


def test_one_play_with_its_seeks_is_one_row(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    for second, asked in enumerate(["bytes=0-", "bytes=0-", "bytes=16044-", "bytes=8044-"]):
        listen(session, vault, recording, cast.ada, AT + timedelta(seconds=second), range=asked)

    assert plays(session) == [(cast.ada.id, AT.isoformat())]


def test_playing_from_the_start_again_is_another_play(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    later = AT + timedelta(minutes=1)
    listen(session, vault, recording, cast.ada)
    listen(session, vault, recording, cast.ada, later)

    assert plays(session) == [(cast.ada.id, AT.isoformat()), (cast.ada.id, later.isoformat())]


def test_who_skips_the_first_bytes_is_logged_all_the_same(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    listen(session, vault, recording, cast.ada, range="bytes=1-")

    assert plays(session) == [(cast.ada.id, AT.isoformat())]


def test_each_listener_is_logged_for_themselves(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    listen(session, vault, recording, cast.ada)
    listen(session, vault, recording, cast.cleo)

    assert [staff_id for staff_id, _at in plays(session)] == [cast.ada.id, cast.cleo.id]


def test_who_lacks_the_permission_is_refused_and_not_logged(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    with pytest.raises(Forbidden):
        listen(session, vault, recording, cast.wang)

    assert plays(session) == []


def test_an_outsider_learns_not_even_that_it_exists(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    scope.declare(session.connection(), scope.Scope((cast.suzhou.id,)))
    session.expire_all()

    with pytest.raises(NotFound):
        listen(session, vault, recording, cast.dan)


def test_audio_that_the_disk_lost_is_told_in_words(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    found = player.queries.recording_for(session, recording)
    assert found is not None
    vault.path(found.path).unlink()

    with pytest.raises(NotFound, match="not in the vault"):
        listen(session, vault, recording, cast.ada)


def test_taking_along_is_a_permission_of_its_own_and_has_a_reason(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    with pytest.raises(Forbidden, match="download"):
        listen(session, vault, recording, cast.ada, kind="download")

    reply = listen(session, vault, recording, cast.cleo, kind="download", reason="quality check")

    assert b"".join(reply.pieces) == SOUND
    assert reply.headers["content-disposition"].startswith("attachment")
    rows = session.scalars(select(RecordingPlay)).all()
    assert [(row.kind, row.reason, row.staff_id) for row in rows] == [("download", "quality check", cast.cleo.id)]
    listen(session, vault, recording, cast.cleo)
    assert len(plays(session)) == 2  # a download just now is no play


def test_destroyed_audio_is_gone_and_says_where_to_read_why(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace
) -> None:
    call = session.get_one(Recording, recording)
    actions.consent(session, "pbx1", call.uniqueid, "refused", by=cast.ada.id, at=AT)

    with pytest.raises(player.Gone, match="destroyed"):
        listen(session, vault, recording, cast.ada)


@pytest.mark.parametrize("harm", ["no key", "another file"])
def test_what_cannot_be_opened_is_told_before_a_byte_is_sent(
    session: Session, vault: Vault, recording: int, cast: SimpleNamespace, harm: str
) -> None:
    found = player.queries.recording_for(session, recording)
    assert found is not None
    if harm == "no key":
        vault.key_file.unlink()
        with pytest.raises(NoKey):
            listen(session, vault, recording, cast.ada)
    else:
        vault.path(found.path).with_name(f"{vault.path(found.path).name}.key").unlink()
        with pytest.raises(NotFound, match="not in the vault"):
            listen(session, vault, recording, cast.ada)
    assert plays(session) == []
