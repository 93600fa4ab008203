"""A manager's way through the boards: a bar opens its calls, a call its page; dates, keys and the workbook say the same."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

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


def at_staffing(opened: Opened, address: str = "/dashboards/staffing") -> Person:
    mei = opened().sign_in("mei")
    mei.go(address)
    mei.page.wait_for_selector(".tile .js-plotly-plot .heatmaplayer")
    return mei


def field(person: Person, name: str) -> Any:
    """A field of "what if" by the words beside it."""
    return person.page.get_by_label(name)


def most(person: Person) -> str:
    """The figure of the first card: agents at the busiest half hour."""
    return str(person.page.locator(".kpi .value").first.inner_text())


def test_a_supposition_is_in_the_address_and_back_takes_it_off(archived: SimpleNamespace, opened: Opened) -> None:
    mei = at_staffing(opened)
    few = most(mei)
    field(mei, "More calls").fill("900")
    mei.page.keyboard.press("Enter")
    mei.page.wait_for_url("**growth=900**")
    mei.page.wait_for_selector(".whatif >> text=As before")
    assert int(most(mei)) > int(few)

    mei.page.go_back()
    mei.page.wait_for_selector(".whatif >> text=As before", state="detached")
    assert (most(mei), field(mei, "More calls").input_value()) == (few, "0")


def test_what_is_no_number_stays_in_its_field_with_a_sentence(archived: SimpleNamespace, opened: Opened) -> None:
    mei = at_staffing(opened)
    field(mei, "Maximum occupancy").fill("all")
    mei.page.keyboard.press("Enter")
    mei.page.wait_for_selector("[role=alert] >> text=From 30 to 100; reckoned with 85.")
    assert field(mei, "Maximum occupancy").input_value() == "all"


def test_a_half_hour_is_chosen_by_keyboard_and_opens_its_calls(archived: SimpleNamespace, opened: Opened) -> None:
    mei = at_staffing(opened)
    tile = mei.page.locator(".tile", has_text="Agents needed")
    tile.locator("summary", has_text="Table").focus()
    mei.page.keyboard.press("Enter")
    tile.locator("table.mini a", has_text="12:00").focus()
    mei.page.keyboard.press("Enter")
    chosen(mei, "12:00")
    mei.page.locator(".tile", has_text="One fewer, one more").locator("a", has_text="See the 4 calls of one day").click()
    mei.page.wait_for_selector("table.list a[href^='/calls/']")
    assert listed(mei) == {f"/calls/{n}" for n in [*archived.kept, archived.sold]}
    assert mei.page.locator(".board-tabs a[aria-current]").inner_text() == "Calls"


def test_a_cell_of_the_week_chooses_its_half_hour_and_the_workbook_keeps_the_suppositions(
    archived: SimpleNamespace, opened: Opened
) -> None:
    mei = at_staffing(opened, "/dashboards/staffing?growth=900")
    box = mei.page.locator(".tile", has_text="Agents needed").locator(".heatmaplayer image").first.bounding_box()
    day = datetime.fromisoformat(archived.day).weekday()
    mei.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * (day + 0.5) / 7)
    mei.page.wait_for_url(f"**drill=weekday%3A{day}%2Chalf%3A24**")
    assert "growth=900" in mei.page.url

    with mei.page.expect_download() as kept:
        mei.page.click("#export")
    book = openpyxl.load_workbook(io.BytesIO(kept.value.path().read_bytes()))
    (row,) = book["Half hours"].iter_rows(min_row=2, values_only=True)
    assert (row[1], row[3], row[4], str(row[7])) == ("12:00", 4, 40, most(mei))
