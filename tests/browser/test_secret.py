"""A field for secrets and the button on the card silence the recording while they are used, and their content goes nowhere."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from service.calls import actions as calls
from service.core import clock, db, scope
from tests.browser import scene
from tests.browser.site import Person
from tests.browser.test_floor import site  # a firm with a switch that takes orders

pytestmark = pytest.mark.browser
__all__ = ["site"]
Opened = Callable[..., Person]
KEY = "1795331900.1"
BUTTON, FIELD = "article.pop button[data-secret]", "input[data-secret]"


@pytest.fixture
def ada(firm: SimpleNamespace, opened: Opened) -> Person:
    """Ada talks, with the ticket form of that call open."""
    person = opened().sign_in("ada")
    person.go("/desk")
    person.page.wait_for_selector("[data-own-state=ready]")
    scene.rings(KEY)
    scene.answers(KEY)
    person.page.wait_for_selector("article.pop[data-state=talking]")
    person.page.keyboard.press("F2")
    person.page.wait_for_selector(FIELD)
    return person


def rows(statement: str) -> list[tuple[Any, ...]]:
    with db.begin(scope.ALL) as work:
        return [tuple(row) for row in work.execute(text(statement))]


def becomes(statement: str, expected: list[tuple[Any, ...]]) -> None:
    end = time.monotonic() + 5
    while rows(statement) != expected and time.monotonic() < end:
        time.sleep(0.05)
    assert rows(statement) == expected


def switch(state: str, error: str = "") -> None:
    """The switch's process sends what is asked and tells how it went."""
    with db.begin(scope.ALL) as work:
        at = clock.now()
        taken = calls.orders.take(work, "pbx1", at=at, act=True)
        calls.orders.settle(work, [calls.OrderOutcome(one.id, state, error, at=at) for one in taken], at=at)  # type: ignore[arg-type]
        calls.pauses.tend(work, "pbx1", at=at)


def test_while_a_field_is_typed_in_the_recording_is_silent_and_nothing_of_it_is_stored(ada: Person) -> None:
    ada.page.focus(FIELD)
    becomes("select kind, state from phone_order", [("record_pause", "requested")])
    switch("confirmed")
    ada.page.wait_for_selector("text=The recording is silent, for 01:")
    ada.page.keyboard.type("hunter2-hunter2")
    ada.page.focus("[name=subject]")
    becomes("select field, why from recording_pause", [("password", "left")])
    becomes("select kind from phone_order order by id", [("record_pause",), ("record_resume",)])

    ada.page.fill("[name=subject]", "a lost password")
    ada.page.focus(FIELD)
    becomes("select count(*) from recording_pause", [(2,)])
    ada.page.keyboard.press("Control+Enter")
    becomes("select why from recording_pause order by id", [("left",), ("sent",)])
    becomes("select subject, description from ticket", [("a lost password", "")])
    assert rows("select 1 from audit_entry where new::text like '%hunter2%' or old::text like '%hunter2%'") == []
    assert "hunter2" not in str(ada.page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})"))


def test_the_button_of_the_card_is_pressed_and_let_go(ada: Person) -> None:
    ada.page.click(BUTTON)
    becomes("select field, why from recording_pause", [("secret", "")])
    switch("confirmed")
    ada.page.wait_for_selector(f"{BUTTON}[aria-pressed=true]")
    ada.page.wait_for_selector("article.pop [data-secret-state=silent]")
    ada.page.focus("[name=subject]")
    ada.page.wait_for_timeout(300)
    assert rows("select why from recording_pause") == [("",)]  # a button is let go by a second click alone
    ada.page.click(BUTTON)
    becomes("select why from recording_pause", [("left",)])
    assert ada.page.get_attribute(BUTTON, "aria-pressed") == "false"


def test_what_the_switch_does_not_do_is_said_in_a_sentence(ada: Person) -> None:
    ada.page.click(BUTTON)
    becomes("select count(*) from recording_pause", [(1,)])
    switch("failed", "not-verified")

    ada.page.wait_for_selector(".toast >> text=The recording was not paused. Do not let the secret be said.")
    ada.page.wait_for_selector("article.pop [data-secret-state=failed] >> text=did not confirm")


def test_silence_that_comes_after_the_page_gave_up_is_let_go_all_the_same(ada: Person) -> None:
    ada.page.click(BUTTON)
    becomes("select count(*) from recording_pause", [(1,)])
    ada.page.wait_for_selector("article.pop [data-secret-state=failed]")  # no word of the switch for three seconds
    ada.page.click(BUTTON)

    becomes("select why from recording_pause", [("left",)])


def test_silence_whose_answer_was_lost_is_let_go_all_the_same(ada: Person) -> None:
    def lost(route: Any) -> None:
        route.fetch()
        route.abort()

    ada.page.route("**/recordings/pause", lost)
    ada.page.click(BUTTON)
    ada.page.wait_for_selector("article.pop [data-secret-state=failed]")
    becomes("select count(*) from recording_pause", [(1,)])
    ada.page.click(BUTTON)

    becomes("select why from recording_pause", [("left",)])
    ada.faults.clear()  # the browser tells of the lost answer


def test_a_page_that_goes_lets_the_recording_go_on(ada: Person) -> None:
    ada.page.click(BUTTON)
    becomes("select count(*) from recording_pause", [(1,)])
    ada.page.wait_for_timeout(200)
    ada.go("/calls")

    becomes("select why from recording_pause", [("gone",)])


def test_a_call_that_ends_ends_it_on_the_screen(ada: Person) -> None:
    ada.page.click(BUTTON)
    becomes("select count(*) from recording_pause", [(1,)])
    switch("confirmed")
    ada.page.wait_for_selector(f"{BUTTON}[aria-pressed=true]")
    with db.begin(scope.ALL) as work:
        calls.pauses.tend(work, "pbx1", gone=[("1001", KEY)], at=clock.now())

    ada.until(f"document.querySelector('{BUTTON}').getAttribute('aria-pressed') === 'false'")
    assert rows("select why from recording_pause") == [("call-over",)]


def test_another_agent_silences_nobodys_recording_and_a_supervisor_of_the_branch_may(ada: Person, opened: Opened) -> None:
    pop = rows("select max(id) from agent_pop")[0][0]
    ask = """async ([pop, key]) => { const form = new FormData(); form.set('pop', pop); form.set('field', 'secret'); form.set('key', key);
        form.set('csrf_token', document.querySelector('meta[name=csrf-token]').content);
        return (await fetch('/recordings/pause', {method: 'POST', body: form, headers: {Accept: 'application/json'}})).status; }"""
    ben, cleo = opened().sign_in("ben"), opened().sign_in("cleo")

    assert ben.page.evaluate(ask, [pop, "key-of-ben"]) == 404
    ben.faults.clear()  # the browser tells of the 404
    assert cleo.page.evaluate(ask, [pop, "key-of-cleo"]) == 200
    becomes("select by_id = staff_id from recording_pause", [(False,)])
