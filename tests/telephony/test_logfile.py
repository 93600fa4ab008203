"""Where one has read to is known again after rotation, copying, truncating and a torn end."""

import gzip
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from telephony.logfile import Log, Mark
from telephony.records import Form, Queued

FAR = datetime(2100, 1, 1, tzinfo=UTC)
BEGIN = 1795690000


def line(number: int) -> str:
    return f"{BEGIN + number}|{BEGIN}.{number}|support|NONE|ENTERQUEUE||+44{number}|1\n"


def lines(begin: int, end: int) -> str:
    return "".join(map(line, range(begin, end)))


def read(path: Path, mark: Mark | None = None, since: datetime | None = None) -> tuple[list[int], Mark | None]:
    log = Log("queue_log", path, Form(), mark, since)
    found = [int(row.at.timestamp()) - BEGIN for row in log.rows() if isinstance(row, Queued)]
    return found, log.mark(FAR)


def test_a_second_reading_begins_where_the_first_stopped(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(lines(0, 5))
    first, mark = read(path)
    with path.open("a") as file:
        file.write(lines(5, 8) + line(8)[:20])
    second, mark = read(path, mark)
    with path.open("a") as file:
        file.write(line(8)[20:])

    assert (first, second, read(path, mark)[0]) == ([0, 1, 2, 3, 4], [5, 6, 7], [8])


@pytest.mark.parametrize("how", ["renamed", "copied and truncated", "renamed and packed", "twice"])
def test_rotation_loses_nothing(tmp_path: Path, how: str) -> None:
    path, old = tmp_path / "queue_log", tmp_path / "queue_log.1"
    path.write_text(lines(0, 20))
    _, mark = read(path)
    with path.open("a") as file:
        file.write(lines(20, 25))
    if how == "copied and truncated":
        shutil.copy2(path, old)
        path.write_text(lines(25, 30))
    else:
        path.rename(old)
        path.write_text(lines(25, 30))
    os.utime(old, (BEGIN + 25, BEGIN + 25))
    if how == "renamed and packed":
        (tmp_path / "queue_log.1.gz").write_bytes(gzip.compress(old.read_bytes()))
        os.utime(tmp_path / "queue_log.1.gz", (BEGIN + 25, BEGIN + 25))
        old.unlink()
    if how == "twice":
        old.rename(tmp_path / "queue_log.2")
        path.rename(old)
        os.utime(old, (BEGIN + 30, BEGIN + 30))
        path.write_text(lines(30, 33))

    since = datetime.fromtimestamp(BEGIN + 20, UTC)
    assert read(path, mark, since)[0] == list(range(20, 33 if how == "twice" else 30))


def test_a_file_that_is_copied_here_anew_is_known_by_its_beginning(tmp_path: Path) -> None:
    path, fresh = tmp_path / "queue_log", tmp_path / "incoming"
    path.write_text(lines(0, 20))
    _, mark = read(path)
    fresh.write_text(lines(0, 25))
    fresh.replace(path)

    assert read(path, mark)[0] == [20, 21, 22, 23, 24]


def test_the_mark_lies_before_what_is_still_needed(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(lines(0, 3000))
    log = Log("queue_log", path, Form())
    list(log.rows())
    needed = datetime.fromtimestamp(BEGIN + 1700, UTC)
    mark = log.mark(needed)

    again, _ = read(path, mark)
    assert again[0] <= 1700
    assert again[0] >= 1000


def test_what_is_older_than_asked_for_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "queue_log"
    path.write_text(lines(0, 30))
    assert read(path, since=datetime.fromtimestamp(BEGIN, UTC) + timedelta(seconds=28))[0] == [28, 29]


def test_a_file_that_is_not_there_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        read(tmp_path / "queue_log")
