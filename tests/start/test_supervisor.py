"""The supervisor as a real process: it starts what fell, stops everything, and leaves nothing behind however it ends."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from sqlalchemy import text

from etl import schedule
from service.core import clock, db, scope
from service.core.config import Settings
from tests.start import command
from tests.start.command import Running, ends, environment, promised, until

ROOMS = {"web", "boards", "jobs", "schedule"}


@pytest.fixture
def place(settings: Settings, clean: db.Database, tmp_path: Path) -> dict[str, str]:
    """A database and a data folder of the test's own; the night of the day is over, so that none begins."""

    schedule.take_night(clean.app, settings, at=clock.now())
    with db.begin(scope.ALL, clean.app) as session:
        session.execute(text("delete from job"))
    return environment(settings, tmp_path, RINGDESK_PORT=str(command.free_port()))


@pytest.fixture
def running(place: dict[str, str]) -> Iterator[Running]:
    ringdesk = Running(["up"], place)
    yield ringdesk
    ringdesk.end()


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_a_room_that_is_killed_comes_back_and_ctrl_c_ends_them_all(
    running: Running, place: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    address = running.says("Ringdesk answers at", 60).rsplit(" ", 1)[1]
    until(lambda: set(running.family()) == ROOMS, 60)
    before = running.family()

    second = ends(["up"], place | {"RINGDESK_PORT": str(command.free_port())})
    assert "Another Ringdesk runs on" in second and str(tmp_path) in second

    for room in ("web", "jobs"):
        before[room].kill()
        running.says(f"{room} ended with -9; it starts again in 0.5 s")
    until(lambda: set(running.family()) == ROOMS, 60)
    after = running.family()
    assert {room for room in ROOMS if after[room].pid != before[room].pid} == {"web", "jobs"}
    until(lambda: answers(address), 60)

    everything = psutil.Process(running.process.pid).children(recursive=True)
    assert running.interrupt() < promised(5)
    assert running.process.returncode == 0
    assert running.lines[-1] == "Stopped."
    assert alive(everything) == []
    with pytest.raises(httpx.TransportError):
        httpx.get(address)


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_a_supervisor_that_is_killed_leaves_no_child(running: Running) -> None:
    running.says("Ringdesk answers at", 60)
    until(lambda: set(running.family()) == ROOMS, 60)
    children = psutil.Process(running.process.pid).children(recursive=True)
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(5)
    until(lambda: alive(children) == [], 15, "a child outlived its supervisor")


def test_a_stop_while_everything_is_still_starting(running: Running) -> None:
    until(lambda: len(running.family()) == len(ROOMS), 60)
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert running.interrupt() < promised(5)
    assert alive(children) == []
