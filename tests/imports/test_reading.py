"""What people bring is read as they meant it, or refused with a sentence: encodings, sheets, merged cells, formulas, floats, bombs."""

import io
import time
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from service.core.intake import files, values
from service.core.intake.target import Field
from service.core.intake.unreadable import Unreadable
from service.imports import words
from tests.imports.files import book, lines

ROWS = (("客户名称", "电话"), ("上海恒通物流", "13812341001"), ("苏州精工（集团）", "0512-62345678"))


def read(tmp_path: Path, content: bytes, **how: Any) -> list[list[str]]:
    path = tmp_path / "brought"
    path.write_bytes(content)
    return [cells for _line, cells in files.opened(path, **how).rows() if any(cells)]


def refused(tmp_path: Path, content: bytes, **how: Any) -> str:
    with pytest.raises(Unreadable) as told:
        read(tmp_path, content, **how)
    assert told.value.code in words.UNREADABLE
    assert "%(" not in words.unreadable(told.value.code, told.value.facts)
    return told.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_text_is_read_in_every_usual_encoding(encoding: str, sign: str, tmp_path: Path) -> None:
    if encoding in ("utf-16-le", "utf-16-be"):  # without a mark it is known by the zeros of latin letters
        rows = (("customer", "phone"), ("Hengtong Logistics", "13812341001"))
        assert read(tmp_path, lines(*rows, encoding=encoding, sign=sign)) == [list(row) for row in rows]
        return
    assert read(tmp_path, lines(*ROWS, encoding=encoding, sign=sign)) == [list(row) for row in ROWS]


def test_text_that_is_in_no_encoding_is_refused_and_a_chosen_one_is_taken(tmp_path: Path) -> None:
    assert refused(tmp_path, b"name,phone\n\xff\xfe\xfd\x80,1\n") == "encoding"
    assert refused(tmp_path, lines(*ROWS, encoding="gbk"), encoding="utf-8") == "not_in"
    assert read(tmp_path, "客戶,電話\n恆通,1".encode("big5"), encoding="big5")[1] == ["恆通", "1"]


@pytest.mark.parametrize(("content", "code"), [
    (b"", "empty"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_excel"),
    (b"PK\x03\x04" + bytes(200), "broken"),
    (b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0d", "no_text"),
    (b'name,phone\n"never closed, 1\n' + b"x,y\n" * 20_000, "quote"),
])
def test_what_is_no_table_is_refused_in_words(content: bytes, code: str, tmp_path: Path) -> None:
    assert refused(tmp_path, content) == code


def test_a_workbook_that_unpacks_without_end_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/workbook.xml", "<workbook/>")
        with out.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(800):
                part.write(b" " * (1 << 20))
    begin = time.monotonic()

    assert refused(tmp_path, packed.getvalue()) == "bomb"
    assert time.monotonic() - begin < 2


def test_a_cell_at_the_far_corner_is_refused_and_takes_no_memory(tmp_path: Path) -> None:
    far, wide = openpyxl.Workbook(), openpyxl.Workbook()
    far.active["A1"], far.active["T1048000"] = "name", "x"
    wide.active["A1"], wide.active["XFD2"] = "name", "x"
    for made, code in ((far, "sparse"), (wide, "wide")):
        out = io.BytesIO()
        made.save(out)
        assert refused(tmp_path, out.getvalue()) == code


def test_merged_cells_have_the_value_of_their_area(tmp_path: Path) -> None:
    content = book(("设备清单", None), ("客户", "序列号"), ("恒通", "A1"), (None, "A2"), (None, "A3"), ("精工", "B1"), merged=("A1:B1", "A3:A5"))

    assert read(tmp_path, content)[2:] == [["恒通", "A1"], ["恒通", "A2"], ["恒通", "A3"], ["精工", "B1"]]


def test_numbers_days_and_formulas_are_what_the_reader_of_the_sheet_sees(tmp_path: Path) -> None:
    import xlsxwriter

    out = io.BytesIO()
    made = xlsxwriter.Workbook(out)
    page = made.add_worksheet()
    page.write_row(0, 0, ["a", "b", "c", "d", "e"])
    page.write_number(1, 0, 13812341001.0)
    page.write_formula(1, 1, '="恒"&"通"', None, "恒通")
    page.write_string(1, 2, "=cmd|'/c calc'!A0")
    page.write_datetime(1, 3, datetime(2026, 11, 26), made.add_format({"num_format": "yyyy/m/d"}))
    page.write_number(1, 4, 123456789012345678)
    made.close()

    assert read(tmp_path, out.getvalue())[1] == ["13812341001", "恒通", "=cmd|'/c calc'!A0", "2026-11-26", "1.234568e+17"]


def test_the_sheet_can_be_chosen_and_hidden_ones_are_not_offered(tmp_path: Path) -> None:
    path = tmp_path / "brought"
    made = openpyxl.Workbook()
    made.active.title = "说明"
    made.create_sheet("数据").append(["客户", "电话"])
    made.create_sheet("内部").sheet_state = "hidden"
    made.save(path)

    found = files.opened(path, sheet="数据")
    assert (found.sheets, found.sheet) == (("说明", "数据"), "数据")


@pytest.mark.parametrize("typed", ["2026-11-26", "2026/11/26", "2026.11.26", "20261126", "2026年11月26日", "2026-11-26 08:30:00", "46352", "46352.5", "２０２６／１１／２６", " 2026-11-26 "])
def test_days_are_read_however_they_are_written(typed: str) -> None:
    assert values.read(Field("d", "", "day"), typed) == (date(2026, 11, 26).isoformat(), None)


@pytest.mark.parametrize(("kind", "typed", "code"), [
    ("day", "26/11/2026", "day"), ("day", "明天", "day"), ("day", "2026-02-30", "no_such_day"), ("day", "0026-01-01", "no_such_day"),
    ("phones", "1.38E+10", "phone_rounded"), ("phones", "wang", "phone"), ("code", "1.234568e+17", "rounded"),
    ("whole", "-1", "whole"), ("whole", "many", "whole"), ("mail", "wang at home", "mail"), ("text", "长" * 300, "long"), ("choice", "vip2", "choice"),
])
def test_what_is_no_such_value_is_told_by_its_kind(kind: str, typed: str, code: str) -> None:
    value, wrong = values.read(Field("f", "", kind, choices={"vip": ("VIP",)}), typed)

    assert value is None and wrong is not None and wrong.code == code and code in words.CELL


@pytest.mark.parametrize(("kind", "typed", "value"), [
    ("phones", "13812341001.0", ["13812341001"]), ("phones", "138 1234 1001；021-62345678/13812341001", ["138 1234 1001", "021-62345678"]),
    ("code", "12345678.0", "12345678"), ("code", "00123", "00123"), ("whole", "30.0", 30), ("choice", " ｖｉｐ ", "vip"),
    ("text", "  =cmd|' /C calc'!A0 ", "=cmd|' /C calc'!A0"), ("text", "\u202eمرحبا 😀", "\u202eمرحبا 😀"), ("text", "a\x00b\ud800", "a b"),
])
def test_what_excel_made_of_a_value_is_mended(kind: str, typed: str, value: object) -> None:
    assert values.read(Field("f", "", kind, choices={"vip": ("VIP",)}), typed) == (value, None)


def test_headings_below_a_title_are_found(tmp_path: Path) -> None:
    path = tmp_path / "brought"
    path.write_bytes(book(("2026 年客户表",), (), ("客户名称", "电话", None), ("恒通", "1")))

    assert files.header(files.opened(path), lambda cell: cell in ("客户名称", "电话")) == (3, ["客户名称", "电话"])
