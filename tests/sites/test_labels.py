"""Labels: the code says what it must, each stands in its place, and no word runs out of its label."""

import re
import zlib

import pytest

from service.sites import labels
from service.sites.labels import SHEETS, Label

ADDRESS = "https://desk.example.com/d/0123456789abcdef"
LABEL = Label(ADDRESS, "热敏打印机 ZT411", "DEV-0001", "SN0001", "热线 400 820 1234")


def pages(made: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", made))


def streams(made: bytes) -> bytes:
    import base64

    parts = re.findall(rb"stream\r?\n(.*?)endstream", made, re.S)
    return b"".join(zlib.decompress(base64.a85decode(part.strip().removesuffix(b"~>"))) for part in parts)


@pytest.mark.parametrize("code", SHEETS)
def test_no_label_leaves_its_page_and_none_lies_on_another(code: str) -> None:
    sheet = SHEETS[code]
    assert sheet.left + sheet.columns * sheet.width + (sheet.columns - 1) * sheet.gap <= sheet.page[0] + 0.01
    assert sheet.top + sheet.rows * sheet.height <= sheet.page[1] + 0.01


@pytest.mark.parametrize(("count", "skip", "wanted"), [(1, 0, 1), (24, 0, 1), (25, 0, 2), (24, 1, 2)])
def test_a_sheet_has_as_many_pages_as_it_needs(count: int, skip: int, wanted: int) -> None:
    assert pages(labels.pdf([LABEL] * count, SHEETS["3x8"], skip=skip)) == wanted


def test_a_roll_has_a_page_a_label_of_its_own_size() -> None:
    made = labels.pdf([LABEL] * 3, SHEETS["60x40"])
    assert pages(made) == 3 and b"/MediaBox [ 0 0 170.0787 113.3858 ]" in made


def test_chinese_words_need_no_font_of_ours() -> None:
    made = labels.pdf([LABEL], SHEETS["3x8"])
    assert b"/STSong-Light" in made and b"/FontFile" not in made and len(made) < 20_000


@pytest.mark.parametrize("name", ["热敏打印机" * 40, "Thermal transfer printer of the large kind " * 8, "🚧🚧🚧", "مركز", "", "=cmd|'/C calc'!A0", "a"])
@pytest.mark.parametrize("code", SHEETS)
def test_any_name_finds_room(name: str, code: str) -> None:
    made = labels.pdf([Label(ADDRESS, name, "DEV-" + "9" * 60, "S" * 200, "400 " * 10)], SHEETS[code])
    assert pages(made) == 1


def test_a_hotline_is_whole_on_the_smallest_label() -> None:
    small = Label(ADDRESS, "ZT411", "DEV202611230001", "SN1", "Hotline 400-820-8820", "400-820-8820")
    large, tiny = (streams(labels.pdf([small], SHEETS[code])) for code in ("3x8", "40x30"))
    assert b"(Hotline 400-820-8820)" in large and b"(400-820-8820)" in tiny


def test_a_name_breaks_between_words_and_what_is_left_is_cut() -> None:
    lines = labels.wrapped("Thermal transfer printer", 10, 90, 2)
    assert lines == ["Thermal transfer", "printer"]
    assert labels.cut("热敏打印机热敏打印机", labels.CHINESE, 10, 55).endswith("…")
    assert labels.cut("short", labels.LATIN, 10, 100) == "short"


def test_the_code_is_drawn_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = labels.matrix(ADDRESS)
    assert len(rows) == len(rows[0]) and len(rows) in (29, 33)
    assert rows[0][:7] == [True] * 7 and rows[1][:7] == [True] + [False] * 5 + [True]  # the finder in its corner
    dark = sum(len(list(labels._runs(row))) for row in rows)
    assert streams(labels.pdf([LABEL], SHEETS["3x8"])).count(b" re") == dark
