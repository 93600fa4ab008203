"""Tables as people bring them, made for one test."""

import io
from collections.abc import Sequence
from typing import Any

import openpyxl


def book(*rows: Sequence[Any], merged: Sequence[str] = (), more: Sequence[str] = ()) -> bytes:
    """A workbook of these rows, with merged areas and further empty sheets."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(list(row))
    for area in merged:
        made.active.merge_cells(area)
    for name in more:
        made.create_sheet(name)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def lines(*rows: Sequence[Any], encoding: str = "utf-8", sign: str = ",") -> bytes:
    """The rows as text with delimiters."""
    return "\r\n".join(sign.join(map(str, row)) for row in rows).encode(encoding)
