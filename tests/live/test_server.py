"""The real web process: streams, sign-ins, recordings, assets, and how it stops."""

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from sqlalchemy import select

from recordings import vault
from service import answers
from service.calls import actions
from service.calls.model import RecordingPlay
from service.calls.schemas import Ring
from service.core import clock, db, live, scope
from service.core.config import Settings, SwitchSettings
from service.staff import actions as staff
from tests import make
from tests.conftest import AT
from tests.live import server
from tests.live.server import Listener, Web
from tests.recordings.sounds import tone, wav

SOUND = wav(tone(3.0))
RING = Ring(
    switch="pbx1",
    call_key="1795395600.1",
    extension="1001",
    caller_number="13800001001",
    caller_name="王",
    called="02160000100",
    queue="support",
    direction="inbound",
)


@pytest.fixture(scope="module")
def front(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return replace(settings, data=tmp_path_factory.mktemp("front"), switches=(SwitchSettings(name="pbx1"),))


@pytest.fixture(scope="module")
def running(front: Settings) -> Iterator[Web]:
    with server.serving(front) as web:
        yield web


@pytest.fixture
def web(running: Web, committed_cast: SimpleNamespace) -> Web:
    """One process for all tests of this file, and people of their own for each."""
    return running


def rings(ring: Ring = RING) -> int | None:
    with db.begin(scope.ALL) as session:
        return actions.phone_rings(session, ring, at=clock.now())


def test_a_ringing_phone_is_heard_by_its_agent_and_nobody_else(
    web: Web, front: Settings, committed_cast: SimpleNamespace
) -> None:
    ada = Listener(web.url, server.cookie(front, committed_cast.ada))
    ben = Listener(web.url, server.cookie(front, committed_cast.ben))
    assert ada.next().kind == ben.next().kind == "snapshot"

    pop_id = rings()

    assert ada.next("pop").data["pop_id"] == pop_id
    assert ben.nothing()


def test_a_second_browser_of_the_agent_begins_with_the_calls_of_now(
    web: Web, front: Settings, committed_cast: SimpleNamespace
) -> None:
    pop_id = rings()

    ada = Listener(web.url, server.cookie(front, committed_cast.ada))

    assert [pop["pop_id"] for pop in ada.next("snapshot").data["pops"]] == [pop_id]


def test_a_new_page_begins_with_the_switches_that_are_not_heard_now(
    web: Web, front: Settings, committed_cast: SimpleNamespace
) -> None:
    """What changed between the page's HTML and its stream is told too."""
    cookies = server.cookie(front, committed_cast.ada)
    with db.begin(scope.ALL) as session:
        actions.gap_began(session, "pbx1", at=AT, reason="the link was cut")
    assert Listener(web.url, cookies).next("snapshot").data["unheard"] == [["pbx1", AT.isoformat()]]

    with db.begin(scope.ALL) as session:
        actions.gap_ended(session, "pbx1", at=clock.now())
    assert Listener(web.url, cookies).next("snapshot").data["unheard"] == []


def test_what_happened_during_a_restart_is_replayed(front: Settings, committed_cast: SimpleNamespace) -> None:
    cookies = server.cookie(front, committed_cast.ada)
    with server.serving(front) as first:
        ada = Listener(first.url, cookies)
        seen = ada.next("snapshot").id
        first.kill()
    pop_id = rings()
    with server.serving(front) as second:
        again = Listener(second.url, cookies, last=seen)

        assert again.next().data["pop_id"] == pop_id
        assert [pop["pop_id"] for pop in again.next("snapshot").data["pops"]] == [pop_id]


def test_a_copied_cookie_dies_with_the_sign_out(web: Web, front: Settings, committed_cast: SimpleNamespace) -> None:
    cookies = server.cookie(front, committed_cast.ada)
    copied = Listener(web.url, cookies)
    copied.next("snapshot")

    with server.browser(web, cookies) as browser:
        page = browser.get("/tickets")
        token = page.text.split('name="csrf-token" content="')[1].split('"')[0]
        gone = browser.post("/sign-out", headers={"X-CSRFToken": token, "Referer": web.url})

    assert (gone.status_code, gone.headers["location"]) == (302, "/sign-in"), gone.text

    assert copied.closed.wait(5)
    assert httpx.get(f"{web.url}/live", cookies=cookies).status_code == 401


def test_the_sign_in_of_a_person_who_is_switched_off_opens_no_stream(
    web: Web, front: Settings, committed_cast: SimpleNamespace
) -> None:
    cookies = server.cookie(front, committed_cast.ben)
    with db.begin(scope.ALL) as session:
        session.merge(committed_cast.ben).active = False

    assert httpx.get(f"{web.url}/live", cookies=cookies).status_code == 401


@pytest.mark.parametrize("value", ["", "nonsense", "eyJzaWQiOiJ4In0.aaaa.bbbb"])
def test_no_cookie_or_a_forged_one_opens_nothing(web: Web, value: str) -> None:
    cookies = {"ringdesk": value} if value else {}

    assert httpx.get(f"{web.url}/live", cookies=cookies).status_code == 401
    assert httpx.get(f"{web.url}/media/recordings/1", cookies=cookies).status_code == 401


def test_a_cookie_signed_with_another_key_opens_nothing(
    web: Web, front: Settings, committed_cast: SimpleNamespace
) -> None:
    with db.begin(scope.ALL) as session:
        sid = staff.begin_session(session, committed_cast.ada.id, at=clock.now(), address="", browser="")
    forged = server.signed(replace(front, secret_key="x" * 48), {"sid": sid})

    assert httpx.get(f"{web.url}/live", cookies={"ringdesk": forged}).status_code == 401


def kept(front: Settings, sound: bytes) -> int:
    """A call with this recording in the vault."""
    sealed = vault.of(front).put(io.BytesIO(sound))
    with db.begin(scope.ALL) as session:
        call = make.call(session, AT)
        return actions.recording_found(
            session,
            switch="pbx1",
            uniqueid=call.call_key,
            segment=1,
            path=sealed.key,
            sha256=sealed.sha256,
            size=sealed.size,
            seconds=3,
            form="wav/8000/1",
            at=AT,
        )


@pytest.fixture
def recording(front: Settings, committed_cast: SimpleNamespace) -> int:
    return kept(front, SOUND)


def test_a_recording_is_played_sought_in_and_logged_once(
    web: Web, front: Settings, committed_cast: SimpleNamespace, recording: int
) -> None:
    with httpx.Client(base_url=web.url, cookies=server.cookie(front, committed_cast.ada)) as browser:
        whole = browser.get(f"/media/recordings/{recording}")
        part = browser.get(f"/media/recordings/{recording}", headers={"Range": "bytes=16044-16143"})
        head = browser.head(f"/media/recordings/{recording}")
        outside = browser.get(f"/media/recordings/{recording}", headers={"Range": f"bytes={len(SOUND)}-"})

    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, SOUND, "bytes")
    assert (part.status_code, part.content) == (206, SOUND[16044:16144])
    assert part.headers["content-range"] == f"bytes 16044-16143/{len(SOUND)}"
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(SOUND)))
    assert outside.status_code == 416
    assert whole.headers["cache-control"] == "private, no-store"
    with db.begin(scope.ALL) as session:
        assert [row.staff_id for row in session.scalars(select(RecordingPlay))] == [committed_cast.ada.id]


