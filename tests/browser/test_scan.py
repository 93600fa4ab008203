"""What a label says, read in a real browser: from a photo and from a scanner that types; and what else is entered at the place."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from service.core import db, scope
from service.sites import labels
from tests import make

pytestmark = pytest.mark.browser


@pytest.fixture
def place(firm: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        customer = work.merge(firm.customer)
        site = make.site(work, firm.pudong, party_id=customer.id, name="一号楼机房")
        device = make.device(work, customer, site_id=site.id)
    return SimpleNamespace(**vars(firm), site=site, device=device)


def photo(text: str, path: Path, *, angle: float = 0) -> str:
    """A photo of the label: the code on a grey wall, a little askew."""
    rows, unit = labels.matrix(text), 9
    code = Image.new("L", ((len(rows) + 8) * unit,) * 2, 255)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                code.paste(0, ((x + 4) * unit, (y + 4) * unit, (x + 5) * unit, (y + 5) * unit))
    wall = Image.new("L", (2400, 1800), 170)
    wall.paste(code, (900, 700))
    wall.rotate(angle, fillcolor=170).save(path, "JPEG", quality=60)
    return str(path)


@pytest.mark.parametrize("angle", [0, 17])
def test_a_photo_of_a_label_leads_to_its_device(angle: float, opened: Any, place: SimpleNamespace, tmp_path: Path) -> None:
    ada = opened(390, 844).sign_in("ada")
    ada.go("/scan")
    ada.page.set_input_files("[data-photo]", photo(f"https://desk.example.com/d/{place.device.code}", tmp_path / "label.jpg", angle=angle))
    ada.page.wait_for_url(f"**/d/{place.device.code}")
    assert place.device.number in ada.page.content() and ada.wide() == 0
    ada.page.click("a[href^='/tickets/new']")
    assert ada.page.locator("[name=device_id]:checked, select[name=device_id]").first.input_value() == str(place.device.id)


def test_a_photo_without_a_code_says_so(opened: Any, place: SimpleNamespace, tmp_path: Path) -> None:
    ada = opened().sign_in("ada")
    ada.go("/scan")
    Image.new("RGB", (800, 600), "grey").save(tmp_path / "wall.jpg")
    ada.page.set_input_files("[data-photo]", str(tmp_path / "wall.jpg"))
    ada.until("document.querySelector('[data-scan-hint]').textContent.includes('No code was found')")
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    ada.page.set_input_files("[data-photo]", str(tmp_path / "text.jpg"))
    ada.until("document.querySelector('[data-scan-hint]').textContent.includes('no photo')")


def test_a_scanner_that_types_and_presses_enter_leads_to_the_device(opened: Any, place: SimpleNamespace) -> None:
    ada = opened().sign_in("ada")
    ada.go("/scan")
    ada.page.keyboard.type(place.device.serial)  # the field has the focus already
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_url(f"**/d/{place.device.code}")


def test_a_position_is_taken_or_its_refusal_told(opened: Any, place: SimpleNamespace) -> None:
    ada = opened(390, 844, permissions=["geolocation"], geolocation={"latitude": 31.2304161, "longitude": 121.4737012}).sign_in("ada")
    ada.go("/sites/new")
    ada.page.click("[data-locate]")
    ada.until("document.querySelector('[name=latitude]').value === '31.230416'")
    assert ada.page.input_value("[name=longitude]") == "121.473701"
    ada.go(f"/sites/{place.site.id}")
    ada.page.click("[data-locate]")
    ada.page.get_by_text("31.230416, 121.473701").wait_for()

    ben = opened().sign_in("ben")
    ben.go("/sites/new")
    ben.page.click("[data-locate]")
    ben.until("document.querySelector('[data-locate-hint]').textContent.includes('does not tell its position')")


def test_a_picture_is_sent_as_soon_as_it_is_chosen_and_shown_to_those_who_may(opened: Any, place: SimpleNamespace) -> None:
    out = io.BytesIO()
    Image.new("RGB", (1200, 900), "blue").save(out, "JPEG")
    ada = opened().sign_in("ada")
    ada.go(f"/sites/{place.site.id}")
    ada.page.set_input_files("#picture", {"name": "门口.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})
    image = ada.page.locator(".pictures img")
    image.wait_for()
    ada.until("document.querySelector('.pictures img').naturalWidth === 480")
    address = image.get_attribute("src")
    assert address and ada.page.request.get(ada.site.url + address.removesuffix("/small")).headers["content-type"] == "image/jpeg"
    stranger = opened()
    assert stranger.context.request.get(stranger.site.url + address).status == 401
    assert ada.page.request.get(ada.site.url + "/media/pictures/999999").status == 404


def test_the_customer_of_a_site_is_found_by_a_few_letters(opened: Any, place: SimpleNamespace) -> None:
    ada = opened().sign_in("ada")
    ada.go("/sites/new")
    ada.page.fill("#name", "新站")
    ada.page.locator("#find-party_id").press_sequentially("恒通")
    ada.page.locator("#hits-party_id label").first.click()
    ada.page.click("form[data-place] button[type=submit]")
    ada.page.wait_for_url(lambda url: "/sites/" in url and "new" not in url)
    assert place.customer.name in ada.page.content()
