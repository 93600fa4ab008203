"""Chromium of the machine, one server for the folder, one fresh browser profile a person."""

import shutil
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from service.core import db, scope
from service.core.config import Settings
from tests import make
from tests.browser.site import Person, Site, serving
from tests.conftest import in_ci


@pytest.fixture(scope="session")
def site(settings: Settings, database: db.Database) -> Iterator[Site]:
    """The web process."""
    with serving(settings, database) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser for one file, since its event loop must not run beneath other tests; where there is none the test skips aloud, and fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if in_ci():
            pytest.fail("no Chromium in CI: the screens would go untested")
        pytest.skip("NO CHROMIUM: the screens are not tested here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """The cast, and one gold customer who calls from 138 0000 1001."""
    with db.begin(scope.ALL) as work:
        customer = make.party(work, committed_cast.pudong, grade="gold")
        contact = make.contact(work, customer)
        make.phone(work, customer, "13800001001", contact)
        make.device(work, customer)
    committed_cast.customer, committed_cast.contact = customer, contact
    return committed_cast


@pytest.fixture
def opened(chromium: Any, site: Site) -> Iterator[Callable[..., Person]]:
    """Opens a browser of its own for a person; at the end none of them may have complained."""
    people: list[Person] = []

    def open_one(width: int = 1440, height: int = 900, **more: Any) -> Person:
        context = chromium.new_context(viewport={"width": width, "height": height}, locale="en-GB", **more)
        person = Person(site, context, None)
        person.page = person.watch(context.new_page())
        people.append(person)
        return person

    yield open_one
    complaints = [fault for person in people for fault in person.faults]
    foreign = [url for person in people for url in person.foreign]
    for person in people:
        person.context.close()
    assert complaints == []
    assert foreign == []
