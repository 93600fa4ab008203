"""What the web process gives without Flask: streams, recordings and pictures, asked for by who may not have them, over real HTTP."""

import io
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from recordings import vault
from service.core import clock, db, scope
from service.core.config import Settings
from service.staff import actions as staff
from service.staff.security import sessions
from tests.attack import world
from tests.browser import scene
from tests.browser.site import Site, serving
from tests.live import server
from tests.live.server import Listener
from tests.recordings.sounds import tone, wav

SOUND = wav(tone(1.0))
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
RANGES = (
    "bytes=0-999999999999999999999999", "bytes=999999999999999999999-", "bytes=-0", "bytes=--5", "bytes=5-2", "bytes=-99999999999", "bytes=0-0,-1", "bytes=a-b", "items=0-5", "bytes=",
    "bytes", "=", "bytes=0-1\u0661", "bytes= 0 - 5", "bytes=0-" + "9" * 5000, "bytes=" + "0-0," * 1500 + "1-1", "bytes=0-,0-,0-,0-", "bytes=1e3-", "bytes=0x10-", "bytes=+1-5", "bytes=²-",
)  # fmt: skip
OUTSIDE = (
    "/media/recordings/../../etc/passwd", "/media/recordings/%2e%2e/%2e%2e/etc/passwd", "/media/recordings/..%2f..%2fpictures/{p}", "/media/pictures/..%5c..%5cx", "/media/recordings/{r}/../{r}",
    "/media/recordings/{r}%00.wav", "/media/recordings/{r}/", "/media/recordings/{r};x", "/media/recordings//{r}", "/media/recordings/-{r}", "/media/recordings/+{r}", "/media/recordings/0{r}x",
    "/media/recordings/" + "9" * 18, "/media/recordings/" + "9" * 40, "/media/recordings/%ff", "/media/pictures/{p}/small/..", "/media/pictures/{p}/large", "/media/pictures/x", "/media/", "/media",
    "/media/pictures/" + "9" * 18, "/live/../media/recordings/x", "/live/", "/live%00", "/LIVE", "//media/recordings/{r}", "/media/vault/x", "/static/dist/../../../attachments/x",
)  # fmt: skip


@pytest.fixture(scope="module")
def site(attacked: Settings, database: db.Database) -> Iterator[Site]:
    with serving(attacked, database) as running:
        yield running


@pytest.fixture
def kept(two: SimpleNamespace, attacked: Settings, clean: db.Database) -> SimpleNamespace:
    """The audio of my recording lies in the vault."""
    sealed = vault.of(attacked).put(io.BytesIO(SOUND))
    with clean.owner.begin() as connection:
        connection.execute(text("alter table recording disable trigger user"))
        connection.execute(text("update recording set path = :path, sha256 = :sha, bytes = :size where id = :id"), {"id": two.mine.ids["recording"], "path": sealed.key, "sha": sealed.sha256, "size": sealed.size})
        connection.execute(text("alter table recording enable trigger user"))
    return two


def asked(side: world.Side) -> list[str]:
    """What of that branch lies outside Flask."""
    sound, picture = f"/media/recordings/{side.ids['recording']}", f"/media/pictures/{side.ids['attachment']}"
    return [sound, f"{sound}?download&reason=x", f"{sound}?download&wav", picture, f"{picture}/small"]


