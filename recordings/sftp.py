"""A switch's folder over SFTP: by a key of our own, from a host whose key is known beforehand, and no other."""

import asyncio
import errno
import io
import re
import stat
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import asyncssh

from recordings import names
from recordings.places import Opened, Stamp, Unreachable

PATIENCE = 30.0  # seconds for one question; a dead link is found out by then
COARSE = 1.0  # seconds: most servers tell the moment of a change without its fraction
PIECE = 1 << 20  # asked for at once; asyncssh cuts it and asks for the pieces side by side
_URL = re.compile(r"sftp://(?P<user>[^@/:\s]+)@(?P<host>\[[0-9A-Fa-f:]+\]|[^@/:\s]+)(?::(?P<port>\d{1,5}))?(?P<path>/\S*)")
T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """Where the folder is, who we are there, and the key by which the host is known."""

    user: str
    host: str
    port: int
    path: str
    key_file: Path
    host_key: str

    @classmethod
    def of(cls, url: str, key_file: Path, host_key: str) -> "Address":
        """The address that the settings name; they were checked when they were read."""
        found = _URL.fullmatch(url)
        assert found is not None, "a checked address"
        return cls(found["user"], found["host"].strip("[]"), int(found["port"] or 22), found["path"].rstrip("/"), key_file, host_key)


class Sftp:
    """One connection, made when it is first needed and again after each cut. Used by one thread."""

    def __init__(self, address: Address, below: str) -> None:
        self._address, self._root = address, f"{address.path}/{below}"
        self._runner = asyncio.Runner()
        self._link: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    # ---- what a place can do

    def reach(self) -> None:
        try:
            self._ask(self._on().stat(self._root))
        except FileNotFoundError as error:
            where = f"{self._address.host}:{self._address.port}"
            raise Unreachable(
                f"{where} has no folder {self._root}. Correct the path in recordings, or mount the disk there; the first recording makes the folder too."
            ) from error

    def stands(self) -> bool:
        return bool(self._entries(""))

    def days(self) -> list[str]:
        found = list(self._walk("", 3))
        return sorted(day for day in found if names.is_day(day))

    def _walk(self, below: str, depth: int) -> Iterator[str]:
        if not depth:
            yield below
            return
        for entry in self._entries(below):
            if stat.S_ISDIR(entry.attrs.permissions or 0) and entry.filename.isdecimal():
                yield from self._walk(f"{below}/{entry.filename}".lstrip("/"), depth - 1)

    def changed(self, day: str) -> int:
        return _stamp(self._ask(self._on().lstat(f"{self._root}/{day}")))[1]

    def files(self, day: str) -> list[tuple[str, Stamp]]:
        regular = (e for e in self._entries(day) if stat.S_ISREG(e.attrs.permissions or 0) and not e.filename.startswith("."))
        return sorted((f"{day}/{entry.filename}", _stamp(entry.attrs)) for entry in regular)

    def _entries(self, below: str) -> list[Any]:
        with suppress(FileNotFoundError):
            found = self._ask(self._on().readdir(f"{self._root}/{below}".rstrip("/")))
            return [entry for entry in found if isinstance(entry.filename, str) and entry.filename not in (".", "..")]
        return []

    @contextmanager
    def opened(self, relative: str) -> Iterator[Opened]:
        path = f"{self._root}/{relative}"
        if not stat.S_ISREG(self._ask(self._on().lstat(path)).permissions or 0):
            raise OSError(errno.EINVAL, "not a regular file")
        handle = self._ask(self._on().open(path, "rb"))
        try:
            size, changed = _stamp(self._ask(handle.stat()))
            yield Opened(cast(BinaryIO, io.BufferedReader(_Remote(self, handle), PIECE)), size, changed / 1e9 + COARSE)
        finally:
            with suppress(OSError):
                self._ask(handle.close())

    def unlink(self, relative: str) -> None:
        self._ask(self._on().remove(f"{self._root}/{relative}"))

    def close(self) -> None:
        self._drop()
        self._runner.close()

    # ---- the link

    def _on(self) -> asyncssh.SFTPClient:
        if self._client is None:
            try:
                self._client = self._runner.run(asyncio.wait_for(self._connected(), PATIENCE))
            except (OSError, asyncssh.Error, ValueError) as error:
                self._drop()
                raise Unreachable(self._sentence(error)) from error
        return self._client

    async def _connected(self) -> asyncssh.SFTPClient:
        to = self._address
        self._link = await asyncssh.connect(
            to.host, to.port, username=to.user, client_keys=[str(to.key_file)], agent_path=None, config=[],
            preferred_auth="publickey", known_hosts=([asyncssh.import_public_key(to.host_key)], [], []),
        )  # fmt: skip
        return await self._link.start_sftp_client()

    def _sentence(self, error: Exception) -> str:
        where = f"{self._address.host}:{self._address.port}"
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return f"{where} shows another host key than sftp_host_key. Find out why before you change the setting; nothing is collected until then."
        if isinstance(error, asyncssh.PermissionDenied):
            return f"{where} does not let {self._address.user} in. Put the public half of sftp_key_file into its authorized_keys."
        if isinstance(error, (asyncssh.KeyImportError, FileNotFoundError, PermissionError, ValueError)):
            return f"sftp_key_file or sftp_host_key cannot be read ({error}). Correct the setting of this switch."
        return f"{where} does not answer by SFTP ({str(error) or type(error).__name__}). It is tried again."

    def _drop(self) -> None:
        link, self._link, self._client = self._link, None, None
        if link is not None:
            link.abort()

    def _ask(self, question: Awaitable[T]) -> T:
        async def answered() -> T:
            return await asyncio.wait_for(question, PATIENCE)

        try:
            return self._runner.run(answered())
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath) as error:
            raise FileNotFoundError(errno.ENOENT, "it is not there") from error
        except asyncssh.SFTPPermissionDenied as error:
            raise PermissionError(errno.EACCES, "the switch does not let us at it; give its group the right to read") from error
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection) as error:
            self._drop()
            raise ConnectionResetError(errno.ECONNRESET, "the link was cut; it is collected again") from error
        except asyncssh.SFTPError as error:  # this file alone; the link is up
            raise OSError(errno.EIO, f"the switch does not give it ({error.reason or type(error).__name__}); look at its disk") from error
        except (asyncssh.Error, TimeoutError, ConnectionError) as error:
            self._drop()
            raise ConnectionResetError(errno.ECONNRESET, f"the link was cut ({error}); it is collected again") from error


class _Remote(io.RawIOBase):
    """A file over there as one reads a file here."""

    def __init__(self, link: Sftp, handle: Any) -> None:
        self._link, self._handle, self._at = link, handle, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset if whence == io.SEEK_SET else self._at + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._link._ask(self._handle.read(len(buffer), self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _stamp(attrs: asyncssh.SFTPAttrs) -> Stamp:
    return attrs.size or 0, (attrs.mtime or 0) * 1_000_000_000 + (attrs.mtime_ns or 0)
