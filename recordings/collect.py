"""From the switch's folder to the vault to the call: each finished file once, however often one looks."""

import errno
import logging
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from recordings import names, vault, wav
from recordings.names import Name
from recordings.vault import BrokenSeal, Sealed, Vault
from service.calls import actions, queries
from service.core import clock, db, scope
from service.core.config import Settings

log = logging.getLogger(__name__)

QUIET_SECONDS = 1.0  # a closed file: the header is complete and nothing was written for this long
LOST_SECONDS = 60.0  # a file nobody closed: the switch died, or the call is on hold and it is collected anew later
WATCH_SECONDS = 1.0
WHOLE_SECONDS = 3600.0
Kept = dict[tuple[str, int], int]  # bytes in the vault, by uniqueid and segment
Stamps = dict[str, tuple[int, int]]  # bytes and moment of the last change, by path


@dataclass
class Report:
    """What one look found, in paths below the recordings folder."""

    collected: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """A file as it was when it was opened."""

    name: Name
    size: int
    quiet: float
    header: wav.Wav | None

    @property
    def finished(self) -> bool:
        """Nothing more will be written, as far as one can see from here."""
        patience = QUIET_SECONDS if self.header and self.header.complete else LOST_SECONDS
        return self.quiet >= patience


def scan(settings: Settings, at: datetime, *, whole: bool = True, kept: Stamps | None = None) -> Report:
    """Every finished file of every switch is in the vault and linked to its call; only recent days unless `whole`.

    `kept` remembers between looks which files need not be opened again; a whole look opens all of them.
    """
    report, kept = Report(), {} if kept is None else kept
    if whole:
        kept.clear()
    for switch in settings.switches:
        if switch.recordings is not None:
            Round(vault.of(settings), switch.name, switch.recordings / switch.name, at, report, kept).look(whole)
    with db.begin(scope.ALL) as session:
        actions.link_orphans(session)
    return report


@dataclass(frozen=True)
class Round:
    """One look through the folder of one switch."""

    vault: Vault
    switch: str
    folder: Path
    at: datetime
    report: Report
    kept: Stamps

    def look(self, whole: bool) -> None:
        """All days, or those a running call may still write to."""
        for day in names.all_days(self.folder) if whole else names.recent_days(self.at.date()):
            relatives = [name for name in names.files(self.folder, day) if not self._as_kept(name)]
            known = self._known(relatives)
            for relative in relatives:
                self._try(relative, known)

    def _as_kept(self, relative: str) -> bool:
        try:
            state = (self.folder / relative).stat()
        except OSError:
            return False
        return self.kept.get(f"{self.switch}/{relative}") == (state.st_size, state.st_mtime_ns)

    def _known(self, relatives: list[str]) -> Kept:
        uniqueids = {name.uniqueid for relative in relatives if (name := names.name_of(relative))}
        if not uniqueids:
            return {}
        with db.begin(scope.ALL) as session:
            return queries.kept_bytes(session, self.switch, sorted(uniqueids))

    def _try(self, relative: str, known: Kept) -> None:
        shown, name = f"{self.switch}/{relative}", names.name_of(relative)
        if name is None:
            self.report.refused[shown] = "its name is not one the dialplan gives"
            return
        try:
            with _opened(self.folder / relative) as file:
                found = _facts(file, name, self.at)
                if known.get((name.uniqueid, name.segment)) != found.size:
                    self._take(file, found, shown)
                else:
                    self.kept[shown] = (found.size, os.fstat(file.fileno()).st_mtime_ns)
        except (OSError, BrokenSeal) as error:
            self.report.refused[shown] = _sentence(error)

    def _take(self, file: BinaryIO, found: Found, shown: str) -> None:
        if not found.finished:
            self.report.waiting.append(shown)
        elif found.header is None:
            self.report.refused[shown] = "it is not a 16-bit PCM WAV"
        elif found.header.empty:
            self.report.empty.append(shown)
        else:
            file.seek(0)
            self._link(found.name, found.header, self.vault.put(file))
            self.report.collected.append(shown)

    def _link(self, name: Name, header: wav.Wav, sealed: Sealed) -> None:
        with db.begin(scope.ALL) as session:
            actions.recording_found(
                session,
                switch=self.switch,
                uniqueid=name.uniqueid,
                segment=name.segment,
                path=sealed.key,
                sha256=sealed.sha256,
                size=sealed.size,
                seconds=header.seconds,
                form=header.format,
                at=self.at,
            )


def _opened(path: Path) -> BinaryIO:
    """A regular file opened for reading; what turned into a link or a pipe since the listing is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    return os.fdopen(descriptor, "rb")


def _facts(file: BinaryIO, name: Name, at: datetime) -> Found:
    state = os.fstat(file.fileno())
    header = wav.header(file.read(wav.HEADER), state.st_size)
    return Found(name, state.st_size, at.timestamp() - state.st_mtime, header)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "the disk of the vault is full; free space, it is collected then"
    return str(error)


def watch(settings: Settings, stop: threading.Event) -> None:
    """Finished files are collected within seconds until `stop`; trouble is told once and tried again."""
    told: set[str] = set()
    kept: Stamps = {}
    for whole in _rhythm(stop):
        try:
            _tell(scan(settings, clock.now(), whole=whole, kept=kept), told)
        except Exception as error:
            _once(told, f"recordings: nothing can be collected now ({_first(error)}); trying again")


def _rhythm(stop: threading.Event) -> Iterator[bool]:
    """True for a look at everything, at the start and each hour; False for the looks between."""
    rounds = int(WHOLE_SECONDS / WATCH_SECONDS)
    turn = 0
    while not stop.is_set():
        yield turn % rounds == 0
        turn += 1
        stop.wait(WATCH_SECONDS)


def _tell(report: Report, told: set[str]) -> None:
    for shown in report.collected:
        log.info("recordings: %s is in the vault", shown)
    for shown, reason in report.refused.items():
        _once(told, f"recordings: {shown!r} was left where it is: {reason}")


def _once(told: set[str], sentence: str) -> None:
    if sentence not in told:
        told.add(sentence)
        log.warning(sentence)


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