def raw(site: Site, path: str, *lines: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and body of an address that no client would send."""
    host, port = site.url.removeprefix("http://").split(":")
    said = "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines)) + "\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as place:
        place.sendall(said.encode("utf-8"))
        told = b""
        while piece := place.recv(1 << 16):
            told += piece
    return int(told.split(b" ", 2)[1]), told.partition(b"\r\n\r\n")[2]


def cookie(attacked: Settings, person: Any) -> str:
    return f"Cookie: ringdesk={server.cookie(attacked, person)['ringdesk']}"


def test_whoever_may_have_them_gets_them(site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    mine = cookie(attacked, kept.mine.boss)
    assert [raw(site, path, mine)[0] for path in asked(kept.mine)] == [200] * 5
    assert raw(site, asked(kept.mine)[0], mine)[1] == SOUND


def test_without_a_sign_in_nothing_is_given(site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    held, found = server.cookie(attacked, kept.mine.boss)["ringdesk"], {}
    body, dot, rest = held.partition(".")
    cookies = ("", "ringdesk=", "ringdesk=x", f"ringdesk={body}", f"ringdesk={body}{dot}{rest[:-2]}xx", f"ringdesk={held[::-1]}", f"session={held}", f"Ringdesk={held}", "ringdesk=" + "a" * 6000)
    for said in cookies:
        for path in ("/live", "/live?last=0", *asked(kept.mine)):
            for method in ("GET", "HEAD"):
                status, told = raw(site, path, f"Cookie: {said}", method=method)
                if status != 401 or len(told) > 100:
                    found[said[:40], method, path] = status
    for method in METHODS[2:]:
        for path in ("/live", *asked(kept.mine)[::3]):
            if (status := raw(site, path, "Content-Length: 0", method=method)[0]) not in (401, 405):
                found[method, path] = status
    world.nothing(found)


def test_another_branch_gets_nothing(site: Site, attacked: Settings, kept: SimpleNamespace, clean: db.Database) -> None:
    """Neither what lies there nor what happens there."""
    theirs, found = cookie(attacked, kept.foreign.boss), {}
    for path in asked(kept.mine):
        for more in ((), ("Range: bytes=0-0",), ("If-None-Match: *",), (f'If-None-Match: "{path}"',)):
            for method in ("GET", "HEAD"):
                status, told = raw(site, path, theirs, *more, method=method)
                if status not in (403, 404) or SOUND[:4] in told or b"\xff\xd8" in told:
                    found[method, path, more] = status
    world.nothing(found)
    with clean.owner.connect() as connection:
        assert connection.scalar(text("select count(*) from recording_play where staff_id = :by"), {"by": kept.foreign.boss.id}) == 0


def test_another_branch_hears_nothing(site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    for last in (None, "0", "1", "-1", "999999999999999999", "x"):
        ears = Listener(site.url, server.cookie(attacked, kept.foreign.boss), last=last)
        begun = ears.next("snapshot")
        assert begun.data["pops"] == [] and "苏州" not in str(begun.data), last
    scene.rings("1795331999.1", "3001", caller_number="13800003001", queue="queue-suzhou")
    with pytest.raises(AssertionError, match="was heard"):
        ears.next("pop", "agent", wait=1.5)
    assert all("13800003001" not in str(news.data) for news in ears.heard.queue)


@pytest.mark.parametrize("how", ["ended", "switched off", "password"])
def test_what_is_revoked_is_silent_at_once(how: str, site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    """A stream that was open ends, and neither it nor a file opens again."""
    cookies, person = server.cookie(attacked, kept.mine.boss), kept.mine.boss
    ears = Listener(site.url, cookies)
    ears.next("snapshot")
    assert httpx.get(site.url + asked(kept.mine)[3], cookies=cookies).status_code == 200
    with db.begin(scope.ALL) as session:
        if how == "password":
            staff.give_password(session, person.username, "another horse battery", at=clock.now())
        elif how == "ended":
            sessions.end_all(session, person.id, by=person.id, at=clock.now())
        else:
            session.merge(person).active = False
    if how != "switched off":
        assert ears.closed.wait(10)
    again = [httpx.get(site.url + path, cookies=cookies).status_code for path in ("/live", *asked(kept.mine))]
    assert again == [401] * 6


def test_no_address_leads_out_of_the_folders(site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    mine, found = cookie(attacked, kept.mine.boss), {}
    for place in OUTSIDE:
        path = place.format(r=kept.mine.ids["recording"], p=kept.mine.ids["attachment"])
        status, told = raw(site, path, mine)
        if status not in (400, 404, 308) or b"root:" in told or SOUND[:4] in told:
            found[path[:80]] = (status, told[:60])
    world.nothing(found)


def test_no_range_is_a_fault_or_more_than_the_file(site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    mine, found = cookie(attacked, kept.mine.boss), {}
    for said in RANGES:
        for path in asked(kept.mine)[::3]:
            status, told = raw(site, path, mine, f"Range: {said}")
            if status not in (200, 206, 400, 416) or len(told) > max(len(SOUND), 20_000) or (status == 206 and told not in SOUND):
                found[path, said[:60]] = (status, len(told))
    world.nothing(found)


def test_no_picture_or_sound_stays_in_the_browser(site: Site, attacked: Settings, kept: SimpleNamespace) -> None:
    """Whoever sits down there later asks anew, and is asked who they are."""
    cookies = server.cookie(attacked, kept.mine.boss)
    for path in asked(kept.mine):
        told = httpx.get(site.url + path, cookies=cookies).headers
        assert "no-store" in told["cache-control"] and told["content-security-policy"].startswith("default-src 'none'"), path
