"""The system log: refusals outlive the undone transaction, jobs and settings stand in it, and pages narrow it."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask import Flask

from service.app import create_app
from service.core import audit, clock, db, jobs, scope
from service.core.config import Settings
from tests import make
from tests.signin import door, people
from tests.signin.people import PAGE

LOG = "/settings/log"


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


def rows(page: str) -> str:
    return page.partition("<tbody>")[2].partition("</tbody>")[0]


def test_a_refused_page_and_a_foreign_ticket_are_told(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    firm = people.firm(committed_cast)
    dan = people.browser(app, settings, committed_cast.dan)  # of Suzhou
    assert dan.get("/settings/people", headers=PAGE).status_code == 403
    assert dan.get(f"/tickets/{firm.ticket_id}", headers=PAGE).status_code == 404
    told = [(line.verb, line.by_id, (line.new or {})["path"]) for line in door.lines("forbidden")]
    assert told == [("forbidden", firm.dan.id, "GET /settings/people"), ("not theirs", firm.dan.id, f"GET /tickets/{firm.ticket_id}")]
    page = people.browser(app, settings, committed_cast.root).get(f"{LOG}?kind=forbidden", headers=PAGE).text
    assert f"/tickets/{firm.ticket_id}" in page and "Manage people, roles, branches" in page


def test_jobs_stand_in_it_done_and_failed(app: Flask, settings: Settings, committed_cast: SimpleNamespace, database: db.Database) -> None:
    def fails(args: dict[str, object]) -> None:
        raise RuntimeError("the disk is <full>")

    jobs.handler("good", lambda args: None)
    jobs.handler("often", lambda args: None, quiet=True)
    jobs.handler("bad", fails)
    with db.begin(scope.ALL) as work:
        for name in ("good", "often", "bad"):
            jobs.enqueue(work, name, {}, at=clock.now(), max_attempts=1)
    worker = jobs.Worker(database.app, "test")
    while worker.step():
        pass
    told = [(line.verb, (line.new or {})["name"]) for line in door.lines("job")]
    assert sorted(told) == [("job done", "good"), ("job given up", "bad")]
    page = people.browser(app, settings, committed_cast.root).get(f"{LOG}?kind=job", headers=PAGE).text
    assert "the disk is &lt;full&gt;" in page


def test_it_narrows_by_kind_person_and_day_and_holds_no_secret(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    people.typed(app.test_client(), "ada", "a wrong word")
    people.typed(app.test_client(), "<script>alert(1)</script>", "a wrong word")
    people.typed(app.test_client(), "ben", make.PASSWORD)
    root = people.browser(app, settings, committed_cast.root)
    page = root.get(LOG, headers=PAGE).text
    assert "a wrong word" not in page and make.PASSWORD not in page and "<script>al" not in page and "&lt;s…" in page
    for query, seen, unseen in (
        ("kind=refused", "wrong password", "Signed in"), ("kind=signin", "Signed in", "wrong password"),
        (f"who={committed_cast.ada.id}", "wrong password", "Ben"), ("until=2001-01-01", "No row fits", "wrong password"), ("kind=change", "is no value of", "Signed in"),
    ):
        found = root.get(f"{LOG}?{query}", headers=PAGE).text
        shown = rows(found) or found.partition("<main")[2]
        assert seen in shown and unseen not in shown, query


def test_its_pages_follow_by_key(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        for number in range(120):
            audit.record(work, at=clock.now(), by=None, verb="job done", entity="job", entity_id=number, new={"name": f"job-{number:03d}"}, kind="job")
    root, path, seen = people.browser(app, settings, committed_cast.root), f"{LOG}?kind=job", []
    while path:
        page = root.get(path, headers=PAGE).text
        seen += [number for number in range(120) if f"job-{number:03d}" in rows(page)]
        path = next((part.partition('"')[0].replace("&amp;", "&") for part in page.split('href="') if "after=" in part.partition('"')[0]), "")
    assert sorted(seen) == list(range(120))


def test_the_audit_page_keeps_to_what_was_changed(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    people.typed(app.test_client(), "ada", "a wrong word")
    page = people.browser(app, settings, committed_cast.root).get("/settings/audit", headers=PAGE).text
    assert "Signed in" in page and "wrong password" not in page
