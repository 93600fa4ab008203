"""From the switch's folder to the vault to the call: each finished file once, however often one looks."""

import base64
import errno
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO

from recordings import names, vault, wav
from recordings.keys import NoKey
from recordings.names import Name
from recordings.places import Folder, Opened, Place, Stamp
from recordings.vault import BrokenSeal, Sealed, Vault
from recordings.wave import Shape, Wave
from service.calls.shelf import actions, queries
from service.calls.shelf.queries import Kept
from service.core import db, jobs, scope
from service.core.config import Settings, SwitchSettings
from service.core.errors import Unreachable

QUIET_SECONDS = 1.0  # a closed file: the header is complete and nothing was written for this long
EMPTY_SECONDS = 600.0  # a header alone: the caller may still wait in a queue, and nothing is mixed before both talk
LOST_SECONDS = 60.0  # a file nobody closed: the switch died, or the call is on hold and it is collected anew later
SETTLED_SECONDS = 5.0  # a folder whose last change is younger may change again within the same tick of its clock
OVERTAKEN = timedelta(days=2)  # so long after a refusal it is looked at again whether its audio came in the same moment
SETTLES = timedelta(minutes=2)  # a call that was on hold for long may still have its file collected anew
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = "its caller refused to be recorded; delete it at the switch"
Known = dict[tuple[str, int], Kept]


@dataclass
class Memory:
    """What the looks before this one have settled, so that an old file is not even asked for."""

    files: dict[str, Stamp] = field(default_factory=dict)  # of recent days alone
    folders: dict[str, int] = field(default_factory=dict)  # of all other days: the last change
    told: set[tuple[str, str]] = field(default_factory=set)  # findings that are on the list
    places: dict[str, Place] = field(default_factory=dict)  # where each switch leaves its files; a link stays up between looks

    def place(self, switch: SwitchSettings) -> Place:
        """The folder of that switch."""
        if switch.name not in self.places:
            self.places[switch.name] = place_of(switch)
        return self.places[switch.name]

    def close(self) -> None:
        """No link is up."""
        for place in self.places.values():
            place.close()
        self.places.clear()

    def forget(self) -> None:
        """The next look takes nothing for granted."""
        self.files.clear()
        self.folders.clear()
        self.told.clear()


@dataclass
class Report:
    """What one look found, in paths below the recordings folder."""

    collected: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    alarm: str = ""


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


def scan(settings: Settings, at: datetime, *, whole: bool = True, memory: Memory | None = None) -> Report:
    """Every finished file of every switch is in the vault and linked to its call; only recent days unless `whole`.

    Without the master key nothing is touched: the report has the sentence, and the audio waits where it is.
    """
    if memory is None:
        with closing(Memory()) as once:
            return scan(settings, at, whole=whole, memory=once)
    report, place = Report(), vault.of(settings)
    if not _with_key(place, report, memory, at):
        return report
    for switch in settings.switches:
        if switch.collects:
            Round(place, switch.name, memory.place(switch), at, report, memory).reach(whole)
    with db.begin(scope.ALL) as session:
        actions.link_orphans(session, at=at)
        if whole:
            actions.doom_refused(session, since=at - OVERTAKEN, at=at)
        if report.collected and settings.recording_format != "wav":
            jobs.enqueue(session, "recordings.transcode", {}, at=at, run_at=at + SETTLES, dedupe="new")
    return report


def _with_key(place: Vault, report: Report, memory: Memory, at: datetime) -> bool:
    """True when recordings can be sealed now; otherwise the alarm stands on the list for everybody who minds it."""
    try:
        place.ring()
    except NoKey as error:
        report.alarm = error.message
    alarmed = ("key", report.alarm)
    if alarmed not in memory.told:
        with db.begin(scope.ALL) as session:
            if report.alarm:
                actions.found(session, "key", "", place.key_file.name, at=at, note=report.alarm)
            else:
                actions.mended(session, "key", at=at)
        memory.told = {one for one in memory.told if one[0] != "key"} | {alarmed}
    return not report.alarm


