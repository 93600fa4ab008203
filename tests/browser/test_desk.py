"""The desk under a person's hands: what is chosen, typed and told stays what it was meant to be."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from service.core import db, scope
from service.parties.model import PartyPhone
from service.tickets.model import Ticket
from tests.browser import scene
from tests.browser.site import Person
from tests.browser.test_pop import at_desk

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]


def owners(digits: str) -> list[int]:
    """The customers who have this number on file."""
    with db.begin(scope.ALL) as work:
        return list(work.scalars(select(PartyPhone.party_id).where(PartyPhone.digits.endswith(digits))))


def tickets() -> list[tuple[str, int]]:
    """Subject and customer of each ticket."""
    with db.begin(scope.ALL) as work:
        return [(ticket.subject, ticket.party_id) for ticket in work.scalars(select(Ticket).order_by(Ticket.id))]


def test_choosing_the_customer_of_a_new_ticket_registers_nothing(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/tickets/new")
    ada.page.fill("[name=subject]", "half typed")
    ada.page.fill("#party-q", "恒通")
    ada.page.wait_for_selector("#party-found .option")

    ada.page.press("#party-q", "Enter")
    assert ada.page.evaluate("document.activeElement.matches('.option')")
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_selector(".party-line b >> text=恒通")

    assert ada.page.input_value("[name=subject]") == "half typed"
    assert ada.page.is_checked("[name=priority][value=urgent]")
    assert ada.page.evaluate("document.activeElement.name") == "subject"
    ada.page.click("text=Another customer")
    ada.page.fill("#party-q", "恒通")
    ada.page.click("#party-found .option")
    ada.page.wait_for_selector("[name=device_id]")
    assert (tickets(), ada.page.url) == ([], ada.site.url + "/tickets/new")
    ada.page.keyboard.press("Control+Enter")
    ada.page.wait_for_url(lambda url: not url.endswith("/new"))
    assert tickets() == [("half typed", firm.customer.id)]


def test_enter_in_the_search_of_a_caller_attaches_nothing(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331800.1", caller_number="13912345678")
    ada.page.wait_for_selector("text=This number is not on file")
    ada.page.fill(".pop-details [name=q]", "恒通")
    ada.page.wait_for_selector(".pop-details .option")

    for field in ("q", "contact_name"):
        ada.page.press(f".pop-details form[id^=attach] [name={field}]", "Enter")
        assert ada.page.evaluate("document.activeElement.matches('.option')")
    assert owners("13912345678") == []
    ada.page.keyboard.press("Enter")

    ada.page.wait_for_selector(".pop-details .who >> text=恒通")
    assert owners("13912345678") == [firm.customer.id]
