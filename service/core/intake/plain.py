"""Text with delimiters: which encoding, which delimiter, and then rows, one at a time."""

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path

from service.core.intake.unreadable import Unreadable

ENCODINGS = ("utf-8", "gb18030", "utf-16", "big5")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
PIECE = 1 << 20
DELIMITERS = ",;\t|"
LONGEST = 32_767  # letters of a cell, as in Excel
MOST_CELLS = 200  # of a row
GUARDED = re.compile(r"'[=@+\-\t]")
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Plain:
    """A csv file: UTF-8 with or without a mark, UTF-16, GBK or what was said."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        self.path = path
        self.encoding = _checked(path, encoding) if encoding else _found(path)
        self.delimiter = self._delimiter()

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with the number of its line; a quote that never ends is told instead of eating the file."""
        csv.field_size_limit(LONGEST)
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader((line.replace("\x00", "") for line in file), delimiter=self.delimiter)
            try:
                for cells in reader:
                    if len(cells) > MOST_CELLS and any(cells[MOST_CELLS:]):
                        raise Unreadable("wide", most=MOST_CELLS)
                    yield reader.line_num, [_bare(cell) for cell in cells[:MOST_CELLS]]
            except csv.Error:
                raise Unreadable("quote", line=reader.line_num) from None

    def _delimiter(self) -> str:
        with self.path.open(encoding=self.encoding, newline="") as file:
            begin = file.read(1 << 14)
        if CONTROLS.search(begin):
            raise Unreadable("no_text")
        lines = [line for line in begin.splitlines() if line.strip()][:5]
        return max(DELIMITERS, key=lambda sign: (sum(line.count(sign) for line in lines), -DELIMITERS.index(sign)))


def _bare(cell: str) -> str:
    """Our own downloads put a quote before what a spreadsheet would reckon; it goes again."""
    return cell[1:].strip() if GUARDED.match(cell) else cell.strip()


def _found(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(4096)
    for mark, name in BOMS:
        if begin.startswith(mark):
            return _checked(path, name)
    for name in _without_mark(begin):
        if _reads(path, name) is None:
            return name
    raise Unreadable("encoding")


def _without_mark(begin: bytes) -> tuple[str, ...]:
    """Every other byte of western text in UTF-16 is zero, and no other text has zeros."""
    if begin.count(0) > len(begin) // 5:
        return ("utf-16-le",) if begin[1::2].count(0) > begin[::2].count(0) else ("utf-16-be",)
    return ("utf-8", "gb18030")


def _checked(path: Path, encoding: str) -> str:
    line = _reads(path, encoding)
    if line is not None:
        raise Unreadable("not_in", encoding=encoding.upper(), line=line)
    return encoding


def _reads(path: Path, encoding: str) -> int | None:
    """None when the whole file can be read so, else the line at which it cannot."""
    decoder, lines = codecs.getincrementaldecoder(encoding)("strict"), 1
    with path.open("rb") as file:
        while True:
            piece = file.read(PIECE)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeError as error:
                return lines + (piece[: getattr(error, "start", 0)].count(b"\n"))
            lines += text.count("\n")
            if not piece:
                return None
