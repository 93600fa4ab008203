"""The scan page with a camera that shows a test picture: it opens, it looks, and the page's policy has nothing against it."""

import shutil
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser whose camera sees no code."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("NO CHROMIUM: the camera is not tested here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def test_the_camera_opens_and_looks_for_a_code(opened: Any, firm: SimpleNamespace) -> None:
    ada = opened(390, 844, permissions=["camera"]).sign_in("ada")
    ada.go("/scan")
    ada.page.click("[data-camera]")
    ada.until("document.querySelector('video').videoWidth > 0")
    ada.until("document.querySelector('[data-scan-hint]').textContent.includes('No code yet')")
    ada.page.wait_for_timeout(800)  # a few looks, each through the code that reads codes
    assert ada.page.locator("[data-camera]").is_hidden() and ada.wide() == 0
