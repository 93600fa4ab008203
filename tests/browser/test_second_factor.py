"""An app is set up from its picture and a passkey through a real ceremony, with the authenticator that Chromium brings for tests."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from service.core import db, scope
from service.core.config import Settings
from service.staff.security import second_factor
from service.staff.security.model import Passkey
from tests import make
from tests.browser.site import WIDTHS, Person, Site
from tests.signin import door

ME = "/settings/security/me"


@pytest.fixture
def local(site: Site) -> Site:
    """The same server by the name that browsers let passkeys be used under: an address of digits is no domain."""
    return Site(site.url.replace("127.0.0.1", "localhost"), site.server)


def authenticator(person: Person, *, verified: bool = True) -> Any:
    """A device in this browser that makes passkeys and says that its owner was seen."""
    cdp = person.context.new_cdp_session(person.page)
    cdp.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": verified,
        "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return SimpleNamespace(cdp=cdp, id=made["authenticatorId"])


def test_the_app_is_set_up_and_asked_for_at_the_next_sign_in(opened: Callable[..., Person], firm: SimpleNamespace, settings: Settings) -> None:
    door.demands("admin")
    root = opened()
    root.go("/sign-in")
    root.page.fill("#username", "root")
    root.page.fill("#password", make.PASSWORD)
    root.page.click("button.primary")
    root.page.wait_for_url("**/sign-in/enrol*")
    drawn = root.page.evaluate("(() => { const q = document.querySelector('.qr'); return q.complete && q.naturalWidth > 0; })()")
    assert drawn, "the picture is drawn under the page's own policy"
    root.page.fill("#code", door.shown(door.key_on(root.page.content())))
    root.page.click("button.primary")
    root.page.wait_for_selector(".codes li")
    assert len(door.codes_on(root.page.content())) == 10
    root.page.click("a.primary")
    root.page.wait_for_url(lambda url: "/sign-in" not in url)

    again = opened()
    again.go("/sign-in")
    again.page.fill("#username", "root")
    again.page.fill("#password", make.PASSWORD)
    again.page.click("button.primary")
    again.page.wait_for_url("**/sign-in/code*")
    again.page.fill("#code", door.fresh_code(firm.root.id))
    again.page.keyboard.press("Enter")
    again.page.wait_for_url(lambda url: "/sign-in" not in url)


def test_a_passkey_is_made_then_proves_as_second_factor_and_alone(
    opened: Callable[..., Person], firm: SimpleNamespace, settings: Settings, local: Site
) -> None:
    ada = opened()
    ada.site = local
    authenticator(ada)
    ada.sign_in("ada")
    page = ada.go(ME)
    page.fill("#passkey-name", "笔记本 🙂")
    page.fill("#password-passkey", make.PASSWORD)
    page.click("form[data-passkey] button")
    page.wait_for_selector(".one-key")
    assert "笔记本 🙂" in page.content()
    with db.begin(scope.ALL) as work:
        key = work.scalars(select(Passkey)).one()
        assert (key.staff_id, second_factor.has_any(work, firm.ada.id)) == (firm.ada.id, True)

    sign_out(ada)
    page.fill("#username", "ada")
    page.fill("#password", make.PASSWORD)
    page.click("button.primary")
    page.wait_for_url("**/sign-in/code*")
    page.click("[data-passkey] button")
    page.wait_for_url("**/desk*")

    sign_out(ada)
    page.click("[data-passkey] button")
    page.wait_for_url("**/desk*")
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Passkey)).one().used_at is not None


def test_a_passkey_alone_has_to_know_its_owner(opened: Callable[..., Person], firm: SimpleNamespace, local: Site) -> None:
    ada = opened()
    ada.site = local
    device = authenticator(ada)
    ada.sign_in("ada")
    page = ada.go(ME)
    page.fill("#passkey-name", "key ring")
    page.fill("#password-passkey", make.PASSWORD)
    page.click("form[data-passkey] button")
    page.wait_for_selector(".one-key")
    sign_out(ada)
    device.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device.id, "isUserVerified": False})
    page.click("[data-passkey] button")
    page.wait_for_selector("[data-f=fault]:not([hidden])")
    assert "/sign-in" in page.url


def test_a_passkey_with_a_wrong_password_is_not_made(opened: Callable[..., Person], firm: SimpleNamespace, local: Site) -> None:
    ada = opened()
    ada.site = local
    authenticator(ada)
    ada.sign_in("ada")
    page = ada.go(ME)
    page.fill("#passkey-name", "x")
    page.fill("#password-passkey", "wrong")
    page.click("form[data-passkey] button")
    page.wait_for_selector("[data-f=fault]:not([hidden])")
    assert "not your password" in page.inner_text("[data-f=fault]")
    ada.faults[:] = [fault for fault in ada.faults if "422" not in fault]  # the browser tells of each refused request
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Passkey)).first() is None


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_fit_their_window(width: int, opened: Callable[..., Person], firm: SimpleNamespace) -> None:
    root = opened(width=width).sign_in("root")
    for path in (ME, "/settings/security", "/settings/log", f"/settings/people/{firm.ada.id}"):
        root.go(path)
        assert root.wide() == 0, path


def sign_out(person: Person) -> None:
    person.page.evaluate("document.querySelector('form[action=\"/sign-out\"]').submit()")
    person.page.wait_for_url(re.compile("/sign-in"))
