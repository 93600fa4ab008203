"""J10, as far as it reaches today: plans bring visits, visits become tickets with findings, and an inspector goes a round."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from service.app import create_app
from service.calls import actions as calls
from service.calls.schemas import Ring
from service.core import clock, db, scope
from service.core.config import Settings
from service.maintenance import actions as maintenance
from service.maintenance.model import MaintenancePlan, MaintenanceReminder
from service.tickets.model import Ticket
from tests import make
from tests.signin import people
from tests.signin.people import PAGE

FOUND = "更换皮带，其余正常"


class Clock:
    """The firm's clock, which the story sets."""

    def __init__(self) -> None:
        self.moment = datetime(2027, 3, 2, 1, 0, tzinfo=UTC)

    def set(self, month: int, day: int, hour: int = 9) -> None:
        """It is that hour of that day of 2027 in Shanghai."""
        self.moment = datetime(2027, month, day, hour - 8, 0, tzinfo=UTC)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    monkeypatch.setattr(clock, "now", lambda: told.moment)
    return told


@pytest.fixture
def firm(time: Clock, committed_cast: SimpleNamespace, database: db.Database, settings: Settings) -> Iterator[SimpleNamespace]:
    cast = committed_cast
    with db.begin(scope.ALL) as work:
        customer = make.party(work, cast.pudong)
        make.phone(work, customer, "13800001001")
        cast.devices = [make.device(work, customer).id for _number in range(3)]
        cast.sites = {number: make.site(work, cast.pudong, number=number, party_id=customer.id).id for number in ("S-12", "S-13", "S-14")}
        make.device(work, customer, site_id=cast.sites["S-13"])
    app = create_app(settings, database)
    cast.ada, cast.cleo_browser, cast.wang_browser = (people.browser(app, settings, person) for person in (cast.ada, cast.cleo, cast.wang))
    yield cast


def send(client: FlaskClient, path: str, **form: object) -> str:
    """Where the form leads."""
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/settings/password")}, headers=PAGE)
    assert answer.status_code == 302, answer.text[:3000]
    return str(answer.headers["Location"])


def seen(client: FlaskClient, path: str) -> str:
    answer = client.get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text[:3000]
    return answer.text


def dates() -> list[date]:
    with db.begin(scope.ALL) as work:
        return list(work.scalars(select(MaintenancePlan.next_due_on).order_by(MaintenancePlan.id)))


def reminded() -> list[tuple[int, date]]:
    """Which plan's which visit waits."""
    with db.begin(scope.ALL) as work:
        rows = select(MaintenanceReminder).where(MaintenanceReminder.state == "due").order_by(MaintenanceReminder.due_on)
        return [(row.plan_id, row.due_on) for row in work.scalars(rows)]


def test_plans_bring_visits_and_visits_their_findings(firm: SimpleNamespace, time: Clock) -> None:
    cleo, wang = firm.cleo_browser, firm.wang_browser

    # 1. Three plans know their next dates.
    for device, (timing, every) in zip(firm.devices, (("monthly", 15), ("interval", 30), ("monthly", 31)), strict=True):
        send(cleo, "/maintenance/plans", device_id=device, content="清洁打印头", timing=timing, every=every, starts_on="2027-03-02", notice_days=2)
    assert dates() == [date(2027, 3, 15), date(2027, 4, 1), date(2027, 3, 31)]
    first, second, third = _plans()

    # 2. The job runs twice, and the visit comes once.
    time.set(3, 12)
    maintenance.job({})
    assert reminded() == []
    time.set(3, 13)
    for _run in range(2):
        maintenance.job({})
    assert reminded() == [(first, date(2027, 3, 15))]

    # 3. Dispatched from the list, done by the technician: the history and the pop tell what was found.
    (visit,) = _visits()
    for _click in range(2):
        send(cleo, "/lists/visits/do/dispatch", id=visit, choice=firm.wang.id)
    with db.begin(scope.ALL) as work:
        (ticket,) = work.scalars(select(Ticket.id))
    time.set(3, 15)
    for step, more in (("accept", {}), ("start", {}), ("finish", {"result": FOUND})):
        version = re.search(r'name="version" value="(\d+)"', seen(wang, f"/tickets/{ticket}"))
        assert version
        send(wang, f"/tickets/{ticket}/{step}", version=version[1], **more)
    assert dates()[0] == date(2027, 4, 15)
    page = seen(cleo, f"/devices/{firm.devices[0]}")
    assert FOUND in page[page.index('id="history"'):] and f"/maintenance/plans/{first}" in page
    assert FOUND in seen(firm.ada, f"/desk/pops/{_rings()}")

    # 2, again. The job was off for three days; what it missed comes once.
    time.set(4, 1)
    for _run in range(2):
        maintenance.job({})
    assert reminded() == [(third, date(2027, 3, 31)), (second, date(2027, 4, 1))]
    late = _visits()[0]
    send(cleo, f"/maintenance/visits/{late}/done", findings="一切正常")
    assert dates()[2] == date(2027, 4, 30)  # day 31 of a shorter month


