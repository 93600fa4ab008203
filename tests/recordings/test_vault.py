"""The vault keeps bytes by their hash."""

import hashlib
import io
from pathlib import Path

import pytest

from recordings.vault import BrokenSeal, Vault

AUDIO = bytes(range(256)) * 4000


def test_what_is_put_in_comes_out_and_the_key_is_its_hash(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")

    sealed = vault.put(io.BytesIO(AUDIO))

    assert sealed.sha256 == hashlib.sha256(AUDIO).hexdigest()
    assert sealed.size == vault.size(sealed.key) == len(AUDIO)
    assert b"".join(vault.read(sealed.key, 0, len(AUDIO))) == AUDIO
    assert b"".join(vault.read(sealed.key, 300_000, 300_010)) == AUDIO[300_000:300_010]


def test_the_same_bytes_twice_are_one_file_and_no_draft_is_left(tmp_path: Path) -> None:
    vault = Vault(tmp_path)

    first, second = vault.put(io.BytesIO(AUDIO)), vault.put(io.BytesIO(AUDIO))

    assert first == second
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [vault.path(first.key)]


def test_a_file_that_rotted_is_replaced_by_a_sound_copy(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    sealed = vault.put(io.BytesIO(AUDIO))
    vault.path(sealed.key).write_bytes(b"rot")

    vault.put(io.BytesIO(AUDIO))

    assert vault.path(sealed.key).read_bytes() == AUDIO


@pytest.mark.parametrize(
    "key",
    [
        "",
        "v1",
        "v1/aa/../../etc/passwd",
        "v2/" + "a" * 2 + "/" + "a" * 64,
        "v1/ab/" + "c" * 64,
        "/etc/passwd",
        "v1/aa/" + "A" * 64,
    ],
)
def test_a_key_that_is_not_ours_opens_nothing(tmp_path: Path, key: str) -> None:
    with pytest.raises(BrokenSeal):
        Vault(tmp_path).path(key)


def test_only_the_owner_can_read_the_vault(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    sealed = vault.put(io.BytesIO(AUDIO))

    assert vault.path(sealed.key).stat().st_mode & 0o077 == 0
