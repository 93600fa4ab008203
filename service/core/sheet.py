"""Workbooks as they are read, row by row: flat memory, and no text becomes a formula, a link or a number."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

import xlsxwriter

# A sheet of Excel's ends at 1,048,576 rows; the head takes one.
SHEET_ROWS = 1_000_000
# Excel keeps 15 digits; an amount past 13 before the point would lose cents, so it goes out as text.
LARGEST = Decimal(10) ** 13


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its head, its kind (text, whole, amount, seconds, day, moment, percent) and its value of a row."""

    head: str
    kind: str
    value: Callable[[Any], Any]
    width: int = 14


class Book:
    """One workbook being written, row by row."""

    def __init__(self, target: IO[bytes]) -> None:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
                   "default_date_format": "yyyy-mm-dd"}
        self.book = xlsxwriter.Workbook(target, options)
        self.book.set_properties({"title": "Ringdesk", "author": "", "comments": ""})
        plain: dict[str, Any] = {"font_name": "Arial", "font_size": 10}
        kinds: dict[str, dict[str, Any]] = {
            "text": {}, "head": {"bold": True, "bg_color": "#F0F2F6", "bottom": 1, "bottom_color": "#C9D0DB"},
            "title": {"bold": True, "font_size": 14}, "bold": {"bold": True}, "muted": {"font_color": "#5A6577"}, "wrong": {"bold": True, "font_color": "#CC4208"},
            "whole": {"num_format": "#,##0"}, "amount": {"num_format": "#,##0.00"}, "seconds": {"num_format": "0.0"},
            "day": {"num_format": "yyyy-mm-dd"}, "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"}, "percent": {"num_format": "0.0%"},
        }
        self.formats = {name: self.book.add_format(plain | more) for name, more in kinds.items()}

    def close(self) -> None:
        """The file is complete."""
        self.book.close()

    def sheet(self, name: str, columns: Sequence[Column], rows: Iterable[Any]) -> int:
        """The rows stand on one sheet, or on several when they are too many for one; returns their number."""
        written, part, sheet = 0, 0, None
        for row in rows:
            if written % SHEET_ROWS == 0:
                part += 1
                sheet = self._begin(name if part == 1 else f"{name} {part}", columns)
            assert sheet is not None
            for index, column in enumerate(columns):
                self._cell(sheet, written % SHEET_ROWS + 1, index, column.kind, column.value(row))
            written += 1
        if sheet is None:
            self._begin(name, columns)
        return written

    def _begin(self, name: str, columns: Sequence[Column]) -> Any:
        sheet = self.book.add_worksheet(name)
        sheet.freeze_panes(1, 1)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
        for index, column in enumerate(columns):
            sheet.write_string(0, index, column.head, self.formats["head"])
        return sheet

    def _cell(self, sheet: Any, row: int, column: int, kind: str, value: Any) -> None:
        """Each kind has its own writer; text is never looked at twice, so no formula can come of it."""
        style = self.formats[kind]
        if value is None:
            return
        if isinstance(value, Decimal | int) and abs(Decimal(value)) >= LARGEST:
            sheet.write_string(row, column, f"{value:,}", self.formats["text"])
        elif kind == "text":
            sheet.write_string(row, column, clean(str(value)), style)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), style)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, style)
        else:
            sheet.write_number(row, column, value, style)

    def lines(self, name: str, rows: Sequence[Sequence[tuple[Any, str]]], widths: Sequence[int]) -> None:
        """A sheet of free lines; each cell is (value, kind)."""
        sheet = self.book.add_worksheet(name)
        for index, width in enumerate(widths):
            sheet.set_column(index, index, width)
        for number, row in enumerate(rows):
            for index, (value, kind) in enumerate(row):
                if kind in ("title", "bold", "head", "muted", "wrong"):
                    sheet.write_string(number, index, clean(str(value)), self.formats[kind])
                else:
                    self._cell(sheet, number, index, kind, value)


def clean(text: str) -> str:
    """Signs that XML cannot carry are shown as a box, and 32,767 is as long as a cell may be."""
    kept = "".join(sign if sign >= " " or sign in "\t\n" else "�" for sign in text)
    return kept.replace("￾", "�").replace("￿", "�")[:32767]
