"""Rows to a workbook as they are read: flat memory, and no text becomes a formula, a link or a number."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

from service.core import clock

FORMATS = {
    "text": {},
    "whole": {"num_format": "#,##0"},
    "seconds": {"num_format": "0.0"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"},
}


@dataclass(frozen=True)
class Column:
    """One column: its head, its kind (text, whole, seconds, moment), its value of a row, and its width in characters."""

    head: str
    kind: str
    value: Callable[[Any], Any]
    width: int = 14


def write(target: IO[bytes], name: str, columns: Sequence[Column], rows: Iterable[Any]) -> int:
    """The rows stand on one sheet under their heads; returns how many. Moments are in the firm's zone."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(target, options)
    formats = {kind: book.add_format({"font_name": "Arial", "font_size": 10} | more) for kind, more in FORMATS.items()}
    head = book.add_format({"font_name": "Arial", "font_size": 10, "bold": True, "bg_color": "#F0F2F6"})
    sheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width)
        sheet.write_string(0, at, column.head, head)
    count = 0
    for count, row in enumerate(rows, 1):
        for at, column in enumerate(columns):
            _cell(sheet, count, at, column.value(row), formats[column.kind])
    book.close()
    return count


def _cell(sheet: Any, row: int, at: int, value: Any, form: Any) -> None:
    if isinstance(value, datetime):
        sheet.write_datetime(row, at, clock.local(value).replace(tzinfo=None), form)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        sheet.write_number(row, at, float(value), form)
    elif value is not None:
        sheet.write_string(row, at, str(value)[:32000], form)