def test_an_inspector_visits_two_sites_of_three_and_one_has_a_fault(firm: SimpleNamespace, time: Clock) -> None:
    cleo, wang = firm.cleo_browser, firm.wang_browser
    time.set(3, 15)
    where = send(cleo, "/maintenance/rounds", name="浦东一线", inspector_id=firm.wang.id, starts_on="2027-03-15", ends_on="2027-03-21", site=list(firm.sites.values()))
    assert seen(wang, "/maintenance/patrols/mine").count("I am here") == 3

    # 5. Two sites are visited with a picture and a position, each sent twice.
    for number, fault in (("S-12", "0"), ("S-13", "1")):
        form = seen(wang, f"/maintenance/patrols/new?site={firm.sites[number]}")
        key = re.search(r'name="request_key" value="(\w+)"', form)
        assert key
        for _click in range(2):
            send(wang, "/maintenance/patrols", request_key=key[1], site_id=firm.sites[number], findings=f"{number} 看过了", faulty=fault, repair="1",
                 latitude="31.203500", longitude="121.590800", accuracy="9", picture=(picture(), "门口.jpg"))
    page = seen(cleo, where)
    missing, visited = page[page.index("Not visited"):].split(">Visited<")[:2]
    assert "S-14" in missing and "S-12" not in missing and "S-13" not in missing
    assert "S-12" in visited and "S-13" in visited
    assert "S-14" in (left := seen(cleo, "/maintenance/patrols/missing")) and "S-12" not in left and "S-13" not in left
    review = seen(cleo, "/maintenance/patrols")
    assert len(re.findall(r'href="(/maintenance/patrols/\d+)"', review)) == 2 and "31.203500, 121.590800" in review

    # 6. The fault is one repair request with its picture and position, and the site is abnormal.
    with db.begin(scope.ALL) as work:
        (ticket,) = work.scalars(select(Ticket))
    assert (ticket.type, ticket.channel, ticket.state) == ("repair", "patrol", "registered")
    page = seen(cleo, f"/tickets/{ticket.id}")
    shown = re.search(r'src="(/media/pictures/\d+/small)"', page)
    assert shown and "31.203500, 121.590800" in page and "S-13 看过了" in page
    listed = seen(cleo, "/sites?condition=abnormal")
    assert "S-13" in listed and "S-12" not in listed and "S-14" not in listed


def _plans() -> list[int]:
    with db.begin(scope.ALL) as work:
        return list(work.scalars(select(MaintenancePlan.id).order_by(MaintenancePlan.id)))


def _visits() -> list[int]:
    with db.begin(scope.ALL) as work:
        rows = select(MaintenanceReminder.id).where(MaintenanceReminder.state == "due").order_by(MaintenanceReminder.due_on)
        return list(work.scalars(rows))


def picture() -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (400, 300), "blue").save(out, "JPEG")
    out.seek(0)
    return out


def _rings() -> int:
    """The customer calls Ada."""
    with db.begin(scope.ALL) as work:
        pop = calls.phone_rings(work, Ring("pbx1", "1804898000.1", "1001", "13800001001", "王", "02160000100", "support", "inbound"), at=clock.now())
    assert pop is not None
    return pop
