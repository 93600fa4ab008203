"""A call placed on a real Asterisk pops in a real browser, becomes a ticket, and its recording plays."""

import io
import wave
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from recordings import collect
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from telephony.listener import Listener
from tests import make
from tests.asterisk.fixtures import asterisk
from tests.asterisk.lab import Lab
from tests.browser.conftest import chromium
from tests.browser.site import Person, Site, serving
from tests.telephony.ami import until
from tests.telephony.test_listener import running

__all__ = ["asterisk", "chromium"]
pytestmark = [pytest.mark.asterisk, pytest.mark.browser]
NUMBER = "+8613800001001"


@pytest.fixture
def house(settings: Settings, clean: db.Database, committed_cast: SimpleNamespace, asterisk: Lab, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """Web and listener of a firm whose switch is the real one; the listener has the few rights of docs/asterisk."""
    with db.begin(scope.ALL, clean.app) as work:
        customer = make.party(work, committed_cast.pudong, grade="vip")
        make.phone(work, customer, NUMBER)
        make.device(work, customer)
    switch = SwitchSettings(name="pbx1", host=asterisk.host, port=asterisk.ami_port, username="listener", secret=asterisk.secret,
                            recordings=asterisk.recordings_dir)
    real = replace(settings, data=tmp_path, switches=(switch,))
    with serving(real, clean) as site, running(Listener(real, switch)):
        yield SimpleNamespace(**vars(committed_cast), customer=customer, settings=real, site=site, database=clean)


def at_desk(chromium: Any, site: Site, username: str) -> Person:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    person = Person(site, context, None)
    person.page = person.watch(context.new_page())
    person.sign_in(username).go("/desk")
    person.page.wait_for_selector("[data-own-state=ready], details.agent > .btn")  # ready, or offered a seat
    return person


def test_a_real_call_pops_is_ticketed_and_its_recording_plays(house: SimpleNamespace, asterisk: Lab, chromium: Any) -> None:
    ada, cleo = at_desk(chromium, house.site, "ada"), at_desk(chromium, house.site, "cleo")

    customer = asterisk.call_in(NUMBER, "Wang")
    ada.page.wait_for_selector("article.pop[data-state=ringing]", timeout=10_000)
    ada.page.wait_for_selector(".pop-details >> text=上海恒通物流有限公司")
    assert cleo.page.locator("article.pop").count() == 0

    asterisk.phone("1001").ringing().answer()
    ada.page.wait_for_selector("article.pop[data-state=talking]", timeout=10_000)
    ticket = _ticketed(ada, house)
    ada.page.wait_for_timeout(2500)  # so that there is something to hear
    customer.hang_up()
    ada.page.wait_for_selector("article.pop[data-state=ended]", timeout=10_000)

    until(lambda: _one(house, "select id from call where not live and disposition = 'answered'"), what="the stored call")
    call = _one(house, "select * from call where disposition = 'answered'")
    assert _one(house, f"select 1 from ticket_call where ticket_id = {ticket.id} and call_key = '{call.call_key}'")
    until(lambda: _collected(house), 20, "the recording")
    _plays(ada, house, call)
    assert ada.faults == [] and ada.foreign == [] and cleo.faults == []


def _ticketed(ada: Person, house: SimpleNamespace) -> Any:
    ada.page.keyboard.press("F2")
    ada.page.wait_for_selector("[name=subject]:focus")
    ada.page.keyboard.type("Label printer jams")
    ada.page.keyboard.press("Control+Enter")
    ada.page.wait_for_selector("[data-saved]")
    return _one(house, "select * from ticket where subject = 'Label printer jams'")


def _collected(house: SimpleNamespace) -> Any:
    collect.scan(house.settings, clock.now() + timedelta(minutes=5))
    return _one(house, "select id from recording where call_id is not null")


def _plays(ada: Person, house: SimpleNamespace, call: Any) -> None:
    recording = _one(house, "select * from recording where call_id is not null")
    address = f"{house.site.url}/media/recordings/{recording.id}"
    with wave.open(io.BytesIO(ada.context.request.get(address).body())) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    assert float(np.sqrt(np.mean(samples**2))) > 0.01
    sought = ada.context.request.get(address, headers={"Range": "bytes=16044-"})
    assert sought.status == 206
    ada.go(f"/calls/{call.id}")
    ada.page.click("[data-play]")
    ada.until("document.querySelector('audio').currentTime > 0.3", 15)
    ada.page.evaluate("document.querySelector('audio').currentTime = 1.2")
    ada.until("document.querySelector('audio').currentTime > 1.3", 15)
    until(lambda: _one(house, f"select 1 from recording_play where recording_id = {recording.id}"), what="the log of the play")


def _one(house: SimpleNamespace, statement: str) -> Any:
    with db.begin(scope.ALL, house.database.app) as work:
        return work.execute(text(statement)).first()
