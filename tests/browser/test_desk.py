"""The desk under a person's hands: what is chosen, typed and told stays what it was meant to be."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from service.core import clock, db, live, scope
from service.parties.model import PartyPhone
from service.tickets.model import Ticket
from tests import make
from tests.browser import scene
from tests.browser.site import Person
from tests.browser.test_pop import at_desk

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
# Counts what is rewritten where a screen reader speaks of it.
LISTEN = """() => {
    const spoken = (node) => {
        const region = (node.closest ? node : node.parentElement)?.closest('[aria-live], [role=status], [role=timer]');
        return region && region.getAttribute('aria-live') !== 'off' && !region.matches('[role=timer]');
    };
    window.said = [];
    new MutationObserver((seen) => window.said.push(...seen.filter((one) => spoken(one.target)).map((one) => one.target.outerHTML ?? one.target.data)))
        .observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


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


def test_one_callers_words_never_reach_another_callers_ticket(firm: SimpleNamespace, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        make.line(work, firm.pudong, "support")
        both = [make.call(work, clock.now(), caller_number=number).id for number in ("13811111111", "13822222222")]
    ada = opened().sign_in("ada")
    first, second = (f"/tickets/new?call={call}" for call in both)
    ada.go(first)
    ada.page.fill("[name=subject]", "words about the first")
    ada.go(second)
    assert ada.page.input_value("[name=subject]") == ""
    ada.go(f"/tickets/new?party={firm.customer.id}")
    assert ada.page.input_value("[name=subject]") == ""

    ada.go(first)
    assert ada.page.input_value("[name=subject]") == "words about the first"


def test_a_new_proposal_wins_over_what_was_typed_over_the_old_one(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    page = f"/tickets/new?party={firm.customer.id}"
    ada.go(page)
    ada.page.fill("[name=subject]", "typed")
    ada.page.click("label:has([name=priority][value=low])")
    ada.go(page)
    assert ada.page.is_checked("[name=priority][value=low]")

    with db.begin(scope.ALL) as work:
        work.execute(text("update party set grade = 'standard'"))
    ada.go(page)

    assert ada.page.is_checked("[name=priority][value=normal]")
    assert ada.page.input_value("[name=subject]") == "typed"


@pytest.fixture
def ticket(firm: SimpleNamespace) -> int:
    """A ticket that is being worked on."""
    with db.begin(scope.ALL) as work:
        made = make.ticket(work, firm.customer, firm.ada, clock.now()).id
        work.execute(text("update ticket set state = 'processing'"))
    return made


def test_a_note_outlives_the_sign_in_and_is_forgotten_once_it_is_kept(ticket: int, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go(f"/tickets/{ticket}")
    ada.page.fill("#note", "half an hour of words")
    with db.begin(scope.ALL) as work:
        work.execute(text("update staff_session set ended_at = now()"))
    ada.page.click("text=Add note")
    ada.page.wait_for_selector("text=Your sign-in has ended")

    ada.sign_in("ada")
    ada.go(f"/tickets/{ticket}")
    assert ada.page.input_value("#note") == "half an hour of words"
    ada.page.click("text=Add note")
    ada.page.wait_for_selector(".timeline >> text=half an hour of words")
    assert ada.page.input_value("#note") == ""
    assert ada.page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('draft'))") == []
    ada.faults.clear()  # the browser itself notes the 401


def test_a_result_outlives_the_refusal_of_a_stale_page(ticket: int, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go(f"/tickets/{ticket}")
    ada.page.fill("[name=result]", "roller changed")
    with db.begin(scope.ALL) as work:
        work.execute(text("update ticket set version = version + 1"))
    ada.page.click("footer >> text=Finish")
    ada.page.wait_for_selector("text=was changed meanwhile")

    ada.go(f"/tickets/{ticket}")
    assert ada.page.input_value("[name=result]") == "roller changed"
    ada.page.click("footer >> text=Finish")
    ada.page.wait_for_selector(".steps .now >> text=To settle")
    assert ada.page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('draft'))") == []


def test_a_registered_ticket_leaves_no_words_behind(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/tickets/new")
    ada.page.fill("[name=subject]", "once")
    ada.page.press("[name=subject]", "Control+Enter")
    ada.page.wait_for_selector("#error-party_id")
    ada.page.fill("#party-q", "恒通")
    ada.page.click("#party-found .option")
    ada.page.wait_for_selector("[name=device_id]")
    ada.page.press("[name=subject]", "Control+Enter")
    ada.page.wait_for_url("**/tickets/1")

    assert tickets() == [("once", firm.customer.id)]
    assert ada.page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('draft'))") == []
    ada.faults.clear()  # the browser itself notes the 422


def test_a_link_that_never_was_is_not_called_ready(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened()
    ada.page.add_init_script("delete window.SharedWorker")
    ada.page.route("**/live", lambda route: route.fulfill(status=503, body="{}"))
    ada.sign_in("ada")
    ada.go("/desk")
    assert ada.page.inner_text("[data-own-state]").strip() == "Connecting"

    ada.page.wait_for_selector("[data-live-strip]:not([hidden]) >> text=no calls can be shown yet")
    assert ada.page.inner_text("[data-own-state]").strip() == "Offline"
    ada.page.unroute("**/live")
    ada.page.wait_for_selector("[data-own-state=ready]")
    assert ada.page.is_hidden("[data-live-strip]")
    ada.faults.clear()  # the browser itself notes the 503


def test_enter_twice_makes_one_customer(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    sent: list[str] = []
    ada.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    scene.rings("1795331800.4", caller_number="13787654321")
    ada.page.wait_for_selector("text=This number is not on file")
    ada.page.fill("article.pop [name=name]", "Once Ltd")
    ada.page.focus("article.pop [name=name]")

    ada.page.evaluate("""() => {
        const form = document.querySelector('article.pop form[id^=create]');
        for (const turn of [1, 2]) form.requestSubmit(form.querySelector('button.btn:not([type=button])'));
    }""")

    ada.page.wait_for_selector(".pop-details .who >> text=Once Ltd")
    assert (len(sent), len(owners("13787654321"))) == (1, 1)


@pytest.mark.parametrize("way", ["choose", "attach", "create"])
def test_the_head_of_the_card_names_who_was_settled(way: str, firm: SimpleNamespace, opened: Opened) -> None:
    if way != "create":  # a second one of the same name would be asked about first
        with db.begin(scope.ALL) as work:
            make.phone(work, make.party(work, firm.pudong, "先锋果业"), "13800001001")
    ada = at_desk(opened)
    other = ada.tab("/tickets")
    scene.rings(caller_number="13800001001" if way == "choose" else "13787654321")
    ada.page.wait_for_selector("article.pop .pop-details form")
    if way == "create":
        ada.page.fill("article.pop [name=name]", "先锋果业")
        ada.page.click("text=Create customer")
    elif way == "attach":
        ada.page.fill(".pop-details [name=q]", "先锋")
    if way != "create":
        ada.page.click(".option >> text=先锋果业")

    ada.page.wait_for_selector(".pop-details .who >> text=先锋果业")
    other.wait_for_selector("article.pop [data-f=who] >> text=先锋果业")
    other.reload()
    other.wait_for_selector("article.pop [data-f=who] >> text=先锋果业")


def test_running_clocks_are_not_read_aloud(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings()
    scene.answers()
    ada.page.wait_for_selector("article.pop[data-state=talking] .pop-details .who")
    ada.page.evaluate(LISTEN)
    clocks = "[...document.querySelectorAll('[data-own-state] [data-f=timer], article.pop [data-f=timer]')].map(node => node.textContent)"
    before = ada.page.evaluate(clocks)
    with db.begin(scope.ALL) as work:
        live.publish(work, "all", "recording", {"call_id": 0}, at=clock.now())  # news that changes nothing here

    assert len(before) == 2
    ada.until(f"{clocks}.every((now, n) => now !== {before}[n])")
    assert ada.page.evaluate("window.said") == []


def test_the_hits_of_a_search_stay_when_the_call_is_answered(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331800.2", caller_number="13912345678")
    ada.page.wait_for_selector("text=This number is not on file")
    ada.page.fill(".pop-details [name=q]", "恒通")
    ada.page.wait_for_selector(".pop-details .option")

    with ada.page.expect_response("**/desk/pops/*"):
        scene.answers("1795331800.2")
    ada.page.wait_for_selector("article.pop[data-state=talking]")
    ada.page.evaluate("fetch('/health').then(answer => answer.text())")  # one turn later the new details are in place

    ada.page.click(".pop-details .option >> text=恒通")
    ada.page.wait_for_selector(".pop-details .who >> text=恒通")


def test_a_refused_caller_form_says_why(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331800.3", caller_number="13912345678")
    ada.page.wait_for_selector("text=This number is not on file")
    ada.page.fill("article.pop [name=name]", "新客户")
    with db.begin(scope.ALL) as work:
        work.execute(text("update staff_session set ended_at = now()"))

    ada.page.click("text=Create customer")

    ada.page.wait_for_selector(".pop-fault:not([hidden]) >> text=Your sign-in has ended")
    assert ada.page.input_value("article.pop [name=name]") == "新客户"
    ada.faults.clear()  # the browser itself notes the 401


def test_a_phone_that_rings_while_the_stream_begins_is_shown(firm: SimpleNamespace, opened: Opened) -> None:
    told = 'id: 5\nevent: snapshot\ndata: {"pops": [], "unheard": []}\n\nid: 5\nevent: pop\ndata: {"pop_id": 7, "display": "95588"}\n\n'
    ada = opened().sign_in("ada")
    ada.page.add_init_script("delete window.SharedWorker")
    ada.page.route("**/live", lambda route: route.fulfill(content_type="text/event-stream", body=told))

    ada.go("/tickets")

    ada.page.wait_for_selector(".pops.floating article.pop >> text=95588")


def test_a_card_above_a_page_is_made_small_and_whole_again(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/tickets")
    scene.rings()
    ada.page.wait_for_selector(".pops.floating article.pop")

    ada.page.click(".pops.floating [data-act=small]")
    assert not ada.page.is_visible(".pop-body")
    ada.go("/customers")
    ada.page.wait_for_selector(".pops.floating .is-small")
    assert not ada.page.is_visible(".pop-body")

    ada.page.click(".pops.floating .pop-head")
    assert ada.page.is_visible(".pop-body")


def test_the_next_call_is_the_current_one_while_the_form_of_the_last_stays(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    first = scene.rings()
    scene.answers()
    ada.page.wait_for_selector("article.pop[data-state=talking]")
    ada.page.keyboard.press("F2")
    ada.page.fill("[name=subject]", "of the first call")
    scene.hangs_up()
    ada.page.wait_for_selector("article.pop[data-state=ended]")

    second = scene.rings("1795331800.2", caller_number="13912345678")
    ada.page.wait_for_selector(f"article.pop.is-current[data-pop='{second}']")
    assert ada.page.input_value(f"[data-panel='{first}'] [name=subject]") == "of the first call"
    assert ada.page.is_visible(f"[data-panel='{first}']"), "what is typed in stays in front"
    ada.page.keyboard.press("F2")
    ada.page.wait_for_selector(f"[data-panel='{second}'] form")


def test_hits_of_the_search_are_walked_with_the_arrows(firm: SimpleNamespace, opened: Opened) -> None:
    ada = opened().sign_in("ada")
    ada.go("/tickets")
    ada.page.keyboard.press("Control+k")
    ada.page.keyboard.type("恒通")
    ada.page.wait_for_selector("#found a")

    ada.page.keyboard.press("ArrowDown")
    assert ada.page.evaluate("document.activeElement.matches('#found a')")
    ada.page.keyboard.press("Escape")
    assert ada.page.input_value("[data-search]") == "" and not ada.page.is_visible("#found a")
    ada.page.keyboard.press("Control+k")
    ada.page.keyboard.type("恒通")
    ada.page.wait_for_selector("#found a")
    ada.page.keyboard.press("ArrowDown")
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_url(f"**/customers/{firm.customer.id}")


def test_a_caller_who_withholds_the_number_is_called_so(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    scene.rings("1795331800.3", caller_number="anonymous", caller_name=None)

    ada.page.wait_for_selector(".pop-head >> text=Number withheld")
    ada.page.wait_for_selector("text=The caller withholds the number")
    assert "anonymous" not in ada.page.inner_text(".pane.left")


def test_a_ticket_registered_for_oneself_stands_among_the_own_ones_at_once(firm: SimpleNamespace, opened: Opened) -> None:
    ada = at_desk(opened)
    assert ada.page.inner_text("#mine-count") == "0"
    scene.rings()
    ada.page.wait_for_selector("article.pop .pop-details .who")
    ada.page.keyboard.press("F2")
    ada.page.fill("[name=subject]", "paper jam")
    ada.page.select_option("[name=assignee_id]", str(firm.ada.id))
    ada.page.keyboard.press("Control+Enter")
    ada.page.wait_for_selector("[data-saved]")

    ada.until("document.querySelector('#mine-count').textContent === '1'")
    ada.page.click("[data-tab=home]")
    ada.page.wait_for_selector("[data-panel=home] td.main >> text=paper jam")
    assert ada.page.locator("[data-panel=home] .left-time[data-due]").count() == 1


@pytest.mark.parametrize("width", [1024, 1180, 1280, 1440])
def test_the_subject_is_the_last_column_to_give_way(width: int, ticket: int, opened: Opened) -> None:
    with db.begin(scope.ALL) as work:
        work.execute(text("update ticket set assignee_id = (select id from staff where username = 'ada')"))
    ada = opened(width, 800).sign_in("ada")
    for path in ("/tickets?view=all", "/desk"):
        ada.go(path)
        ada.page.wait_for_selector("td.main")
        assert ada.page.evaluate("document.querySelector('td.main').clientWidth") >= 140, path
        assert ada.wide() == 0


@pytest.mark.parametrize("width", [390, 1024, 1280, 1440])
def test_a_ledger_cuts_no_figure(width: int, firm: SimpleNamespace, opened: Opened) -> None:
    today = clock.now().date()
    with db.begin(scope.ALL) as work:
        make.invoice(work, firm.customer, "1234567.89", today - timedelta(days=300), today - timedelta(days=261), clock.now())
    ada = opened(width, 800).sign_in("ada")
    ada.go(f"/customers/{firm.customer.id}")
    cut = "[...document.querySelectorAll('.ledger td, .facts dd, .facts small')].filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent)"
    assert ada.page.evaluate(cut) == []
    assert ada.page.evaluate("(() => { const box = document.querySelector('.ledger').parentElement; return box.scrollWidth - box.clientWidth; })()") == 0
    assert "1,234,567.89" in ada.page.inner_text(".ledger")
