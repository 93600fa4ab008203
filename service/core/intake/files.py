"""A file that somebody brings becomes a table of text: header, rows, and how it was read. Nothing in it is executed or trusted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from service.core.intake import plain, workbook
from service.core.intake.unreadable import Unreadable

MOST_BYTES = 64 << 20
MOST_ROWS = 200_000
LOOKED = 20  # rows among which the header is looked for
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old Excel, and Excel behind a password


@dataclass(frozen=True)
class Opened:
    """A file that can be read: its sheets or its encoding, and its rows with their numbers as Excel shows them."""

    sheets: tuple[str, ...]
    sheet: str
    encoding: str
    rows: Callable[[], Iterator[tuple[int, list[str]]]]


def opened(path: Path, *, sheet: str = "", encoding: str = "") -> Opened:
    """The file as a table; raises Unreadable with the code of a sentence."""
    size = path.stat().st_size
    if not size:
        raise Unreadable("empty")
    if size > MOST_BYTES:
        raise Unreadable("large", most=MOST_BYTES >> 20)
    with path.open("rb") as file:
        begin = file.read(8)
    if begin == OLE:
        raise Unreadable("old_excel")
    if begin[:4] == b"PK\x03\x04":
        book = workbook.Workbook(path, sheet)
        return Opened(book.sheets, book.sheet, "", book.rows)
    found = plain.Plain(path, encoding)
    return Opened((), "", found.encoding, found.rows)


def header(table: Opened, heads: Callable[[str], bool]) -> tuple[int, list[str]]:
    """The number of the header's row and its cells: among the first rows the one with most headings that are known, else the first filled one."""
    first = [(line, cells) for line, cells in islice(table.rows(), LOOKED) if any(cells)]
    if not first:
        raise Unreadable("empty")
    line, cells = max(first, key=lambda row: (sum(map(heads, row[1])), -row[0]))
    if not any(map(heads, cells)):
        line, cells = first[0]
    return line, _named(cells)


def body(table: Opened, after: int) -> Iterator[tuple[int, list[str]]]:
    """The filled rows below the header; raises Unreadable when there are more than anybody may bring at once."""
    count = 0
    for line, cells in table.rows():
        if line > after and any(cells):
            count += 1
            if count > MOST_ROWS:
                raise Unreadable("rows", most=MOST_ROWS)
            yield line, cells


def _named(cells: Sequence[str]) -> list[str]:
    """The headings, without the empty columns at the end."""
    last = max((at for at, cell in enumerate(cells) if cell), default=-1)
    return [" ".join(cell.split())[:100] for cell in cells[: last + 1]]


def header_at(table: Opened, wanted: int) -> tuple[int, list[str]]:
    """That row as the header; raises Unreadable when it is empty or not there."""
    for line, cells in table.rows():
        if line >= wanted:
            if line == wanted and any(cells):
                return line, _named(cells)
            break
    raise Unreadable("no_header", line=wanted)


def kept(cell: str) -> str:
    """The cell without what PostgreSQL or a page cannot hold."""
    return "".join(sign if sign >= " " or sign in "\n\t" else " " for sign in cell).encode("utf-8", "replace").decode()[:2000]
