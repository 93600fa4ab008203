"""Each screen at each width, in both languages and both themes: nothing complains, nothing spills over the edge."""

import base64
import io
import math
import struct
import wave
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from recordings import vault
from service.calls import actions as calls
from service.calls.schemas import LegFacts
from service.core import clock, db, scope
from service.core.config import Settings
from tests import make
from tests.browser import scene
from tests.browser.site import WIDTHS, Person

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
PEAKS = base64.b64encode(bytes(range(0, 240, 2))).decode()
LOOKS = [("en", "light"), ("zh_Hans_CN", "dark")]


def tone(seconds: int) -> bytes:
    """A quiet hum as a telephone records it."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(i / 5))) for i in range(8000 * seconds)))
    return sound.getvalue()


@pytest.fixture
def firm(committed_cast: SimpleNamespace, settings: Settings) -> SimpleNamespace:
    """A customer with long names, a recorded call with two legs, and a ticket linked to it."""
    now = clock.now()
    with db.begin(scope.ALL) as work:
        name = "上海恒通国际物流与供应链管理服务有限责任公司浦东分公司"
        customer = make.party(work, committed_cast.pudong, name, grade="vip", address="张江路 688 号 " * 4)
        make.phone(work, customer, "13800001001", make.contact(work, customer))
        make.device(work, customer, name="A rather long device name that nobody shortens", model="ZT411-203-DPI")
        make.invoice(work, customer, "1234567.89", now.date(), now.date() - timedelta(days=40), now)
        legs = tuple(
            LegFacts(no, f"PJSIP/{number}-1", number, None, now, now, now + timedelta(seconds=60), outcome)
            for no, number, outcome in ((1, "1002", "no-answer"), (2, "1001", "answered"))
        )
        call = make.call(work, now - timedelta(minutes=5), legs=legs)
        ticket = make.ticket(work, customer, committed_cast.ada, now, subject="Long words " * 12, priority="urgent")
        sealed = vault.of(settings).put(io.BytesIO(tone(12)))
        recording = calls.recording_found(
            work, switch="pbx1", uniqueid=call.call_key, segment=0, path=sealed.key, sha256=sealed.sha256,
            size=sealed.size, seconds=Decimal(12), form="wav", at=now, wave=PEAKS, silences=[[3.0, 2.0]],
        )  # fmt: skip
    made = {"call": call.id, "ticket": ticket.id, "party": customer.id, "recording": recording}
    return SimpleNamespace(**vars(committed_cast), **made)


def dressed(person: str, locale: str, theme: str) -> None:
    with db.begin(scope.ALL) as work:
        work.execute(
            text("update staff set locale = :locale, theme = :theme where username = :name"),
            {"locale": locale, "theme": theme, "name": person},
        )


@pytest.mark.parametrize(("locale", "theme"), LOOKS)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_screen_complains_or_spills(
    width: int, locale: str, theme: str, firm: SimpleNamespace, opened: Opened
) -> None:
    dressed("cleo", locale, theme)
    cleo = opened(width, 800).sign_in("cleo")
    paths = [
        *("/desk", "/tickets?view=all", "/tickets?view=all&q=nothing", "/tickets/new", "/calls", "/customers?q=恒通"),
        *("/dashboards/calls", "/dashboards/sla", "/dashboards/staffing"),
        *(f"/tickets/{firm.ticket}", f"/calls/{firm.call}", f"/customers/{firm.party}", "/nights", "/recordings"),
    ]
    spilled = {}
    for path in paths:
        cleo.go(path)
        cleo.page.wait_for_timeout(60)
        spilled[path] = max(cleo.wide(), cleo.deep())
    assert {path: over for path, over in spilled.items() if over > 0} == {}
    assert cleo.page.get_attribute("html", "data-bs-theme") == theme
    assert cleo.page.get_attribute("html", "lang") == ("en" if locale == "en" else "zh-Hans")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_desk_with_calls_keeps_its_width(width: int, firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened(width, 800).sign_in("ada")
    ada.go("/desk")
    scene.rings("1795331797.1")
    ada.page.wait_for_selector("article.pop .pop-details .who")
    scene.rings("1795331797.2", caller_number="1" * 60, caller_name="n" * 300)
    ada.page.wait_for_selector("article.pop >> nth=1")
    assert ada.wide() == 0
    ada.page.keyboard.press("F2")
    ada.page.wait_for_selector("[name=subject]")
    assert ada.wide() == 0


def test_the_sign_in_stands_at_each_width_and_speaks_both_languages(opened: Opened) -> None:
    for width in WIDTHS:
        visitor = opened(width, 800)
        visitor.go("/sign-in")
        visitor.page.click("button[lang=zh-Hans]")
        visitor.page.wait_for_selector("h2 >> text=登录")
        visitor.page.click("button[lang=en]")
        visitor.page.wait_for_selector("h2 >> text=Sign in")
        assert visitor.wide() == 0


def test_a_wrong_password_is_answered_in_one_sentence(committed_cast: SimpleNamespace, opened: Opened) -> None:
    visitor = opened()
    visitor.go("/sign-in")
    visitor.page.fill("#username", "ada")
    visitor.page.fill("#password", "guess")
    visitor.page.click("button.primary")
    visitor.page.wait_for_selector("#wrong")
    assert visitor.page.input_value("#username") == "ada"


def test_keys_walk_the_list_and_open_a_ticket(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/tickets?view=all")
    ada.page.keyboard.press("j")
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_url(f"**/tickets/{firm.ticket}")
    ada.page.keyboard.press("Control+k")
    ada.page.keyboard.type("恒通")
    ada.page.click("#found a")
    ada.page.wait_for_url(f"**/customers/{firm.party}")


def test_a_ticket_goes_its_way_to_the_close(firm: SimpleNamespace, opened: Opened) -> None:
    cleo = opened().sign_in("cleo")
    cleo.go(f"/tickets/{firm.ticket}")
    cleo.page.select_option("#staff_id", label="Wang")
    cleo.page.click("text=Assign >> visible=true >> nth=-1")
    cleo.page.wait_for_selector(".steps .now >> text=To accept")
    cleo.page.fill("#note", "bring a calliper")
    cleo.page.click("text=Add note")
    cleo.page.wait_for_selector(".timeline >> text=bring a calliper")
    for button, state in (("Accept", "Accepted"), ("Start work", "In progress")):
        cleo.page.click(f"footer >> text={button}")
        cleo.page.wait_for_selector(f".steps .now >> text={state}")
    cleo.page.fill("[name=result]", "roller changed")
    cleo.page.click("footer >> text=Finish")
    cleo.page.wait_for_selector(".steps .now >> text=To settle")
    cleo.page.click("footer >> text=Close")
    cleo.page.wait_for_selector(".steps .now >> text=Closed")
    assert cleo.page.locator(".composer").count() == 0
