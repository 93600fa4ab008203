"""A link to another machine by SFTP: by a key of our own, to a host whose key is known beforehand, and no other."""

import asyncio
import errno
import io
import re
import stat
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncssh

from service.core.config import SwitchSettings
from service.core.errors import Unreachable

PATIENCE = 30.0  # seconds for one question; a dead link is found out by then
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
    def of(cls, url: str, switch: SwitchSettings) -> "Address":
        """The address that the switch's settings name; they were checked when they were read."""
        found = _URL.fullmatch(url)
        assert found is not None and switch.sftp_key_file is not None, "checked settings"
        host, path = found["host"].strip("[]"), found["path"].rstrip("/")
        return cls(found["user"], host, int(found["port"] or 22), path, switch.sftp_key_file, switch.sftp_host_key)


@dataclass(frozen=True)
class Entry:
    """One name in a folder over there, as the listing tells it."""

    name: str
    mode: int
    size: int
    changed: int  # nanoseconds; most servers tell whole seconds

    @property
    def is_folder(self) -> bool:
        return stat.S_ISDIR(self.mode)

    @property
    def is_regular(self) -> bool:
        """True for a plain file; links are none."""
        return stat.S_ISREG(self.mode)


class Link:
    """One connection, made when it is first needed and again after each cut. Used by one thread."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._runner = asyncio.Runner()
        self._connection: asyncssh.SSHClientConnection | None = None
        self._client: asyncssh.SFTPClient | None = None

    @property
    def where(self) -> str:
        """Host and port, for people."""
        return f"{self._address.host}:{self._address.port}"

    def entries(self, folder: str) -> list[Entry]:
        """What lies in that folder below the address; raises FileNotFoundError."""
        found = self.ask(self._on().readdir(self.path(folder)))
        return [_entry(one.filename, one.attrs) for one in found if isinstance(one.filename, str) and one.filename not in (".", "..")]

    def state(self, relative: str) -> Entry:
        """What is told of that name; a link is not followed."""
        return _entry(relative.rpartition("/")[2], self.ask(self._on().lstat(self.path(relative))))

    @contextmanager
    def opened(self, relative: str) -> Iterator[tuple["Remote", Entry]]:
        """A regular file for reading, as it was when it was opened; what is a link or a pipe is refused."""
        if not self.state(relative).is_regular:
            raise OSError(errno.EINVAL, "not a regular file")
        handle = self.ask(self._on().open(self.path(relative), "rb"))
        try:
            yield Remote(self, handle), _entry(relative.rpartition("/")[2], self.ask(handle.stat()))
        finally:
            with suppress(OSError):
                self.ask(handle.close())

    def remove(self, relative: str) -> None:
        """The file is gone over there."""
        self.ask(self._on().remove(self.path(relative)))

    def close(self) -> None:
        """Nothing is held open any more."""
        self._drop()
        self._runner.close()

    def ask(self, question: Awaitable[T]) -> T:
        """The answer, within patience; what goes wrong is an OSError with words of ours."""

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
            raise ConnectionResetError(errno.ECONNRESET, "the link was cut; it is fetched again") from error
        except asyncssh.SFTPError as error:  # this file alone; the link is up
            raise OSError(errno.EIO, f"the switch does not give it ({error.reason or type(error).__name__}); look at its disk") from error
        except (asyncssh.Error, TimeoutError, ConnectionError) as error:
            self._drop()
            raise ConnectionResetError(errno.ECONNRESET, f"the link was cut ({error}); it is fetched again") from error

    def path(self, relative: str) -> str:
        """Where that is over there."""
        return f"{self._address.path}/{relative}".rstrip("/") or "/"

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
        self._connection = await asyncssh.connect(
            to.host, to.port, username=to.user, client_keys=[str(to.key_file)], agent_path=None, config=[],
            preferred_auth="publickey", known_hosts=([asyncssh.import_public_key(to.host_key)], [], []),
        )  # fmt: skip
        return await self._connection.start_sftp_client()

    def _sentence(self, error: Exception) -> str:
        where = f"{self._address.host}:{self._address.port}"
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return f"{where} shows another host key than sftp_host_key. Find out why before you change the setting; nothing is fetched until then."
        if isinstance(error, asyncssh.PermissionDenied):
            return f"{where} does not let {self._address.user} in. Put the public half of sftp_key_file into its authorized_keys."
        if isinstance(error, (asyncssh.KeyImportError, FileNotFoundError, PermissionError, ValueError)):
            return f"sftp_key_file or sftp_host_key cannot be read ({error}). Correct the setting of this switch."
        return f"{where} does not answer by SFTP ({str(error) or type(error).__name__}). It is tried again."

    def _drop(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            connection.abort()


class Remote(io.RawIOBase):
    """A file over there as one reads a file here."""

    def __init__(self, link: Link, handle: Any) -> None:
        self._link, self._handle, self._at = link, handle, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset if whence == io.SEEK_SET else self._at + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        data = self._link.ask(self._handle.read(len(buffer), self._at))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _entry(name: str, attrs: asyncssh.SFTPAttrs) -> Entry:
    changed = (attrs.mtime or 0) * 1_000_000_000 + (attrs.mtime_ns or 0)
    return Entry(name, attrs.permissions or 0, attrs.size or 0, changed)
