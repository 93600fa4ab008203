"""Who waits to be called back, under people's hands: settled with a word, and the list keeps up by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from service.calls import actions
from service.core import clock, db, scope
from tests import make
from tests.browser.site import Person

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
LOST = {"agent": None, "answered_by": None, "answered_at": None, "talk_seconds": None, "disposition": "abandoned", "legs": ()}


def lost(number: str, at: datetime) -> None:
    with db.begin(scope.ALL) as work:
        actions.store_calls(work, [make.facts(at, caller_number=number, **LOST)], None, at=clock.now())


def test_a_caller_is_settled_with_a_word_and_the_next_one_comes_by_itself(firm: SimpleNamespace, opened: Opened) -> None:
    lost("13800009991", clock.now() - timedelta(hours=1))
    root = opened().sign_in("root")
    page = root.go("/calls/missed")
    page.click("details.settle > summary")
    page.wait_for_selector("details.settle[open] input[name=note]")
    assert page.url.endswith("/calls/missed")  # the row has not opened its call

    page.fill("details.settle[open] input[name=note]", "spoken with in the shop")
    lost("13800009992", clock.now() - timedelta(minutes=5))
    page.wait_for_timeout(700)
    assert page.input_value("details.settle[open] input[name=note]") == "spoken with in the shop"  # nothing that is typed is wiped

    page.click("details.settle[open] button")
    page.wait_for_selector("text=138 0000 9992")
    assert page.locator("text=138 0000 9991").count() == 0
    lost("13800009993", clock.now())
    page.wait_for_selector("text=138 0000 9993")
    assert root.faults == []
