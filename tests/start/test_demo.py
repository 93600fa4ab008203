"""`ringdesk demo` as the README has it: from an empty folder to a phone that rings in a browser, twice."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from service.demo import names
from tests.live.server import Listener
from tests.start import command
from tests.start.command import Running, ends, until, without_database
from tests.start.test_own_postgresql import printed

PAGE = {"Accept": "text/html"}


@pytest.fixture
def folder(folder: Path) -> Path:
    """Not below pytest's own folder: PostgreSQL's user has to reach it, and sockets want short paths."""
    path = folder / "demo" / "data"
    path.parent.mkdir(mode=0o755)
    return path


@pytest.fixture
def demo(folder: Path) -> Iterator[list[Running]]:
    """The demos that were started, ended whatever happens."""
    started: list[Running] = []
    yield started
    for one in started:
        one.end()


def started(demo: list[Running], env: dict[str, str], *words: str) -> tuple[Running, str]:
    one = Running(["demo", *words], env)
    demo.append(one)
    return one, one.says("Ringdesk is ready:", 120).rsplit(" ", 1)[1]


def signed_in(address: str, username: str) -> dict[str, str]:
    """The cookie of a sign-in by name and password."""
    with httpx.Client(base_url=address, headers=PAGE, timeout=30) as client:
        page = client.get("/sign-in")
        assert page.status_code == 200 and 'name="password"' in page.text
        mark = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert mark
        form = {"username": username, "password": names.PASSWORD, "csrf_token": mark[1]}
        assert client.post("/sign-in", data=form).status_code == 302
        return {"ringdesk": client.cookies["ringdesk"]}


def rings_at_the_agents(address: str, env: dict[str, str]) -> None:
    """`ringdesk ring` makes the phone ring, and the agent's browser hears it."""
    cookies = signed_in(address, "agent")
    agent = Listener(address, cookies)
    agent.next("snapshot")
    until(lambda: switch_is_heard(address, cookies), 30, "the switch was never heard")
    printed(["ring", "--number", "13800001001", "--extension", "801"], env)
    while agent.next("pop", wait=20).data["display"] != "138****1001":
        pass  # the simulated day has callers of its own
    agent.close()


def switch_is_heard(address: str, cookies: dict[str, str]) -> bool:
    desk = httpx.get(f"{address}/desk", cookies=cookies, headers=PAGE, timeout=30)
    return 'data-feed-strip="[]"' in desk.text


def plays_an_old_call(address: str) -> None:
    """The made-up past has voices: the newest calls can be listened to."""
    cookies = signed_in(address, "supervisor")

    def heard() -> bool:
        page = httpx.get(f"{address}/calls?disposition=answered", cookies=cookies, headers=PAGE, timeout=30).text
        for call in re.findall(r'href="/calls/(\d+)"', page)[:5]:
            shown = httpx.get(f"{address}/calls/{call}", cookies=cookies, headers=PAGE, timeout=30).text
            sound = re.search(r'src="(/media/recordings/\d+)"', shown)
            if sound:
                answer = httpx.get(f"{address}{sound[1]}", cookies=cookies, headers={"Range": "bytes=0-99"}, timeout=30)
                return answer.status_code == 206 and answer.content.startswith(b"RIFF")
        return False

    until(heard, 30, "no recording of the last days can be played")


def stopped(one: Running) -> None:
    """Ctrl-C ended it, its rooms and its PostgreSQL."""
    everything = psutil.Process(one.process.pid).children(recursive=True)
    one.interrupt()
    assert (one.process.returncode, one.lines[-1]) == (0, "Stopped.")
    assert [p for p in everything if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []


def test_the_demo_starts_cold_rings_stops_and_starts_warm(folder: Path, demo: list[Running]) -> None:
    env = without_database(folder)
    port = str(command.free_port())
    first, address = started(demo, env, "--port", port, "--calls-per-hour", "1")
    assert address == f"http://127.0.0.1:{port}"
    assert any("Inventing the firm" in line for line in first.lines)
    assert "Another Ringdesk runs on" in ends(["demo", "--port", str(command.free_port())], env)
    rings_at_the_agents(address, env)
    plays_an_old_call(address)
    boards = httpx.get(f"{address}/dashboards/calls", cookies=signed_in(address, "manager"), headers=PAGE, timeout=30)
    assert boards.status_code == 200
    stopped(first)
    assert not (folder / "postgresql" / "cluster" / "postmaster.pid").exists()

    second, address = started(demo, env, "--port", port, "--calls-per-hour", "1")
    assert not any("Inventing" in line or "first time" in line for line in second.lines)
    rings_at_the_agents(address, env)
    stopped(second)
