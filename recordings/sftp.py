"""A switch's folder over SFTP: the rules of a mounted one, over a link that is made anew after each cut."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from recordings import names
from recordings.places import Opened, Stamp
from service.core.config import SwitchSettings
from service.core.errors import Unreachable
from service.core.sftp import Address, Entry, Link

COARSE = 1.0  # seconds: most servers tell the moment of a change without its fraction
PIECE = 1 << 20  # asked for at once; asyncssh cuts it and asks for the pieces side by side


class Sftp:
    """The folder below the address that carries the switch's name. Used by one thread."""

    def __init__(self, switch: SwitchSettings) -> None:
        self._link, self._root = Link(Address.of(switch.recordings_url, switch)), switch.name

    def reach(self) -> None:
        try:
            self._link.state(self._root)
        except FileNotFoundError as error:
            raise Unreachable(
                f"{self._link.where} has no folder {self._link.path(self._root)}. Correct the path in recordings, or mount the disk there; the first recording makes the folder too."
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
            if entry.is_folder and entry.name.isdecimal():
                yield from self._walk(f"{below}/{entry.name}".lstrip("/"), depth - 1)

    def changed(self, day: str) -> int:
        return self._link.state(f"{self._root}/{day}").changed

    def files(self, day: str) -> list[tuple[str, Stamp]]:
        regular = (entry for entry in self._entries(day) if entry.is_regular and not entry.name.startswith("."))
        return sorted((f"{day}/{entry.name}", (entry.size, entry.changed)) for entry in regular)

    def _entries(self, below: str) -> list[Entry]:
        with suppress(FileNotFoundError):
            return self._link.entries(f"{self._root}/{below}".rstrip("/"))
        return []

    @contextmanager
    def opened(self, relative: str) -> Iterator[Opened]:
        with self._link.opened(f"{self._root}/{relative}") as (file, state):
            yield Opened(cast(BinaryIO, io.BufferedReader(file, PIECE)), state.size, state.changed / 1e9 + COARSE)

    def unlink(self, relative: str) -> None:
        self._link.remove(f"{self._root}/{relative}")

    def close(self) -> None:
        self._link.close()
