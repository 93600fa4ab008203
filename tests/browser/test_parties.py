"""Parties under a person's hands: rows are added without losing what is typed, a customer is made inside a ticket, two become one."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from service.core import db, scope
from service.parties import queries
from service.parties.model import Contact, Party
from service.tickets.model import Ticket
from tests import make
from tests.browser.site import Person

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]


def test_a_customer_and_a_contact_are_made_inside_the_ticket(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    page = ada.go("/tickets/new")
    page.fill("[name=subject]", "half typed")
    page.click("#quick button")
    page.fill("#new_name", "上海恒通 物流")
    page.wait_for_selector("#quick-alike .option >> text=上海恒通物流有限公司")
    page.fill("#new_name", "新开的店")
    page.fill("#new_contact", "王芳")
    page.fill("#new_phone", "13700001111")
    page.press("#new_phone", "Enter")
    page.wait_for_selector(".party-line b >> text=新开的店")
    assert page.input_value("[name=subject]") == "half typed"

    page.click(".labelled >> text=New contact")
    page.fill("#new_contact", "李雷")
    page.fill("#new_department", "行政部")
    page.click("[data-quick-save]")
    ada.until("document.querySelector('[name=contact_id]').selectedOptions[0].textContent.includes('李雷')")
    assert page.input_value("[name=subject]") == "half typed"
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: not url.endswith("/new"))
    with db.begin(scope.ALL) as work:
        ticket = work.scalars(select(Ticket)).one()
        assert (work.get_one(Party, ticket.party_id).name, work.get_one(Contact, ticket.contact_id).name) == ("新开的店", "李雷")


def test_taking_a_look_alike_makes_nobody_new(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    page = ada.go("/tickets/new")
    page.click("#quick button")
    page.fill("#new_name", "上海恒通物流")
    page.click("#quick-alike .option")
    page.wait_for_selector(".party-line b >> text=上海恒通物流有限公司")
    with db.begin(scope.ALL) as work:
        assert len(work.scalars(select(Party)).all()) == 1


def test_one_more_row_leaves_what_is_typed_as_it_is(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    page = ada.go("/customers/new")
    page.fill("#name", "苏州新客户")
    page.fill(".person [name$='-name']", "李伟")
    page.fill(".person [name$='-raw']", "13800007001")
    page.click("[hx-get='/customers/rows/contact']")
    ada.until("document.querySelectorAll('.person').length === 2")
    page.fill(".person:nth-of-type(2) [name$='-name']", "何静")
    page.click(".person:nth-of-type(2) [hx-get^='/customers/rows/mail']")
    page.fill(".person:nth-of-type(2) [name$='-address']", "he@example.com")
    assert page.input_value("#name") == "苏州新客户"
    page.keyboard.press("Control+Enter")
    page.wait_for_url(lambda url: not url.endswith("/new"))
    with db.begin(scope.ALL) as work:
        card = queries.card(work, int(page.url.rsplit("/", 1)[1]))
    assert card and [(one.name, [m.address for m in card.mails_of(one.id)]) for one in card.contacts] == [("李伟", []), ("何静", ["he@example.com"])]


def test_two_are_compared_and_become_one(firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        twin = make.party(work, firm.pudong, "上海恒通物流", number="C-TWIN", address="新址 8 号")
    cleo = opened().sign_in("cleo")
    page = cleo.go(f"/customers/{twin.id}/merge")
    page.fill("#into-q", "恒通")
    page.click("#into-found .option")
    page.wait_for_selector("[name=take-name]")
    page.check("[name=take-name][value=old]")
    page.click("button.primary")
    page.wait_for_url(lambda url: url.endswith(f"/customers/{firm.customer.id}"))
    assert page.inner_text("h1") == "上海恒通物流"
    cleo.go(f"/customers/{twin.id}")
    assert page.url.endswith(f"/customers/{firm.customer.id}")


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_no_page_of_parties_is_wider_than_its_window(width: int, firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        long = make.party(work, firm.pudong, "W" * 200, tags=["m" * 30, "n" * 30], address="x" * 300, note="y" * 500)
        make.contact(work, long, "Z" * 100)
        make.phone(work, long, "13800001001")
    mei = opened(width=width).sign_in("mei")
    for path in ("/customers", f"/customers/{long.id}", f"/customers/{long.id}/edit", "/customers/new", "/customers/duplicates",
                 f"/customers/{long.id}/merge?into={firm.customer.id}", "/settings/categories"):  # fmt: skip
        mei.go(path)
        assert (mei.wide(), mei.deep()) == (0, 0), path
