"""The doctor's page at each width: nothing spills, and it renews itself while the switches are examined."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from service.core.model import DoctorReport
from telephony.doctor import examine
from tests.browser.site import WIDTHS, Person, Site, serving
from tests.browser.test_screens import LOOKS, dressed
from tests.doctor.test_checks import CASES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(settings: Settings, database: db.Database) -> Iterator[Site]:
    """The web process of a firm that has a switch."""
    with serving(replace(settings, switches=(SwitchSettings("pbx1", port=1),)), database) as running:
        yield running


def kept() -> None:
    """Every finding there is, of a switch that has all faults."""
    found = {finding.code: finding.plain() for _, _, facts in CASES for finding in examine(facts)}
    with db.begin(scope.ALL) as work:
        work.merge(DoctorReport(switch="pbx1", at=clock.now(), findings=list(found.values())))


@pytest.mark.parametrize(("locale", "theme"), LOOKS)
@pytest.mark.parametrize("width", WIDTHS)
def test_all_findings_fit(width: int, locale: str, theme: str, committed_cast: SimpleNamespace, opened: Callable[..., Person]) -> None:
    kept()
    dressed("root", locale, theme)
    root = opened(width, 800).sign_in("root")
    root.go("/settings/doctor")
    root.page.evaluate("document.querySelectorAll('.findings details').forEach(one => { one.open = true; })")
    assert root.page.locator(".findings > li").count() > 70
    assert root.wide() == 0


def test_the_page_renews_itself_until_the_answer_is_there(committed_cast: SimpleNamespace, opened: Callable[..., Person]) -> None:
    root = opened().sign_in("root")
    root.go("/settings/doctor")
    root.page.click("form[action='/settings/doctor'] button")
    root.page.wait_for_selector("text=being examined")
    kept()
    root.page.wait_for_selector(".findings", timeout=8000)
