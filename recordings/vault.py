"""Where audio is kept: plain files named by their SHA-256, under a folder that names the format they are sealed in."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 18
PLAIN = "v1"  # bytes as the switch wrote them; an encrypted format gets the next name and lives beside it
_HASH = re.compile(r"[0-9a-f]{64}")


class BrokenSeal(Exception):
    """What is on the disk is not what was put there."""


@dataclass(frozen=True)
class Sealed:
    """A file in the vault: `key` finds it again, `sha256` proves it."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Vault:
    """The vault under `root`; nothing in it is ever overwritten."""

    root: Path

    def put(self, source: BinaryIO) -> Sealed:
        """The bytes of `source` are on the disk and were read back equal; the same bytes twice are one file."""
        draft = self._draft()
        try:
            digest, size = _copy(source, draft)
            key = f"{PLAIN}/{digest[:2]}/{digest}"
            self._settle(draft, self.root / key, digest)
        finally:
            draft.unlink(missing_ok=True)
        return Sealed(key, digest, size)

    def path(self, key: str) -> Path:
        """Where the file of `key` lies; a key that is not one of ours is refused."""
        form, _, rest = key.partition("/")
        folder, _, digest = rest.partition("/")
        if form != PLAIN or not _HASH.fullmatch(digest) or folder != digest[:2]:
            raise BrokenSeal(f"{key!r} is not a vault key")
        return self.root / form / folder / digest

    def size(self, key: str) -> int:
        """Bytes of audio under `key`; raises FileNotFoundError when the disk has lost it."""
        return self.path(key).stat().st_size

    def read(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """Bytes from `start` up to `stop`, in pieces."""
        with self.path(key).open("rb") as file:
            file.seek(start)
            left = stop - start
            while left > 0 and (piece := file.read(min(CHUNK, left))):
                left -= len(piece)
                yield piece

    def _draft(self) -> Path:
        folder = self.root / "drafts"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / secrets.token_hex(16)

    def _settle(self, draft: Path, place: Path, digest: str) -> None:
        if hash_of(draft) != digest:
            raise BrokenSeal("the copy differs from its source; check the disk and collect again")
        if place.exists() and hash_of(place) == digest:
            return
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.replace(place)
        _sync_folder(place.parent)


def hash_of(path: Path) -> str:
    """SHA-256 of the file as it is on the disk now."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: BinaryIO, draft: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while piece := source.read(CHUNK):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), size


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
