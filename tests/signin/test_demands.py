"""What roles demand holds from the next click on, also of those who hold the role in one branch only."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.core.errors import DeskError, Invalid
from service.staff import people as persons
from service.staff.model import Branch, Role, Staff
from service.staff.people import LastAdministrator
from service.staff.security import policy, second_factor, setup
from tests import make
from tests.conftest import AT
from tests.signin import door, people
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Ada of Pudong is also a supervisor, in Suzhou."""
    with db.begin(scope.ALL) as work:
        make.role_at(work, work.get_one(Staff, committed_cast.ada.id), "supervisor", work.get_one(Branch, committed_cast.suzhou.id))
    return committed_cast


def test_a_factor_that_is_demanded_now_is_set_up_before_the_next_page(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ben, cleo = people.browser(app, settings, firm.ben), people.browser(app, settings, firm.cleo)
    assert ben.get("/desk", headers=PAGE).status_code == cleo.get("/desk", headers=PAGE).status_code == 200
    door.demands("agent")

    english = PAGE | {"Accept-Language": "en"}
    assert ben.get("/desk", headers=english | {"HX-Request": "true"}).status_code == 401
    led = ben.get("/tickets?view=all", headers=english)
    assert led.status_code == 302 and led.headers["Location"].startswith("/sign-in?next=")
    assert "Your role demands a second factor now" in ben.get(led.headers["Location"], headers=english).text
    assert door.password(ben, "ben") == "/sign-in/enrol"
    assert cleo.get("/desk", headers=PAGE).status_code == 200, "another role demands nothing"
    assert [(line.entity_id, (line.new or {})["why"]) for line in door.lines("refused")] == [(firm.ben.id, "factor")]


def test_who_has_an_app_goes_on_when_it_is_demanded(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    door.enrolled(firm.ben.id)
    ben = people.browser(app, settings, firm.ben)
    door.demands("agent")
    assert ben.get("/desk", headers=PAGE).status_code == 200


def test_a_role_of_one_branch_demands_as_much_as_any(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    here = people.browser(app, settings, firm.ada)
    door.demands("supervisor")
    assert here.get("/desk", headers=PAGE).status_code == 302
    assert door.password(app.test_client(), "ada") == "/sign-in/enrol"

    door.enrolled(firm.ada.id)
    with db.begin(scope.ALL) as work, pytest.raises(DeskError, match="demands a second factor"):
        second_factor.remove_app(work, firm.ada.id, at=clock.now())

    door.demands("supervisor", second=False, addresses="10.1.0.0/16")
    assert "127.0.0.1" in people.typed(app.test_client(), "ada", make.PASSWORD)[1]
    with db.begin(scope.ALL) as work:
        policy.let_in(work, "ada", at=clock.now())
    assert people.typed(app.test_client(), "ada", make.PASSWORD)[0] == 302


def test_nobody_shuts_themselves_out_with_a_role(session: Session, cast: SimpleNamespace) -> None:
    far = session.scalars(select(Role).where(Role.name == "supervisor")).one()
    far.addresses = "10.1.0.0/16"
    wanted = persons.person(session, cast.root.id)
    more: tuple[dict[str, Any], ...] = ({"roles": (*wanted.roles, "supervisor")}, {"roles_at": (("supervisor", cast.suzhou.id),)})
    for roles in more:
        with pytest.raises(Invalid, match="shut yourself out"), session.begin_nested():
            persons.change(session, cast.root.id, replace(wanted, **roles), by=cast.root.id, at=AT, address="192.0.2.1")

    make.role_at(session, cast.root, "agent", cast.suzhou)
    agent = session.scalars(select(Role).where(Role.name == "agent")).one()
    with pytest.raises(Invalid, match="shut yourself out"):
        policy.change_role(session, agent.id, second=False, addresses="10.1.0.0/16", by=cast.root.id, address="192.0.2.1", at=AT)


def test_the_last_administrator_gets_no_last_day(session: Session, cast: SimpleNamespace) -> None:
    root, day = persons.person(session, cast.root.id), clock.local(AT).date()

    def root_until(days: int) -> None:
        persons.change(session, cast.root.id, replace(root, valid_until=day + timedelta(days=days)), by=cast.ada.id, at=AT)

    with pytest.raises(LastAdministrator, match="After the last day"), session.begin_nested():
        root_until(7)
    with pytest.raises(LastAdministrator, match="Nobody would be left"), session.begin_nested():
        root_until(-1)
    with pytest.raises(Invalid, match="cannot switch yourself off"), session.begin_nested():
        persons.change(session, cast.root.id, replace(root, valid_until=day - timedelta(days=1)), by=cast.root.id, at=AT)

    second = make.staff(session, "second", cast.hq, "admin", reach="all")
    second.password = None
    session.flush()
    with pytest.raises(LastAdministrator, match="Nobody would be left"), session.begin_nested():
        root_until(-1)  # nobody signs in without a password
    second.password = cast.root.password
    session.flush()
    root_until(7)
    with pytest.raises(LastAdministrator), session.begin_nested():
        persons.change(session, second.id, replace(persons.person(session, second.id), active=False), by=cast.root.id, at=AT)



def test_the_last_administrator_outstays_their_last_day(session: Session, cast: SimpleNamespace) -> None:
    """Days that stand there from before: the one who was to stay longest stays, and nothing is set up anew."""
    day = clock.local(AT).date()
    second = make.staff(session, "second", cast.hq, "admin", reach="all", valid_until=day - timedelta(days=2))
    cast.root.valid_until = cast.fay.valid_until = day - timedelta(days=3)
    session.flush()
    persons.expire(session, at=AT)
    assert (second.active, second.valid_until, cast.root.active, cast.fay.active) == (True, None, False, False)

    second.active, second.valid_until = False, day
    session.flush()
    assert not setup.needed(session)