def test_outsiders_and_people_without_the_permission_hear_nothing(
    web: Web, front: Settings, recording: int, committed_cast: SimpleNamespace
) -> None:
    address = f"{web.url}/media/recordings/{recording}"

    assert httpx.get(address, cookies=server.cookie(front, committed_cast.dan)).status_code == 404
    refused = httpx.get(address, cookies=server.cookie(front, committed_cast.wang))
    assert refused.status_code == 403
    assert "supervisor" in refused.json()["message"]


def test_browsers_that_read_or_send_slowly_hold_up_nobody(
    web: Web, front: Settings, committed_cast: SimpleNamespace
) -> None:
    """More of them than there are threads, each with more to read or to send than the buffers between hold."""
    cookies, large = server.cookie(front, committed_cast.ada), kept(front, wav(bytes(16_000_000)))
    wanted = f"GET /media/recordings/{large} HTTP/1.1\r\nHost: x\r\nCookie: ringdesk={cookies['ringdesk']}\r\n\r\n"
    unsent = "POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nusername="
    host, port = web.url.removeprefix("http://").split(":")
    slow = []
    for said in [wanted, unsent] * front.threads * 2:
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        stuck.connect((host, int(port)))
        stuck.sendall(said.encode())
        slow.append(stuck)

    assert httpx.get(f"{web.url}/health", timeout=20).status_code == 200
    assert httpx.get(f"{web.url}/tickets", cookies=cookies, timeout=20).status_code == 200
    assert Listener(web.url, cookies).next("snapshot").data["pops"] == []
    for stuck in slow:
        stuck.close()


