"""Who administers one branch sees, lets in and changes the people of that branch alone, by whichever way they come."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from service.app import create_app
from service.core import db, scope
from service.core.config import Settings
from service.core.intake.target import Into, Row
from service.staff import importing, people, rules
from service.staff.model import Branch, Staff
from service.staff.roles import words
from tests import make
from tests.conftest import AT
from tests.signin import people as browsers
from tests.signin.people import PAGE


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path_factory.mktemp("administrators")), database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    """Sue administers Suzhou; Ben of Pudong also answers there."""
    with db.begin(scope.ALL) as work:
        suzhou = work.get_one(Branch, committed_cast.suzhou.id)
        sue = make.staff(work, "sue", suzhou, "admin")
        make.role_at(work, work.get_one(Staff, committed_cast.ben.id), "technician", suzhou)
    return SimpleNamespace(**vars(committed_cast), sue=sue)


@pytest.mark.parametrize("path", ["/settings/people", "/lists/people/export.csv", "/lists/people/export.csv?role=agent"])
def test_the_list_and_its_export_end_where_the_reader_administers(path: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    theirs = browsers.browser(app, settings, firm.sue).get(path, headers=PAGE).text
    assert "Dan" in theirs and not [name for name in ("Ada", "Ben", "Cleo", "Fay") if name in theirs]
    everybodys = browsers.browser(app, settings, firm.root).get(path, headers=PAGE).text
    assert all(name in everybodys for name in ("Dan", "Ada", "Ben"))


def test_a_row_tells_what_is_held_in_one_branch(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    told = browsers.browser(app, settings, firm.root).get("/lists/people/export.csv?cols=name,roles,roles_at,kind&role=technician", headers=PAGE).text
    assert f"Ben,Agent,Technician in {firm.suzhou.name_en}," in told


@pytest.mark.parametrize("path", ["sign-out", "second-factor", "password"])
def test_nobody_of_another_branch_is_signed_out_or_shut_out(path: str, app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    client = browsers.browser(app, settings, firm.sue)
    mark = browsers.token(client, "/settings/password")
    for person, status in ((firm.root, 404), (firm.ada, 404), (firm.dan, 200)):
        answer = client.post(f"/settings/people/{person.id}/{path}", headers=PAGE | {"X-CSRFToken": mark}, follow_redirects=True)
        assert answer.status_code == status, person.name


def test_every_permission_has_words() -> None:
    assert words.known() == rules.merged(rules.PERMISSIONS.values())


# ---- tables of people


def found(session: Session, into: Into, **values: object) -> list[str]:
    """The codes of what is wrong with one row."""
    row = Row(2, {"username": "new.one", "name": "新人", "roles": ["agent"], "reach": "branch"} | values)
    importing.Users().find(session, [row], into)
    return [one.code for one in row.wrong]


def test_a_table_hands_out_no_more_than_its_owner_may(session: Session, cast: SimpleNamespace) -> None:
    suzhou = Into(cast.suzhou.id, cast.root.id, AT, (cast.suzhou.id,))
    everywhere = replace(suzhou, branches=None)

    assert found(session, suzhou) == []
    assert found(session, suzhou, roles=["admin"], reach="all") == ["too_much"]
    assert found(session, suzhou, roles=["agent"], reach="") == ["too_much"], "an agent sees all branches where nobody says otherwise"
    assert found(session, suzhou, username="root") == ["elsewhere"]
    assert found(session, suzhou, branch="浦东") == ["branch_unknown"]
    assert found(session, everywhere, roles=["admin"], reach="all") == found(session, everywhere, username="root") == []


def test_a_table_leaves_what_it_does_not_tell(session: Session, cast: SimpleNamespace) -> None:
    unit = make.department(session, cast.pudong)
    before = replace(people.person(session, cast.ada.id), department_id=unit.id, phone="13900007788", kind="collector", roles_at=(("technician", cast.suzhou.id),))
    people.change(session, cast.ada.id, before, by=cast.root.id, at=AT)

    importing.Users().update(session, {cast.ada.id: {"name": "Ada Li"}}, Into(cast.hq.id, cast.root.id, AT), {})

    assert people.person(session, cast.ada.id) == replace(before, name="Ada Li")


def test_a_password_that_somebody_else_gave_is_good_for_choosing_another(session: Session, cast: SimpleNamespace) -> None:
    into = Into(cast.pudong.id, cast.root.id, AT)
    row = Row(2, {"username": "new.one", "name": "新人", "roles": ["agent"], "reach": "branch"}, leads={"branch": cast.pudong.id})
    (made,) = importing.Users().create(session, [row], into)
    assert made
    engaged, _word = people.engage(session, people.Person("other.one", "新人", ("agent",), cast.pudong.id, "branch"), by=cast.root.id, at=AT)
    people.new_password(session, cast.ada.id, by=cast.root.id, at=AT)
    ((_name, _username, password),) = importing.FirstPasswords().give(session, [made.entity_id], into)

    for staff_id in (made.entity_id, engaged, cast.ada.id):
        person = session.get_one(Staff, staff_id, populate_existing=True)
        assert (person.must_change, person.password_at) == (True, AT)
    assert rules.is_password(password, session.get_one(Staff, made.entity_id).password or "")
