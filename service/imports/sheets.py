"""The files that go out: an empty template, and the bad rows with a word on each."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from flask_babel import gettext as _

from service.core.intake.target import Field, Target
from service.core.sheet import Book, Column, clean
from service.imports import words
from service.imports.model import Batch, ImportRow

RECKONED = re.compile(r"[=@\t]|[+-](?![\d\s().-]*$)")
WIDTH = 22


def template(target: Target, out: IO[bytes]) -> None:
    """A workbook: the first sheet has the headings and waits for rows, the second says what goes in and shows an example."""
    book = Book(out)
    text, must = book.book.add_format({"num_format": "@"}), book.book.add_format({"bold": True, "bg_color": "#DCE6FB", "bottom": 1, "bottom_color": "#C9D0DB"})
    page = book.book.add_worksheet(str(target.title)[:31])
    page.freeze_panes(1, 0)
    for at, one in enumerate(target.fields):
        page.set_column(at, at, WIDTH, text)
        page.write_string(0, at, str(one.head), must if one.must else book.formats["head"])
        if one.kind == "choice":
            page.data_validation(1, at, 1_000_000, at, {"validate": "list", "source": [str(word[0]) for word in one.choices.values()], "error_type": "warning"})
    head = [(_("Column"), "head"), (_("Must be filled"), "head"), (_("What goes in"), "head"), (_("Example"), "head")]
    book.lines(_("Notes"), [head, *([(str(one.head), "bold"), (_("yes") if one.must else "", "text"), (note(one), "text"), (one.example, "text")] for one in target.fields)], (24, 16, 80, 30))
    book.close()


def note(one: Field) -> str:
    """What may stand in the column, in a line."""
    kinds: Mapping[str, str] = {
        "day": _("A day, such as 2026-11-26."), "whole": _("A whole number from %(least)s to %(most)s.", least=one.least, most=one.most), "phones": _("Telephone numbers."),
        "choice": _("One of: %(choices)s.", choices=words.choices(one)), "choices": _("Of these: %(choices)s.", choices=words.choices(one)),
        "mail": _("A mail address."), "mails": _("Mail addresses."), "money": _("An amount, such as 50000.00."), "words": _("Words of at most %(most)s letters.", most=one.longest), "text": _("Text of at most %(most)s letters.", most=one.longest), "code": _("Text of at most %(most)s letters.", most=one.longest),
    }
    return " ".join(filter(None, (kinds[one.kind], str(one.note))))


def errors_book(target: Target, batch: Batch, rows: Iterable[ImportRow], out: IO[bytes]) -> None:
    """The bad rows as they came, under their own headings, with a last column that says what is wrong: mend it and bring it again."""
    book = Book(out)
    columns = [Column(head or " ", "text", _cell(batch, at), WIDTH) for at, head in enumerate(batch.heads)]
    columns += [Column(_("Row in the file"), "text", lambda row: row.line, 12), Column(_("What is wrong"), "text", lambda row: told(target, row), 80)]
    book.sheet(_("To be mended"), columns, rows)
    book.close()


def errors_text(target: Target, batch: Batch, rows: Iterable[ImportRow]) -> Iterator[str]:
    """The same as text that Excel opens in UTF-8; what a spreadsheet would reckon has a quote before it, which goes again when it is read."""
    yield "\ufeff" + _line([*batch.heads, _("Row in the file"), _("What is wrong")])
    for row in rows:
        cells = [_cell(batch, at)(row) for at in range(len(batch.heads))]
        yield _line([*cells, str(row.line), told(target, row)])


def told(target: Target, row: ImportRow) -> str:
    """Everything that is wrong with the row."""
    return " ".join(f"{one.head}: {said}" if one else said for one, said in _said(target, row.wrong or []))


def passwords(rows: Sequence[tuple[str, str, str]], out: IO[bytes]) -> None:
    """A workbook of first passwords; it is made once and kept nowhere."""
    book = Book(out)
    book.sheet(_("Passwords"), [Column(head, "text", _part(at), 24) for at, head in enumerate((_("Full name"), _("User name"), _("Password")))], rows)
    book.close()


def _said(target: Target, wrong: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Field | None, str]]:
    for finding in wrong:
        yield words.field(target, finding["field"]), words.sentence(target, finding)


def _cell(batch: Batch, at: int) -> Callable[[ImportRow], str]:
    """The cell as it came; of a row that failed only later, the value that it was read as."""
    name = next((name for name, column in batch.mapping.items() if column == at), "")

    def cell(row: ImportRow) -> str:
        if row.raw:
            return row.raw[at] if at < len(row.raw) else ""
        value = row.content.get(name)
        return "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)

    return cell


def _part(at: int) -> Any:
    return lambda row: row[at]


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(["'" + cell if RECKONED.match(cell) else cell for cell in map(clean, cells)])
    return out.getvalue()