def test_every_answer_carries_its_armour(web: Web, front: Settings, committed_cast: SimpleNamespace) -> None:
    cookies = server.cookie(front, committed_cast.ada)
    for path in ("/live/nowhere", "/media/recordings/x", "/static/dist/none.js", "/sign-in", "/tickets", "/health"):
        found = httpx.get(f"{web.url}{path}", cookies=cookies).headers

        assert found["x-content-type-options"] == "nosniff", path
        assert "default-src" in found["content-security-policy"], path
        assert "unsafe" not in found["content-security-policy"], path
        assert found["referrer-policy"] == "same-origin", path


@pytest.mark.parametrize(
    "path", ["../app.py", "..%2fapp.py", "../../pyproject.toml", "%2e%2e/app.py", "/etc/passwd", ".stamp/../../app.py", "%00", "a%00.js"]
)
def test_no_file_beside_the_built_ones_is_served(web: Web, path: str) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as raw:
        raw.sendall(f"GET /static/dist/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

        assert raw.recv(64).startswith(b"HTTP/1.1 404")


def test_a_built_file_is_zipped_and_kept_by_browsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "DIST", tmp_path)
    (tmp_path / "app-2ABCDEFG.js").write_text("plain")
    (tmp_path / "app-2ABCDEFG.js.gz").write_bytes(b"zipped")
    (tmp_path / "manifest.json").write_text("{}")

    headers, body = answers.asset("app-2ABCDEFG.js", True) or ([], b"")
    assert body == b"zipped" and (b"content-encoding", b"gzip") in headers
    assert (b"cache-control", b"public, max-age=31536000, immutable") in headers
    headers, body = answers.asset("manifest.json", True) or ([], b"")
    assert (b"cache-control", b"no-cache") in headers and body == b"{}"


def test_open_streams_do_not_hold_up_a_stop(front: Settings, committed_cast: SimpleNamespace) -> None:
    web = server.start(front)
    listeners = [Listener(web.url, server.cookie(front, committed_cast.ada)) for _ in range(5)]
    for listener in listeners:
        listener.next("snapshot")

    web.stop()  # a process that had to be killed is an error of its own
    assert all(listener.closed.wait(10) for listener in listeners)


def test_two_workers_both_tell_their_streams(front: Settings, committed_cast: SimpleNamespace) -> None:
    with server.serving(front, RINGDESK_WORKERS="2") as web:
        listeners = [Listener(web.url, server.cookie(front, committed_cast.ada)) for _ in range(8)]
        for listener in listeners:
            listener.next("snapshot")
        pop_id = rings()

        assert {listener.next("pop").data["pop_id"] for listener in listeners} == {pop_id}


def test_a_taken_port_is_one_sentence(front: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code = (
            "import sys; from service import asgi; from service.core import config\n"
            "try: asgi.run(config.load())\nexcept asgi.PortTaken as error: sys.exit(str(error))"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code],
            env=server.environment(front, RINGDESK_PORT=str(port)),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use). "
        "Stop the other program or set RINGDESK_PORT."
    )


def test_events_to_everybody_reach_everybody(web: Web, front: Settings, committed_cast: SimpleNamespace) -> None:
    everybody = [
        Listener(web.url, server.cookie(front, person))
        for person in (committed_cast.ada, committed_cast.mei, committed_cast.wang)
    ]
    for listener in everybody:
        listener.next("snapshot")
    with db.begin(scope.ALL) as session:
        live.publish(session, "all", "feed", {"up": False}, at=clock.now())

    assert [listener.next("feed").data for listener in everybody] == [{"up": False}] * 3
