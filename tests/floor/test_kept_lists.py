"""What is kept of a list: columns of one person and of a role, saved views, and rows that are worked on together."""

import re
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.identity import Identity
from service.core.lists import kept
from service.core.lists.model import ListSetting
from service.parties.lists import CUSTOMERS
from service.tickets.model import Ticket
from tests import make
from tests.signin import people

PAGE = {"Accept": "text/html"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Three customers with a ticket each."""
    with db.begin(scope.ALL) as work:
        tickets = [
            make.ticket(work, make.party(work, branch, name), committed_cast.ada, clock.now()).id
            for name, branch in (("甲方", committed_cast.pudong), ("乙方", committed_cast.pudong), ("丙方", committed_cast.pudong))
        ]
    return SimpleNamespace(**vars(committed_cast), tickets=tickets)


def heads(browser: FlaskClient, path: str) -> list[str]:
    return re.findall(r'data-column="(\w+)"', browser.get(path, headers=PAGE).text)


def post(browser: FlaskClient, path: str, **form: object) -> int:
    return browser.post(path, data=form | {"csrf_token": people.token(browser, "/tickets")}, headers=PAGE).status_code


def test_columns_are_the_person_s_own_and_a_role_has_its_default(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada, ben, root = (people.browser(app, settings, who) for who in (firm.ada, firm.ben, firm.root))
    usual = heads(ben, "/customers")

    assert post(ada, "/lists/customers/layout", column=["grade:99", "number"]) == 302
    assert (heads(ada, "/customers"), heads(ben, "/customers")) == (["grade", "number"], usual)
    assert 'width="99"' in ada.get("/customers", headers=PAGE).text

    assert post(root, "/lists/customers/layout", column=["name"], role="agent") == 302
    assert (heads(ada, "/customers"), heads(ben, "/customers"), heads(root, "/customers")) == (["grade", "number"], ["name"], usual)

    assert post(ada, "/lists/customers/layout", reset="1") == 302
    assert heads(ada, "/customers") == ["name"]
    assert post(ada, "/lists/customers/layout", column=["name"], role="agent") == 403
    assert post(ada, "/lists/customers/layout", column=["nothing"]) == 422


def test_two_quick_drags_of_one_person_are_two_drags(app: Flask, firm: SimpleNamespace) -> None:
    ada = Identity(firm.ada.id, "Ada", "ada", ("agent",), frozenset(), scope.ALL, firm.pudong.id, "en", "auto")
    failed: list[Exception] = []

    def drag(text: str) -> None:
        try:
            with db.begin(scope.ALL) as session:
                kept.lay_out(session, CUSTOMERS, text, role="", by=ada, at=clock.now())
        except Exception as error:
            failed.append(error)

    with db.begin(scope.ALL) as session:
        kept.lay_out(session, CUSTOMERS, "name", role="", by=ada, at=clock.now())
        session.flush()
        second = threading.Thread(target=drag, args=("number",))
        second.start()
        second.join(0.5)
    second.join(10)
    assert not failed
    with db.begin(scope.ALL) as session:
        assert session.scalars(select(ListSetting.columns)).all() == [[{"key": "number"}]]


def test_a_view_opens_with_the_same_rows_for_those_it_is_shared_with(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    cleo, ada, wang = (people.browser(app, settings, who) for who in (firm.cleo, firm.ada, firm.wang))
    assert post(cleo, "/lists/tickets/views", name=EVIL, query="view=all&sort=left", columns="number,subject:300", shared="role:supervisor") == 302

    page = cleo.get("/tickets?view=all", headers=PAGE).text
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    address = re.search(r'href="(/tickets\?[^"]*saved=\d+)"', page)
    assert address
    path = address[1].replace("&amp;", "&")
    assert heads(cleo, path) == ["number", "subject"]
    saved, plain = (re.findall(r'href="/tickets/(\d+)"', cleo.get(one, headers=PAGE).text) for one in (path, "/tickets?view=all&sort=left"))
    assert saved == plain

    assert ada.get(path, headers=PAGE).status_code == wang.get(path, headers=PAGE).status_code == 404
    assert post(ada, "/lists/tickets/views", name="x", query="view=all", shared="branch") == 403
    number = path.rpartition("=")[2]
    assert post(ada, f"/lists/tickets/views/{number}/remove") == 404
    assert post(cleo, f"/lists/tickets/views/{number}/start") == 302
    assert heads(cleo, "/tickets") == ["number", "subject"], "the list begins with it"
    assert heads(cleo, "/tickets?saved=none") != ["number", "subject"]
    assert post(cleo, f"/lists/tickets/views/{number}/remove") == 302


@pytest.mark.parametrize("form", [{"name": ""}, {"name": "x" * 61}, {"name": "x", "query": "priority=none"}, {"name": "x", "columns": "none"}])
def test_a_view_that_cannot_be_opened_is_not_saved(form: dict[str, str], app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    assert post(people.browser(app, settings, firm.ada), "/lists/tickets/views", **form) == 422


def test_many_tickets_are_assigned_and_those_that_refuse_say_why(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada = people.browser(app, settings, firm.ada)
    with db.begin(scope.ALL) as work:
        work.get_one(Ticket, firm.tickets[1]).state = "closed"
    form = {"id": [*firm.tickets[:2], 999999], "choice": firm.wang.id, "csrf_token": people.token(ada, "/tickets")}

    answer = ada.post("/lists/tickets/do/assign", data=form, headers=PAGE)

    assert answer.status_code == 200
    assert "1 done, 2 refused" in answer.text
    with db.begin(scope.ALL) as work:
        found = [work.get_one(Ticket, key) for key in firm.tickets[:2]]
        assert [(one.state, one.assignee_id) for one in found] == [("assigned", firm.wang.id), ("closed", None)]
    assert post(ada, "/lists/tickets/do/assign", id=[firm.tickets[0]], choice="999999") == 422
    assert post(ada, "/lists/tickets/do/assign", choice=firm.wang.id) == 422
    assert post(ada, "/lists/tickets/do/assign", id=["x"], choice=firm.wang.id) == 422
