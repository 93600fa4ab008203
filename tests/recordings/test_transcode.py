"""What the vault keeps in another form sounds as before, and there is one good copy of it whatever dies in between."""

import hashlib
import io
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from recordings import collect, proof, purge, sealing, sound, transcode, vault, wav
from recordings.serve import Asked, reply
from service.calls.model import Recording
from service.calls.shelf import actions
from service.core import config, db, scope
from service.core.config import Settings
from service.core.identity import Identity
from tests.conftest import AT
from tests.recordings.shelf import DAY, KEY, SOUND, kept, stored_call

File = Callable[..., Path]
FORMS = ["flac", "opus"]
LATER = AT + timedelta(days=3)


def stereo(seconds: float) -> bytes:
    """A high tone left, a low one right."""
    at = np.arange(int(seconds * 8000)) / 8000
    both = np.stack([9000 * np.sin(2 * np.pi * 880 * at), 4000 * np.sin(2 * np.pi * 220 * at)], axis=1).astype("<i2").tobytes()
    form = struct.pack("<IHHIIHH", 16, 1, 2, 8000, 8000 * 4, 4, 16)
    return b"RIFF" + struct.pack("<I", len(both) + 36) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(both)) + both


def collected(shelf: Settings, there: File, content: bytes = SOUND) -> Recording:
    if not kept():
        stored_call()
    there(f"{DAY}/{KEY}.1.wav", content)
    collect.scan(shelf, AT)
    return kept()[0]


def changed(shelf: Settings, form: str) -> transcode.Done:
    return transcode.transcode(replace(shelf, recording_format=form), AT + timedelta(minutes=2))


def content(shelf: Settings, row: Recording) -> bytes:
    place = vault.of(shelf)
    return b"".join(place.read(row.path, 0, place.size(row.path)))


def samples(content: bytes) -> np.ndarray:
    header, pieces = sound.decoded(content)
    return np.frombuffer(b"".join(pieces), "<i2").reshape(-1, header.channels).astype(float)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("channels", [1, 2])
def test_it_is_kept_in_the_form_of_the_settings_and_both_channels_stay(shelf: Settings, there: File, form: str, channels: int) -> None:
    was = SOUND if channels == 1 else stereo(2.0)
    before = collected(shelf, there, was)

    assert changed(shelf, form).changed == 1

    row, = kept()
    assert (row.kept_as, row.sha256, row.bytes) == (form, hashlib.sha256(was).hexdigest(), len(was))
    assert row.kept_sha256 == hashlib.sha256(content(shelf, row)).hexdigest() and (row.kept_bytes or 0) < len(was)
    assert (row.wave, row.silences, row.seconds) == (before.wave, before.silences, before.seconds)
    assert [key for key, _at in vault.of(shelf).blobs()] == [row.path]  # the WAV and its key are gone
    now, then = samples(content(shelf, row)), np.frombuffer(was[44:], "<i2").reshape(-1, channels).astype(float)
    assert now.shape == then.shape
    for one in range(channels):
        assert np.corrcoef(now[1000:-1000, one], then[1000:-1000, one])[0, 1] > 0.9
    assert list(proof.verify(shelf)) == []
    assert changed(shelf, form).changed == 0  # a second run finds nothing to do


def test_flac_gives_back_the_very_bytes_of_the_switch(shelf: Settings, there: File) -> None:
    collected(shelf, there, stereo(1.5))
    changed(shelf, "flac")

    length, pieces = sound.as_wav(content(shelf, kept()[0]))

    made = b"".join(pieces)
    assert (len(made), hashlib.sha256(made).hexdigest()) == (length, kept()[0].sha256)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", ["encoded", "put", "same", "recording_transcoded", "shred"])
def test_a_death_at_any_place_leaves_one_good_copy(
    shelf: Settings, there: File, monkeypatch: pytest.MonkeyPatch, form: str, place: str
) -> None:
    collected(shelf, there)
    owner = {"encoded": sound, "same": sound, "put": vault.Vault, "shred": vault.Vault, "recording_transcoded": actions}[place]

    def dies(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, place, dies)
        if place == "same":  # what was written is taken back as well
            patch.setattr(vault.Vault, "shred", lambda *_args: None)
        with pytest.raises(KeyboardInterrupt):
            changed(shelf, form)

    row, = kept()
    assert list(proof.verify(shelf)) == []
    assert len(samples(content(shelf, row))) == 16000
    changed(shelf, form)
    purge.unclaimed(shelf, AT + timedelta(days=4000))
    row, = kept()
    assert row.kept_as == form
    assert [key for key, _at in vault.of(shelf).blobs()] == [row.path]
    assert list(proof.verify(shelf)) == []


