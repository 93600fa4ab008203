"""The vault keeps bytes that only the master key opens, any part of them, and forgets them for good."""

import hashlib
import io
import os
import random
from pathlib import Path

import pytest

from recordings import keys, seal
from recordings.keys import NoKey
from recordings.vault import BrokenSeal, Vault

AUDIO = random.Random(3).randbytes(seal.CHUNK * 5 + 1234)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", tmp_path / "keys" / "recordings.key")


def heard(vault: Vault, key: str) -> bytes:
    return b"".join(vault.read(key, 0, vault.size(key)))


def test_what_is_put_in_comes_out_and_its_hash_proves_it(vault: Vault) -> None:
    sealed = vault.put(io.BytesIO(AUDIO))

    assert sealed.sha256 == hashlib.sha256(AUDIO).hexdigest() == vault.hash_of(sealed.key)
    assert sealed.size == vault.size(sealed.key) == len(AUDIO)
    assert heard(vault, sealed.key) == AUDIO


@pytest.mark.parametrize("length", [0, 1, seal.CHUNK - 1, seal.CHUNK, seal.CHUNK + 1, 3 * seal.CHUNK])
def test_every_length_has_its_last_chunk(vault: Vault, length: int) -> None:
    sealed = vault.put(io.BytesIO(AUDIO[:length]))

    assert vault.size(sealed.key) == length
    assert heard(vault, sealed.key) == AUDIO[:length]


def test_any_part_is_read_without_the_rest(vault: Vault) -> None:
    sealed, dice = vault.put(io.BytesIO(AUDIO)), random.Random(5)
    path = vault.path(sealed.key)
    for _try in range(200):
        start, stop = sorted(dice.choices(range(len(AUDIO) + 1), k=2))
        assert b"".join(vault.read(sealed.key, start, stop)) == AUDIO[start:stop]

    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert b"".join(vault.read(sealed.key, 0, 1000)) == AUDIO[:1000]  # the broken end was not looked at


