"""Where one has read to in a file that a switch writes on, through rotation, copying and torn ends.

A place is known by the beginning of its file as well as by the inode: a file that is copied here anew each time has
another inode, and one that was rotated has another name.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from telephony.records import PARSERS, Cdr, Form, Row, records

HEAD = 256
CHUNK = 1 << 22
STEP = 500  # records between two places that may be marked


@dataclass(frozen=True)
class Mark:
    """A place in a file: everything before `offset` has been read; `head` is a digest of its first `known` bytes."""

    inode: int = 0
    offset: int = 0
    known: int = 0
    head: str = ""


@dataclass(frozen=True)
class Part:
    """One file as it was when it was opened."""

    path: Path
    inode: int
    begin: bytes

    def mark(self, offset: int) -> Mark:
        """Return the place at that byte of it."""
        known = min(offset, len(self.begin))
        return Mark(self.inode, offset, known, hashlib.sha256(self.begin[:known]).hexdigest())

    def is_of(self, mark: Mark) -> bool:
        """True when the mark was made in this file, or in one of which it is a copy."""
        if self.path.suffix == ".gz" or self.path.stat().st_size < mark.offset or mark.known > len(self.begin):
            return False
        return self.mark(mark.known).head == mark.head and (mark.known > 0 or mark.inode == self.inode)


class Log:
    """One of a switch's files, read from a mark on, its rotated parts first."""

    def __init__(self, kind: str, path: Path, form: Form, mark: Mark | None = None, since: datetime | None = None) -> None:
        self.kind, self.path, self._form, self._mark, self._since = kind, path, form, mark, since
        self.read, self.bad = 0, 0
        self.begins: datetime | None = None  # what was written first of all that was looked at
        self._places: list[tuple[datetime | None, Part, int]] = []

    def rows(self) -> Iterator[Row]:
        """Yield each row that is whole; raises OSError when the file cannot be read."""
        latest: datetime | None = None
        for part, begin in self._parts():
            end = begin
            self._places.append((latest, part, begin))
            for end, record in _records(part.path, begin):
                row = PARSERS[self.kind](record, self._form)
                self.read, self.bad = self.read + 1, self.bad + (row is None)
                if row is not None:
                    self.begins = self.begins or written(row)
                    latest = max(latest or written(row), written(row))
                    if self._since is None or written(row) >= self._since:
                        yield row
                if self.read % STEP == 0:
                    self._places.append((latest, part, end))
            self._places.append((latest, part, end))

    @property
    def fresh(self) -> bool:
        """True when it was read from its very beginning, not from a mark on."""
        return self._mark is None

    def mark(self, low: datetime) -> Mark | None:
        """Return the last place before which everything is older than `low`; where nothing is, the place of before."""
        able = [part.mark(offset) for latest, part, offset in self._places if latest is None or latest < low]
        return able[-1] if able else self._mark

    def _parts(self) -> list[tuple[Part, int]]:
        """The files to read, oldest first, and from where."""
        older = sorted((one for one in self.path.parent.glob(self.path.name + "?*") if one.is_file()),
                       key=lambda one: (one.stat().st_mtime, one.name))
        parts = [*map(_part, older), _part(self.path)]
        mark = self._mark
        if mark is not None:
            known = [at for at, part in enumerate(parts) if part.is_of(mark)]
            if known:
                at = next((at for at in known if parts[at].inode == mark.inode), known[-1])
                return [(parts[at], mark.offset), *((part, 0) for part in parts[at + 1 :])]
        since = self._since.timestamp() if self._since else 0.0
        return [(part, 0) for part in parts if part.path == self.path or part.path.stat().st_mtime >= since]


def _part(path: Path) -> Part:
    with _opened(path) as file:
        return Part(path, path.stat().st_ino, file.read(HEAD))


def _records(path: Path, begin: int) -> Iterator[tuple[int, bytes]]:
    """Yield each record that is whole with the offset of its end; a torn one stays for the next time."""
    with _opened(path) as file:
        file.seek(begin)
        held, at = b"", begin
        while chunk := file.read(CHUNK):
            held, done = held + chunk, 0
            for done, record in records(held):
                yield at + done, record
            held, at = held[done:], at + done


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def written(row: Row) -> datetime:
    """Return when the switch wrote the row: a CDR when its attempt was over."""
    return row.end if isinstance(row, Cdr) else row.at