def test_what_does_not_sound_the_same_is_not_kept(shelf: Settings, there: File, monkeypatch: pytest.MonkeyPatch) -> None:
    before = collected(shelf, there)
    real = sound.encoded
    monkeypatch.setattr(sound, "encoded", lambda pieces, header, form: replace(real(pieces, header, form), samples="0" * 64))

    done = changed(shelf, "flac")

    assert (done.changed, "same sound" in (done.stayed or {})[before.id]) == (0, True)
    assert (kept()[0].path, kept()[0].kept_as) == (before.path, "wav")
    assert [key for key, _at in vault.of(shelf).blobs()] == [before.path]


def test_a_file_that_was_cut_short_is_not_kept(shelf: Settings, there: File, monkeypatch: pytest.MonkeyPatch) -> None:
    before = collected(shelf, there)
    real = sound.encoded
    monkeypatch.setattr(sound, "encoded", lambda pieces, header, form: replace(real(pieces, header, form), frames=16001))

    assert changed(shelf, "opus").changed == 0
    assert kept()[0].path == before.path


def test_a_held_recording_stays_as_it_is(shelf: Settings, there: File, committed_cast: SimpleNamespace) -> None:
    row = collected(shelf, there)
    with db.begin(scope.ALL) as session:
        actions.hold(session, row.id, "a quarrel", by=committed_cast.cleo.id, at=AT)

    assert changed(shelf, "opus").changed == 0
    assert kept()[0].kept_as == "wav"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("torn", [
    SOUND[:40] + struct.pack("<I", 0) + SOUND[44:], SOUND + b"\x01", SOUND[:4] + struct.pack("<I", 0) + SOUND[8:],
    stereo(1.0)[:40] + struct.pack("<I", 31998) + stereo(1.0)[44:-2],
])  # fmt: skip
def test_a_file_that_nobody_closed_stays_as_the_switch_left_it(shelf: Settings, there: File, form: str, torn: bytes) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav", torn, AT.timestamp() - 120)
    collect.scan(shelf, AT)
    row, = kept()

    assert changed(shelf, form).stayed == {row.id: "the switch has not closed this file"}
    assert (kept()[0].path, content(shelf, row)) == (row.path, torn)


def plain(shelf: Settings, *segments: int) -> str:
    """Audio of an older installation, of which so many recordings tell."""
    digest, place = hashlib.sha256(SOUND).hexdigest(), vault.of(shelf)
    old = f"v1/{digest[:2]}/{digest}"
    place.path(old).parent.mkdir(parents=True)
    place.path(old).write_bytes(SOUND)
    with db.begin(scope.ALL) as session:
        for segment in segments:
            actions.recording_found(
                session, switch="pbx1", uniqueid=KEY, segment=segment, path=old, sha256=digest, size=len(SOUND),
                seconds=Decimal(2), form="wav/8000/1", at=AT,
            )  # fmt: skip
    return old


def test_what_is_sealed_while_it_changes_its_form_stays_whole(shelf: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(shelf, 1)
    put, once = vault.Vault.put, iter([True])

    def late(self: vault.Vault, *more: Any) -> Any:
        sealed = put(self, *more)
        if next(once, False):  # the sealing has read it; before it writes the row somebody else does
            assert changed(shelf, "flac").changed == 1
        return sealed

    monkeypatch.setattr(vault.Vault, "put", late)
    list(sealing.seal(shelf))

    row, = kept()
    assert row.kept_as == "flac"
    assert len(samples(content(shelf, row))) == 16000
    assert [key for key, _at in vault.of(shelf).blobs()] == [row.path]
    assert list(proof.verify(shelf)) == []


def test_older_audio_of_two_recordings_stays_until_both_have_their_form(shelf: Settings) -> None:
    old = plain(shelf, 1, 2)

    assert changed(shelf, "flac").changed == 2

    assert not vault.of(shelf).path(old).exists()
    assert list(proof.verify(shelf)) == []


def test_another_rate_than_opus_knows_stays_wav(shelf: Settings, there: File) -> None:
    form = struct.pack("<IHHIIHH", 16, 1, 1, 11025, 22050, 2, 16)
    audio = bytes(SOUND[44:])
    odd = b"RIFF" + struct.pack("<I", len(audio) + 36) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(audio)) + audio
    row = collected(shelf, there, odd)

    assert changed(shelf, "opus").stayed == {row.id: "opus cannot hold this audio"}
    assert changed(shelf, "flac").changed == 1


