"""A switch's own files as they stand over there, where no folder can be mounted: fetched by SFTP before they are read.

Each kind of file has a folder of its own here, with the names and moments of the switch's, so that a log is read as if it were
mounted. What was fetched stays, and only what was written since is asked for, through rotation and cuts. What the switch has
thrown away, and what no gap can need any more, is thrown away here too: all of it is personal data.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from service.core.config import Settings, SwitchSettings
from service.core.errors import DeskError, Unreachable

if TYPE_CHECKING:
    from service.core.sftp import Entry, Link, Remote

KEPT = timedelta(days=31)  # what was written to last before that is not kept
ALIKE = 4096  # bytes at the beginning, and before the place where one goes on, by which a file is known again
PIECE = 1 << 18  # asked for at once: a slow line answers that within the link's patience
SPARE = 1 << 28  # bytes that stay free: the database may live on the same disk
TURNS = 3  # so often is a switch looked at that rotates meanwhile
LONGEST = 200  # bytes of a name, so that a draft of it has a name too
DRAFT = ".draft."  # before the name of what is not whole; no log's name begins with a dot
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
Progress = Callable[[str, int, int], None]


class NotKept(DeskError):
    """What would be fetched cannot be put down here; the message says why and what to do."""


class Rotated(Exception):
    """The files were rotated while they were fetched."""


@dataclass(frozen=True)
class Seen:
    """One file as it is over there; `why` says why it cannot be had, and is empty when it can."""

    path: str
    why: str = ""
    changed: datetime | None = None


def here(settings: Settings, switch: SwitchSettings) -> dict[str, Path]:
    """Where each file of the switch is read, by its kind: where it is mounted, or where it is fetched to."""
    if not switch.files_url:
        return switch.files
    return {kind: settings.feeds_dir / switch.name / kind / path.name for kind, path in switch.files.items()}


def fetch(settings: Settings, switch: SwitchSettings, *, since: datetime, at: datetime,
          progress: Progress = lambda step, done, total: None) -> dict[str, str]:
    """What was written since then lies here; returns a sentence for each file that cannot be had.

    Raises Unreachable or NotKept with a sentence when nothing more can be fetched now; what was fetched until then stays.
    """
    with closing(_link(switch)) as there:
        mirrors = {kind: Mirror(there, switch.files[kind].as_posix(), path, progress) for kind, path in here(settings, switch).items()}
        found = {kind: _renewed(one, since, min(since, at - KEPT)) for kind, one in mirrors.items()}
    return {kind: f"{address(switch, kind)} {why}" for kind, why in found.items() if why}


def _renewed(one: "Mirror", since: datetime, oldest: datetime) -> str:
    """Why the file cannot be had, empty when it is here."""
    try:
        one.renew(since, oldest)
    except ConnectionError as error:
        raise Unreachable(f"{one.far} was not fetched to its end: {error.strerror}. What came of it stays here.") from error
    except Rotated:
        return "was rotated again and again while it was fetched; it is fetched with the next run."
    except OSError as error:
        return _why(error)
    return ""


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is not there; correct the path in the settings, or let the switch write it."
    if error.errno == errno.EINVAL:
        return "is no regular file, and links are not followed; name the file itself."
    return f"cannot be read ({error.strerror or error})."


def seen(switch: SwitchSettings) -> dict[str, Seen]:
    """How each file of the switch can be had now; a byte of each is read, and nothing is kept."""
    with closing(_link(switch)) as there:
        try:
            return {kind: _looked(there, address(switch, kind), path.as_posix()) for kind, path in switch.files.items()}
        except (Unreachable, ConnectionError) as error:
            return {kind: Seen(address(switch, kind), str(error)) for kind in switch.files}


def _looked(there: "Link", path: str, relative: str) -> Seen:
    try:
        with there.opened(relative) as (file, state):
            file.read(1)
            return Seen(path, changed=datetime.fromtimestamp(state.changed / 1e9, UTC))
    except ConnectionError:
        raise
    except OSError as error:
        return Seen(path, f"{path} {_why(error)}")


def sweep(settings: Settings, _session: Session, *, at: datetime) -> None:
    """Nothing is kept here of a switch whose files are no longer fetched, nor what was written to last a month ago."""
    fetched = {path.parent for switch in settings.switches if switch.files_url for path in here(settings, switch).values()}
    for path in settings.feeds_dir.glob("*/*/*"):
        if path.parent not in fetched or path.lstat().st_mtime < (at - KEPT).timestamp():
            path.unlink(missing_ok=True)
    for folder in (*settings.feeds_dir.glob("*/*"), *settings.feeds_dir.glob("*")):
        with suppress(OSError):
            folder.rmdir()  # only an empty one goes


def address(switch: SwitchSettings, kind: str) -> str:
    """The whole address of one of the switch's files."""
    return f"{switch.files_url.rstrip('/')}/{switch.files[kind].as_posix()}"


def _link(switch: SwitchSettings) -> "Link":
    from service.core.sftp import Address, Link  # a process whose files are mounted need not hold asyncssh in memory

    return Link(Address.of(switch.files_url, switch))


