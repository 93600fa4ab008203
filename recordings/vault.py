"""Where audio is kept: sealed files under names that say nothing, each beside its own wrapped data key.

v2/ab/abcd…        the audio, sealed (seal.py)
v2/ab/abcd….key    its data key, wrapped with the master key; without this line the audio is noise for ever
v1/ab/abcd…        audio of an older installation, not sealed; it plays until `ringdesk recordings seal` has sealed it
"""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from recordings import keys, seal
from recordings.keys import Ring, Wrapped
from recordings.seal import BrokenSeal as BrokenSeal
from recordings.seal import Taster
from service.core.config import Settings

PIECE = 1 << 18
PLAIN, SEALED = "v1", "v2"
_NAMES = {PLAIN: re.compile(r"[0-9a-f]{64}"), SEALED: re.compile(r"[0-9a-f]{32}")}


@dataclass(frozen=True)
class Sealed:
    """A file in the vault: `key` finds it again, `sha256` proves it."""

    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Vault:
    """The vault under `root`, sealed with the keys of `key_file`; no audio in it is ever overwritten."""

    root: Path
    key_file: Path

    def put(self, source: BinaryIO, *tasters: Taster) -> Sealed:
        """The bytes of `source` are sealed on the disk and were read back equal. Raises NoKey, BrokenSeal, OSError."""
        self.ring()
        blob, data_key, draft = secrets.token_hex(16), AESGCM.generate_key(256), self._draft()
        try:
            with _new(draft) as out:
                digest, size = seal.write(source, out, data_key, blob, *tasters)
                out.flush()
                os.fsync(out.fileno())
            if _hash(_opened(draft, data_key, blob, 0, size)) != digest:
                raise BrokenSeal("the copy differs from its source; check the disk and collect again")
            self._settle(draft, blob, data_key)
        finally:
            draft.unlink(missing_ok=True)
        return Sealed(f"{SEALED}/{blob[:2]}/{blob}", digest, size)

    def path(self, key: str) -> Path:
        """Where the file of `key` lies; a key that is not one of ours is refused."""
        form, _, rest = key.partition("/")
        folder, _, name = rest.partition("/")
        if form not in _NAMES or not _NAMES[form].fullmatch(name) or folder != name[:2]:
            raise BrokenSeal(f"{key!r} is not a vault key")
        return self.root / form / folder / name

    def size(self, key: str) -> int:
        """Bytes of audio under `key`; raises FileNotFoundError when the disk has lost it."""
        length = self.path(key).stat().st_size
        return seal.size_of(length) if is_sealed(key) else length

    def read(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """Bytes from `start` up to `stop`, in pieces; only what is asked for is opened."""
        path = self.path(key)
        return (
            _opened(path, self._data_key(path), path.name, start, stop) if is_sealed(key) else _plain(path, start, stop)
        )

    def hash_of(self, key: str) -> str:
        """SHA-256 of the audio as it can be read from the disk now. Raises BrokenSeal, NoKey, FileNotFoundError."""
        return _hash(self.read(key, 0, self.size(key)))

    def shred(self, key: str) -> None:
        """The data key is gone and then the audio; a backup of the audio alone says nothing any more."""
        path = self.path(key)
        if is_sealed(key):
            _overwritten(_beside(path))
        path.unlink(missing_ok=True)

    def blobs(self) -> Iterator[tuple[str, float]]:
        """Every key in the vault with the moment of its last change."""
        for form, name in _NAMES.items():
            for path in sorted((self.root / form).glob("[0-9a-f][0-9a-f]/*")):
                if name.fullmatch(path.name) and path.is_file():
                    yield path.relative_to(self.root).as_posix(), path.stat().st_mtime

    def sweep(self, before: float) -> int:
        """Drafts and keys without audio that were left before that moment are gone; returns how many."""
        drafts = [path for path in (self.root / "drafts").glob("*") if path.stat().st_mtime < before]
        keys_ = (self.root / SEALED).glob("[0-9a-f][0-9a-f]/*.key")
        alone = [path for path in keys_ if not path.with_suffix("").exists() and path.stat().st_mtime < before]
        for path in (*drafts, *alone):
            _overwritten(path)
        return len(drafts) + len(alone)

    def ring(self) -> Ring:
        """The master keys; the first one is made with the first recording. Raises NoKey when they are not the vault's."""
        mark = self._mark()
        if not mark and not self.key_file.exists():
            return keys.first(self.key_file)
        found = keys.read(self.key_file)
        if mark and not found.knows(mark):
            raise keys.another(mark)
        return found

    def rotate(self) -> int:
        """Every data key is wrapped with a new master key and the old one is forgotten; no audio is touched.

        Returns how many were wrapped anew. A rotation that was cut off is finished by the next one.
        """
        with keys.held(self.key_file, alone=True):
            ring = Ring((*self.ring().keys, keys.fresh()))
            keys.write(self.key_file, ring)
            found = [path for path in sorted((self.root / SEALED).glob("[0-9a-f][0-9a-f]/*.key")) if path.is_file()]
            for path in found:
                self._rewrap(path, ring)
            self._write_mark(ring)
            keys.write(self.key_file, Ring((ring.current,)))
        return len(found)

    def _rewrap(self, path: Path, ring: Ring) -> None:
        blob = path.name.removesuffix(".key")
        data_key = ring.unwrap(_wrapped(path), blob)
        self._written(path, ring.current.wrap(data_key, blob).text())

    def _data_key(self, path: Path) -> bytes:
        if not path.exists():
            raise FileNotFoundError(path)
        try:
            try:
                return self.ring().unwrap(_wrapped(_beside(path)), path.name)
            except keys.NoKey:  # a rotation may just have passed between the two reads
                return self.ring().unwrap(_wrapped(_beside(path)), path.name)
        except (FileNotFoundError, ValueError) as error:
            raise BrokenSeal(f"the data key of {path.name} is gone or damaged") from error

    def _draft(self) -> Path:
        folder = self.root / "drafts"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder / secrets.token_hex(16)

    def _settle(self, draft: Path, blob: str, data_key: bytes) -> None:
        """The key lies there first, so that no audio is ever without one."""
        place = self.root / SEALED / blob[:2] / blob
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with keys.held(self.key_file, alone=False):
            ring = self.ring()
            self._written(_beside(place), ring.current.wrap(data_key, blob).text())
            draft.replace(place)
            keys.sync_folder(place.parent)
            if not self._mark():
                self._write_mark(ring)

    def _written(self, place: Path, text: str) -> None:
        draft = self._draft()
        try:
            with _new(draft) as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)

    def _mark(self) -> str:
        """Id of the master key that this vault was sealed with last; empty before the first recording."""
        try:
            return (self.root / SEALED / "master-key-id").read_text().strip()
        except FileNotFoundError:
            return ""

    def _write_mark(self, ring: Ring) -> None:
        place = self.root / SEALED / "master-key-id"
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._written(place, ring.current.id + "\n")


def of(settings: Settings) -> Vault:
    """The vault of this installation."""
    return Vault(settings.vault_dir, settings.key_file)


def is_sealed(key: str) -> bool:
    """True for audio that is encrypted on the disk."""
    return key.startswith(f"{SEALED}/")


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.key")


def _wrapped(path: Path) -> Wrapped:
    return Wrapped.of(path.read_text("ascii"))


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _opened(path: Path, data_key: bytes, blob: str, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from seal.read(file, data_key, blob, start, stop)


def _plain(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = stop - start
        while left > 0 and (piece := file.read(min(PIECE, left))):
            left -= len(piece)
            yield piece


def _hash(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _overwritten(path: Path) -> None:
    """Noise over the old bytes before the name goes, for disks that write in place."""
    with suppress(FileNotFoundError):
        with closing(path.open("r+b")) as file:
            file.write(secrets.token_bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
