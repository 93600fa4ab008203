"""A night that is stopped, killed, or loses its database in its midst; readers keep what they have, the record is honest."""

import os
import signal
import subprocess
from typing import Any

import pytest

from bench.kill.firm import Firm, until
from bench.kill.proof import nights
from etl import run
from etl.run import KILLED
from service.core import db, scope
from warehouse import engine


def records(place: Firm) -> list[Any]:
    return place.rows("select state, reason, generation from night_run order by id")


def held(place: Firm) -> bool:
    with db.begin(scope.ALL, place.engine) as work:
        return run.held(work)


def begun(place: Firm, log: str) -> "subprocess.Popen[bytes]":
    """A night that has its record and is held still in the midst of its work; one that was quicker than we is let go."""
    for _try in range(10):
        known = len(records(place))
        child = place.run("night", log=log)
        until(lambda known=known: len(records(place)) > known, "the night to begin", 60)  # type: ignore[misc]
        os.kill(child.pid, signal.SIGSTOP)
        if records(place)[-1].state == "running":
            return child
        os.kill(child.pid, signal.SIGCONT)
        child.wait(60)
    raise AssertionError("no night could be caught in its midst")


def finished(place: Firm, log: str) -> tuple[int, str]:
    """How a whole night ended, and its words."""
    code = place.run("night", log=log).wait(60)
    return code, place.said(log).strip()


@pytest.fixture(scope="module", autouse=True)
def first(place: Firm) -> None:
    assert finished(place, "first")[0] == 0


def read(place: Firm) -> str:
    path = engine.current(place.settings.warehouse_dir)
    assert path is not None
    return path.name


def test_a_second_night_beside_a_running_one_is_refused(place: Firm) -> None:
    running = begun(place, "running")
    code, said = finished(place, "second")
    os.kill(running.pid, signal.SIGCONT)

    assert code == 1
    assert said.startswith("Error: A night is already running on this database.")
    assert running.wait(60) == 0
    assert records(place)[-1].state == "published"


def test_a_killed_night_is_closed_and_swept_by_the_next(place: Firm) -> None:
    before = read(place)
    killed = begun(place, "killed")
    killed.kill()
    killed.wait()
    until(lambda: not held(place), "PostgreSQL to notice", 30)

    assert read(place) == before
    assert finished(place, "after")[0] == 0
    assert [(row.state, row.reason) for row in records(place)[-2:]] == [("failed", KILLED), ("published", None)]
    assert nights(place) == []


def test_a_night_whose_database_dies_says_so_in_a_sentence(place: Firm) -> None:
    before = read(place)
    night = begun(place, "bereft")
    place.kill_postgresql()
    os.kill(night.pid, signal.SIGCONT)
    code = night.wait(60)
    place.server.start()

    assert code == 1
    said = place.said("bereft").strip()
    assert "Not published: PostgreSQL stopped the night:" in said or said.startswith("Error: The database cannot be used:")
    assert "Traceback" not in said
    assert read(place) == before
    until(place.answers, "PostgreSQL to answer", 30)
    assert finished(place, "recovered")[0] == 0
    assert nights(place) == []