def test_nothing_that_can_be_heard_lies_on_the_disk(vault: Vault, tmp_path: Path) -> None:
    vault.put(io.BytesIO(AUDIO))

    assert all(AUDIO[1000:1032] not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert list((vault.root / "drafts").iterdir()) == []


@pytest.mark.parametrize("harm", ["flip", "swap", "cut a chunk", "cut a byte", "another file"])
def test_audio_that_was_changed_is_never_played(vault: Vault, harm: str) -> None:
    sealed, other = vault.put(io.BytesIO(AUDIO)), vault.put(io.BytesIO(AUDIO))
    path, step = vault.path(sealed.key), seal.CHUNK + seal.TAG
    content = path.read_bytes()
    head, chunks = content[: len(seal.HEAD)], content[len(seal.HEAD) :]
    path.write_bytes(
        {
            "flip": head + bytes([chunks[0] ^ 1]) + chunks[1:],
            "swap": head + chunks[step : 2 * step] + chunks[:step] + chunks[2 * step :],
            "cut a chunk": head + chunks[: 5 * step],
            "cut a byte": content[:-1],
            "another file": vault.path(other.key).read_bytes(),
        }[harm]
    )

    with pytest.raises(BrokenSeal):
        heard(vault, sealed.key)


def test_the_same_bytes_twice_are_two_files_so_that_one_can_be_destroyed(vault: Vault) -> None:
    first, second = vault.put(io.BytesIO(AUDIO)), vault.put(io.BytesIO(AUDIO))

    vault.shred(first.key)

    assert heard(vault, second.key) == AUDIO
    assert [key for key, _at in vault.blobs()] == [second.key]


def test_a_backup_of_the_audio_alone_is_noise_once_its_data_key_is_destroyed(vault: Vault) -> None:
    sealed = vault.put(io.BytesIO(AUDIO))
    backup = vault.path(sealed.key).read_bytes()
    vault.shred(sealed.key)
    with pytest.raises(FileNotFoundError):
        vault.read(sealed.key, 0, 1)

    vault.path(sealed.key).write_bytes(backup)
    with pytest.raises(BrokenSeal, match="data key"):
        vault.read(sealed.key, 0, 1)


def test_the_key_lies_apart_and_only_its_owner_reads_either(vault: Vault) -> None:
    sealed = vault.put(io.BytesIO(AUDIO))

    assert vault.key_file.stat().st_mode & 0o777 == 0o600
    assert vault.path(sealed.key).stat().st_mode & 0o077 == 0
    assert not vault.key_file.is_relative_to(vault.root)


def test_rotation_changes_the_key_and_not_the_audio(vault: Vault) -> None:
    sealed = vault.put(io.BytesIO(AUDIO))
    before, old = vault.path(sealed.key).read_bytes(), keys.read(vault.key_file)
    stolen = vault.key_file.read_bytes()

    assert vault.rotate() == 1

    assert vault.path(sealed.key).read_bytes() == before
    assert heard(vault, sealed.key) == AUDIO
    assert [key.id for key in keys.read(vault.key_file).keys] != [key.id for key in old.keys]
    vault.key_file.write_bytes(stolen)
    with pytest.raises(NoKey):
        vault.read(sealed.key, 0, 1)


def test_a_rotation_that_was_cut_off_is_finished_by_the_next(vault: Vault) -> None:
    first, second = (vault.put(io.BytesIO(AUDIO)) for _ in range(2))
    ring = keys.Ring((*vault.ring().keys, keys.fresh()))
    keys.write(vault.key_file, ring)
    vault._rewrap(next((vault.root / "v2").rglob("*.key")), ring)
    assert heard(vault, first.key) == heard(vault, second.key) == AUDIO

    vault.rotate()

    assert heard(vault, first.key) == heard(vault, second.key) == AUDIO
    assert len(keys.read(vault.key_file).keys) == 1


def test_a_missing_key_is_never_replaced_by_a_new_one(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.put(io.BytesIO(AUDIO))
    away = vault.key_file.rename(tmp_path / "away")
    for attempt in (lambda: vault.put(io.BytesIO(AUDIO)), lambda: vault.read(sealed.key, 0, 1), vault.rotate):
        with pytest.raises(NoKey, match="cannot be read"):
            attempt()
    assert not vault.key_file.exists()

    keys.first(vault.key_file)
    with pytest.raises(NoKey, match="another one"):
        vault.put(io.BytesIO(AUDIO))
    away.replace(vault.key_file)
    assert heard(vault, sealed.key) == AUDIO


@pytest.mark.parametrize("content", ["", "x", "0123456789abcdef AAAA\n", "\xff"])
def test_a_damaged_key_file_is_told_in_words(vault: Vault, content: str) -> None:
    vault.put(io.BytesIO(AUDIO))
    vault.key_file.write_text(content, "latin-1")

    with pytest.raises(NoKey, match="key"):
        vault.put(io.BytesIO(AUDIO))


def test_audio_from_before_the_sealing_still_plays(vault: Vault) -> None:
    digest = hashlib.sha256(AUDIO).hexdigest()
    old = f"v1/{digest[:2]}/{digest}"
    vault.path(old).parent.mkdir(parents=True)
    vault.path(old).write_bytes(AUDIO)

    assert (vault.size(old), heard(vault, old), vault.hash_of(old)) == (len(AUDIO), AUDIO, digest)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "v1",
        "v1/aa/../../etc/passwd",
        "v3/" + "a" * 2 + "/" + "a" * 64,
        "v2/aa/" + "a" * 64,
        "v1/ab/" + "c" * 64,
        "/etc/passwd",
        "v1/aa/" + "A" * 64,
        "v2/aa/" + "a" * 32 + ".key",
    ],
)
def test_a_key_that_is_not_ours_opens_nothing(vault: Vault, key: str) -> None:
    with pytest.raises(BrokenSeal):
        vault.path(key)


def test_a_full_disk_leaves_no_draft(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    keys.first(vault.key_file)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        vault.put(io.BytesIO(AUDIO))
    assert [path for path in vault.root.rglob("*") if path.is_file()] == []
