"""The boards' own process: the same page through the web process's door, and no page missing when it is gone."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest

from service.core import db
from service.core.config import Settings
from service.start import any_port
from tests.live import server
from tests.live.server import Web

PAGE = {"Accept": "text/html"}
DRAWN = {
    "output": "board.children",
    "outputs": {"id": "board", "property": "children"},
    "inputs": [{"id": "url", "property": "pathname", "value": "/dashboards/sla"}, {"id": "url", "property": "search", "value": ""}],
    "changedPropIds": ["url.pathname"],
}


@pytest.fixture(scope="module")
def port() -> int:
    return any_port()


@pytest.fixture(scope="module")
def front(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return replace(settings, data=tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="module")
def web(front: Settings, port: int) -> Iterator[Web]:
    with server.serving(front, RINGDESK_BOARDS_PORT=str(port)) as running:
        yield running


@pytest.fixture
def boards(front: Settings, port: int) -> Iterator["subprocess.Popen[str]"]:
    """`ringdesk boards`, answering."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "boards"],
        env=server.environment(front, RINGDESK_BOARDS_PORT=str(port)),
        text=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == f"The boards are drawn at http://127.0.0.1:{port}\n"
        server._wait_until_healthy(Web(process, f"http://127.0.0.1:{port}"))
        yield process
        process.terminate()
        process.wait(10)


def asked(web: Web, cookies: dict[str, str]) -> list[tuple[int, str]]:
    """A page of the boards, a question of it, one without its token, a script, and what a stranger gets."""
    with server.browser(web, cookies) as client:
        page = client.get("/dashboards/sla", headers=PAGE)
        token = {"X-CSRFToken": client.cookies["_csrf_token"]}
        script = re.search(r'src="(/dashboards/_dash-component-suites/[^"]+)"', page.text)
        assert script
        told = [
            page,
            client.post("/dashboards/_dash-update-component", json=DRAWN, headers=token),
            client.post("/dashboards/_dash-update-component", json=DRAWN),
            client.get(script[1]),
            client.post("/dashboards/_dash-update-component", content=b"x" * (17 << 20), headers=token),
        ]
    stranger = httpx.get(f"{web.url}/dashboards/sla", headers=PAGE)
    assert stranger.headers["location"].startswith("/sign-in")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    return [(answer.status_code, answer.headers["content-type"]) for answer in [*told, stranger]]


def test_the_page_is_the_same_next_door_and_here(
    web: Web, front: Settings, port: int, committed_cast: SimpleNamespace, boards: "subprocess.Popen[str]"
) -> None:
    cookies = server.cookie(front, committed_cast.mei)
    ours = psutil.Process(boards.pid)
    before = ours.cpu_times().user

    next_door = asked(web, cookies)

    assert [status for status, _kind in next_door] == [200, 200, 400, 200, 413, 302]
    assert ours.cpu_times().user > before
    assert ours.nice() == min(psutil.Process(web.process.pid).nice() + 10, 19)
    boards.kill()
    boards.wait(10)
    assert asked(web, cookies) == next_door


def test_it_says_what_is_missing_when_no_port_is_set(front: Settings, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "service", "boards"], env=server.environment(front), text=True, capture_output=True, check=False
    )
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "Error: boards_port is not set. Give the web process and this one the same free port.\n"
