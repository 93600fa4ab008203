"""Master keys: they wrap the data keys of the vault and lie in one file apart from it, the newest last."""

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask_babel import gettext as _

from service.core.errors import DeskError

SECRET = 32  # bytes: AES-256
_NONCE = 12
_PURPOSE = b"ringdesk data key\0"
_TITLE = "# Master keys of the recordings. The last line wraps new ones. Keep a copy apart from the vault's backups.\n"


class NoKey(DeskError):
    """The master key is missing or another one; nothing can be sealed or heard until it is back."""

    status = 503


@dataclass(frozen=True)
class MasterKey:
    """One key; its id is made from it, so that another key can never pass for it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """What is stored beside each data key that this one wraps."""
        return hashlib.sha256(b"ringdesk master key\0" + self.secret).hexdigest()[:16]

    def wrap(self, data_key: bytes, blob: str) -> "Wrapped":
        """The data key of that blob, readable with this key alone."""
        nonce = secrets.token_bytes(_NONCE)
        return Wrapped(self.id, nonce + AESGCM(self.secret).encrypt(nonce, data_key, _PURPOSE + blob.encode()))


@dataclass(frozen=True)
class Wrapped:
    """A data key as it lies in the vault, beside its audio."""

    master: str
    content: bytes

    def text(self) -> str:
        """One line: which master key, and the wrapped key."""
        return f"{self.master} {base64.b64encode(self.content).decode()}\n"

    @classmethod
    def of(cls, text: str) -> "Wrapped":
        """The line read back; raises ValueError when it is none."""
        master, content = text.split()
        return cls(master, base64.b64decode(content, validate=True))


@dataclass(frozen=True)
class Ring:
    """All master keys that are known here, oldest first; more than one only while a rotation is under way."""

    keys: tuple[MasterKey, ...]

    @property
    def current(self) -> MasterKey:
        """The one that wraps new data keys."""
        return self.keys[-1]

    def knows(self, master: str) -> bool:
        """True when the key of that id is here."""
        return any(key.id == master for key in self.keys)

    def unwrap(self, wrapped: Wrapped, blob: str) -> bytes:
        """The data key of that blob; raises NoKey when it was wrapped with a key that is not here."""
        for key in self.keys:
            if key.id == wrapped.master:
                try:
                    return AESGCM(key.secret).decrypt(
                        wrapped.content[:_NONCE], wrapped.content[_NONCE:], _PURPOSE + blob.encode()
                    )
                except InvalidTag as error:
                    raise ValueError("the data key does not open") from error
        raise another(wrapped.master)


def another(master: str) -> NoKey:
    """The refusal that names the key which is wanted."""
    return NoKey(
        _(
            "The recordings were sealed with master key %(id)s, and the key file holds another one. "
            "Put the right key file back; nothing is lost meanwhile.",
            id=master,
        )
    )


def read(path: Path) -> Ring:
    """The keys of the file; raises NoKey with the reason when it cannot serve."""
    try:
        lines = [line.split() for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path) from error
    try:
        keys = tuple(MasterKey(base64.b64decode(content, validate=True)) for _id, content in lines)
    except (ValueError, binascii.Error) as error:
        raise _damaged(path) from error
    if (
        not keys
        or [key.id for key in keys] != [line[0] for line in lines]
        or any(len(k.secret) != SECRET for k in keys)
    ):
        raise _damaged(path)
    return Ring(keys)


def _unreadable(path: Path) -> NoKey:
    return NoKey(
        _(
            "The master key of the recordings cannot be read at %(path)s. "
            "Put the key file back; calls go on, and audio waits at the switch.",
            path=path,
        )
    )


def _damaged(path: Path) -> NoKey:
    return NoKey(
        _(
            "The master key of the recordings at %(path)s is damaged. "
            "Put a sound copy back; calls go on, and audio waits at the switch.",
            path=path,
        )
    )


def fresh() -> MasterKey:
    """A key that nobody has seen before."""
    return MasterKey(secrets.token_bytes(SECRET))


def first(path: Path) -> Ring:
    """The file with its first key, made whole; of two processes one wins and both read the same."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _drafted(path, Ring((fresh(),)))
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    return read(path)


def write(path: Path, ring: Ring) -> None:
    """The file holds exactly these keys, and never half of them."""
    _drafted(path, ring).replace(path)
    sync_folder(path.parent)


def _drafted(path: Path, ring: Ring) -> Path:
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    lines = (f"{key.id} {base64.b64encode(key.secret).decode()}\n" for key in ring.keys)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines((_TITLE, *lines))
        file.flush()
        os.fsync(file.fileno())
    return draft


def sync_folder(folder: Path) -> None:
    """What was renamed in this folder survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held(path: Path, *, alone: bool) -> Iterator[None]:
    """Whoever wraps a key holds the file with others; whoever rotates holds it alone, so that no key is wrapped behind them."""
    with path.with_name(f"{path.name}.lock").open("a") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