class Mirror:
    """One file of a switch with its rotated parts, as they are over there and as they are here."""

    def __init__(self, there: "Link", far: str, near: Path, progress: Progress) -> None:
        self.far, self._there, self._near, self._progress = far, there, near, progress
        self._folder, self._below = near.parent, far.rpartition("/")[0]

    def renew(self, since: datetime, oldest: datetime) -> None:
        """The file and the parts that were written to since are here as they are there; older and vanished ones are not.

        Raises OSError when the file itself cannot be had, Rotated, Unreachable or NotKept.
        """
        with self._put():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self._folder, self._folder.parent, self._folder.parent.parent):
                folder.chmod(0o700)
        for left in reversed(range(TURNS)):
            try:
                return self._turn(since, oldest)
            except Rotated:
                if not left:
                    raise

    def _turn(self, since: datetime, oldest: datetime) -> None:
        """Oldest first: what was rotated has moved on before its name is taken by the next."""
        listed = self._listed()
        whole = {entry.name for entry in listed if self._has(entry)}
        for entry in listed:
            if entry.name not in whole and (self._is_itself(entry) or entry.changed >= _ns(since)):
                self._bring(entry, whole)
                whole.add(entry.name)
        if self._moved_on(listed, self._listed()):
            raise Rotated
        self._throw_away({entry.name for entry in listed if entry.name in whole and (self._is_itself(entry) or entry.changed >= _ns(oldest))})

    def _listed(self) -> list["Entry"]:
        """The file and its parts, oldest first and itself last; raises FileNotFoundError when it is not among them."""
        found = [entry for entry in self._there.entries(self._below) if _is_part(entry.name, self._near.name)]
        itself = next((entry for entry in found if self._is_itself(entry)), None)
        if itself is None:
            raise FileNotFoundError(errno.ENOENT, "it is not there")
        if not itself.is_regular:
            raise OSError(errno.EINVAL, "not a regular file")
        return sorted((entry for entry in found if entry.is_regular), key=lambda one: (self._is_itself(one), one.changed, one.name))

    def _is_itself(self, entry: "Entry") -> bool:
        return entry.name == self._near.name

    def _has(self, entry: "Entry") -> bool:
        """True when it is here whole, by its size and the moment of its last change."""
        try:
            state = (self._folder / entry.name).lstat()
        except FileNotFoundError:
            return False
        return (state.st_size, state.st_mtime_ns) == (entry.size, entry.changed)

    def _moved_on(self, before: list["Entry"], after: list["Entry"]) -> bool:
        """True when a part came or went meanwhile, or one began anew; that one was written to is no matter."""
        sizes = {entry.name: entry.size for entry in after}
        return sizes.keys() != {entry.name for entry in before} or any(sizes[entry.name] < entry.size for entry in before)

    def _bring(self, entry: "Entry", whole: set[str]) -> None:
        """It is here whole, made of what was here of it and of what was written since; what is whole already is left alone."""
        draft = self._folder / (DRAFT + entry.name)
        try:
            with self._there.opened(f"{self._below}/{entry.name}".lstrip("/")) as (file, state):
                if state.size < entry.size:
                    raise Rotated
                self._begin(draft, file, state, whole)
                self._append(draft, file, state)
        except FileNotFoundError as error:
            raise Rotated from error  # it was listed a moment ago
        with self._put():
            os.utime(draft, ns=(state.changed, state.changed))
            draft.replace(self._folder / entry.name)

    def _begin(self, draft: Path, file: "Remote", state: "Entry", whole: set[str]) -> None:
        """The draft holds what is here of that file already, whatever its name was."""
        begin = _bytes(file, 0, ALIKE)
        near = sorted(self._folder.iterdir(), key=lambda one: (one.name != state.name, one != draft, one.name))
        same = next((path for path in near if path.name not in whole and _goes_on(path, begin, file, state.size)), None)
        with self._put():
            if same is None:
                draft.unlink(missing_ok=True)
            elif same != draft:
                same.replace(draft)

    def _append(self, draft: Path, file: "Remote", state: "Entry") -> None:
        with self._put():
            descriptor = os.open(draft, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as target:
            have = os.fstat(descriptor).st_size
            self._room(state.size - have)
            while have < state.size and (data := _bytes(file, have, min(PIECE, state.size - have))):
                with self._put():
                    have += target.write(data)
                self._progress(f"{state.name} (KB)", have >> 10, state.size >> 10)
            with self._put():
                os.fsync(descriptor)
        if have < state.size:
            raise Rotated  # it was cut short under our hands

    def _room(self, wanted: int) -> None:
        space = os.statvfs(self._folder)
        if wanted and space.f_bavail * space.f_frsize - wanted < SPARE:
            raise NotKept(f"{self.far} has {max(1, wanted >> 20)} MB more, and {self._folder} too little room for them. Make room; it goes on where it stopped.")

    def _throw_away(self, kept: set[str]) -> None:
        """Nothing else is here any more."""
        for path in self._folder.iterdir():
            if path.name not in kept:
                with self._put():
                    path.unlink(missing_ok=True)

    @contextmanager
    def _put(self) -> Iterator[None]:
        """What this disk refuses is told apart from what the switch refuses."""
        try:
            yield
        except OSError as error:
            word = "is full. Make room; it goes on where it stopped." if error.errno in FULL else f"cannot be written ({error.strerror}). Give this user the right."
            raise NotKept(f"{self._folder} {word}") from error


def _goes_on(path: Path, begin: bytes, file: "Remote", size: int) -> bool:
    """True when the file over there begins with all that is here, by its first bytes and by the last ones."""
    have = path.lstat().st_size
    if not 0 < have <= size:
        return False
    last = max(0, have - ALIKE)
    with path.open("rb") as near:
        if near.read(ALIKE) != begin[:have]:
            return False
        near.seek(last)
        return near.read() == _bytes(file, last, have - last)


def _bytes(file: "Remote", at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count) or b""


def _is_part(name: str, of: str) -> bool:
    """True for a plain name that begins with that of the log."""
    return name.startswith(of) and name.isprintable() and "/" not in name and len(name.encode()) <= LONGEST


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000
