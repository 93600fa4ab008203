"""Our names on the switch, `{switch}/{yyyy}/{mm}/{dd}/{uniqueid}.{segment}.wav`; nothing a caller says is in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

_DAY = re.compile(r"(?P<year>20\d\d)/(?P<month>0[1-9]|1[0-2])/(?P<day>0[1-9]|[12]\d|3[01])")
_FILE = re.compile(r"(?P<uniqueid>(?:[A-Za-z0-9][A-Za-z0-9_-]{0,39}-)?\d{9,11}\.\d{1,10})\.(?P<segment>\d{1,3})\.wav")


@dataclass(frozen=True)
class Name:
    """Which channel a file was recorded on, and which of its recordings it is."""

    uniqueid: str
    segment: int
    relative: str


def name_of(relative: str) -> Name | None:
    """The name behind a path below the switch's own folder, or None when it is not one of ours."""
    day, _, file = relative.rpartition("/")
    if not _DAY.fullmatch(day):
        return None
    match = _FILE.fullmatch(file)
    return Name(match["uniqueid"], int(match["segment"]), relative) if match else None


def files(folder: Path, day: str) -> Iterator[str]:
    """Paths below `folder` of what lies in the folder of `day`; links are not followed.

    A hidden file is somebody's unfinished copy (rsync and the like rename when they are done).
    """
    place = folder / day
    if place.is_symlink() or not place.is_dir():
        return
    for entry in sorted(place.iterdir()):
        if not entry.name.startswith(".") and not entry.is_symlink() and entry.is_file():
            yield f"{day}/{entry.name}"


def is_day(path: str) -> bool:
    """True for the folder of a day."""
    return _DAY.fullmatch(path) is not None


def recent_days(today: date) -> list[str]:
    """Folders a running call may still write to, whatever the zone of the switch: yesterday, today, tomorrow."""
    return [(today + timedelta(days=shift)).strftime("%Y/%m/%d") for shift in (-1, 0, 1)]


def all_days(folder: Path) -> list[str]:
    """Every day folder there is, oldest first."""
    found = (place.relative_to(folder).as_posix() for place in folder.glob("20[0-9][0-9]/[0-9][0-9]/[0-9][0-9]"))
    return sorted(day for day in found if _DAY.fullmatch(day))
