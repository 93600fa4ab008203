"""What is kept of a picture that somebody sends: an image of ours, upright and small, and nothing else."""

import io
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from service.core import attachments
from service.core.errors import Invalid, NotFound
from service.core.identity import Identity
from service.core.scope import ALL
from tests.conftest import AT


def sent(form: str = "JPEG", size: tuple[int, int] = (400, 300), mode: str = "RGB", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red").save(out, form, **more)
    return out.getvalue()


def with_camera(orientation: int = 6) -> bytes:
    """As a phone sends it: lying on its side, with time, place and maker."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "SecretMaker"
    exif.get_ifd(0x8769)[0x9003] = "2026:11:20 09:30:15"
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.5), 3: "W", 4: (121.0, 28.0, 25.2)})
    return sent(exif=exif)


def person(*permissions: str) -> Identity:
    return Identity(1, "n", "n", (), frozenset(permissions), ALL, 1, "en", "auto")


def keep(session: Session, folder: Path, cast: SimpleNamespace, content: bytes, name: str = "IMG_1.jpg", entity: str = "site") -> attachments.Attachment:
    return attachments.keep(session, folder, content, name, entity=entity, entity_id=7, by=cast.ada.id, branch_id=cast.pudong.id, at=AT)


def test_a_cameras_picture_is_turned_upright_and_tells_nothing_of_its_maker() -> None:
    picture = attachments.read(with_camera())

    assert picture.size == (300, 400)
    assert (f"{picture.latitude:.4f}", f"{picture.longitude:.4f}") == ("31.2304", "-121.4737")
    assert str(picture.taken_at) == "2026-11-20 09:30:15"
    assert b"SecretMaker" not in picture.large and b"Exif" not in picture.large
    with Image.open(io.BytesIO(picture.large)) as kept:
        assert kept.format == "JPEG" and dict(kept.getexif()) == {}


@pytest.mark.parametrize(("form", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("WEBP", "RGB"), ("JPEG", "CMYK")])
def test_every_kind_of_picture_becomes_one_kind(form: str, mode: str) -> None:
    picture = attachments.read(sent(form, mode=mode))
    assert picture.large[:3] == b"\xff\xd8\xff" and picture.latitude is None


def test_a_large_picture_is_made_small_enough() -> None:
    picture = attachments.read(sent(size=(5000, 2000)))
    assert picture.size == (2400, 960)
    with Image.open(io.BytesIO(picture.small)) as small:
        assert small.size == (480, 192)


@pytest.mark.parametrize("content", [
    b"", b"hello", b"\xff\xd8\xff" + b"x" * 100, sent()[:400], sent("GIF"), sent("BMP"), b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"%PDF-1.7", b"GIF89a<script>", os.urandom(3000),
])
def test_what_is_no_picture_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        attachments.read(content)
    assert refused.value.fields["picture"]


def test_what_is_too_much_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_PIXELS", 100_000)
    with pytest.raises(Invalid, match="million pixels"):
        attachments.read(sent())
    monkeypatch.setattr(attachments, "LARGEST", 100)
    with pytest.raises(Invalid, match="larger than"):
        attachments.read(sent())


def test_a_file_lies_under_a_token_whatever_its_name_was(session: Session, cast: SimpleNamespace, tmp_path: Path) -> None:
    row = keep(session, tmp_path, cast, sent(), "..\\..\\/etc/\u202epasswd\x00<b>.jpg")

    paths = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.jpg"))
    assert paths == [f"{row.token[:2]}/{row.token}-small.jpg", f"{row.token[:2]}/{row.token}.jpg"]
    assert row.name == "passwd b .jpg"


def test_only_who_may_see_the_thing_sees_its_pictures(session: Session, cast: SimpleNamespace, tmp_path: Path) -> None:
    attachments.kind("site", "site.read")
    row, other = keep(session, tmp_path, cast, sent()), keep(session, tmp_path, cast, sent(), entity="unknown")

    assert attachments.shown(session, tmp_path, person("site.read"), row.id, small=True)[:3] == b"\xff\xd8\xff"
    for who, which in ((person("party.read"), row.id), (person("site.read"), other.id), (person("site.read"), 999999)):
        with pytest.raises(NotFound):
            attachments.shown(session, tmp_path, who, which, small=False)


def test_files_without_a_row_go_with_the_sweep_and_young_ones_stay(session: Session, cast: SimpleNamespace, tmp_path: Path) -> None:
    kept, dropped = keep(session, tmp_path, cast, sent()), keep(session, tmp_path, cast, sent())
    attachments.drop(session, dropped.id, entity="site", entity_id=7)
    session.flush()
    sweep, ages = attachments.sweeper(tmp_path), AT.timestamp()
    for path in tmp_path.rglob("*.jpg"):
        os.utime(path, (ages - 60, ages - 60))
    sweep(session, at=AT)
    assert len(list(tmp_path.rglob("*.jpg"))) == 4
    for path in tmp_path.rglob("*.jpg"):
        os.utime(path, (ages - 30000, ages - 30000))
    sweep(session, at=AT)
    assert {path.stem.removesuffix("-small") for path in tmp_path.rglob("*.jpg")} == {kept.token}


def test_another_things_picture_is_not_dropped_from_here(session: Session, cast: SimpleNamespace, tmp_path: Path) -> None:
    row = keep(session, tmp_path, cast, sent())
    with pytest.raises(NotFound):
        attachments.drop(session, row.id, entity="site", entity_id=8)