@dataclass(frozen=True)
class Round:
    """One look through the folder of one switch."""

    vault: Vault
    switch: str
    place: Place
    at: datetime
    report: Report
    memory: Memory

    def reach(self, whole: bool) -> None:
        """The folder is looked through; one that is away is on the list until it is back."""
        word = ""
        try:
            self.look(whole)
        except (Unreachable, OSError) as error:  # a mount that has died says so by any errno
            word = str(error)
            self.report.refused[self.switch] = word
        told = ("link", f"{self.switch}/{word}")
        if (told in self.memory.told) if word else not any(kind == "link" and name.startswith(f"{self.switch}/") for kind, name in self.memory.told):
            return
        self.memory.told = {one for one in self.memory.told if not (one[0] == "link" and one[1].startswith(f"{self.switch}/"))}
        with db.begin(scope.ALL) as session:
            if word:
                actions.found(session, "link", self.switch, self.switch, at=self.at, note=word)
                self.memory.told.add(told)
            else:
                actions.mended(session, "link", at=self.at, switch=self.switch)

    def look(self, whole: bool) -> None:
        """The days that a running call may still write to; with `whole` also older ones that changed since the last time."""
        self.place.reach()
        recent = names.recent_days(self.at.date())
        for day in recent:
            self._day(day)
        self._forget_but(recent)
        if whole:
            for day in sorted(set(self.place.days()) - set(recent)):
                self._old_day(day)

    def _old_day(self, day: str) -> None:
        shown, changed = f"{self.switch}/{day}", self.place.changed(day)
        if self.memory.folders.get(shown) == changed:
            return
        settled = self.at.timestamp() - changed / 1e9 > SETTLED_SECONDS
        if self._day(day) and settled:
            self.memory.folders[shown] = changed
        self._forget_but(names.recent_days(self.at.date()))

    def _forget_but(self, days: Sequence[str]) -> None:
        """Stamps of other days would only grow."""
        kept = tuple(f"{self.switch}/{day}/" for day in days)
        gone = [name for name in self.memory.files if name.startswith(f"{self.switch}/") and not name.startswith(kept)]
        for name in gone:
            del self.memory.files[name]

    def _day(self, day: str) -> bool:
        """True when every file of that day is dealt with and need not be looked at again."""
        changed = [(name, stamp) for name, stamp in self.place.files(day) if self.memory.files.get(f"{self.switch}/{name}") != stamp]
        known, refusing = self._known([name for name, _stamp in changed])
        for relative, stamp in changed:
            if self._settled(relative, stamp, known, refusing):
                self.memory.files[f"{self.switch}/{relative}"] = stamp
        return all(f"{self.switch}/{name}" in self.memory.files for name, _stamp in changed)

    def _known(self, relatives: list[str]) -> tuple[Known, set[str]]:
        """What is known of these files, and whose callers refused."""
        uniqueids = sorted({name.uniqueid for relative in relatives if (name := names.name_of(relative))})
        if not uniqueids:
            return {}, set()
        with db.begin(scope.ALL) as session:
            return queries.kept(session, self.switch, uniqueids), queries.refused(session, self.switch, uniqueids)

    def _settled(self, relative: str, stamp: Stamp, known: Known, refusing: set[str]) -> bool:
        """True when nothing is left to do until the file changes."""
        name = names.name_of(relative)
        if name is None:
            return self._unusable(relative, "its name is not one the dialplan gives")
        before = known.get((name.uniqueid, name.segment))
        if before and (before.size == stamp[0] or before.state != "kept"):
            return True
        if name.uniqueid in refusing:
            return self._refusal(relative, name)
        return self._tried(relative, name, before)

    def _tried(self, relative: str, name: Name, before: Kept | None) -> bool:
        try:
            with self.place.opened(relative) as opened:
                return self._take(opened.file, _facts(opened, name, self.at), relative, before)
        except FileNotFoundError:
            self.report.refused[f"{self.switch}/{relative}"] = (
                "it was deleted at the switch before it could be collected"
            )
            return False
        except ConnectionError:
            raise  # nothing of the other files can be fetched either
        except (OSError, BrokenSeal) as error:
            return self._trouble(relative, error)

    def _take(self, file: BinaryIO, found: Found, relative: str, before: Kept | None) -> bool:
        shown = f"{self.switch}/{relative}"
        if not found.finished:
            self.report.waiting.append(shown)
            return False
        if found.header is None:
            return self._unusable(relative, "it is not a 16-bit PCM WAV", found.name)
        if found.header.empty:
            return self._empty(shown, found)
        file.seek(0)
        wave = Wave(found.header.rate, found.header.channels)
        sealed = self.vault.put(file, wave.taste)
        self._link(found.name, found.header, sealed, wave.shape(), self.at - timedelta(seconds=found.quiet))
        if before:
            self.vault.shred(before.path)  # it was collected before it was whole
        self.report.collected.append(shown)
        return sealed.size == found.size

    def _link(self, name: Name, header: wav.Wav, sealed: Sealed, shape: Shape, written_at: datetime) -> None:
        """The row is there; if it cannot be, neither is the audio, and it is collected again."""
        try:
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
                    wave=base64.b64encode(shape.peaks).decode(),
                    silences=[list(span) for span in shape.silences],
                    source=name.relative,
                    written_at=written_at,
                )
        except BaseException:
            self.vault.shred(sealed.key)
            raise

    def _unusable(self, relative: str, reason: str, name: Name | None = None) -> bool:
        self.report.refused[f"{self.switch}/{relative}"] = reason
        self._finding("unusable", relative, reason, name)
        return True

    def _empty(self, shown: str, found: Found) -> bool:
        if found.quiet < EMPTY_SECONDS:
            self.report.waiting.append(shown)
            return False
        self.report.empty.append(shown)
        self._finding("empty", found.name.relative, "", found.name)
        return True

    def _refusal(self, relative: str, name: Name) -> bool:
        self.report.refused[f"{self.switch}/{relative}"] = REFUSED
        self._finding("refused", relative, "", name)
        return True

    def _trouble(self, relative: str, error: Exception) -> bool:
        reason = _sentence(error)
        self.report.refused[f"{self.switch}/{relative}"] = reason
        self._finding("disk", relative, reason, names.name_of(relative))
        return False

    def _finding(self, kind: str, relative: str, note: str, name: Name | None) -> None:
        """On the list, once as long as this process lives."""
        once = (kind, f"{self.switch}/{relative}")
        if once in self.memory.told:
            return
        with db.begin(scope.ALL) as session:
            uniqueid = name.uniqueid if name else None
            actions.found(session, kind, self.switch, relative, at=self.at, note=note, uniqueid=uniqueid)
        self.memory.told.add(once)


def place_of(switch: SwitchSettings) -> Place:
    """Where that switch leaves its files."""
    if switch.recordings is not None:
        return Folder(switch.recordings / switch.name)
    from recordings.sftp import Sftp

    return Sftp(switch)


def _facts(opened: Opened, name: Name, at: datetime) -> Found:
    header = wav.header(opened.file.read(wav.HEADER), opened.size)
    return Found(name, opened.size, at.timestamp() - opened.written_at, header)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in FULL:
        return "the disk of the vault is full; free space, it is collected then"
    return str(error)
