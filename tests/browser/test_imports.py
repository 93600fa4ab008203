"""A table in the browser: chosen, told, checked, loaded while the page says how far, its bad rows taken along, mended, taken back."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from sqlalchemy import func, select

from service.core import db, jobs, scope
from service.devices.model import Device
from tests.browser.site import Person
from tests.imports.files import book, lines

pytestmark = pytest.mark.browser
HEADS = ("客户", "设备名称", "型号", "序列号", "质保到期")
Opened = Callable[..., Person]


@pytest.fixture
def worker(database: db.Database) -> Iterator[None]:
    """Somebody does the jobs."""
    stop = threading.Event()
    thread = threading.Thread(target=jobs.Worker(database.app, "test").run, args=(stop, 0.1))
    thread.start()
    yield
    stop.set()
    thread.join(30)


@pytest.fixture
def root(firm: SimpleNamespace, opened: Opened, worker: None) -> Person:
    person = opened().sign_in("root")
    person.page.set_default_timeout(60_000)
    return person


def bring(root: Person, path: Path, target: str = "devices") -> None:
    root.go(f"/settings/imports?target={target}")
    root.page.set_input_files("[data-drop] input", str(path))
    root.page.click("[data-bring] button.primary")


def count() -> int:
    with db.begin(scope.ALL) as session:
        return session.scalar(select(func.count()).select_from(Device)) or 0


def test_devices_are_imported_their_bad_rows_mended_and_all_taken_back(root: Person, firm: SimpleNamespace, tmp_path: Path) -> None:
    rows = [[firm.customer.number, "条码打印机", "ZT411", f"S{n:05d}", "2027/2/28"] for n in range(400)]
    rows[3][0], rows[17][4] = "没有这家", "31/12/2027"
    path, page, before = tmp_path / "设备 2026.xlsx", root.page, count()
    path.write_bytes(book(HEADS, *rows))

    bring(root, path)
    page.wait_for_selector("table.mapping")
    page.click("form[action$='/check'] button.primary")
    page.wait_for_selector("form[action$='/load']")
    assert page.locator("dl.tally dd").all_inner_texts() == ["400", "398", "0", "0", "2"]
    said = page.locator("table.wrongs tbody").inner_text()
    assert "没有这家" in said and "No customer has this number or exact name." in said and "31/12/2027" in said
    with page.expect_download() as taken:
        page.click("a[href$='errors.xlsx']")
    page.click("form[action$='/load'] button.primary")
    page.wait_for_selector("form[action$='/undo']", state="attached")
    assert count() == before + 398

    taken.value.save_as(tmp_path / "bad.xlsx")
    mended = openpyxl.load_workbook(tmp_path / "bad.xlsx")
    sheet = mended.active
    assert [[cell.value for cell in row][-2] for row in sheet.iter_rows(min_row=2)] == ["5", "19"]
    sheet["A2"], sheet["E3"] = firm.customer.number, "2027-12-31"
    mended.save(tmp_path / "mended.xlsx")
    bring(root, tmp_path / "mended.xlsx")
    page.click("form[action$='/check'] button.primary")
    page.click("form[action$='/load'] button.primary")
    page.wait_for_selector("form[action$='/undo']", state="attached")
    assert count() == before + 400

    page.click("details[data-confirm] summary")
    page.click("details[data-confirm] button")
    page.wait_for_selector("span.badge:text-is('Taken back')")
    assert count() == before + 398


def test_what_cannot_be_read_is_told_where_the_file_was_chosen(root: Person, tmp_path: Path) -> None:
    old = tmp_path / "old.xls"
    old.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000))
    bring(root, old)
    root.page.wait_for_selector("[data-wrong]:not([hidden])")

    assert "Save as" in root.page.inner_text("[data-wrong]")
    assert any("422" in fault for fault in root.faults)
    root.faults.clear()


@pytest.mark.parametrize("name", ["<b>x</b>.csv", "名" * 80 + ".csv", "\u202efdp.csv"])
def test_strange_names_and_values_break_no_page(name: str, root: Person, tmp_path: Path) -> None:
    path = tmp_path / name.replace("/", "_")
    path.write_bytes(lines(("客户名称", "电话"), ("=cmd|'/C calc'!A0", "1"), ("😀" * 300, "13800001111"), ("<script>alert(1)</script>", "2")))
    bring(root, path, "parties")
    root.page.click("form[action$='/check'] button.primary")
    root.page.wait_for_selector("table.wrongs")

    assert "600" in root.page.inner_text("table.wrongs") or "300 letters" in root.page.inner_text("table.wrongs")
    assert root.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
