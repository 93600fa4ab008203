"""`ringdesk recordings …` as an operator types it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from etl import schedule
from recordings import collect, vault
from service.core import db, jobs, scope
from service.core.config import Settings
from service.core.model import Job
from service.wire import wire
from tests.conftest import AT
from tests.live import server
from tests.recordings.shelf import DAY, KEY, kept, stored_call


def typed(shelf: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", "recordings", *words]
    return subprocess.run(command, env=server.environment(shelf), capture_output=True, text=True, check=False, timeout=60)


def test_rotate_and_verify_say_how_it_went_and_verify_fails_on_what_is_broken(
    shelf: Settings, there: Callable[..., Path]
) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)

    rotated, sound = typed(shelf, "rotate"), typed(shelf, "verify")
    assert (rotated.returncode, rotated.stdout) == (
        0, "1 recordings are under a new master key. Copy the key file to its safe place now.\n",
    )  # fmt: skip
    assert (sound.returncode, sound.stdout) == (0, "1 recordings are as they were collected.\n")

    place = vault.of(shelf).path(kept()[0].path)
    place.write_bytes(place.read_bytes()[:-20])
    broken = typed(shelf, "verify")
    assert broken.returncode == 1
    assert f"Recording {kept()[0].id} cannot be opened" in broken.stderr
    assert "Traceback" not in broken.stderr

    vault.of(shelf).key_file.unlink()
    assert typed(shelf, "rotate").returncode == 1
    assert typed(shelf, "seal").stdout == "0 recordings were sealed.\n"


def test_the_daily_work_is_enqueued_once_a_day_and_done_by_the_jobs_process(
    shelf: Settings, there: Callable[..., Path]
) -> None:
    stored_call()
    there(f"{DAY}/{KEY}.1.wav")
    collect.scan(shelf, AT)
    engine = db.bound()

    assert [schedule.take_day(engine, shelf, at=AT) for _twice in range(2)] == [True, False]
    wire(shelf)
    assert jobs.Worker(engine).step()

    with db.begin(scope.ALL) as session:
        assert session.execute(select(Job.name, Job.state, Job.last_error)).all() == [("recordings.daily", "done", None)]
