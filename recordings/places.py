"""Where a switch leaves its files: a folder that is mounted here, or one that is reached over SFTP. Both follow no links."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from recordings import names

Stamp = tuple[int, int]  # bytes and moment of the last change in nanoseconds


@dataclass(frozen=True)
class Opened:
    """A file as it was when it was opened."""

    file: BinaryIO
    size: int
    written_at: float


class Place(Protocol):
    """The folder of one switch; paths are relative to it. Anything may raise OSError, and Unreachable of the floor when all of it is away."""

    def reach(self) -> None:
        """The folder can be looked at; asked once a look."""
        ...

    def stands(self) -> bool:
        """True when the folder is there and holds something; an empty one may be where a disk should be mounted."""
        ...

    def days(self) -> list[str]:
        """Every day folder there is, oldest first."""
        ...

    def changed(self, day: str) -> int:
        """When something came into that folder or left it, in nanoseconds."""
        ...

    def files(self, day: str) -> list[tuple[str, Stamp]]:
        """What lies in the folder of that day."""
        ...

    def opened(self, relative: str) -> AbstractContextManager[Opened]:
        """A regular file opened for reading; what turned into a link or a pipe since the listing is refused."""
        ...

    def unlink(self, relative: str) -> None:
        """The file is gone."""
        ...

    def close(self) -> None:
        """Nothing is held open any more."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder of this machine."""

    root: Path

    def reach(self) -> None:
        """The first recording makes the folder, and a call whose file never came is missed."""

    def stands(self) -> bool:
        return self.root.is_dir() and any(self.root.iterdir())

    def days(self) -> list[str]:
        return names.all_days(self.root)

    def changed(self, day: str) -> int:
        return (self.root / day).stat().st_mtime_ns

    def files(self, day: str) -> list[tuple[str, Stamp]]:
        return [(name, stamp) for name in names.files(self.root, day) if (stamp := self._stamp(name))]

    def _stamp(self, relative: str) -> Stamp | None:
        try:
            state = (self.root / relative).stat()
        except OSError:
            return None  # deleted between the listing and this line
        return state.st_size, state.st_mtime_ns

    @contextmanager
    def opened(self, relative: str) -> Iterator[Opened]:
        descriptor = os.open(self.root / relative, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "not a regular file")
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(file.fileno())
            yield Opened(file, state.st_size, state.st_mtime)

    def unlink(self, relative: str) -> None:
        (self.root / relative).unlink()

    def close(self) -> None:
        """A folder holds nothing open."""
