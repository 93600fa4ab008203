"""J1, as far as it reaches today: a hotline call becomes a pop, a ticket, a recording, a board and a workbook."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import openpyxl
import pytest
from sqlalchemy import text

from etl import nightly
from recordings import collect
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from telephony.simulator.audio import write_wav
from tests import make
from tests.browser.site import serving
from tests.telephony.ami import SECRET, Ami, frames, until
from tests.telephony.test_listener import listening


class Visitor:
    """A browser without a screen: cookies, forms and their tokens."""

    def __init__(self, url: str, username: str) -> None:
        self.http = httpx.Client(base_url=url, follow_redirects=True, timeout=30, headers={"Accept": "text/html"})
        self.post("/sign-in", "/sign-in", username=username, password=make.PASSWORD)

    def post(self, page: str, action: str, **fields: Any) -> httpx.Response:
        """The form of `page` sent to `action`, filled in."""
        shown = self.http.get(page)
        token = re.search(r'name="csrf[-_]token"[^>]*(?:value|content)="([^"]+)"', shown.text)
        assert token, f"no form on {page}"
        answer = self.http.post(action, data={"csrf_token": token[1]} | fields)
        assert answer.status_code == 200, answer.text[:2000]
        return answer


@pytest.fixture
def firm(clean: db.Database, committed_cast: SimpleNamespace, settings: Settings, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """C-1001 with contract, contact, device, a late invoice, and the number that the capture calls from."""
    cast, now = committed_cast, clock.now()
    with db.begin(scope.ALL, clean.app) as session:
        customer = make.party(session, cast.pudong, number="C-1001", grade="vip", contract_name="年保",
                              contract_until=now.date() + timedelta(days=200))
        make.phone(session, customer, _caller(), make.contact(session, customer))
        device = make.device(session, customer, number="DEV-0007")
        make.line(session, cast.pudong, "support", label="售后")
        make.invoice(session, customer, "1280.00", now.date() - timedelta(days=42), now.date() - timedelta(days=12), now)
        for days in (30, 20, 10):
            make.ticket(session, customer, cast.ada, now - timedelta(days=days), subject=f"往事 {days}")
    yield SimpleNamespace(**vars(cast), customer=customer, device=device, settings=replace(settings, data=tmp_path))


def _caller() -> str:
    """The number in the capture."""
    stream = b"\r\n\r\n".join(frames(CAPTURE, fresh=False))
    found = re.search(rb"CallerIDNum: (\+441632\d+)", stream)
    assert found
    return found[1].decode()


CAPTURE = "asterisk-22/f-recorded-by-dialplan"


def test_a_hotline_call_reaches_an_excel_cell(firm: SimpleNamespace, clean: db.Database) -> None:
    ami = Ami()
    monitor = firm.settings.data / "monitor"
    switch = SwitchSettings(name="pbx1", port=ami.port, username="listener", secret=SECRET, recordings=monitor)
    settings = replace(firm.settings, switches=(switch,))
    stream = frames(CAPTURE)
    with serving(settings, clean) as site, listening(settings, ami):
        ada, ben, wang = (Visitor(site.url, name) for name in ("ada", "ben", "wang"))
        pop = _rings(ami, stream, clean, firm)
        _card_shows_the_situation(ada, pop)
        number = _registers(ada, clean, pop, firm)
        for frame in stream:
            ami.say(frame + b"\r\n\r\n")
        until(lambda: _one(clean, "select id from call where not live"), what="the stored call")
        call = _one(clean, "select * from call where disposition = 'answered'")
        assert call.answered_at and call.party_id == firm.customer.id and call.staff_id == firm.ada.id
        _works(wang, clean, number, firm)
        _plays(ada, ben, clean, settings, call)
        _night(settings)
        _reaches_the_workbooks(site.url, number, call)
    ami.close()


def _rings(ami: Ami, stream: list[bytes], database: db.Database, firm: SimpleNamespace) -> Any:
    """Step 1: the phones ring; Ada at 1001 has the window, and so have the others whose phones ring, nobody else."""
    while stream and b"DialState: RINGING" not in stream[0] and b"ChannelStateDesc: Ringing" not in stream[0]:
        ami.say(stream.pop(0) + b"\r\n\r\n")
    until(lambda: _say_until_pop(ami, stream, database, firm), what="Ada's pop")
    assert _one(database, f"select id from agent_pop where staff_id in ({firm.dan.id}, {firm.cleo.id}, {firm.wang.id})") is None
    return _one(database, f"select * from agent_pop where staff_id = {firm.ada.id}")


def _say_until_pop(ami: Ami, stream: list[bytes], database: db.Database, firm: SimpleNamespace) -> Any:
    found = _one(database, f"select id from agent_pop where staff_id = {firm.ada.id} and state = 'ringing'")
    if not found and stream and b"AgentConnect" not in stream[0]:
        ami.say(stream.pop(0) + b"\r\n\r\n")
    return found


def _card_shows_the_situation(ada: Visitor, pop: Any) -> None:
    """Step 1, in the window: customer, contract, contact, device, money and the last three tickets."""
    card = ada.http.get(f"/desk/pops/{pop.id}", headers={"HX-Request": "true"}).text
    for fact in ("上海恒通物流有限公司", "王丽华", "年保", "ZT411", "1,280.00", "往事 10", "往事 20", "往事 30"):
        assert fact in card, fact


def _registers(ada: Visitor, database: db.Database, pop: Any, firm: SimpleNamespace) -> str:
    """Step 3: the form is filled in, priority proposed from the grade; saved with a number and a limit of 15 minutes."""
    form = ada.http.get(f"/tickets/new?pop={pop.id}").text
    assert "DEV-0007" in form or "ZT411" in form
    assert re.search(r'value="urgent"[^>]*(checked|selected)', form)
    ada.post(f"/tickets/new?pop={pop.id}", "/tickets", pop=pop.id, party_id=firm.customer.id, device_id=firm.device.id,
             subject="换胶辊后仍卡纸", priority="urgent", type="repair", request_key="j1", phone=_caller())
    ticket = _one(database, "select * from ticket where request_key = 'j1'")
    assert (ticket.state, ticket.channel) == ("registered", "hotline")
    assert ticket.response_due_at - ticket.registered_at == timedelta(minutes=15)
    return str(ticket.number)


def _works(wang: Visitor, database: db.Database, number: str, firm: SimpleNamespace) -> None:
    """Steps 4 to 7 and 16: assigned, accepted in time, processed, finished, closed; every step is in the timeline."""
    cleo = Visitor(str(wang.http.base_url), "cleo")
    ticket_id = _one(database, f"select id from ticket where number = '{number}'").id
    page = f"/tickets/{ticket_id}"
    for person, verb, fields in ((cleo, "assign", {"staff_id": firm.wang.id}), (wang, "accept", {}), (wang, "start", {}),
                                 (wang, "finish", {"result": "更换 2 条内存，试机正常。"}), (cleo, "close", {})):
        version = _one(database, f"select version from ticket where id = {ticket_id}").version
        person.post(page, f"{page}/{verb}", version=version, **fields)
    log = _all(database, f"select verb, old, new, by_id from ticket_event where ticket_id = {ticket_id} and field = 'state' order by id")
    assert [row.new for row in log] == ["registered", "assigned", "accepted", "processing", "to_settle", "closed"]
    assert all(row.by_id for row in log)


def _plays(ada: Visitor, ben: Visitor, database: db.Database, settings: Settings, call: Any) -> None:
    """Steps 2 and 12: the recording is found after the call, plays from any second, and the play is on record."""
    name = f"pbx1/{clock.now():%Y/%m/%d}/{call.call_key}.1.wav"
    place = settings.switches[0].recordings
    assert place
    (place / name).parent.mkdir(parents=True)
    write_wav(place / name, 4.0, "j1")
    until(lambda: collect.scan(settings, clock.now() + timedelta(minutes=5)) and _one(database, "select id from recording"), what="the recording")
    recording = _one(database, "select * from recording")
    assert recording.call_id == call.id
    assert f"/media/recordings/{recording.id}" in ada.http.get(f"/calls/{call.id}").text
    part = ada.http.get(f"/media/recordings/{recording.id}", headers={"Range": "bytes=8000-15999"})
    assert (part.status_code, len(part.content)) == (206, 8000)
    whole = ada.http.get(f"/media/recordings/{recording.id}")
    assert whole.status_code == 200 and whole.content[:4] == b"RIFF"
    until(lambda: _one(database, f"select id from recording_play where staff_id = {call.staff_id}"), what="the log of the play")


def _night(settings: Settings) -> None:
    """Step 14, the load: the night after this day is proven and published."""
    tomorrow = clock.now() + timedelta(days=1)
    outcome = nightly.run(settings, slot="J1", at=tomorrow)
    assert outcome.refused is None and outcome.generation


def _reaches_the_workbooks(url: str, number: str, call: Any) -> None:
    """Steps 14 and 15: SLA urgent 1 of 1 on the board's rows; finance finds ticket and call in cells, all differences none."""
    fay = Visitor(url, "fay")
    days = f"from={(clock.now() - timedelta(days=2)).date()}&to={(clock.now() + timedelta(days=1)).date()}"
    sla = openpyxl.load_workbook(io.BytesIO(fay.http.get(f"/dashboards/export/sla.xlsx?{days}").content))
    priorities = [[cell.value for cell in row] for row in sla["By priority"].iter_rows()]
    urgent = next(row for row in priorities if row[0] == "Urgent")
    assert (urgent[1], urgent[2]) == (1, 0)
    calls = openpyxl.load_workbook(io.BytesIO(fay.http.get(f"/dashboards/export/calls.xlsx?{days}").content))
    cells = [[cell.value for cell in row] for row in calls["Calls"].iter_rows()]
    row = next(row for row in cells if row[-1] == call.id)
    assert number in row and "上海恒通物流有限公司" in row
    cover = [str(cell.value) for row in calls["Cover"].iter_rows() for cell in row if cell.value is not None]
    assert "Equal to the books to the cent" in cover and "NO" not in cover


def _all(database: db.Database, statement: str) -> list[Any]:
    with db.begin(scope.ALL, database.app) as session:
        return list(session.execute(text(statement)).all())


def _one(database: db.Database, statement: str) -> Any:
    found = _all(database, statement)
    return found[0] if found else None
