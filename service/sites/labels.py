"""Labels for devices as a PDF: a QR code, what the device is, and whom to call. Pure: labels in, bytes out."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from reportlab.graphics.barcode import qrencoder
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

A4 = (210.0, 297.0)
CHINESE = "STSong-Light"  # every reader of PDF has a face for it, so none has to travel with the sheet
LATIN, LATIN_BOLD = "Helvetica", "Helvetica-Bold"
SMALLEST = 4.5  # points
QUIET = 4  # modules of white around a QR code, as its standard asks
MOST = 2000  # labels of one sheet file


@dataclass(frozen=True)
class Sheet:
    """A grid of labels on a page, in millimetres."""

    name: LazyString
    columns: int
    rows: int
    width: float
    height: float
    left: float = 0.0
    top: float = 0.0
    gap: float = 0.0
    page: tuple[float, float] = A4

    @property
    def count(self) -> int:
        """Labels on a page."""
        return self.columns * self.rows


SHEETS: Mapping[str, Sheet] = {
    "3x8": Sheet(_l("A4, 3 × 8 of 70 × 37 mm"), 3, 8, 70, 37, 0, 0.5),
    "3x7": Sheet(_l("A4, 3 × 7 of 63.5 × 38.1 mm"), 3, 7, 63.5, 38.1, 7.25, 15.15, 2.5),
    "2x7": Sheet(_l("A4, 2 × 7 of 99.1 × 38.1 mm"), 2, 7, 99.1, 38.1, 4.65, 15.15, 2.5),
    "4x10": Sheet(_l("A4, 4 × 10 of 48.5 × 25.4 mm"), 4, 10, 48.5, 25.4, 8, 21.5),
    "60x40": Sheet(_l("Roll, 60 × 40 mm"), 1, 1, 60, 40, page=(60, 40)),
    "40x30": Sheet(_l("Roll, 40 × 30 mm"), 1, 1, 40, 30, page=(40, 30)),
}


@dataclass(frozen=True)
class Label:
    """What stands on one label; `address` is what the code says, `phone` the hotline in short, for where its sentence finds no room."""

    address: str
    name: str
    number: str
    serial: str = ""
    hotline: str = ""
    phone: str = ""


def matrix(text: str) -> list[list[bool]]:
    """The QR code of the text, row by row, True for dark; a seventh of it may be dirty."""
    code: Any = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(text)
    code.make()
    side = range(code.getModuleCount())
    return [[bool(code.isDark(row, column)) for column in side] for row in side]


def pdf(labels: Sequence[Label], sheet: Sheet, *, skip: int = 0, title: str = "") -> bytes:
    """The labels on as many pages as they need; the first `skip` places of the first page stay empty."""
    _fonts()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(sheet.page[0] * mm, sheet.page[1] * mm), pageCompression=1)
    canvas.setTitle(title)
    for place, label in enumerate(labels[:MOST], start=skip % sheet.count):
        if place and place % sheet.count == 0:
            canvas.showPage()
        _draw(canvas, label, sheet, place % sheet.count)
    canvas.save()
    return out.getvalue()


@lru_cache(1)
def _fonts() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


def _draw(canvas: Canvas, label: Label, sheet: Sheet, place: int) -> None:
    row, column = divmod(place, sheet.columns)
    left = (sheet.left + column * (sheet.width + sheet.gap)) * mm
    bottom = (sheet.page[1] - sheet.top - (row + 1) * sheet.height) * mm
    edge = min(3.0, sheet.height * 0.09) * mm
    side = min(sheet.height * mm - 2 * edge, sheet.width * mm * 0.46, 30 * mm)
    _code(canvas, label.address, left + edge, bottom + (sheet.height * mm - side) / 2, side)
    room = sheet.width * mm - side - 2 * edge - 1.5 * mm
    _words(canvas, label, left + edge + side + 1.5 * mm, bottom + sheet.height * mm / 2, room, side)


def _code(canvas: Canvas, text: str, left: float, bottom: float, side: float) -> None:
    """One filled path, so that no printer leaves hairlines between the modules."""
    rows = matrix(text)
    unit = side / (len(rows) + 2 * QUIET - 4)  # the edge of the label gives the rest of the white
    shift = unit * (QUIET - 2)
    path = canvas.beginPath()
    for y, row in enumerate(rows):
        for begin, length in _runs(row):
            path.rect(left + shift + begin * unit, bottom + side - shift - (y + 1) * unit, length * unit, unit)
    canvas.setFillGray(0)
    canvas.drawPath(path, stroke=0, fill=1)


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    begin = None
    for at, dark in enumerate([*row, False]):
        if dark and begin is None:
            begin = at
        elif not dark and begin is not None:
            yield begin, at - begin
            begin = None


def _words(canvas: Canvas, label: Label, left: float, middle: float, room: float, tall: float) -> None:
    """The lines beside the code, around its middle; a number gets smaller before it is cut."""
    large = min(10.0, tall / mm * 0.36)
    small, face = large * 0.8, _font(label.name, bold=True)
    lines = [(part, face, large) for part in wrapped(label.name, large, room, 2)]
    rest = ((label.number, True), (f"SN {label.serial}" if label.serial else "", False), (_hotline(label, room), False))
    lines += [(text, font, shrunk(text, font, small, room)) for text, bold in rest if text for font in (_font(text, bold=bold),)]
    y = middle + sum(size * 1.28 for _text, _face, size in lines) / 2
    for text, font, size in lines:
        y -= size * 1.28
        canvas.setFont(font, size)
        canvas.drawString(left, y + size * 0.28, cut(text, font, size, room))


def _hotline(label: Label, room: float) -> str:
    """The sentence, or the number alone: a number that is cut calls nobody."""
    return label.hotline if _wide(label.hotline, _font(label.hotline), SMALLEST) <= room else label.phone or label.hotline


def shrunk(text: str, font: str, size: float, room: float) -> float:
    """The size in which the text fits, as long as it can still be read."""
    return max(SMALLEST, min(size, size * room * 0.99 / max(_wide(text, font, size), 0.1)))


def _font(text: str, *, bold: bool = False) -> str:
    return (LATIN_BOLD if bold else LATIN) if text.isascii() else CHINESE


def _wide(text: str, font: str, size: float) -> float:
    return float(pdfmetrics.stringWidth(text, font, size))


def cut(text: str, font: str, size: float, room: float) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    _fonts()
    if _wide(text, font, size) <= room:
        return text
    while text and _wide(text + "…", font if font == CHINESE else LATIN, size) > room:
        text = text[:-1]
    return text + ("…" if font == CHINESE else "...")[: 3 if text else 0]


def wrapped(text: str, size: float, room: float, most: int) -> list[str]:
    """The text in at most so many lines, broken between words where there are any; the last is left whole for `cut`."""
    _fonts()
    lines: list[str] = []
    font, rest = _font(text, bold=True), text.strip()
    while rest and len(lines) < most - 1 and _wide(rest, font, size) > room:
        at = next((n for n in range(len(rest), 0, -1) if _wide(rest[:n], font, size) <= room), 1)
        blank = rest.rfind(" ", 1, at + 1)
        torn = rest[at - 1 : at + 1].isascii() and rest[at - 1 : at + 1].isalnum()  # within a Latin word
        at = blank if blank > 0 and (torn or blank > at // 2) else at
        lines.append(rest[:at].strip())
        rest = rest[at:].strip()
    return [*lines, rest] if rest else lines
