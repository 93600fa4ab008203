"""An inspector goes a round: what was found is kept once, a fault becomes one request, and the site says how it stands."""

import io
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.core import attachments, db, scope
from service.core.editing import Stale
from service.core.errors import Invalid, NotFound
from service.maintenance.patrols import actions, queries
from service.maintenance.patrols.model import PatrolVisit
from service.maintenance.patrols.schemas import Found, Round, Sent
from service.sites import actions as places
from service.sites import condition
from service.sites import queries as sites
from service.tickets import actions as tickets
from service.tickets.model import Ticket
from service.tickets.queries import device_facts
from tests import make

MORNING = datetime(2027, 3, 15, 1, 0, tzinfo=UTC)
WEEK = date(2027, 3, 15), date(2027, 3, 21)


@pytest.fixture
def firm(session: Session, cast: SimpleNamespace) -> SimpleNamespace:
    condition.facts("tickets", device_facts)
    condition.patrols("patrols", queries.latest)
    cast.party = make.party(session, cast.pudong)
    cast.sites = [make.site(session, cast.pudong, party_id=cast.party.id) for _number in range(3)]
    return cast


def shot() -> Sent:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "blue").save(out, "JPEG")
    return Sent(out.getvalue(), "门口.jpg")


def visit(session: Session, firm: SimpleNamespace, folder: Path, site: int, key: str, *shots: Sent, at: datetime = MORNING, **more: object) -> int:
    found = Found(**{"site_id": firm.sites[site].id, "findings": "一切正常", "faulty": False, "request_key": key} | more)  # type: ignore[arg-type]
    return actions.record(session, folder, found, shots, by=firm.wang.id, at=at)


def a_round(session: Session, firm: SimpleNamespace, **more: object) -> int:
    new = Round(**{"name": "浦东一线", "inspector_id": firm.wang.id, "starts_on": WEEK[0], "ends_on": WEEK[1], "sites": tuple(s.id for s in firm.sites)} | more)  # type: ignore[arg-type]
    return actions.plan(session, new, by=firm.cleo.id, at=MORNING)


def condition_of(session: Session, firm: SimpleNamespace, site: int) -> str:
    site_id = firm.sites[site].id
    return sites.site_tallies(session, [site_id])[site_id].condition


def faults_of(session: Session, firm: SimpleNamespace, site: int) -> int:
    site_id = firm.sites[site].id
    return sites.site_tallies(session, [site_id])[site_id].faults