def test_the_new_hash_is_in_the_chain_and_a_change_of_it_is_named(shelf: Settings, there: File) -> None:
    row = collected(shelf, there)
    changed(shelf, "opus")
    proof.chain(shelf, LATER)
    assert list(proof.verify(shelf)) == []
    with db.begin(scope.ALL) as session:
        entries = session.execute(text("select string_agg(entries, '') from recording_chain")).scalar_one()
    assert f"{row.id} {row.sha256} kept\n" in entries and f"{row.id} {kept()[0].kept_sha256} opus\n" in entries

    forged = vault.of(shelf).put(io.BytesIO(sound.encoded([SOUND], wav.header(SOUND[:44], len(SOUND)), "opus").content + b"x"))  # type: ignore[arg-type]
    with db.begin(scope.ALL) as session:
        session.execute(text("update recording set path = :path, kept_sha256 = :sha"), {"path": forged.key, "sha": forged.sha256})
    assert any("another hash than in the chain" in told for told in proof.verify(shelf))


def test_the_switchs_file_is_deleted_only_by_the_hash_that_it_had(shelf: Settings, there: File) -> None:
    collected(shelf, there)
    changed(shelf, "flac")
    file = shelf.switches[0].recordings / f"{DAY}/{KEY}.1.wav"  # type: ignore[operator]
    soon = replace(shelf, delete_at_switch_after_days=1)
    was = file.read_bytes()
    file.write_bytes(was[:-1] + b"\x7f")
    assert purge.delete_at_switch(soon, LATER) == 0
    file.write_bytes(was)
    assert purge.delete_at_switch(soon, LATER) == 1


def test_a_file_that_grew_is_collected_anew_as_wav(shelf: Settings, there: File) -> None:
    collected(shelf, there)
    changed(shelf, "flac")
    longer = stereo(3.0)

    row = collected(shelf, there, longer)

    assert (row.kept_as, row.kept_sha256, row.sha256) == ("wav", None, hashlib.sha256(longer).hexdigest())
    assert changed(shelf, "flac").changed == 1


def test_collecting_asks_for_the_new_form_once(shelf: Settings, there: File) -> None:
    collected(replace(shelf, recording_format="opus"), there)
    with db.begin(scope.ALL) as session:
        assert session.execute(text("select name from job")).scalars().all() == ["recordings.transcode"]


def heard(shelf: Settings, person: Identity, **more: object) -> tuple[int, dict[str, str], bytes]:
    with db.begin(scope.ALL) as session:
        told = reply(session, vault.of(shelf), Asked(kept()[0].id, **more), person, at=AT)  # type: ignore[arg-type]
        return told.status, told.headers, b"".join(told.pieces)


@pytest.mark.parametrize(("form", "kind"), [("flac", "audio/flac"), ("opus", "audio/ogg")])
def test_it_is_streamed_in_its_form_and_taken_along_as_wav(
    shelf: Settings, there: File, committed_cast: SimpleNamespace, form: str, kind: str
) -> None:
    person = Identity(committed_cast.cleo.id, "Cleo", "cleo", (), frozenset({"call.listen", "call.download"}), scope.ALL, 1, "en", "light")
    collected(shelf, there)
    changed(shelf, form)

    status, headers, whole = heard(shelf, person)
    assert (status, headers["content-type"]) == (200, kind)
    status, headers, part = heard(shelf, person, range="bytes=100-199")
    assert (status, part) == (206, whole[100:200])
    status, headers, made = heard(shelf, person, kind="download", as_wav=True)
    assert (status, headers["content-type"], int(headers["content-length"])) == (200, "audio/wav", len(made))
    assert len(made) == len(SOUND) and (form == "opus" or made == SOUND)


def test_a_form_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(config.BadSetting, match="wav, flac, opus"):
        config.load({"RINGDESK_DATA": str(tmp_path), "RINGDESK_RECORDING_FORMAT": "mp3"})
