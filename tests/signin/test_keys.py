"""Nobody gives more than they hold, nor takes over the sign-in of somebody who holds more, by whichever way they come."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.app import create_app
from service.core import db, scope
from service.core.config import Settings
from service.core.errors import Forbidden, Invalid
from service.core.intake.target import Into, Row
from service.core.scope import Fine, Scope
from service.staff import importing, people, queries
from service.staff.model import Branch, Role, Staff
from service.staff.people import Person
from service.staff.security.model import Totp
from tests import make
from tests.conftest import AT
from tests.signin import people as browsers
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path_factory.mktemp("keys")), database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Hal administers the headquarters' own branch alone, where the firm's administrator, a finance clerk of all branches and Gil belong."""
    with db.begin(scope.ALL) as work:
        hq = work.get_one(Branch, committed_cast.hq.id)
        hal, gil = make.staff(work, "hal", hq, "admin"), make.staff(work, "gil", hq, "agent")
        work.add(Totp(staff_id=committed_cast.root.id, secret=b"x", confirmed_at=AT))
    return SimpleNamespace(**vars(committed_cast), hal=hal, gil=gil)


@pytest.mark.parametrize("what", ["password", "second-factor", "sign-out", ""])
@pytest.mark.parametrize(("whose", "status"), [("root", 403), ("fay", 403), ("gil", 200)])
def test_nobody_takes_over_the_sign_in_of_who_holds_more(
    what: str, whose: str, status: int, app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    client, person = browsers.browser(app, settings, firm.hal), getattr(firm, whose)
    with db.begin(scope.ALL) as work:
        before = work.scalars(select(Staff.password).where(Staff.id == person.id)).one()
        work.execute(Role.__table__.update().where(Role.name == "finance").values(permissions="staff.admin"))
    form = {"username": whose, "name": "X", "roles": "agent", "branch_id": firm.hq.id, "reach": "branch", "kind": "staff", "version": "1"}  # switched off
    path = f"/settings/people/{person.id}/{what}".rstrip("/")
    answer = client.post(path, data=form, headers=PAGE | {"X-CSRFToken": browsers.token(client, "/settings/password")}, follow_redirects=True)

    assert answer.status_code == status
    assert status == 200 or "sees or does more than you do" in answer.text
    with db.begin(scope.ALL) as work:
        now = work.get_one(Staff, person.id)
        assert (now.password == before, now.active) == (status == 403 or what != "password", status == 403 or what != "")
        assert whose != "root" or work.get(Totp, person.id)


def test_what_holds_elsewhere_makes_somebody_stronger_too(session: Session, cast: SimpleNamespace) -> None:
    sue, within = make.staff(session, "sue", cast.suzhou, "admin"), Scope((cast.suzhou.id,))
    people.new_password(session, cast.dan.id, by=sue.id, at=AT, within=within)
    make.role_at(session, cast.dan, "agent", cast.pudong)
    with pytest.raises(Forbidden, match="more than you do"):
        people.new_password(session, cast.dan.id, by=sue.id, at=AT, within=within)


def test_nobody_hands_out_what_they_may_not_do_themselves(session: Session, cast: SimpleNamespace) -> None:
    session.add_all([Role(name="keeper", permissions=["staff.admin", "party.read"]), Role(name="reader", permissions=["party.read", "ticket.take"])])
    session.flush()
    make.role(session, "admin")
    kim = make.staff(session, "kim", cast.suzhou)
    make.role_at(session, kim, "keeper", cast.suzhou)
    make.role_at(session, kim, "reader", cast.pudong)
    within, facts = Scope((cast.suzhou.id,)), Person("new.one", "新人", ("reader",), cast.suzhou.id, "branch")
    people.engage(session, facts, by=kim.id, at=AT, within=within)
    for given in (replace(facts, roles=("admin",)), replace(facts, roles_at=(("admin", cast.suzhou.id),)), replace(facts, roles_at=(("reader", cast.pudong.id),))):
        with pytest.raises(Invalid) as refused:
            people.engage(session, replace(given, username="other.one"), by=kim.id, at=AT, within=within)
        assert list(refused.value.fields) == ["roles"]
    own = people.person(session, kim.id)
    with pytest.raises(Invalid):
        people.change(session, kim.id, replace(own, roles=("admin",)), by=kim.id, at=AT, within=within)


def test_a_table_hands_out_no_right_that_its_owner_lacks(session: Session, cast: SimpleNamespace) -> None:
    session.add_all([Role(name="keeper", permissions=["staff.admin", "import"])])
    session.flush()
    kim = make.staff(session, "kim", cast.suzhou, "keeper")
    own = make.staff(session, "own", cast.suzhou, "admin", reach="own")
    unlike = {"username": "new.one", "name": "新人", "roles": ["admin"], "reach": "branch"}
    for by, values, code in ((kim, unlike, "too_much"), (own, unlike, "too_much"), (kim, unlike | {"username": "dan", "roles": ["agent"]}, "stronger")):
        row = Row(2, dict(values))
        importing.Users().find(session, [row], Into(cast.suzhou.id, by.id, AT, (cast.suzhou.id,)))
        assert [one.code for one in row.wrong] == [code], by.name


def test_a_first_password_is_given_to_nobody_who_holds_more_by_now(session: Session, cast: SimpleNamespace) -> None:
    sue = make.staff(session, "sue", cast.suzhou, "admin")
    for one in (cast.root, cast.dan):
        one.password = None
    session.flush()
    into, ids = Into(cast.suzhou.id, sue.id, AT, (cast.suzhou.id,)), [cast.root.id, cast.dan.id]
    assert [told[1] for told in importing.FirstPasswords().give(session, ids, into)] == ["dan"]
    with pytest.raises(Forbidden, match="more than you do"):
        importing.FirstPasswords().give(session, ids, into)
    assert [told[1] for told in importing.FirstPasswords().give(session, ids, replace(into, by=cast.mei.id, branches=None))] == ["root"]


def test_departments_beyond_ones_own_are_more() -> None:
    own, other = Scope((1,), Fine(7, departments=(3,), department_branches=(1,))), Scope((1,), Fine(8, departments=(4,), department_branches=(1,)))
    assert not own.within(other) and own.within(Scope((1,))) and own.within(own) and Scope((1,), Fine(7)).within(own)


def test_identity_of_the_giver_counts_where_it_holds(session: Session, cast: SimpleNamespace) -> None:
    """Manager in Suzhou, keeper of keys in Pudong: in Pudong nobody is made a manager."""
    session.add(Role(name="keeper", permissions=["staff.admin"]))
    session.flush()
    make.role(session, "manager")
    kim = make.staff(session, "kim", cast.pudong)
    make.role_at(session, kim, "manager", cast.suzhou)
    make.role_at(session, kim, "keeper", cast.pudong)
    within = queries.identity_of(session, kim).scope_for("staff.admin")
    with pytest.raises(Invalid):
        people.engage(session, Person("new.one", "新人", ("manager",), cast.pudong.id, "branch"), by=kim.id, at=AT, within=within)
