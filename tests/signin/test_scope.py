"""What people see and may do when their roles reach less than a branch, or hold in one branch each."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session, aliased

from service.app import create_app
from service.core import clock, db, scope, search, seen
from service.core.config import Settings
from service.core.db import Base
from service.core.scope import ALL, Fine, Scope, joined
from service.staff import queries as staff
from service.staff.model import Branch, Department, Staff
from service.tickets import actions as tickets
from service.tickets import queries
from service.tickets.model import Ticket, TicketCall, TicketEvent
from tests import make
from tests.signin import people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Two departments in Pudong with an agent each, and a head who is in neither; each agent has registered a ticket."""
    with db.begin(scope.ALL) as work:
        pudong = work.get_one(Branch, committed_cast.pudong.id)
        head = make.staff(work, "head", pudong, "agent", reach="department")
        repair = make.department(work, pudong, "维修部", head=head)
        inside = make.department(work, pudong, "一组", parent=repair)
        sales = make.department(work, pudong, "销售部")
        own = make.staff(work, "own", pudong, "agent", reach="own", department_id=repair.id)
        mate = make.staff(work, "mate", pudong, "agent", reach="department", department_id=inside.id)
        seller = make.staff(work, "seller", pudong, "agent", reach="department", department_id=sales.id)
        party = make.party(work, pudong)
        made = {one.username: make.ticket(work, party, one, clock.now(), subject=f"票 {one.username}").id for one in (own, mate, seller)}
        bare = make.ticket(work, party, work.get_one(Staff, committed_cast.ada.id), clock.now(), subject="票 ada").id
    names = {"own": own, "mate": mate, "seller": seller, "head": head}
    return SimpleNamespace(**vars(committed_cast), **names, tickets=made | {"ada": bare}, party_id=party.id, repair=repair, sales=sales, inside=inside)


def scope_of(person: Staff) -> Scope:
    with db.begin(scope.NONE) as work:
        return staff.identity_of(work, work.get_one(Staff, person.id)).scope


def seen_by(firm: SimpleNamespace, person: Staff) -> set[str]:
    with db.begin(scope_of(person)) as work:
        ids = {ticket.id for ticket in queries.ticket_list(work)}
    return {name for name, number in firm.tickets.items() if number in ids}


def test_own_department_branch_each_show_what_the_one_before_shows_and_more(firm: SimpleNamespace) -> None:
    assert seen_by(firm, firm.own) == {"own"}
    assert seen_by(firm, firm.mate) == {"mate"}
    assert seen_by(firm, firm.seller) == {"seller"}
    assert seen_by(firm, firm.head) == {"own", "mate"}  # of the department and of the one inside it
    assert seen_by(firm, firm.ada) == {"own", "mate", "seller", "ada"}
    assert seen_by(firm, firm.dan) == set()


def test_lists_timeline_calls_counts_aliases_and_changes_in_bulk_obey(firm: SimpleNamespace) -> None:
    with db.begin(scope_of(firm.own)) as work:
        again = aliased(Ticket)
        assert work.scalars(select(again.id)).all() == [firm.tickets["own"]]
        assert work.scalar(select(func.count()).select_from(Ticket)) == 1
        assert set(work.scalars(select(TicketEvent.ticket_id))) == {firm.tickets["own"]}
        assert set(work.scalars(select(TicketEvent.ticket_id).join(Ticket, Ticket.id == TicketEvent.ticket_id))) == {firm.tickets["own"]}
        assert work.get(Ticket, firm.tickets["mate"]) is None
        assert work.get(Ticket, firm.tickets["mate"], with_for_update=True, populate_existing=True) is None
        changed = work.execute(update(Ticket).values(phone="1").where(Ticket.id.in_(firm.tickets.values())))
        assert changed.rowcount == 1  # type: ignore[attr-defined]
        assert work.execute(delete(TicketCall)).rowcount == 0  # type: ignore[attr-defined]


def test_who_is_found_by_typing_is_who_is_seen(firm: SimpleNamespace) -> None:
    for person in (firm.own, firm.head, firm.seller, firm.ada):
        with db.begin(scope_of(person)) as work:
            found = {hit.ref_id for hit in search.find(work, "票", kinds=["ticket"])}
        assert found == {firm.tickets[name] for name in seen_by(firm, person)}


