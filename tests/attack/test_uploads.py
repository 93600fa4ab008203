"""Pictures that are none: pages, drawings, bombs, names that climb; and pictures asked for by who may not see them."""

import io
import struct
import zlib
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient

from service.core import attachments, clock, db
from service.core.config import Settings
from service.core.errors import NotFound
from service.staff.security import sessions
from tests.attack import world
from tests.attack.pages import PAGE
from tests.signin import people


def bomb(side: int = 60_000) -> bytes:
    """A PNG of three thousand million pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"\0" * 9000)) + chunk(b"IEND", b"")


NO_PICTURES = {
    "page.jpg": b"<html><script>alert(1)</script></html>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "bomb.png": bomb(),
    "gif.jpg": b"GIF89a/*" + b"\0" * 40 + b"*/=alert(1)",
    "cut.jpg": world.picture((400, 300))[:200],
    "zip.png": b"PK\x03\x04" + b"\0" * 200,
    "nothing.jpg": b"",
}


def send(eve: FlaskClient, two: SimpleNamespace, name: str, body: bytes) -> int:
    form = {"csrf_token": people.token(eve, "/tickets"), "picture": (io.BytesIO(body), name)}
    return eve.post(f"/sites/{two.mine.ids['site']}/pictures", data=form, headers=PAGE, content_type="multipart/form-data").status_code


@pytest.mark.parametrize("name", NO_PICTURES)
def test_what_is_no_picture_is_not_kept(name: str, two: SimpleNamespace, eve: FlaskClient, attacked: Settings) -> None:
    before = sorted(attacked.attachments_dir.rglob("*"))
    assert send(eve, two, name, NO_PICTURES[name]) == 422
    assert sorted(attacked.attachments_dir.rglob("*")) == before


def test_a_name_that_climbs_goes_nowhere_and_what_hides_behind_a_picture_is_gone(two: SimpleNamespace, eve: FlaskClient, attacked: Settings, clean: db.Database) -> None:
    hidden = world.picture() + b"<script>alert('hidden')</script>"
    for name in ("../../../../tmp/evil.jpg", "..\\..\\evil.jpg", "/etc/passwd", "\"><script>.jpg", "x" * 3000 + ".jpg", "\u202egpj.exe"):
        assert send(eve, two, name, hidden) in (302, 422), name
    for path in attacked.attachments_dir.rglob("*.jpg"):
        assert path.parent.parent == attacked.attachments_dir
        assert b"hidden" not in path.read_bytes()
    page = eve.get(f"/sites/{two.mine.ids['site']}", headers=PAGE).text
    assert "<script>.jpg" not in page and "../" not in page.split("pictures", 1)[-1].split("</section>")[0]


def test_a_body_that_is_too_large_is_refused(two: SimpleNamespace, eve: FlaskClient) -> None:
    assert send(eve, two, "large.jpg", b"\xff\xd8" + b"\0" * (17 << 20)) == 413


def test_no_picture_of_another_branch_is_shown(two: SimpleNamespace, attacked: Settings, eve: FlaskClient, app: object) -> None:
    with eve.session_transaction() as kept:
        held = str(kept["sid"])
    person = sessions.admitted(held, "127.0.0.1", at=clock.now())
    assert person is not None
    for side, shown in ((two.mine, True), (two.foreign, False)):
        with db.begin(person.scope) as session, app.test_request_context():  # type: ignore[attr-defined]
            try:
                assert attachments.shown(session, attacked.attachments_dir, person, side.ids["attachment"], small=True)
                assert shown
            except NotFound:
                assert not shown


def test_labels_cannot_be_guessed(two: SimpleNamespace, eve: FlaskClient) -> None:
    assert len(two.foreign.code) >= 16 and two.foreign.code != two.mine.code
    for code in (two.foreign.code, two.foreign.code.upper(), two.foreign.code[:-1], "0", "%", "_" * 16, "1", str(two.foreign.ids["device"])):
        assert eve.get(f"/d/{code}", headers=PAGE).status_code == 404, code
        assert world.SECRET not in eve.get("/scan", query_string={"code": code}, headers=PAGE).text
