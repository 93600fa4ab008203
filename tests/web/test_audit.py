"""The audit as a page: who, what, when, from where, before and after; and nobody rewrites it."""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.app import create_app
from service.core import audit, clock, db, scope
from service.core.config import Settings
from service.parties import actions as parties
from service.reports.history import words
from service.tickets.rules import MOVES
from tests.signin import people

PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(settings, database)


@pytest.fixture
def firm(committed_cast: SimpleNamespace) -> SimpleNamespace:
    with db.begin(scope.ALL) as work:
        new = parties.NewParty("<b>浦东客户</b>", "13800001001")
        party = parties.create_party(work, new, by=committed_cast.ada.id, branch_id=committed_cast.pudong.id, at=clock.now())
        audit.record(work, at=clock.now(), by=committed_cast.ben.id, verb="retention", entity="retention_class", entity_id=None,
                     old={"days": 180}, new={"days": 90}, branch_id=None)
    return SimpleNamespace(**vars(committed_cast), party=party)


def test_each_line_tells_who_what_and_both_values(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    page = people.browser(app, settings, firm.root).get("/settings/audit", headers=PAGE).text

    assert "&lt;b&gt;浦东客户&lt;/b&gt;" in page and "<b>浦东" not in page
    assert f'href="/customers/{firm.party}"' in page
    assert "<del>180</del> → 90" in page


@pytest.mark.parametrize(("query", "seen", "unseen"), [
    ("entity=party", "/customers/", "180"), ("verb=retention", "180", "/customers/"), ("verb=close", "No row fits", "180"),
    ("since=2001-01-01&until=2001-01-02", "No row fits", "180"), ("who=x&id=%00&since=9", "180", "No row fits"),
])
def test_conditions_narrow_and_nonsense_is_none(
    query: str, seen: str, unseen: str, app: Flask, settings: Settings, firm: SimpleNamespace
) -> None:
    answer = people.browser(app, settings, firm.root).get(f"/settings/audit?{query}", headers=PAGE)
    if "%00" in query:
        assert answer.status_code == 422
        return
    page = answer.text.partition("<tbody>")[2] or answer.text
    assert seen in page and unseen not in page.partition("</tbody>")[0]


def test_pages_follow_one_another_without_a_gap(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        at = clock.now() - timedelta(days=1)
        for number in range(120):
            audit.record(work, at=at, by=firm.ada.id, verb="created", entity="party", entity_id=70_000 + number, branch_id=firm.pudong.id)
    browser, path, seen = people.browser(app, settings, firm.root), "/settings/audit?verb=created&entity=party", []
    while path:
        page = browser.get(path, headers=PAGE).text
        seen += [number for number in range(70_000, 70_120) if f"/customers/{number}" in page]
        path = next((part.partition('"')[0].replace("&amp;", "&") for part in page.split('href="') if "after=" in part.partition('"')[0]), "")
    assert sorted(seen) == list(range(70_000, 70_120))


def test_a_line_tells_from_where(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "10.1.2.3"}), db.begin(scope.ALL) as work:
        audit.record(work, at=clock.now(), by=firm.ada.id, verb="reason", entity="call", entity_id=1, branch_id=firm.pudong.id)

    page = people.browser(app, settings, firm.root).get("/settings/audit?verb=reason", headers=PAGE).text
    assert "10.1.2.3" in page


@pytest.mark.parametrize("statement", ["update audit_entry set verb = 'x'", "delete from audit_entry", "truncate audit_entry"])
def test_not_even_the_owner_of_the_tables_rewrites_it(statement: str, firm: SimpleNamespace, database: db.Database) -> None:
    with database.owner.connect() as owner, pytest.raises(DBAPIError, match="history"):
        owner.execute(text(statement))


def test_what_is_kept_as_number_or_code_is_said_in_words(app: Flask, settings: Settings, firm: SimpleNamespace) -> None:
    ada, at = firm.ada, clock.now()
    with db.begin(scope.ALL) as work:
        told = {"roles": "agent, technician", "roles_at": f"supervisor @{firm.suzhou.id}", "reach": "below", "branch_id": firm.suzhou.id, "active": True, "kind": "provider"}
        audit.record(work, at=at, by=ada.id, verb="changed", entity="staff", entity_id=ada.id, old={"branch_id": firm.pudong.id}, new=told, branch_id=firm.pudong.id)
        audit.record(work, at=at, by=ada.id, verb="changed", entity="role", entity_id=1, old={"permissions": "desk.use"}, new={"permissions": "desk.use, phone.read"})
        audit.record(work, at=at, by=ada.id, verb="created", entity="team", entity_id=1, new={"members": f"{ada.id}, {firm.ben.id}", "leader_id": firm.ben.id}, branch_id=firm.pudong.id)
        audit.record(work, at=at, by=ada.id, verb="created", entity="maintenance_plan", entity_id=1, new={"timing": "monthly", "responsible_id": firm.ben.id}, branch_id=firm.pudong.id)
        audit.record(work, at=at, by=ada.id, verb="moved", entity="device", entity_id=1, new={"party_id": firm.party, "state": "repair"}, branch_id=firm.pudong.id)
    client = people.browser(app, settings, firm.root)
    page = client.get("/settings/audit", headers=PAGE).text.partition("<tbody>")[2].partition("</tbody>")[0]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for said in ("Agent, Technician", f"Supervisor in {firm.suzhou.name_en}", "Branch and below", f"{firm.pudong.name_en} → {firm.suzhou.name_en}", "Outside provider",
                "in use Yes", "See whole numbers and addresses everywhere", "Ada, Ben", "each month, on a day", "responsible Ben", "In repair", "customer &lt;b&gt;浦东客户"):
        assert said in text, said
    assert not re.search(r"\b(below|provider|monthly|phone\.read|True)\b", text.replace("Branch and below", "").replace("Outside provider", ""))
    assert "Supervisor in" in client.get("/lists/audit/export.csv", headers=PAGE).text


def test_every_verb_and_thing_that_the_program_records_has_words() -> None:
    """Each literal `verb=` and `entity=` beside which the audit is written, and each literal that is handed to a function which writes it."""
    verbs, things = {"play", "download", *MOVES}, set()
    writers = ("_told", "_recorded", "_audited", "_settled", "_on_record", "_told_hold", "_noted")
    for path in Path(words.__file__).parents[2].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name.startswith("audit."):
                verbs |= {one.value.value for one in node.keywords if one.arg == "verb" and isinstance(one.value, ast.Constant)}
                things |= {one.value.value for one in node.keywords if one.arg == "entity" and isinstance(one.value, ast.Constant)}
            elif name in writers and "audit" in path.read_text("utf-8"):
                verbs |= {one.value for one in node.args[1:4] if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    assert len(verbs) > 60 and verbs - set(words.VERBS) - set(words.ENTITIES) == set()
    assert things - set(words.ENTITIES) == set()