def test_a_ticket_that_is_given_away_is_seen_and_found_where_it_went(firm: SimpleNamespace) -> None:
    number = firm.tickets["own"]
    with db.begin(scope_of(firm.head)) as work:
        tickets.assign(work, number, firm.seller.id, by=firm.head.id, at=clock.now())
    assert "own" in seen_by(firm, firm.seller) and "own" in seen_by(firm, firm.own) and "own" not in seen_by(firm, firm.head)
    with db.begin(scope_of(firm.seller)) as work:
        assert number in {hit.ref_id for hit in search.find(work, "票", kinds=["ticket"])}
        assert work.get_one(Ticket, number).department_id == firm.sales.id
    with db.begin(scope_of(firm.head)) as work:
        assert number not in {hit.ref_id for hit in search.find(work, "票", kinds=["ticket"])}


def test_a_ticket_of_another_department_is_refused_in_words_and_on_record(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client, number = people.browser(app, settings, firm.seller), firm.tickets["mate"]
    page = client.get(f"/tickets/{number}", headers=PAGE)
    assert page.status_code == 404 and "There is no such ticket in your branches" in page.text
    assert "票 mate" not in client.get("/tickets?view=all", headers=PAGE).text + client.get(f"/customers/{firm.party_id}", headers=PAGE).text
    with db.begin(scope.ALL) as work:
        told = work.execute(text("select by_id, entity, entity_id from audit_entry where verb = 'refused'")).all()
    assert [tuple(row) for row in told] == [(firm.seller.id, "ticket", number)]


def test_a_wider_reach_counts_from_the_next_click(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client, path = people.browser(app, settings, firm.own), f"/tickets/{firm.tickets['mate']}"
    statuses = []
    for reach in ("own", "branch", "own"):
        with db.begin(scope.ALL) as work:
            work.get_one(Staff, firm.own.id).reach = reach
        statuses.append(client.get(path, headers=PAGE).status_code)
    assert statuses == [404, 200, 404]


def test_a_role_of_one_branch_holds_there_and_nowhere_else(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    """A technician of Suzhou who is also a supervisor in Pudong closes tickets there, and not at home."""
    with db.begin(scope.ALL) as work:
        suzhou = work.get_one(Branch, firm.suzhou.id)
        both = make.staff(work, "both", suzhou, "technician")
        make.role_at(work, both, "supervisor", work.get_one(Branch, firm.pudong.id))
        there = make.ticket(work, make.party(work, suzhou), work.get_one(Staff, firm.dan.id), clock.now()).id
        for number in (there, firm.tickets["ada"]):
            work.execute(text("update ticket set state = 'to_settle' where id = :id"), {"id": number})
    client = people.browser(app, settings, both)
    pages = {number: client.get(f"/tickets/{number}", headers=PAGE) for number in (there, firm.tickets["ada"])}
    assert [page.status_code for page in pages.values()] == [200, 200]
    assert ["/close" in page.text for page in pages.values()] == [False, True]
    form = {"csrf_token": people.token(client, "/tickets")}
    refused = client.post(f"/tickets/{there}/close", data=form, headers=PAGE)
    assert refused.status_code == 403 and "in this branch" in refused.text
    assert client.post(f"/tickets/{firm.tickets['ada']}/close", data=form, headers=PAGE).status_code == 302
    with db.begin(scope.ALL) as work:
        me = staff.identity_of(work, work.get_one(Staff, both.id))
        assert work.get_one(Ticket, there).state == "to_settle" and work.get_one(Ticket, firm.tickets["ada"]).state == "closed"
    assert me.scope_for("ticket.close") == Scope((firm.pudong.id,))
    assert (me.may("ticket.close", firm.pudong.id), me.may("ticket.close", firm.suzhou.id), me.may("ticket.read", firm.suzhou.id)) == (True, False, True)


def test_the_narrower_of_role_and_person_counts(firm: SimpleNamespace) -> None:
    for reach, wanted in (("all", {"own", "mate", "seller", "ada"}), ("own", {"ada"}), ("department", {"ada"})):
        with db.begin(scope.ALL) as work:
            make.role(work, "agent").reach = reach
        assert seen_by(firm, firm.ada) == wanted, reach


def test_scopes_are_joined_and_compared() -> None:
    own, branch = Scope((1,), Fine(7)), Scope((2,))
    both = joined([own, branch])
    assert both == Scope((1, 2), Fine(7, whole=(2,)))
    assert joined([own, Scope((1,))]) == Scope((1,))
    assert joined([own, ALL]) == ALL
    assert joined([]) == scope.NONE
    assert both.whole == branch and both.covers(1)
    assert own.within(Scope((1,))) and not Scope((1,)).within(own) and not ALL.within(Scope((1,))) and own.within(ALL)
    assert both.both(Scope((2, 3))) == Scope((2,), Fine(7, whole=(2,)))
    assert ALL.both(own) == own.both(ALL) == own


def test_every_model_has_said_who_sees_its_rows_and_a_silent_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.check(Base.registry)
    monkeypatch.delattr(Department, "__scope__")
    with pytest.raises(seen.Undeclared, match=r"service.staff.model.Department does not say who may see its rows"):
        seen.check(Base.registry)
    monkeypatch.setattr(Staff, "__scope__", seen.Own(("assignee_id",), "department_id"))
    monkeypatch.setattr(Department, "__scope__", seen.OPEN, raising=False)
    with pytest.raises(seen.Undeclared, match=r"has no column assignee_id"):
        seen.check(Base.registry)


def test_no_text_of_sql_reads_tickets_past_the_condition() -> None:
    """Statements written as text are not narrowed: none of them may name a table whose rows are seen more finely than a branch."""
    import ast
    import re
    from pathlib import Path

    fine = re.compile(r"\b(?:from|join|update|into)\s+(?:only\s+)?(ticket|ticket_event|ticket_call)\b", re.IGNORECASE)
    root = Path(seen.__file__).parents[1]
    found = set()
    for path in root.rglob("*.py"):
        if {"migrations", "demo"} & set(path.parts):  # the one as the owner, the other before anybody signs in
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and fine.search(node.value):
                found.add(str(path.relative_to(root)))
    assert found == set()


def test_raw_sql_without_a_scope_or_with_another_branchs_reads_no_ticket(firm: SimpleNamespace, settings: Settings) -> None:
    import psycopg2

    connection = psycopg2.connect(db.raw_dsn(settings.dsn_app))
    with connection, connection.cursor() as cursor:
        for value, count in ((None, 0), ("", 0), (str(firm.suzhou.id), 0), (str(firm.pudong.id), 4), ("*", 4)):
            if value is not None:
                cursor.execute("select set_config('ringdesk.branches', %s, true)", [value])
            for table in ("ticket", "ticket_event"):
                cursor.execute(f"select count(distinct {'id' if table == 'ticket' else 'ticket_id'}) from {table}")
                assert cursor.fetchone()[0] == count, (value, table)
            cursor.execute("select count(*) from ringdesk_search('c票'::tsquery, '票', '票', '', array['ticket'], 50, null, null, null, null)")
            assert cursor.fetchone()[0] == count, value
    connection.close()


def test_a_session_without_a_scope_of_its_own_is_left_to_postgresql(session: Session) -> None:
    assert scope.of(session) == ALL


def test_a_ringing_phone_is_answered_under_the_scope_of_ones_pages(firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        for number, person in enumerate((firm.own, firm.mate, firm.head, firm.ada)):
            make.seat(work, person, f"7{number}", clock.now())
            seat = staff.seat(work, "pbx1", f"7{number}", clock.now())
            assert seat and staff.scope_of(work, seat) == staff.identity_of(work, work.get_one(Staff, person.id)).scope, person.name


def test_whoever_looks_everywhere_for_a_moment_is_back_in_their_branch_whatever_happens_inside(firm: SimpleNamespace) -> None:
    with db.begin(Scope((firm.suzhou.id,))) as work:
        for failing in (False, True):
            try:
                with scope.everywhere(work):
                    assert work.scalar(select(func.count()).select_from(Ticket.__table__))
                    if failing:
                        raise ValueError
            except ValueError:
                pass
            assert work.scalar(select(func.count()).select_from(Ticket.__table__)) == 0
