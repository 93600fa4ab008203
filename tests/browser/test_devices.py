"""The intake under a person's hands: found by serial, put on file there and then, and swapped from the ticket."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from service.core import clock, db, scope
from service.devices import actions
from service.devices.model import Device, DeviceSwap
from service.devices.schemas import ComponentFacts
from service.tickets.model import Ticket
from tests import make
from tests.browser.site import Person

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]


def test_a_device_is_found_by_the_serial_of_its_part_and_an_unknown_one_is_made_and_swapped(firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        device = make.device(work, firm.customer, name="Meter", model="LXS", serial="SB-001", place="hall")
        actions.fit(work, device.id, ComponentFacts("Valve", "V-77"), by=firm.ada.id, at=clock.now())
    ada = opened().sign_in("ada")
    ada.go("/tickets/new")
    ada.page.fill("[name=subject]", "half typed")
    ada.page.fill("[name=serial]", "ｖ77")
    ada.page.click("[data-device]")

    # The part's device and its customer are chosen, the part too, and what was typed stays.
    ada.page.wait_for_selector(".covers")
    ada.page.wait_for_selector("[name=component_id] option:checked:has-text('V-77')", state="attached")
    assert ada.page.input_value("[name=device_id]") == str(device.id)
    assert ada.page.input_value("[name=subject]") == "half typed"

    ada.page.fill("[name=serial]", "NEW-9")
    ada.page.wait_for_selector(".new-device")
    ada.page.fill("[name=device_name]", "Meter")
    ada.page.click("text=Create the device")
    ada.page.wait_for_selector("[name=device_id] option:checked:has-text('NEW-9')", state="attached")
    ada.page.wait_for_selector(".covers:not(:has([name=component_id]))")
    ada.page.keyboard.press("Control+Enter")
    ada.page.wait_for_url(lambda url: not url.endswith("/new"))
    with db.begin(scope.ALL) as work:
        made = work.scalars(select(Device).where(Device.serial == "NEW-9")).one()
        ticket = work.scalars(select(Ticket)).one()
    assert (ticket.device_id, ticket.subject, ticket.warranty, made.party_id) == (made.id, "half typed", "unknown", firm.customer.id)

    ada.go(f"/devices/{device.id}/swap?ticket={ticket.id}")
    ada.page.fill("[name=serial]", "new 9")
    ada.page.fill("[name=original_reading]", "120.5")
    ada.page.click("main button.primary")
    ada.page.wait_for_url(f"**/tickets/{ticket.id}")
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(DeviceSwap.new_device_id)).all() != []
