"""What must go goes, with its key and a line in the log; what must stay stays. Run each day, and safe to run again."""

import errno
import hashlib
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from recordings import collect, proof, transcode, vault
from recordings.keys import NoKey
from recordings.places import Place
from recordings.vault import BrokenSeal, Vault
from service.calls.shelf import actions, queries
from service.calls.shelf.queries import Source
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.errors import Unreachable

log = logging.getLogger(__name__)
UNCLAIMED = timedelta(days=1)  # younger audio may belong to a transaction that is still open
Complaints = Callable[[Session], Iterable[tuple[str, str, bool]]]  # (switch, channel id, the ticket is open)


def destroy_job(settings: Settings, args: dict[str, Any]) -> None:
    """Whatever was doomed is destroyed."""
    destroy(settings, clock.now())


def daily_job(settings: Settings, complaints: Complaints, args: dict[str, Any]) -> None:
    """Retention, deletion at the switch, unclaimed audio and the chain of days, each whether or not another failed."""
    at = clock.now()
    steps: tuple[Callable[[], object], ...] = (
        lambda: outlive(complaints, at),
        lambda: destroy(settings, at),
        lambda: unclaimed(settings, at),
        lambda: transcode.transcode(settings, at),
        lambda: delete_at_switch(settings, at),
        lambda: proof.chain(settings, at),
    )
    failed = [error for step in steps if (error := _failure(step))]
    if failed:
        raise failed[0]


def _failure(step: Callable[[], object]) -> Exception | None:
    try:
        step()
    except Exception as error:
        log.error("recordings: a step of the daily work failed, it is tried again: %s", error)
        return error
    return None


def outlive(complaints: Complaints, at: datetime) -> int:
    """Recordings whose class has run out are doomed, but for those on hold or under an open complaint; returns how many."""
    with db.begin(scope.ALL) as session:
        told = list(complaints(session))
        actions.complained_of(session, [(switch, name) for switch, name, _open in told])
    spared = {(switch, name) for switch, name, still_open in told if still_open}
    count = 0
    while True:
        with db.begin(scope.ALL) as session:
            found = queries.outlived(session, at, spared)
            actions.doom(session, found, reason="retention", by=None, at=at)
        count += len(found)
        if not found:
            return count


def destroy(settings: Settings, at: datetime) -> int:
    """Keys and audio of the doomed are gone, and that is on record; returns how many were."""
    place = vault.of(settings)
    with db.begin(scope.ALL) as session:
        found = queries.doomed(session)
    for recording_id, path in found:
        place.shred(path)
        with db.begin(scope.ALL) as session:
            actions.destroyed(session, recording_id, at=at)
        log.info("recordings: %s was destroyed", recording_id)
    return len(found)


def unclaimed(settings: Settings, at: datetime) -> int:
    """Audio that no recording stands for is destroyed: what a crash left between vault and row; returns how many files."""
    place = vault.of(settings)
    gone = place.sweep(at.timestamp() - UNCLAIMED.total_seconds())
    old = [key for key, changed in place.blobs() if at.timestamp() - changed > UNCLAIMED.total_seconds()]
    for start in range(0, len(old), 1000):
        part = old[start : start + 1000]
        with db.begin(scope.ALL) as session:
            claimed = queries.places(session, part)
        for key in part:
            if key not in claimed:
                place.shred(key)
                gone += 1
    return gone


def delete_at_switch(settings: Settings, at: datetime) -> int:
    """Files that are safe in the vault for long enough are deleted at the switch, if the settings say so; returns how many."""
    days = settings.delete_at_switch_after_days
    folders = {one.name: collect.place_of(one) for one in settings.switches if one.collects}
    if not days:
        return 0
    count, last = 0, 0
    try:
        while found := _deletable(folders, at - timedelta(days=days), last):
            gone = [one for one in found if one.source and _deleted(vault.of(settings), folders, one)]
            with db.begin(scope.ALL) as session:
                for one in gone:
                    actions.source_deleted(session, one.recording_id, at=at)
            count, last = count + len(gone), found[-1].recording_id  # what has to stay does not stand in the way of the others
    finally:
        for folder in folders.values():
            folder.close()
    return count


def _deletable(folders: dict[str, Place], before: datetime, last: int) -> list[Source]:
    with db.begin(scope.ALL) as session:
        return queries.deletable(session, list(folders), before, after=last)


def _deleted(place: Vault, folders: dict[str, Place], one: Source) -> bool:
    """True when the switch no longer has the file; it goes only when the vault gives the same bytes, or must give none."""
    try:
        return _gone(place, folders[one.switch], one)
    except (OSError, BrokenSeal, NoKey, Unreachable) as error:
        why = "the folder is read-only" if isinstance(error, OSError) and error.errno == errno.EROFS else error
        log.warning("recordings: %s stays at the switch: %s", one.source, why)
        return False


def _gone(place: Vault, there: Place, one: Source) -> bool:
    """The file is deleted, or was; one whose disk is away is still on it."""
    source = str(one.source)
    try:
        if one.state == "kept":
            _same(there, place, one)
        there.unlink(source)
    except FileNotFoundError as error:
        listed = source in {name for name, _stamp in there.files(source.rpartition("/")[0])}
        if not there.stands():
            raise Unreachable("the folder of the switch is away or empty") from error
        return not listed
    return True


def _same(folder: Place, place: Vault, one: Source) -> None:
    """Raises BrokenSeal unless the file at the switch, the vault and the row say the same."""
    digest = hashlib.sha256()
    with folder.opened(str(one.source)) as opened:
        while piece := opened.file.read(1 << 20):
            digest.update(piece)
    there = digest.hexdigest()
    if there != one.sha256 or place.hash_of(one.path) != one.kept:
        raise BrokenSeal("it is not the same as in the vault")
