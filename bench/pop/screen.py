"""A person's screen: headless Chromium at the desk, noting when each pop came to be in the page."""

import shutil
import time
from typing import Any

import psutil
from playwright.sync_api import sync_playwright

from bench.stage import Stage

WATCH = """() => {
  window.seen = [];
  new MutationObserver((changes) => {
    const at = performance.timeOrigin + performance.now();
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node.matches?.("article.pop")) window.seen.push([Number(node.dataset.pop), at]);
  }).observe(document.querySelector("[data-pops]"), { childList: true });
}"""
CLOCK = "performance.timeOrigin + performance.now()"


class Screen:
    """The desks of some people, each in a browser profile of their own; `first` is rung, the others look on."""

    def __init__(self, place: Stage, people: list[int]) -> None:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if found is None:
            raise SystemExit("This bench needs Chromium: apt install chromium.")
        self._player = sync_playwright().start()
        self.browser = self._player.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        self.pages = {person: self._desk(place, person) for person in people}
        self.first = people[0]

    def processes(self) -> list[int]:
        """The player's driver and with it the browser."""
        return [child.pid for child in psutil.Process().children() if "playwright" in " ".join(child.cmdline())]

    def _desk(self, place: Stage, person: int) -> Any:
        context = self.browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        context.add_cookies([{"name": "ringdesk", "value": place.cookie(person), "url": place.url}])
        page = context.new_page()
        page.goto(f"{place.url}/desk")
        page.wait_for_selector("[data-own-state=ready]")
        page.evaluate(WATCH)
        return page

    def taken(self) -> dict[int, list[tuple[int, float]]]:
        """(pop, this machine's monotonic seconds) of all that came since the last look, by person."""
        return {
            person: [(pop, at / 1000 + self._offset(page)) for pop, at in page.evaluate("() => seen.splice(0)")]
            for person, page in self.pages.items()
        }

    def _offset(self, page: Any) -> float:
        """Monotonic seconds less the page's clock; the quickest of thirty looks is the truest."""
        looks = []
        for _ in range(30):
            before = time.monotonic()
            there = page.evaluate(CLOCK)
            after = time.monotonic()
            looks.append((after - before, (before + after) / 2 - there / 1000))
        return min(looks)[1]

    def close(self) -> None:
        """The browser is gone."""
        self.browser.close()
        self._player.stop()
