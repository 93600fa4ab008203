"""The pop as an agent sees it: at once, in the right browser, and never over half-typed words."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from service.calls import actions as calls
from service.core import clock, db, scope
from service.core.config import Settings
from service.parties.model import Contact, Party, PartyPhone
from service.tickets.model import Ticket, TicketCall
from tests import make
from tests.browser import scene
from tests.browser.site import Person, Site, serving

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]


def card(person: Person, state: str = "") -> object:
    return person.page.locator(f"article.pop{f'[data-state={state}]' if state else ''}")


def at_desk(opened: Opened, username: str = "ada", **more: int) -> Person:
    person = opened(**more).sign_in(username)
    person.go("/desk")
    person.page.wait_for_selector("[data-own-state=ready]")
    return person


def test_it_opens_for_the_agent_whose_phone_rings_and_for_nobody_else(firm: SimpleNamespace, opened: Opened) -> None:
    ada, ben = at_desk(opened), at_desk(opened, "ben")

    scene.rings()

    ada.page.wait_for_selector("article.pop[data-state=ringing]")
    assert "138****1001" in ada.page.inner_text("article.pop .no")
    ada.page.wait_for_selector(".pop-details >> text=上海恒通物流有限公司")
    assert ada.page.inner_text("[data-own-state] [data-f=state]") == "Ringing"
    assert ben.page.locator("article.pop").count() == 0

    scene.answers()
    ada.page.wait_for_selector("article.pop[data-state=talking]")
    scene.hangs_up()
    ada.page.wait_for_selector("article.pop[data-state=ended]")


def test_it_folds_when_ben_answers_leaves_when_the_caller_gives_up_and_comes_back_whole(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    for extension in ("1001", "1002"):
        scene.rings("1795331794.7", extension)
    ada.page.wait_for_selector("article.pop[data-state=ringing]")

    scene.answers("1795331794.7", "1002")

    ada.page.wait_for_selector("article.pop[data-state=answered] >> text=Answered by Ben")
    scene.rings("1795331794.8")
    ada.page.wait_for_selector("article.pop[data-state=ringing]")
    scene.stops("1795331794.8")
    ada.page.wait_for_selector("article.pop[data-state=gone] >> text=The caller gave up")
    ada.page.wait_for_selector("article.pop", state="detached", timeout=20_000)
    assert ada.page.is_visible("[data-idle]")

    scene.rings("1795331794.8")
    ada.page.wait_for_selector("article.pop[data-state=ringing] .pop-details >> text=上海恒通物流有限公司")
    ada.page.wait_for_selector("[data-context]:not([hidden]) >> text=ZT411")


def test_a_half_typed_form_survives_a_second_pop_and_a_reload(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331794.1")
    ada.page.wait_for_selector("article.pop")
    scene.answers("1795331794.1")
    ada.page.keyboard.press("F2")
    ada.page.fill("[name=subject]", "卡纸 half typed")
    ada.page.fill("[name=description]", "line one")

    scene.rings("1795331794.2", caller_number="02162345678")
    ada.page.wait_for_selector("article.pop >> nth=1")
    scene.hangs_up("1795331794.1")
    ada.page.wait_for_selector("article.pop[data-state=ended]")

    assert ada.page.input_value("[name=subject]") == "卡纸 half typed"
    assert ada.page.evaluate("document.activeElement.name") == "description"
    ada.page.reload()
    ada.page.click("[data-tab]:not([data-tab=home])")
    ada.page.wait_for_selector("[name=subject]")
    assert ada.page.input_value("[name=subject]") == "卡纸 half typed"
    assert ada.page.input_value("[name=description]") == "line one"


def test_two_calls_at_once_are_both_shown_and_chosen_between(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    first, second = "1795331794.21", "1795331794.22"
    scene.rings(first)
    scene.answers(first)
    ada.page.wait_for_selector("article.pop.is-current[data-state=talking]")
    scene.rings(second, "801", caller_number="02162345678")  # her second line
    scene.answers(second, "801", caller_number="02162345678")
    ada.page.wait_for_selector("article.pop[data-state=talking] >> nth=1")

    current, other = "article.pop.is-current .no", "article.pop:not(.is-current) .no"
    shown = ada.page.inner_text(current), ada.page.inner_text(other)
    assert sorted(shown) == ["021 *****678", "138****1001"]
    ada.page.click("article.pop:not(.is-current) [data-act=current]")
    ada.until(f"document.querySelector('{current}').textContent === {shown[1]!r}")
    assert ada.page.inner_text(other) == shown[0]
    ada.page.click("article.pop:not(.is-current) [data-act=current]")
    ada.until(f"document.querySelector('{current}').textContent === {shown[0]!r}")


def test_one_key_opens_a_prefilled_ticket_and_one_saves_it_linked(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331794.3")
    ada.page.wait_for_selector("article.pop")

    ada.page.keyboard.press("F2")
    ada.page.wait_for_selector("[name=subject]:focus")
    assert ada.page.input_value("[name=phone]") == "138****1001"
    assert ada.page.input_value("[name=contact_id]") == str(firm.contact.id)
    assert ada.page.is_checked("[name=priority][value=urgent]")
    ada.page.keyboard.type("打印机卡纸")
    ada.page.keyboard.press("Control+Enter")

    ada.page.wait_for_selector("[data-saved]")
    with db.begin(scope.ALL) as work:
        ticket = work.scalars(select(Ticket)).one()
        assert (ticket.subject, ticket.party_id, ticket.channel) == ("打印机卡纸", firm.customer.id, "hotline")
        assert work.scalars(select(TicketCall.call_key)).all() == ["1795331794.3"]
    assert ticket.number in ada.page.inner_text("[data-saved]")
    ada.page.click("[data-saved] [data-act=away]")
    assert ada.page.locator("article.pop").count() == 0


def test_what_is_missing_is_said_at_its_field_and_nothing_typed_is_lost(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331794.4", caller_number=None)
    ada.page.wait_for_selector("article.pop")
    ada.page.keyboard.press("F2")
    ada.page.fill("[name=subject]", "谁打来的")
    ada.page.keyboard.press("Control+Enter")

    ada.page.wait_for_selector("#error-party_id")
    assert ada.page.input_value("[name=subject]") == "谁打来的"
    assert not ada.faults or all("422" in fault for fault in ada.faults)
    ada.faults.clear()  # the browser itself notes the 422


def test_several_matches_are_a_choice_with_reasons(firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        second = make.party(work, firm.pudong, "先锋果业")
        make.phone(work, second, "13800001001")
    ada = at_desk(opened)

    scene.rings("1795331794.5")
    ada.page.wait_for_selector(".option >> nth=1")
    assert "王丽华 · Telephone" in ada.page.inner_text(".option >> nth=0")
    assert "number of the party itself" in ada.page.inner_text(".option >> nth=1")
    ada.page.click(".option >> text=先锋果业")

    ada.page.wait_for_selector(".pop-details .who >> text=先锋果业")
    assert ada.page.locator(".option").count() == 0


def test_an_unknown_number_is_attached_or_a_customer_is_made(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331794.6", caller_number="13912345678")
    ada.page.wait_for_selector("text=This number is not on file")
    ada.page.fill(".pop-details form:has([name=q]) [name=q]", "恒通")
    ada.page.click(".pop-details .option >> text=恒通")
    ada.page.wait_for_selector(".pop-details .who >> text=恒通")
    scene.stops("1795331794.6")

    scene.rings("1795331794.9", caller_number="13787654321")
    ada.page.wait_for_selector("article.pop.is-current >> text=This number is not on file")
    ada.page.fill("article.pop.is-current [name=name]", "新客户 =1+1")
    ada.page.click("article.pop.is-current >> text=Create customer")
    ada.page.wait_for_selector(".pop-details .who >> text=新客户 =1+1")

    with db.begin(scope.ALL) as work:
        owned = dict(work.execute(select(PartyPhone.e164, PartyPhone.party_id)).all())
        made = work.scalars(select(Party.id).where(Party.name == "新客户 =1+1")).one()
    assert owned["+8613912345678"] == firm.customer.id
    assert owned["+8613787654321"] == made


@pytest.mark.parametrize(
    "name", ["<img src=x onerror=document.title='owned'>", "a\r\nb%s'\"", "=cmd|' /C calc'!A0", "x" * 300, "\u202eevil"]
)
def test_what_a_caller_sends_as_a_name_stays_text(name: str, firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331795.1", caller_number="12345", caller_name=name)
    ada.page.wait_for_selector("article.pop .pop-details section, article.pop .section")

    assert ada.page.locator("article.pop img").count() == 0
    assert "owned" not in ada.page.title()
    assert ada.wide() == 0


def test_seven_tabs_share_one_stream(firm: SimpleNamespace, opened: Opened, site: Site) -> None:
    ada = at_desk(opened)
    tabs = [ada.tab("/desk") for _ in range(6)]

    scene.rings("1795331795.2")

    for page in [ada.page, *tabs]:
        page.wait_for_selector("article.pop[data-state=ringing]")
    assert len(site.server.config.app.hub.streams) == 1


def test_away_from_the_desk_the_card_floats_and_f2_leads_to_the_form(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/tickets")
    scene.rings("1795331795.3")

    ada.page.wait_for_selector(".pops.floating article.pop >> text=上海恒通物流有限公司")
    ada.page.keyboard.press("F2")
    ada.page.wait_for_url("**/desk*")
    ada.page.wait_for_selector("[name=subject]")


def test_a_restarted_server_is_noticed_and_nothing_is_missed(
    firm: SimpleNamespace, opened: Opened, settings: Settings, database: db.Database, chromium: object
) -> None:
    with serving(settings, database) as first:
        context = chromium.new_context()  # type: ignore[attr-defined]
        ada = Person(first, context, context.new_page()).sign_in("ada")
        ada.go("/desk")
        ada.page.wait_for_selector("[data-own-state=ready]")
        port = int(first.url.rsplit(":", 1)[1])
    ada.page.wait_for_selector("[data-live-strip]:not([hidden]) >> text=are as of", timeout=15_000)
    assert ada.page.get_attribute("[data-own-state]", "data-own-state") == "offline"

    scene.rings("1795331795.4")
    with serving(settings, database, port):
        ada.page.wait_for_selector("article.pop[data-state=ringing]", timeout=20_000)
        assert ada.page.is_hidden("[data-live-strip]")
        context.close()


def test_the_next_person_at_this_browser_sees_nothing_of_the_last(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331795.5")
    ada.page.wait_for_selector("article.pop")
    ada.page.keyboard.press("F2")
    ada.page.fill("[name=subject]", "Ada's words")
    ada.page.click("summary[aria-label='You and your settings']")
    ada.page.click("[data-sign-out]")
    ada.page.wait_for_url("**/sign-in*")

    ada.sign_in("ben")
    ada.go("/desk")
    ada.page.wait_for_selector("[data-own-state=ready]")
    assert ada.page.locator("article.pop").count() == 0
    assert ada.page.evaluate("Object.keys(sessionStorage).filter(k => k.startsWith('draft')).length") == 0


def test_five_callers_at_once_are_five_pops(firm: SimpleNamespace, opened: Opened) -> None:
    """How soon each is there is measured by bench/pop."""
    ada = at_desk(opened)
    for turn in range(5):
        scene.rings(f"1795331796.{turn}")
        ada.page.wait_for_selector(f"article.pop >> nth={turn}")
    with db.begin(scope.ALL) as work:
        assert work.execute(text("select count(*) from agent_pop")).scalar_one() == 5


def test_a_switch_that_is_not_heard_is_said_until_it_is_heard_again(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    with db.begin(scope.ALL) as work:
        calls.gap_began(work, "pbx1", at=clock.now(), reason="the link was cut")
    ada.page.wait_for_selector("[data-feed-strip]:not([hidden]) >> text=pbx1")
    ada.page.reload()
    ada.page.wait_for_selector("[data-feed-strip]:not([hidden]) >> text=pbx1")
    with db.begin(scope.ALL) as work:
        calls.gap_ended(work, "pbx1", at=clock.now())
    ada.page.wait_for_selector("[data-feed-strip]", state="hidden")


def test_one_click_shows_the_whole_number_in_its_place(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331794.31", caller_number="13911112222")
    ada.page.wait_for_selector("article.pop .pop-details >> text=This number is not on file")
    assert ada.page.locator("output").inner_text() == "139****2222"

    ada.page.click(".pop-acts [data-show-number]")

    ada.until("document.querySelector('article.pop .no').textContent === '139 1111 2222'")
    assert ada.page.locator("output").inner_text() == "139 1111 2222"
    assert not ada.page.locator("[data-show-number]:visible").count()
    scene.answers("1795331794.31", caller_number="13911112222")
    ada.page.wait_for_selector("article.pop[data-state=talking]")
    assert ada.page.inner_text("article.pop .no") == "139 1111 2222"
    with db.begin(scope.ALL) as work:
        assert work.scalars(text("select by_id from audit_entry where verb = 'revealed phone'")).all() == [firm.ada.id]


def test_a_customers_number_is_shown_there_and_stays_covered_elsewhere(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go(f"/customers/{firm.customer.id}")
    ada.page.click("[data-show-number=phone]")
    ada.page.wait_for_selector("text=138 0000 1001")
    ada.page.reload()
    ada.page.wait_for_selector("text=138****1001")


def test_who_sees_whole_numbers_has_nothing_to_click(firm: SimpleNamespace, opened: Opened) -> None:
    cleo = opened().sign_in("cleo")
    cleo.go(f"/customers/{firm.customer.id}")
    cleo.page.wait_for_selector("text=138 0000 1001")
    assert cleo.page.locator("[data-show-number]").count() == 0


def test_a_caller_from_a_site_is_the_customer_and_a_new_contact_is_made_in_the_form_of_the_call(firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        site = make.site(work, firm.pudong, name="一号楼机房", party_id=firm.customer.id, contact="李工", phone="021-6234 5678 转 8")
    ada = at_desk(opened)
    page = ada.page
    scene.rings("1795331794.7", caller_number="+862162345678")
    page.wait_for_selector(".pop-details .who >> text=恒通")
    assert page.get_attribute(".pop-details a[href^='/sites/']", "href") == f"/sites/{site.id}"
    assert "李工" in page.inner_text("article.pop.is-current")

    page.keyboard.press("F2")
    page.fill("[data-panel] [name=subject]", "机房漏水")
    page.click("[data-panel] >> text=New contact")
    page.fill("[data-panel] [name=new_contact]", "周师傅")
    page.click("[data-panel] [data-quick-save]")
    ada.until("document.querySelector('[data-panel] form [name=contact_id]').selectedOptions[0].textContent.includes('周师傅')")
    assert page.input_value("[data-panel] [name=subject]") == "机房漏水"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-saved]")
    with db.begin(scope.ALL) as work:
        ticket = work.scalars(select(Ticket)).one()
        assert work.get_one(Contact, ticket.contact_id).name == "周师傅"
