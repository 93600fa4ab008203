"""Hostile words in a real browser: every page of three people, where each text of each table is a script, a wall of letters and a trick of direction.

No dialog opens, nothing is refused by the policy because nothing tries, no script fails, and nothing is wider than a phone.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from etl import nightly
from service.core import clock, db, live, scope
from service.core.config import Settings
from service.staff.model import Staff
from tests import make
from tests.attack import pages, world
from tests.attack.test_hostile_words import LINK, SHORT, poison
from tests.browser import scene
from tests.browser.site import Person, Site
from tests.live import server
from tests.signin import people

pytestmark = pytest.mark.browser
Opened = Callable[..., Person]
LETTERS = "W" * 300
EVIL = "\"'><script>alert('pwn')</script><img src=x onerror=alert('pwn')><svg/onload=alert('pwn')><a href=javascript:alert('pwn')>😀\u202egnp.exe" + LETTERS
MIDDLE = f"<img src=x onerror=alert('pwn')>\u202e😀{'W' * 40}"
# What the hostile words would have become, were they read as markup.
RAN = """() => [...document.querySelectorAll("img[src='x'], [onerror], [onload], script:not([src]):not([type]), a[href^='javascript' i], area, iframe, object, embed")]
    .map(node => node.outerHTML.slice(0, 120)).filter(html => html.includes("pwn") || html.includes("javascript"))"""
SPILLS = """() => {
    const width = document.documentElement.clientWidth, over = node => node.getBoundingClientRect().right > width + 1;
    if (document.documentElement.scrollWidth <= width) return "";
    const leaves = [...document.querySelectorAll("body *")].filter(node => node.checkVisibility({ visibilityProperty: true }) && over(node) && ![...node.children].some(over) && !node.closest(".scroll"));
    return leaves.slice(0, 3).map(node => `${node.parentElement.className} > ${node.outerHTML.slice(0, 70)}`).join(" | ") || "wide";
}"""


@pytest.fixture
def hostile(site: Site, settings: Settings, clean: db.Database, committed_cast: SimpleNamespace) -> SimpleNamespace:
    """One of everything in Suzhou, and all of its words hostile."""
    settings.attachments_dir.mkdir(parents=True, exist_ok=True)
    world.ATTACHMENTS[:] = [settings.attachments_dir]
    two = world.two(clean, committed_cast, settings.imports_dir)
    with db.begin(scope.ALL) as work:
        two.manager = make.staff(work, "mia", two.suzhou, "manager", "supervisor", reach="branch")
    assert poison(clean, LINK, EVIL, MIDDLE, SHORT) > 70
    return two


def signed_in(opened: Opened, settings: Settings, person: Staff, width: int = 390) -> Person:
    """A browser of that person; a dialog that a page opens is a fault of it."""
    browser = opened(width, 844)
    held = server.cookie(settings, person)["ringdesk"]
    browser.context.add_cookies([{"name": "ringdesk", "value": held, "url": browser.site.url}])
    browser.page.on("dialog", lambda dialog: (browser.faults.append(f"a dialog at {browser.page.url}"), dialog.dismiss()))
    return browser


def open_to(site: Site, settings: Settings, person: Staff, side: world.Side) -> list[str]:
    """The addresses of the route table that show this person a whole page."""
    app = site.server.config.app.pages
    client, found = people.browser(app, settings, person), []
    for _rule, path in pages.addresses(app, side, "GET"):
        answer = client.get(path, headers=pages.PAGE)
        if answer.status_code == 200 and answer.mimetype == "text/html" and "<body" in answer.text:
            found.append(path)
    return found


def sound(browser: Person, place: str) -> dict[str, Any]:
    """What is wrong with the page as it stands."""
    told = {"ran": browser.page.evaluate(RAN), "spills": browser.page.evaluate(SPILLS), "faults": list(browser.faults)}
    browser.faults.clear()
    return {f"{place} {name}": what for name, what in told.items() if what}


@pytest.mark.parametrize(("who", "least"), [("boss", 70), ("agent", 30), ("manager", 40)])
def test_no_page_runs_or_spills_hostile_words(who: str, least: int, hostile: SimpleNamespace, site: Site, settings: Settings, opened: Opened) -> None:
    person = {"boss": hostile.mine.boss, "agent": hostile.mine.agent, "manager": hostile.manager}[who]
    browser, found = signed_in(opened, settings, person), {}
    paths = open_to(site, settings, person, hostile.mine)
    assert len(paths) >= least
    for path in paths:
        browser.go(path)
        found |= sound(browser, path)
    world.nothing(found)


def test_what_arrives_live_is_only_words(hostile: SimpleNamespace, settings: Settings, opened: Opened) -> None:
    """A call whose name and number are hostile, a toast, and the desk around them."""
    eva = signed_in(opened, settings, hostile.mine.agent)
    eva.go("/desk")
    eva.page.wait_for_selector("article.pop .pop-details .who")  # the phone rings since before
    for number, name in (("13800003001", EVIL), (f"<img src=x onerror=alert('pwn')>{LETTERS}", EVIL), ("", SHORT), ("\u202e13800", "\u202e" + LETTERS)):
        scene.rings(f"1795399{len(number)}.{len(name)}", "3001", caller_number=number, caller_name=name, called=SHORT, queue="queue-suzhou")
    eva.page.wait_for_selector("article.pop >> nth=3")
    eva.page.wait_for_timeout(800)
    found = sound(eva, "pops")
    eva.page.keyboard.press("F2")
    eva.page.wait_for_selector("[name=subject]")
    world.nothing(found | sound(eva, "ticket of the pop"))

    eve = signed_in(opened, settings, hostile.mine.boss)
    eve.go("/nights")
    eve.page.wait_for_timeout(300)
    with db.begin(scope.ALL) as work:
        live.publish(work, "all", "forged", {"switch": EVIL}, at=clock.now())
    eve.page.wait_for_selector("[data-toasts] >> text=WWWW")
    world.nothing(sound(eve, "toast"))


def test_what_is_searched_and_scanned_is_only_words(hostile: SimpleNamespace, site: Site, settings: Settings, opened: Opened, clean: db.Database) -> None:
    """Every field that asks while somebody types, the search of everything, and codes."""
    eve, found, asked = signed_in(opened, settings, hostile.mine.boss, 1024), {}, set()
    answers: list[int] = []
    eve.page.on("response", lambda answer: answers.append(answer.status) if "hx-request" in answer.request.headers else None)
    for path in open_to(site, settings, hostile.mine.boss, hostile.mine):
        if not path.startswith(("/customers", "/devices", "/sites", "/tickets", "/maintenance", "/calls")):
            continue
        eve.go(path)
        for number, field in enumerate(eve.page.locator("input[hx-get]").all()):
            place = field.get_attribute("hx-get") or ""
            if place.partition("?")[2] + place.partition("?")[0].strip("/0123456789") in asked or not field.is_visible():
                continue
            asked.add(place.partition("?")[2] + place.partition("?")[0].strip("/0123456789"))
            for typed in ("苏州", SHORT, "pwn"):
                field.fill(typed)
                eve.page.wait_for_timeout(450)
                found |= sound(eve, f"{path} field {number} {place}")
    assert len(asked) >= 6 and len(answers) >= 12
    for code in (SHORT, EVIL, LINK, "//evil.example", "https://evil.example/d/x"):
        eve.go("/scan")
        eve.page.fill("input[name=code]", code)
        with eve.page.expect_navigation():
            eve.page.keyboard.press("Enter")
        eve.faults[:] = [fault for fault in eve.faults if "404" not in fault]
        found |= sound(eve, f"scan {code[:20]}")
    world.nothing(found)


def test_no_board_takes_names_for_markup(hostile: SimpleNamespace, settings: Settings, opened: Opened, clean: db.Database) -> None:
    with clean.owner.begin() as connection:
        connection.execute(text("update phone_line set label = :evil"), {"evil": f"<a href='https://evil.example'>x</a><b>{EVIL}</b>"})
    assert nightly.run(settings, slot="hostile", at=clock.now(), full=True).refused is None
    mia, found = signed_in(opened, settings, hostile.manager), {}
    for board in ("calls?p=30", "sla?p=30", "staffing", f"calls?p=30&queue={SHORT}", f"calls?drill=queue:{SHORT}"):
        mia.go(f"/dashboards/{board}")
        mia.page.wait_for_selector("#board > *")
        mia.page.wait_for_timeout(700)
        for box in filter(None, (bar.bounding_box() for bar in mia.page.locator(".barlayer .point path").all()[:4])):
            mia.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        found |= sound(mia, board)
        if mia.page.locator("#board svg a, #board a[href*='evil']").count():
            found[f"{board} links"] = "a name became a link"
    world.nothing(found)


def test_back_after_the_sign_out_shows_nothing(hostile: SimpleNamespace, settings: Settings, opened: Opened) -> None:
    """Neither a page nor a picture: the browser asks again, and hears that nobody is signed in."""
    eve = signed_in(opened, settings, hostile.mine.boss, 1440)
    picture = f"/media/pictures/{hostile.mine.ids['attachment']}"
    for path in (f"/customers/{hostile.mine.ids['party']}", f"/sites/{hostile.mine.ids['site']}", picture, "/tickets?view=all"):
        eve.go(path)
    eve.page.evaluate("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()")
    eve.page.wait_for_url("**/sign-in*")
    for _step in range(4):
        eve.page.evaluate("history.back()")
        eve.page.wait_for_timeout(400)
        assert "WWWW" not in eve.page.content()
        assert eve.page.evaluate("document.images.length") == 0
    eve.page.goto(eve.site.url + picture)
    assert "Sign in first" in eve.page.content()
    assert eve.page.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage)).filter(key => key.startsWith('draft'))") == []
    # The browser's own page around a picture brings a style, which the picture's policy refuses.
    eve.faults[:] = [fault for fault in eve.faults if "401" not in fault and "inline style" not in fault]
