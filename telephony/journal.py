"""What the switch said, byte for byte on disk, before anything is made of it.

One folder a switch; a segment is a numbered pair: `000000000007.ami` holds the raw bytes, `000000000007.ami.times` says
when each read came ("byte-offset unix-seconds"). It is the format of a capture, so replay and tests read a journal.
A connection opens a segment, and begins with the switch's banner; a segment without a banner goes on where the last ended.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from telephony.feed import times
from telephony.wire import BANNER

SEGMENT_BYTES = 64 * 1024 * 1024
SEGMENT_SECONDS = 3600
KEEP_SECONDS = 72 * 3600  # it holds personal data: as short as repairs allow
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHIFT = 40


class JournalError(Exception):
    """The journal cannot be written; the message says what to do. The listener must stop: it would forget calls."""


@dataclass(frozen=True, order=True, slots=True)
class Position:
    """A place in one switch's journal; positions order as time does."""

    segment: int = 0
    offset: int = 0

    @property
    def revision(self) -> int:
        """One number that grows with the position."""
        return (self.segment << _SHIFT) + self.offset

    @property
    def name(self) -> str:
        """The segment's file name without its ending."""
        return f"{self.segment:012d}"

    @classmethod
    def of(cls, name: str, offset: int) -> "Position":
        """The position that a checkpoint's words mean."""
        return cls(int(name) if name.isdigit() else 0, offset)


class JournalTaken(JournalError):
    """Another process writes this journal."""


class Journal:
    """The writer of one switch's journal; one process at a time."""

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self.dirty = False
        self._segment_bytes = segment_bytes
        self._opened_at = 0.0
        self._data: BinaryIO | None = None
        self._times: BinaryIO | None = None
        self._made(folder)
        self._lock = self._locked()
        newest = max((segment for segment, _ in segments(folder)), default=0)
        self.position = Position(newest, 0)

    def _made(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _refused(folder, error) from error

    def _locked(self) -> BinaryIO:
        """Hold the folder's lock while this process lives; it ends with it, however it ends."""
        try:
            lock = (self.folder / "lock").open("wb")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JournalTaken(f"Another listener writes {self.folder}. Stop it first.") from error
        except OSError as error:
            raise _refused(self.folder, error) from error
        return lock

    def follow(self, segment: int) -> None:
        """What is written from now on is later than that segment: a new folder must not number its past again."""
        if segment > self.position.segment:
            self.position = Position(segment, 0)

    def begin(self, at: float) -> None:
        """Open the next segment."""
        self._close_files()
        position = Position(self.position.segment + 1, 0)
        try:
            self._data = _opened(self.folder / f"{position.name}.ami")
            self._times = _opened(self.folder / f"{position.name}.ami.times")
        except OSError as error:
            raise _refused(self.folder, error) from error
        self.position, self._opened_at = position, at

    def write(self, data: bytes, at: float) -> None:
        """Append what one read brought; when the disk refuses, nothing of it is kept and the refusal is raised."""
        assert self._data is not None and self._times is not None
        offset = self.position.offset
        try:
            _write_all(self._data, data)
            _write_all(self._times, b"%d %.6f\n" % (offset, at))
        except OSError as error:
            self._cut_back(offset)
            raise _refused(self.folder, error) from error
        self.position = Position(self.position.segment, offset + len(data))
        self.dirty = True

    def _cut_back(self, offset: int) -> None:
        """A half-written read would be taken for a torn frame later: rather none of it."""
        assert self._data is not None
        try:
            self._data.truncate(offset)
        except OSError:
            return  # the reader tolerates a torn tail

    def due(self, at: float) -> bool:
        """True when the segment is large or old enough to begin another, at the next frame boundary."""
        return self.position.offset >= self._segment_bytes or (
            at - self._opened_at >= SEGMENT_SECONDS and self.position.offset > 0)

    def sync(self) -> None:
        """What was written is on the disk; called from a thread, in batches."""
        data = self._data
        self.dirty = False
        if data is None or data.closed:
            return
        try:
            os.fdatasync(data.fileno())
        except (OSError, ValueError) as error:
            if not data.closed:
                raise _refused(self.folder, error) from error

    def purge(self, low: Position, at: float) -> int:
        """Remove segments that are old and that no repair needs any more; return how many."""
        removed = 0
        for segment, path in segments(self.folder):
            if segment >= min(low.segment, self.position.segment) or at - path.stat().st_mtime < KEEP_SECONDS:
                continue
            path.unlink()
            path.with_name(path.name + ".times").unlink(missing_ok=True)
            removed += 1
        return removed

    def close(self) -> None:
        """Everything is on disk and another process may write."""
        if self._data is not None and not self._data.closed:
            self.sync()
        self._close_files()
        self._lock.close()

    def _close_files(self) -> None:
        for file in (self._data, self._times):
            if file is not None and not file.closed:
                if file is self._data and self.dirty:
                    self.sync()
                file.close()


def _opened(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb", buffering=0)


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _refused(folder: Path, error: OSError | ValueError) -> JournalError:
    if isinstance(error, OSError) and error.errno in FULL:
        return JournalError(f"The disk that holds {folder} is full. Free space and start the listener again.")
    return JournalError(f"The journal in {folder} cannot be written: {error}. Mend that and start the listener again.")


def segments(folder: Path) -> list[tuple[int, Path]]:
    """Return the segments on disk, oldest first."""
    found = [(int(path.stem), path) for path in folder.glob("*.ami") if path.stem.isdigit()]
    return sorted(found)


@dataclass(frozen=True)
class Piece:
    """What one read brought, where it stands and when it came."""

    position: Position
    data: bytes
    at: datetime | None

    @property
    def connected(self) -> bool:
        """True for the first read of a connection: a switch begins with its banner."""
        return self.position.offset == 0 and self.data.startswith(BANNER)


def pieces(folder: Path, since: Position) -> Iterator[Piece]:
    """Yield every read from that position on, oldest first; a torn end is yielded as it is."""
    for segment, path in segments(folder):
        if segment < since.segment:
            continue
        data = path.read_bytes()
        begin = since.offset if segment == since.segment else 0
        reads = _reads(path, data)
        bounds = [(max(offset, begin), at) for offset, at in reads if offset > begin]
        earlier = [at for offset, at in reads if offset <= begin]
        starts = [(begin, earlier[-1] if earlier else None), *bounds]
        for index, (offset, at) in enumerate(starts):
            end = starts[index + 1][0] if index + 1 < len(starts) else len(data)
            if offset < end:
                yield Piece(Position(segment, offset), data[offset:end], at)


def _reads(path: Path, data: bytes) -> list[tuple[int, datetime]]:
    beside = path.with_name(path.name + ".times")
    lines = beside.read_text("ascii", errors="replace") if beside.exists() else ""
    return [(offset, at) for offset, at in times(lines, data) if offset <= len(data)]


def last_heard(folder: Path) -> datetime | None:
    """Return when the last read of the journal came: from there to the next connection nothing was heard."""
    for _, path in reversed(segments(folder)):
        beside = path.with_name(path.name + ".times")
        reads = times(beside.read_text("ascii", errors="replace"), b"") if beside.exists() else []
        if reads:
            return reads[-1][1]
    return None
