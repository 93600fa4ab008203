"""The agent bar and the wallboard under people's hands, and what one person does shown to another without a reload."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text

from service.calls import actions as calls
from service.calls.model import PhoneLine
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from service.staff.model import Branch
from tests import make
from tests.browser import scene
from tests.browser.site import WIDTHS, Person, Site, serving

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
KEY = "1795331900.1"


@pytest.fixture(scope="session")
def site(settings: Settings, database: db.Database) -> Any:
    """The web process of a firm with a switch that takes orders."""
    switch = SwitchSettings(name="pbx1", actor_username="actor", actor_secret="s")
    with serving(replace(settings, switches=(switch,)), database) as running:
        yield running


def phone(extension: str, phase: str, customer: bool = True, acw: int = 60, key: str = KEY) -> None:
    """What the ear tells of a phone."""
    from datetime import timedelta

    with db.begin(scope.ALL) as work:
        state = calls.PhoneState(extension, phase, clock.now(), customer, key)
        calls.agents.phones_did(work, "pbx1", [state], acw=timedelta(seconds=acw))
        calls.agents.watched(work, at=clock.now())


def one(statement: str) -> Any:
    with db.begin(scope.ALL) as work:
        return work.execute(text(statement)).first()


def stored(**more: Any) -> None:
    """A call of this moment in Pudong's queue is stored, and who watches the floor is told."""
    with db.begin(scope.ALL) as work:
        if work.scalars(select(PhoneLine)).first() is None:
            make.line(work, work.scalars(select(Branch).where(Branch.code == "PD")).one(), "support")
        make.call(work, clock.now(), **{"call_key": KEY, "live": True, "ended_at": None, "disposition": None, "talk_seconds": None} | more)
        calls.agents.watched(work, at=clock.now())


def state(person: Person) -> str:
    return str(person.page.inner_text("[data-own-state] [data-f=state]"))


def test_a_person_without_a_seat_has_no_state_and_takes_one(firm: SimpleNamespace, opened: Opened) -> None:
    cleo = opened().sign_in("cleo")
    cleo.go("/desk")
    assert cleo.page.locator("[data-own-state]").count() == 0

    cleo.page.click("text=Take a seat")
    cleo.page.fill("#seat-no", "1009")
    cleo.page.keyboard.press("Enter")

    cleo.page.wait_for_selector("[data-own-state=ready]")
    assert cleo.page.inner_text(".phone-no") == "Phone 1009"
    cleo.page.keyboard.press("F9")
    cleo.page.click("[data-agent-form] button[value=offline]")
    cleo.page.wait_for_selector("text=Take a seat")
    assert one(f"select state from agent_state where staff_id = {firm.cleo.id}").state == "offline"


