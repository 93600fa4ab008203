"""A list taken along as it is shown: the same columns in the same order, the same rows, the same masks, and no cell that computes."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import clock, search, sheet
from service.core.errors import Invalid
from service.core.identity import Identity
from service.core.lists.asking import Asked
from service.core.lists.paging import each
from service.core.lists.spec import Column, ListSpec, Row, Told

MOST = 100_000  # rows of one file
# What a spreadsheet takes for the beginning of a formula, in narrow and in wide letters.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
SHEET = {"number": "whole", "money": "amount", "date": "day", "moment": "moment", "seconds": "seconds"}

Pair = tuple[Row, Told]


def workbook(session: Session, spec: ListSpec, person: Identity, asked: Asked, *, at: datetime) -> io.BytesIO:
    """The list as a workbook, from its beginning. Raises Invalid when it is too long for one."""
    target = io.BytesIO()
    book = sheet.Book(target)
    book.sheet(_name(spec), [_head(column) for column in _taken(asked)], _all(session, spec, person, asked, at))
    book.close()
    target.seek(0)
    return target


def text(session: Session, spec: ListSpec, person: Identity, asked: Asked, *, at: datetime) -> io.BytesIO:
    """The list as csv that Excel reads: with a byte order mark, and texts that begin like a formula made texts. Raises Invalid when too long."""
    target = io.BytesIO()
    target.write(b"\xef\xbb\xbf")
    lines = io.TextIOWrapper(target, "utf-8", errors="replace", newline="")
    writer = csv.writer(lines)
    columns = _taken(asked)
    writer.writerow([defused(str(column.label)) for column in columns])
    for row, told in _all(session, spec, person, asked, at):
        writer.writerow([_plain(column.told(row, told)) for column in columns])
    lines.flush()
    lines.detach()
    target.seek(0)
    return target


def defused(text: str) -> str:
    """The text, never a formula: an apostrophe before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA[:4]) else text


def _taken(asked: Asked) -> list[Column]:
    return [column for column in asked.columns if column.exported]


def _name(spec: ListSpec) -> str:
    """A sheet's name: Excel refuses some signs and more than 31 letters."""
    return "".join(sign for sign in str(spec.title) if sign not in "[]:*?/\\'")[:28] or spec.name


def _all(session: Session, spec: ListSpec, person: Identity, asked: Asked, at: datetime) -> Iterator[Pair]:
    if asked.cut:
        raise Invalid(_("More than %(count)s rows fit what you search for. Type more of it, and export again.", count=f"{search.IN_LIST:,}"))
    for number, pair in enumerate(each(session, spec, person, asked, at=at, most=MOST + 1)):
        if number == MOST:
            raise Invalid(_("The list is longer than %(count)s rows, more than one file holds. Narrow it and export again.", count=f"{MOST:,}"))
        yield pair


def _head(column: Column) -> sheet.Column:
    return sheet.Column(str(column.label), SHEET.get(column.kind, "text"), lambda pair: _cell(column, pair), max(10, (column.width or 280) // 7))


def _cell(column: Column, pair: Pair) -> Any:
    value = column.told(*pair)
    if isinstance(value, datetime):
        return clock.local(value)
    return str(value) if value is not None and column.kind not in SHEET else value


def _plain(value: Any) -> str:
    """The value as a cell of a text file; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{clock.local(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Decimal | int | date):
        return str(value)
    return defused(str(value).replace("\x00", ""))
