"""A manager's way through the boards: a bar opens its calls, a call its page; dates, keys and the workbook say the same."""

import io
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import openpyxl
import pytest

from etl import nightly
from service.core import clock, db, scope
from service.core.config import Settings
from tests import make
from tests.browser.site import Person

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
ROWS = "table.rows tbody tr"


@pytest.fixture
def archived(committed_cast: SimpleNamespace, settings: Settings) -> SimpleNamespace:
    """Yesterday: three answered calls in the queue of repairs, one lost one in that of sales, and a published night."""
    now = clock.now()
    noon = (now - timedelta(days=1)).replace(hour=4, minute=0, second=0, microsecond=0)
    lost = {"disposition": "abandoned", "talk_seconds": None, "agent": None, "answered_by": None}
    with db.begin(scope.ALL) as work:
        make.line(work, committed_cast.pudong, "support", label="Repairs")
        make.line(work, committed_cast.pudong, "sales", label="Sales")
        kept = [make.call(work, noon + timedelta(minutes=n), queue="support").id for n in range(3)]
        sold = make.call(work, noon + timedelta(minutes=9), queue="sales", **lost).id
    assert nightly.run(settings, slot="boards", at=now, full=True).refused is None
    return SimpleNamespace(day=noon.date().isoformat(), kept=kept, sold=sold)


def at_board(opened: Opened, address: str = "/dashboards/calls?p=30") -> Person:
    mei = opened().sign_in("mei")
    mei.go(address)
    mei.page.wait_for_selector(".tile .js-plotly-plot .barlayer")
    return mei


def listed(person: Person) -> set[str]:
    """The calls that the board lists, as links."""
    return {a.get_attribute("href") for a in person.page.locator("table.list a[href^='/calls/']").all()}


def chosen(person: Person, name: str) -> None:
    """The board has been drawn anew for a filter of that name."""
    person.page.wait_for_selector(f".crumbs .chip >> text={name}")


def test_a_bar_opens_its_calls_and_a_call_its_page(archived: SimpleNamespace, opened: Opened) -> None:
    mei = at_board(opened)
    bar = mei.page.locator(".tile", has_text="By queue").locator(".barlayer .point path").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    mei.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mei.page.wait_for_selector(".crumbs .chip")
    assert "drill=queue" in mei.page.url
    assert listed(mei) in ({f"/calls/{n}" for n in archived.kept}, {f"/calls/{archived.sold}"})

    mei.page.locator("table.list a[href^='/calls/']").first.click()
    mei.page.wait_for_selector("[data-call]")
    mei.page.go_back()
    mei.page.wait_for_selector(".crumbs .chip")


def test_the_table_behind_a_chart_drills_by_keyboard(archived: SimpleNamespace, opened: Opened) -> None:
    mei = at_board(opened)
    tile = mei.page.locator(".tile", has_text="By queue")
    tile.locator("summary", has_text="Table").focus()
    mei.page.keyboard.press("Enter")
    tile.locator("table.mini a", has_text="Sales").focus()
    mei.page.keyboard.press("Enter")
    chosen(mei, "Sales")
    assert listed(mei) == {f"/calls/{archived.sold}"}


def test_the_days_are_set_in_the_page_and_the_workbook_has_the_same_calls(
    archived: SimpleNamespace, opened: Opened
) -> None:
    mei = at_board(opened)
    mei.page.fill("#day-from", archived.day)
    mei.page.keyboard.press("Enter")
    mei.page.wait_for_url(f"**from={archived.day}**")
    mei.page.wait_for_selector("table.list a[href^='/calls/']")
    shown = listed(mei)
    assert shown == {f"/calls/{n}" for n in [*archived.kept, archived.sold]}

    with mei.page.expect_download() as kept:
        mei.page.click("#export")
    book = openpyxl.load_workbook(io.BytesIO(kept.value.path().read_bytes()))
    assert {f"/calls/{row[9].value}" for row in book["Calls"].iter_rows(min_row=2)} == shown