def test_a_form_sent_twice_is_one_patrol_with_its_pictures(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    once = visit(session, firm, tmp_path, 0, "k1", shot(), shot(), latitude="31.2035", longitude="121.5908", accuracy="12.4")
    again = visit(session, firm, tmp_path, 0, "k1", shot(), shot(), findings="另外的话")
    row = session.get_one(PatrolVisit, once)
    assert once == again and row.findings == "一切正常"
    assert (str(row.latitude), str(row.longitude), row.accuracy) == ("31.203500", "121.590800", 12)
    assert len(attachments.of(session, queries.ENTITY, once)) == 2


@pytest.mark.parametrize(("field", "typed"), [("findings", {"findings": " "}), ("latitude", {"latitude": "31.2"}), ("latitude", {"latitude": "91", "longitude": "1"}), ("device_id", {"device_id": 999_999})])
def test_what_cannot_be_taken_is_said_beside_its_field(session: Session, firm: SimpleNamespace, tmp_path: Path, field: str, typed: dict[str, object]) -> None:
    with pytest.raises(Invalid) as refused:
        visit(session, firm, tmp_path, 0, "k", **typed)
    assert field in refused.value.fields


def test_the_round_knows_what_nobody_visited(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    round_id = a_round(session, firm)
    visit(session, firm, tmp_path, 0, "k1")
    visit(session, firm, tmp_path, 1, "k2", round_id=round_id)
    left = [stop.site.id for stop in queries.stops(session, [round_id]) if stop.visit is None]
    assert left == [firm.sites[2].id]
    assert queries.progress(session, [round_id])[round_id] == queries.Progress(3, 2)


def test_a_visit_after_its_round_is_kept_and_does_not_count_for_it(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    round_id = a_round(session, firm)
    late = visit(session, firm, tmp_path, 2, "k", round_id=round_id, at=datetime(2027, 3, 22, 1, tzinfo=UTC))
    assert session.get_one(PatrolVisit, late).round_id is None
    assert queries.progress(session, [round_id])[round_id].visited == 0


def test_a_period_knows_its_unvisited_sites_by_the_firms_days(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    visit(session, firm, tmp_path, 0, "k1", at=datetime(2027, 3, 14, 15, 59, tzinfo=UTC))  # the evening before, in Shanghai
    visit(session, firm, tmp_path, 1, "k2", at=datetime(2027, 3, 14, 16, 0, tzinfo=UTC))
    left = set(session.scalars(queries.unvisited(*WEEK)))
    assert left == {firm.sites[0], firm.sites[2]}


def test_a_round_lies_in_one_branch_with_somebody_of_it(session: Session, firm: SimpleNamespace) -> None:
    foreign = make.site(session, firm.suzhou)
    for wrong, field in (({"sites": (firm.sites[0].id, foreign.id)}, "sites"), ({"sites": ()}, "sites"), ({"inspector_id": firm.dan.id}, "inspector_id"),
                         ({"ends_on": date(2027, 3, 1)}, "ends_on"), ({"name": " "}, "name"), ({"starts_on": date.min}, "starts_on")):
        with pytest.raises(Invalid) as refused:
            a_round(session, firm, **wrong)
        assert field in refused.value.fields


def test_a_round_changes_and_two_who_change_it_are_told(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    round_id = a_round(session, firm)
    visit(session, firm, tmp_path, 0, "k1")
    less = Round("浦东二线", firm.wang.id, *WEEK, (firm.sites[0].id, firm.sites[1].id))
    actions.change(session, round_id, less, version=1, by=firm.cleo.id, at=MORNING)
    assert queries.progress(session, [round_id])[round_id] == queries.Progress(2, 1)
    with pytest.raises(Stale):
        actions.change(session, round_id, less, version=1, by=firm.cleo.id, at=MORNING)


def test_two_who_change_the_sites_of_a_round_alone_are_told_too(session: Session, firm: SimpleNamespace) -> None:
    round_id = a_round(session, firm, sites=(firm.sites[0].id,))
    mine, theirs = (Round("浦东一线", firm.wang.id, *WEEK, (firm.sites[0].id, firm.sites[n].id)) for n in (1, 2))
    actions.change(session, round_id, mine, version=1, by=firm.cleo.id, at=MORNING)
    with pytest.raises(Stale):
        actions.change(session, round_id, theirs, version=1, by=firm.root.id, at=MORNING)
    assert {stop.site.id for stop in queries.stops(session, [round_id])} == set(mine.sites)


def test_a_fault_becomes_one_request_with_what_was_seen(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    device = make.device(session, firm.party, site_id=firm.sites[1].id)
    seen = visit(session, firm, tmp_path, 1, "k", shot(), faulty=True, findings="供电接地松动\n已拍照", latitude="31.2", longitude="121.5", accuracy="8")
    first, second = (actions.request_repair(session, seen, by=firm.cleo.id, at=MORNING) for _click in range(2))
    ticket = session.get_one(Ticket, first)
    assert first == second and session.scalar(select(func.count()).select_from(Ticket)) == 1
    assert (ticket.type, ticket.channel, ticket.state, ticket.device_id, ticket.party_id) == ("repair", "patrol", "registered", device.id, firm.party.id)
    assert "供电接地松动" in ticket.subject and "已拍照" in ticket.description and firm.sites[1].number in ticket.description
    origin = queries.origin(session, first)
    assert origin and len(origin.pictures) == 1 and origin.accuracy == 8 and origin.link == f"/maintenance/patrols/{seen}"


def test_what_is_in_order_or_belongs_to_nobody_becomes_no_request(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    fine = visit(session, firm, tmp_path, 0, "k1")
    firm.sites[2].party_id = None
    nobodys = visit(session, firm, tmp_path, 2, "k2", faulty=True)
    for one in (fine, nobodys):
        with pytest.raises(actions.NoFault):
            actions.request_repair(session, one, by=firm.cleo.id, at=MORNING)
    with pytest.raises(NotFound):
        actions.request_repair(session, 999_999, by=firm.cleo.id, at=MORNING)


def test_a_site_is_abnormal_until_the_next_patrol_finds_it_in_order(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    assert condition_of(session, firm, 0) == "normal"
    visit(session, firm, tmp_path, 0, "k1", faulty=True)
    assert condition_of(session, firm, 0) == "abnormal" and condition_of(session, firm, 1) == "normal"
    assert [site.id for site in sites.sites(session, sites.Filters(condition="abnormal"))] == [firm.sites[0].id]
    visit(session, firm, tmp_path, 0, "k2", at=datetime(2027, 3, 16, 1, tzinfo=UTC))
    assert condition_of(session, firm, 0) == "normal"


def finish(session: Session, ticket_id: int, firm: SimpleNamespace) -> None:
    tickets.assign(session, ticket_id, firm.wang.id, by=firm.cleo.id, at=MORNING)
    tickets.accept(session, ticket_id, by=firm.wang.id, at=MORNING)
    tickets.start(session, ticket_id, by=firm.wang.id, at=MORNING)
    tickets.finish(session, ticket_id, "已修", by=firm.wang.id, at=MORNING)


@pytest.mark.parametrize("with_device", [True, False])
def test_a_fault_of_a_patrol_ends_with_the_ticket_that_it_became(session: Session, firm: SimpleNamespace, tmp_path: Path, with_device: bool) -> None:
    more = {"device_id": make.device(session, firm.party, site_id=firm.sites[0].id).id} if with_device else {}
    ticket = actions.request_repair(session, visit(session, firm, tmp_path, 0, "k1", faulty=True, **more), by=firm.cleo.id, at=MORNING)
    assert faults_of(session, firm, 0) == 1
    visit(session, firm, tmp_path, 0, "k2", at=datetime(2027, 3, 16, 1, tzinfo=UTC))  # seen in order, and yet somebody is asked to repair
    assert (faults_of(session, firm, 0), condition_of(session, firm, 0)) == (1, "abnormal")
    assert [site.id for site in sites.sites(session, sites.Filters(condition="abnormal"))] == [firm.sites[0].id]

    finish(session, ticket, firm)
    assert (faults_of(session, firm, 0), condition_of(session, firm, 0)) == (0, "normal")
    assert firm.sites[0].id in [site.id for site in sites.sites(session, sites.Filters(condition="normal"))]


def test_a_site_is_as_it_is_also_for_who_sees_only_own_tickets(committed_cast: SimpleNamespace, tmp_path: Path) -> None:
    firm = committed_cast
    condition.facts("tickets", device_facts)
    condition.patrols("patrols", queries.latest)
    with db.begin(scope.ALL) as work:
        firm.party = make.party(work, firm.pudong)
        firm.sites = [make.site(work, firm.pudong, party_id=firm.party.id) for _number in range(2)]
        make.ticket(work, firm.party, firm.ada, MORNING, device_id=make.device(work, firm.party, site_id=firm.sites[0].id).id)
        actions.request_repair(work, visit(work, firm, tmp_path, 1, "k1", faulty=True), by=firm.cleo.id, at=MORNING)
    with db.begin(scope.Scope((firm.pudong.id,), fine=scope.Fine(firm.wang.id))) as work:
        assert list(work.scalars(select(Ticket.id))) == []
        assert [condition_of(work, firm, number) for number in (0, 1)] == ["abnormal", "abnormal"]


def test_a_device_keeps_the_patrols_that_saw_it_wherever_it_goes(session: Session, firm: SimpleNamespace, tmp_path: Path) -> None:
    site = firm.sites[0].id
    before = visit(session, firm, tmp_path, 0, "k0", at=datetime(2027, 3, 10, tzinfo=UTC))
    device, other = (make.device(session, firm.party, site_id=site, serial=serial) for serial in ("P-1", "P-2"))
    own = visit(session, firm, tmp_path, 0, "k1", device_id=device.id)
    there = visit(session, firm, tmp_path, 0, "k2")
    visit(session, firm, tmp_path, 0, "k3", device_id=other.id)
    places.take_device(session, site, device.id, by=firm.ada.id, at=MORNING)
    visit(session, firm, tmp_path, 0, "k4", at=datetime(2027, 3, 17, tzinfo=UTC))
    rows = [row.id for row in queries.visits_of_device(session, device.id, until=None, limit=10)]
    assert rows == [there, own] and before not in rows


def test_the_same_form_twice_is_one_round(session: Session, firm: SimpleNamespace) -> None:
    new = Round("浦东一线", firm.wang.id, *WEEK, (firm.sites[0].id,))
    one, again = (actions.plan(session, new, by=firm.cleo.id, at=MORNING, request_key="k") for _click in range(2))
    assert one == again != actions.plan(session, new, by=firm.cleo.id, at=MORNING, request_key="l")
