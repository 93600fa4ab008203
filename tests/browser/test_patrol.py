"""An inspector with a phone: position, pictures, a link that is lost, and the office that sees it at once."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from service.core import attachments, db, scope
from service.maintenance.patrols.model import PatrolVisit
from tests import make

HERE = {"latitude": 31.2304161, "longitude": 121.4737012, "accuracy": 12.4}


@pytest.fixture
def place(firm: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        firm.site = make.site(work, firm.pudong, name="一号楼机房", party_id=make.party(work, firm.pudong).id).id
    return firm


def shot() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "blue").save(out, "JPEG")
    return {"name": "门口.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def kept() -> list[PatrolVisit]:
    with db.begin(scope.ALL) as work:
        return list(work.scalars(select(PatrolVisit)))


def test_a_patrol_that_was_lost_on_the_way_is_sent_again_and_is_one(opened: Any, place: SimpleNamespace) -> None:
    office = opened().sign_in("cleo")
    office.go("/maintenance/patrols")
    wang = opened(390, 844, permissions=["geolocation"], geolocation=HERE).sign_in("wang")
    wang.go(f"/maintenance/patrols/new?site={place.site}")
    wang.page.click("[data-locate]")
    wang.until("document.querySelector('[name=accuracy]').value === '12'")
    wang.page.set_input_files("#picture", [shot(), shot()])
    wang.page.fill("#findings", "机柜风扇有异响")
    wang.page.check("[name=faulty][value='1']", force=True)
    wang.page.route("**/maintenance/patrols", lambda route: (route.fetch(), route.abort()))  # it arrives, and the answer does not
    wang.page.click("[data-key=submit]")
    wang.until("!document.querySelector('[data-refusal]').hidden")
    assert wang.page.input_value("#findings") == "机柜风扇有异响" and len(kept()) == 1
    wang.faults.clear()  # of the lost link
    wang.page.unroute("**/maintenance/patrols")
    wang.page.click("[data-key=submit]")
    wang.page.wait_for_url("**/maintenance/patrols/mine")
    (row,) = kept()
    assert row.faulty and row.accuracy == 12 and row.ticket_id
    with db.begin(scope.ALL) as work:
        assert len(attachments.of(work, "patrol", row.id)) == 2
    office.page.get_by_text("机柜风扇有异响").first.wait_for()  # nobody loaded the page again


def test_a_browser_that_tells_no_position_says_so_and_the_patrol_is_sent(opened: Any, place: SimpleNamespace) -> None:
    wang = opened(390, 844).sign_in("wang")
    wang.go(f"/maintenance/patrols/new?site={place.site}")
    wang.page.click("[data-locate]")
    wang.until("document.querySelector('[data-locate-hint]').textContent.includes('does not tell its position')")
    wang.page.fill("#findings", "一切正常")
    wang.page.click("[data-key=submit]")
    wang.page.wait_for_url("**/maintenance/patrols/mine")
    assert [row.latitude for row in kept()] == [None]