def test_a_state_is_chosen_by_keys_and_shown_in_each_tab(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/desk")
    ada.page.wait_for_selector("[data-own-state=ready]")
    other = ada.tab("/calls")

    ada.page.keyboard.press("F9")
    ada.page.keyboard.press("2")

    ada.page.wait_for_selector("[data-own-state=pause]")
    other.wait_for_selector("[data-own-state=pause]")
    assert state(ada) == "Break"
    assert ada.page.locator("details[data-agent][open]").count() == 0
    ada.page.click("[data-own-state]")
    ada.page.click("[data-agent-form] [data-not] button")
    ada.page.wait_for_selector("[data-own-state=ready]")


def test_after_a_call_the_time_to_write_down_runs_is_extended_and_ended(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/desk")
    ada.page.wait_for_selector("[data-own-state=ready]")
    phone("1001", "talking")
    ada.page.wait_for_selector("[data-own-state=talking]")
    phone("1001", "idle")

    ada.page.wait_for_selector("[data-own-state=acw]")
    assert state(ada) == "After-call work"
    ada.until("/^00:[0-5]\\d$/.test(document.querySelector('[data-own-state] [data-f=timer]').textContent)")
    ada.page.keyboard.press("F9")
    ada.page.keyboard.press("0")
    ada.until("/^01:[0-5]\\d$/.test(document.querySelector('[data-own-state] [data-f=timer]').textContent)")
    ada.page.keyboard.press("F9")
    ada.page.click("text=Ready now")
    ada.page.wait_for_selector("[data-own-state=ready]")


def test_two_clicks_dial_once_and_what_becomes_of_it_is_said(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go(f"/customers/{firm.customer.id}")
    ada.page.wait_for_selector("[data-own-state=ready]")

    ada.page.dblclick("form.dial button")

    ada.page.wait_for_selector("text=Your phone will ring in a moment.")
    assert one("select count(*) as n from phone_order").n == 1
    order = one("select * from phone_order")
    assert (order.kind, order.extension, order.args["number"], order.party_id) == ("dial", "1001", "+8613800001001", firm.customer.id)
    for told, words in (("accepted", "Pick up, and 138****1001 is called"), ("failed", "Your phone was not picked up")):
        with db.begin(scope.ALL) as work:
            calls.orders.settle(work, [calls.OrderOutcome(order.id, told, "phone-no-answer" if told == "failed" else "")], at=clock.now())  # type: ignore[arg-type]
        ada.page.wait_for_selector(f"text={words}")
    ada.page.click("form.dial button")
    ada.until("document.querySelectorAll('.toast').length === 1")
    ada.page.wait_for_selector("text=Your phone will ring in a moment.")
    assert one("select count(*) as n from phone_order").n == 2


def test_a_call_at_the_phone_is_passed_on_and_hung_up_from_its_card(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/desk")
    ada.page.wait_for_selector("[data-own-state=ready]")
    scene.rings(KEY)
    scene.answers(KEY)
    ada.page.wait_for_selector("article.pop[data-state=talking]")

    ada.page.click("[data-call-act=to]")
    ada.page.fill("article.pop [name=to]", "1003")
    ada.page.click("[data-call-act=atxfer]")
    ada.page.click("[data-call-act=hangup]")

    for _ in range(50):
        if one("select count(*) as n from phone_order").n == 2:
            break
        ada.page.wait_for_timeout(50)
    orders = [tuple(row) for row in _all("select kind, extension, args->>'call_key', args->>'to' from phone_order order by id")]
    assert orders == [("atxfer", "1001", KEY, "1003"), ("hangup", "1001", KEY, None)]


def _all(statement: str) -> Any:
    with db.begin(scope.ALL) as work:
        return work.execute(text(statement)).all()


def test_the_floor_moves_on_the_wallboard_without_a_reload(firm: SimpleNamespace, opened: Opened) -> None:
    cleo = opened().sign_in("cleo")
    cleo.go("/wallboard")
    cleo.page.evaluate("window.sameDocument = true")
    card = f"#agent-{firm.ada.id}"
    cleo.page.wait_for_selector(f"{card}[data-agent-state=ready]")

    stored(answered_at=None, answered_by=None, agent=None, wait_seconds=None)
    cleo.page.wait_for_selector("[data-call-state=waiting]")
    cleo.page.wait_for_selector("[data-call-state] >> text=上海恒通物流有限公司")
    phone("1001", "ringing")
    cleo.page.wait_for_selector(f"{card}[data-agent-state=ringing]")
    cleo.page.wait_for_selector("[data-call-state=ringing] >> text=Ada")
    phone("1001", "talking")
    stored(revision=10**6)
    cleo.page.wait_for_selector("[data-call-state=talking] >> text=Ada")
    cleo.page.wait_for_selector(f"{card}[data-agent-state=talking] >> text=上海恒通物流有限公司")
    stored(revision=10**7, live=False, ended_at=clock.now(), disposition="answered")
    cleo.page.wait_for_selector("[data-call-state=ended]")
    assert cleo.page.evaluate("window.sameDocument") is True
    assert "100.0%" in cleo.page.inner_text(".fig.wide")


def test_a_supervisor_listens_in_and_sends_into_a_pause_and_both_are_on_record(firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        calls.agents.sign_in(work, firm.cleo.id, "pbx1", "1009", by=firm.cleo.id, at=clock.now())
    phone("1001", "talking")
    cleo = opened().sign_in("cleo")
    cleo.go("/wallboard")
    cleo.page.wait_for_selector("[data-own-state=ready]")

    cleo.page.click(f"#agent-{firm.ada.id} summary")
    phone("1002", "ringing", key="1795331900.2")  # the board is read anew, and the open menu stays
    cleo.page.wait_for_selector(f"#agent-{firm.ben.id}[data-agent-state=ringing]")
    cleo.page.click("details[open] form:has([value=whisper]) button")
    cleo.page.wait_for_selector("text=Your phone will ring in a moment.")
    cleo.page.click(f"#agent-{firm.ada.id} summary")
    cleo.page.click("details[open] button:has-text('Lunch')")
    for _ in range(60):
        if one("select 1 from audit_entry where verb = 'set agent'"):
            break
        cleo.page.wait_for_timeout(50)

    assert tuple(one("select kind, extension, args->>'target' as t from phone_order")) == ("whisper", "1009", "1001")
    marks = [tuple(row) for row in _all("select verb, by_id, entity_id from audit_entry where verb in ('whisper', 'set agent') order by id")]
    assert marks == [("whisper", firm.cleo.id, firm.ada.id), ("set agent", firm.cleo.id, firm.ada.id)]
    assert one(f"select chosen, reason from agent_state where staff_id = {firm.ada.id}") == ("pause", "lunch")


def test_an_agent_and_another_branch_see_nothing_of_the_floor(firm: SimpleNamespace, opened: Opened, site: Site) -> None:
    ada = opened().sign_in("ada")
    for path in ("/wallboard", "/wallboard/now", f"/agents/{firm.ben.id}"):
        assert ada.context.request.get(site.url + path).status == 403
    with db.begin(scope.ALL) as work:
        make.staff(work, "sol", firm.suzhou, "supervisor")
    sol = opened().sign_in("sol")
    sol.go("/wallboard")
    assert sol.page.locator(".agent-card").count() == 0
    mark = sol.page.get_attribute("meta[name=csrf-token]", "content")
    for path, form in ((f"/agents/{firm.ada.id}/state", {"choice": "pause:lunch"}), (f"/agents/{firm.ada.id}/listen", {"kind": "listen", "key": "k" * 20})):
        answer = sol.context.request.post(site.url + path, form=form | {"csrf_token": mark}, headers={"Referer": site.url})
        assert answer.status in (404, 409)
    assert one(f"select chosen from agent_state where staff_id = {firm.ada.id}").chosen == "ready"
    assert one("select 1 from phone_order") is None


@pytest.mark.parametrize("width", WIDTHS)
def test_the_wallboard_fits(firm: SimpleNamespace, opened: Opened, width: int) -> None:
    stored()
    phone("1001", "talking")
    cleo = opened(width=width).sign_in("cleo")
    cleo.go("/wallboard")
    cleo.page.wait_for_selector("[data-call-state]")

    assert cleo.wide() == 0
