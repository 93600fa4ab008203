"""Pictures of things, kept as files of our own making: what was sent is read as an image, turned upright, made small enough and
written anew, so that nothing but an image is kept and no camera's data travels with it. Where and when a picture was taken is
read first and kept beside it. A file lies under a token; the name that was sent is only shown.
"""

import io
import logging
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core.errors import Invalid, NotFound
from service.core.identity import Identity
from service.core.model import Attachment as Attachment

log = logging.getLogger(__name__)
LARGEST = 15 << 20  # bytes as sent
MOST_PIXELS = 80_000_000
LONG_SIDE, SMALL_SIDE = 2400, 480
MOST_OF_A_THING = 60
FORMATS = ("JPEG", "PNG", "WEBP")
ORPHANED = timedelta(hours=6)  # a file whose transaction may still be under way is younger
_SMALL = "-small"
_needs: dict[str, str] = {}


def kind(entity: str, needs: str) -> None:
    """Pictures of such things are shown to whoever has the permission."""
    _needs[entity] = needs


@dataclass(frozen=True)
class Picture:
    """What was made of what was sent."""

    large: bytes
    small: bytes
    size: tuple[int, int]
    latitude: Decimal | None
    longitude: Decimal | None
    taken_at: datetime | None


def read(sent: bytes) -> Picture:
    """The picture, or a sentence why there is none."""
    if not sent:
        raise _refusal(_("Choose a picture first."))
    if len(sent) > LARGEST:
        raise _refusal(_("This picture is larger than %(most)s MB. Take it with fewer pixels.", most=LARGEST >> 20))
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _refusal(_("This picture has more than %(most)s million pixels. Make it smaller.", most=MOST_PIXELS // 1_000_000))
            exif = image.getexif()
            taken = _taken(exif)
            image.draft("RGB", (LONG_SIDE, LONG_SIDE))
            upright = _flat(ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise _refusal(_("This is no picture that can be kept. Send a JPEG, PNG or WebP file.")) from error
    upright.thumbnail((LONG_SIDE, LONG_SIDE))
    small = upright.copy()
    small.thumbnail((SMALL_SIDE, SMALL_SIDE))
    return Picture(_jpeg(upright), _jpeg(small), upright.size, *_position(exif), taken)


def _refusal(sentence: str) -> Invalid:
    return Invalid(sentence, {"picture": sentence})


def _flat(image: Image.Image) -> Image.Image:
    """Without transparency, on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        ground = Image.new("RGB", layer.size, "white")
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return image.convert("RGB")


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82, optimize=True)
    return out.getvalue()


def _taken(exif: Image.Exif) -> datetime | None:
    said = str(exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal, "") or exif.get(ExifTags.Base.DateTime, ""))
    try:
        return datetime.strptime(said.strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _position(exif: Image.Exif) -> tuple[Decimal | None, Decimal | None]:
    """Latitude and longitude as the camera wrote them, both or neither."""
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    found = [_angle(gps, ref, value, most) for ref, value, most in ((1, 2, 90), (3, 4, 180))]
    return (None, None) if None in found else (found[0], found[1])


def _angle(gps: dict[int, Any], ref: int, value: int, most: int) -> Decimal | None:
    try:
        degrees, minutes, seconds = (float(part) for part in gps[value])
        angle = degrees + minutes / 60 + seconds / 3600
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not 0 <= angle <= most:
        return None
    return round(Decimal(angle) * (-1 if str(gps.get(ref, "")).strip("\0 ").upper() in ("S", "W") else 1), 6)


def keep(
    session: Session, folder: Path, sent: bytes, name: str, *, entity: str, entity_id: int, by: int, branch_id: int, at: datetime
) -> Attachment:
    """The picture belongs to the thing; its files are written before the row, so a row never lacks its file."""
    if len(of(session, entity, entity_id)) >= MOST_OF_A_THING:
        raise _refusal(_("%(most)s pictures are kept here already. Remove one first.", most=MOST_OF_A_THING))
    picture, token = read(sent), secrets.token_hex(16)
    _write(_path(folder, token), picture.large)
    _write(_path(folder, token + _SMALL), picture.small)
    shown = " ".join(re.sub(r"[^\w.\- ()（）]", " ", name.replace("\\", "/").rpartition("/")[2]).split())[:120]
    row = Attachment(
        entity=entity, entity_id=entity_id, token=token, name=shown, width=picture.size[0], height=picture.size[1],
        bytes=len(picture.large), latitude=picture.latitude, longitude=picture.longitude, taken_at=picture.taken_at,
        at=at, by_id=by, branch_id=branch_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def of(session: Session, entity: str, entity_id: int) -> list[Attachment]:
    """The pictures of the thing, the first taken first."""
    query = select(Attachment).where(Attachment.entity == entity, Attachment.entity_id == entity_id)
    return list(session.scalars(query.order_by(Attachment.id)))


def counts(session: Session, entity: str, ids: Collection[int]) -> dict[int, int]:
    """How many pictures each of these things has, in one query; one without any is not named."""
    query = select(Attachment.entity_id, func.count()).where(Attachment.entity == entity, Attachment.entity_id.in_(ids)).group_by(Attachment.entity_id)
    return {row.entity_id: row[1] for row in session.execute(query)} if ids else {}


def drop(session: Session, attachment_id: int, *, entity: str, entity_id: int) -> Attachment:
    """The picture is no longer the thing's; its files go with the next sweep."""
    row = session.get(Attachment, attachment_id)
    if row is None or (row.entity, row.entity_id) != (entity, entity_id):
        raise NotFound(_("This picture is not there any more. Load the page again."))
    session.delete(row)
    return row


def shown(session: Session, folder: Path, person: Identity, attachment_id: int, *, small: bool) -> bytes:
    """The picture for somebody who may see the thing; to everybody else there is none."""
    row = session.get(Attachment, attachment_id)
    if row is None or not person.may(_needs.get(row.entity, ""), row.branch_id):
        raise NotFound(_("There is no such picture in your branches."))
    try:
        return _path(folder, row.token + (_SMALL if small else "")).read_bytes()
    except FileNotFoundError as error:
        log.error("attachments: the file of picture %s is missing", attachment_id)
        raise NotFound(_("The file of this picture is missing. Tell an administrator.")) from error


def sweeper(folder: Path) -> Callable[..., None]:
    """Sweeps files that no row names."""

    def sweep(session: Session, *, at: datetime) -> None:
        """What no row names any more is gone from the disk."""
        old = [path for path in folder.glob("??/*.jpg") if at.timestamp() - path.stat().st_mtime > ORPHANED.total_seconds()]
        tokens = {path.stem.removesuffix(_SMALL) for path in old}
        known = set(session.scalars(select(Attachment.token).where(Attachment.token.in_(tokens)))) if tokens else set()
        for path in old:
            if path.stem.removesuffix(_SMALL) not in known:
                path.unlink(missing_ok=True)

    return sweep


def _path(folder: Path, token: str) -> Path:
    return folder / token[:2] / f"{token}.jpg"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)
