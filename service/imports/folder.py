"""Where brought files lie: under a name that nobody can guess, readable by the program's own user alone."""

import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service.core.intake.files import MOST_BYTES
from service.core.intake.unreadable import Unreadable

PIECE = 1 << 18
NAME = re.compile(r"[A-Za-z0-9_-]{20,60}")


@dataclass(frozen=True)
class Kept:
    """One file in the folder."""

    name: str
    sha256: str
    bytes: int


def keep(folder: Path, stream: IO[bytes]) -> Kept:
    """What was sent lies in the folder; raises Unreadable, and keeps nothing, when it is too large."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name, seen, size = secrets.token_urlsafe(24), hashlib.sha256(), 0
    path = folder / name
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            while piece := stream.read(PIECE):
                size += len(piece)
                _small_enough(size)
                seen.update(piece)
                file.write(piece)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Kept(name, seen.hexdigest(), size)


def _small_enough(size: int) -> None:
    if size > MOST_BYTES:
        raise Unreadable("large", most=MOST_BYTES >> 20)


def path_of(folder: Path, name: str) -> Path:
    """Where the file lies; raises Unreadable when it has been forgotten."""
    path = folder / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise Unreadable("gone")
    return path


def forget(folder: Path, name: str) -> None:
    """The file is gone."""
    if NAME.fullmatch(name):
        (folder / name).unlink(missing_ok=True)
