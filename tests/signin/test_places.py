"""What a right lets somebody do holds in the branches where it was given, also where two rights are needed at once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import attachments, clock, db, scope
from service.core.config import Settings
from service.core.errors import NotFound
from service.core.model import AuditEntry
from service.maintenance.patrols.model import PatrolVisit
from service.parties.index import index
from service.parties.model import Party
from service.staff import queries as staff
from service.staff.model import Branch, Role, Staff
from service.tickets.model import Ticket
from tests import make
from tests.signin import people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path_factory.mktemp("places")), database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """A customer with a site in Pudong and in Suzhou, and roles of few rights."""
    made: dict[str, int] = {}
    with db.begin(scope.ALL) as work:
        for name, codes in (("reads", ["party.read"]), ("tells", ["party.read", "export", "list.share"]), ("walks", ["patrol.write", "site.read", "maintenance.read"]),
                            ("writes", ["ticket.write", "ticket.read"]), ("reviews", ["ticket.read"]), ("gives", ["ticket.assign"])):  # fmt: skip
            work.add(Role(name=name, permissions=codes))
        work.flush()
        for name, branch_id in (("pudong", committed_cast.pudong.id), ("suzhou", committed_cast.suzhou.id)):
            branch = work.get_one(Branch, branch_id)
            party = make.party(work, branch, f"{branch.name}客户", number=f"C-{name}")
            index(work, [party.id])
            made |= {f"{name}_party": party.id, f"{name}_site": make.site(work, branch, party_id=party.id).id}
    return SimpleNamespace(**vars(committed_cast), **made)


def person(firm: SimpleNamespace, **roles: tuple[str, ...]) -> Staff:
    """Somebody of Pudong with these roles in each branch."""
    with db.begin(scope.ALL) as work:
        made = make.staff(work, "zed", work.get_one(Branch, firm.pudong.id))
        for name, held in roles.items():
            for role in held:
                make.role_at(work, made, role, work.get_one(Branch, getattr(firm, name).id))
    return made


def patrol(client: FlaskClient, site_id: int, key: str) -> tuple[int, str]:
    form = {"site_id": site_id, "findings": "外壳破损", "faulty": "1", "repair": "1", "request_key": key}
    answer = client.post("/maintenance/patrols", data=form, headers=PAGE | {"X-CSRFToken": people.token(client, "/settings/password")}, follow_redirects=True)
    return answer.status_code, answer.text


def test_an_export_ends_where_one_may_export(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = people.browser(app, settings, person(firm, pudong=("reads",), suzhou=("tells",)))
    taken = client.get("/lists/customers/export.csv", headers=PAGE).text
    assert "苏州客户" in taken and "浦东客户" not in taken
    assert all(name in client.get("/customers", headers=PAGE).text for name in ("苏州客户", "浦东客户"))


def test_who_has_no_right_at_home_exports_and_shares_all_the_same(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = people.browser(app, settings, person(firm, suzhou=("tells",)))
    assert client.get("/lists/customers/export.csv", headers=PAGE).status_code == 200
    form = {"name": "Ours", "query": "", "columns": "", "shared": "role:tells"}
    mark = people.token(client, "/settings/password")
    assert client.post("/lists/customers/views", data=form, headers=PAGE | {"X-CSRFToken": mark}).status_code == 302
    with db.begin(scope.ALL) as work:
        lines = work.execute(select(AuditEntry.verb, AuditEntry.branch_id).where(AuditEntry.entity == "list").order_by(AuditEntry.id)).all()
    assert [tuple(line) for line in lines] == [("exported", firm.suzhou.id), ("saved view", firm.suzhou.id)]


def test_many_rows_at_once_end_where_one_sees_the_list(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = people.browser(app, settings, person(firm, pudong=("reviews", "gives"), suzhou=("gives",)))
    with db.begin(scope.ALL) as work:
        tickets = {name: make.ticket(work, work.get_one(Party, getattr(firm, f"{name}_party")), firm.root, clock.now()).id for name in ("pudong", "suzhou")}
        far = make.staff(work, "far", work.get_one(Branch, firm.hq.id), "agent", reach="all")
    form = {"id": list(tickets.values()), "choice": far.id}
    client.post("/lists/tickets/do/assign", data=form, headers=PAGE | {"X-CSRFToken": people.token(client, "/settings/password")})
    with db.begin(scope.ALL) as work:
        assert {name: work.get_one(Ticket, key).assignee_id for name, key in tickets.items()} == {"pudong": far.id, "suzhou": None}


def test_the_field_of_the_bar_finds_each_kind_where_it_is_read(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = people.browser(app, settings, person(firm, pudong=("reads",), suzhou=("reviews",)))
    assert "浦东客户" in client.get("/found?q=浦东客户", headers=PAGE).text
    assert f"/customers/{firm.suzhou_party}" not in client.get("/found?q=苏州客户", headers=PAGE).text


def test_a_repair_is_asked_for_where_one_writes_tickets(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = people.browser(app, settings, person(firm, pudong=("walks", "writes"), suzhou=("walks",)))
    assert patrol(client, firm.pudong_site, "first")[0] == 200
    status, page = patrol(client, firm.suzhou_site, "second")
    assert status == 200 and "Sent, but no repair was requested: Your roles do not include" in page
    with db.begin(scope.ALL) as work:
        assert work.scalars(select(Ticket.branch_id)).all() == [firm.pudong.id]
        visit = work.scalars(select(PatrolVisit.id).where(PatrolVisit.request_key == "second")).one()
    mark = people.token(client, "/settings/password")
    assert client.post(f"/maintenance/patrols/{visit}/repair", headers=PAGE | {"X-CSRFToken": mark}).status_code == 404


def test_a_patrol_of_who_writes_no_tickets_is_kept_and_said_so(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = people.browser(app, settings, person(firm, pudong=("walks",)))
    status, page = patrol(client, firm.pudong_site, "only")
    assert status == 200 and "Sent, but no repair was requested" in page
    with db.begin(scope.ALL) as work:
        assert len(work.scalars(select(PatrolVisit.id)).all()) == 1 and not work.scalars(select(Ticket.id)).all()


def test_a_picture_is_seen_where_its_thing_is(firm: SimpleNamespace, tmp_path: Path) -> None:
    who = person(firm, pudong=("walks",), suzhou=("reviews",))
    with db.begin(scope.ALL) as work:
        rows = [attachments.Attachment(entity="site", entity_id=getattr(firm, f"{name}_site"), token=name * 6, name="x.jpg", width=1, height=1, bytes=1, at=clock.now(), by_id=who.id,
                                       branch_id=getattr(firm, name).id) for name in ("pudong", "suzhou")]
        work.add_all(rows)
        work.flush()
        ids = [row.id for row in rows]
        me = staff.identity_of(work, work.get_one(Staff, who.id))
    with db.begin(me.scope) as work:
        for number, sentence in zip(ids, ("is missing", "no such picture"), strict=True):
            with pytest.raises(NotFound, match=sentence):
                attachments.shown(work, tmp_path, me, number, small=False)
