"""Open sign-ins: one's own list, ended one by one or all; an administrator ends those of somebody else."""

import re
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select, text

from service.app import create_app
from service.core import clock, db, scope
from service.core.config import Settings
from service.staff.model import StaffSession
from tests.signin import door, people
from tests.signin.people import PAGE

ME = "/settings/security/me"


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


def test_the_list_shows_ones_own_and_ends_one_or_all_others(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    here, there, third = (people.browser(app, settings, committed_cast.ada) for _browser in range(3))
    foreign = people.browser(app, settings, committed_cast.ben)
    page = here.get(ME, headers=PAGE).text
    marks = re.findall(r'name="which" value="([0-9a-f]{16})"', page)
    assert len(marks) == 2 and page.count("this one") == 1
    with db.begin(scope.ALL) as work:
        assert not any(sid in page for sid in work.scalars(select(StaffSession.id)))

    assert door.send(here, f"{ME}/sessions", ME, which=marks[0])[0] == 302
    assert sorted(one.get("/desk", headers=PAGE).status_code for one in (here, there, third)) == [200, 200, 302]
    assert door.send(here, f"{ME}/sessions", ME, which="others")[0] == 302
    assert [one.get("/desk", headers=PAGE).status_code for one in (here, there, third, foreign)] == [200, 302, 302, 200]


def test_nobody_ends_the_sign_in_of_somebody_else(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    here = people.browser(app, settings, committed_cast.ada)
    people.browser(app, settings, committed_cast.ada)
    (mark,) = re.findall(r'name="which" value="([0-9a-f]{16})"', here.get(ME, headers=PAGE).text)
    ben = people.browser(app, settings, committed_cast.ben)
    door.send(ben, f"{ME}/sessions", ME, which=mark)
    assert mark in here.get(ME, headers=PAGE).text


def test_an_administrator_ends_all_of_a_person(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    open_ = [people.browser(app, settings, committed_cast.ada) for _browser in range(2)]
    door.enrolled(committed_cast.ada.id)
    waiting = app.test_client()
    assert door.password(waiting, "ada") == "/sign-in/code"
    root, page = people.browser(app, settings, committed_cast.root), f"/settings/people/{committed_cast.ada.id}"
    assert door.send(root, f"{page}/sign-out", page)[0] == 302
    assert [one.get("/desk", headers=PAGE).status_code for one in open_] == [302, 302]
    assert door.landed(waiting, "/desk") == "/sign-in", "who was on their way in begins anew"
    assert root.get("/settings/people", headers=PAGE).status_code == 200
    (line,) = [line for line in door.lines("security") if line.verb == "sign-ins ended"]
    assert (line.by_id, line.entity_id, line.new) == (committed_cast.root.id, committed_cast.ada.id, {"count": 2})


def test_last_seen_moves_with_the_clicks_and_is_written_once_a_minute(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    client = people.browser(app, settings, committed_cast.ada)
    with db.begin(scope.ALL) as work:
        work.execute(text("update staff_session set seen_at = seen_at - :h"), {"h": timedelta(hours=1)})
    client.get("/desk", headers=PAGE)
    seen = []
    for _click in range(2):
        with db.begin(scope.ALL) as work:
            seen.append(work.scalars(select(StaffSession.seen_at)).one())
        client.get("/desk", headers=PAGE)
    assert seen[0] == seen[1] and clock.now() - seen[0] < timedelta(minutes=1)
