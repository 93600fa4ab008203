"""Stored XSS and formula injection: every text of every table is hostile, and every page and every export is read."""

import csv
import io
from html.parser import HTMLParser
from types import SimpleNamespace

import openpyxl
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.core import db
from service.core.lists.spec import KNOWN
from tests.attack import pages, world
from tests.attack.pages import PAGE

EVIL = "\"'><script>alert('pwn')</script><img src=x onerror=alert('pwn')><svg/onload=alert('pwn')>{{7*7}}${7*7}\u202epwn" + "长" * 240
SHORT = "<img src=x onerror=alert('pwn')>"
LINK = "javascript:alert('pwn')"
FORMULA = "=cmd|'/c calc'!A1"
# Words that a rule reads: codes, states, names of files and of the switch's things, keys, and proofs of who somebody is.
NOT_TYPED = {
    "state", "kind", "type", "priority", "switch", "call_key", "grade", "verb", "entity", "direction", "disposition", "token", "file", "sha256", "username", "email",
    "password", "fs_uniquifier", "reach", "locale", "theme", "request_key", "phase", "chosen", "provenance", "list_name", "columns", "timing", "channel_id", "field",
    "settlement", "label", "form", "uniqueid", "path", "extension", "queue", "agent", "answered_by", "interface", "e164", "digits", "action", "target", "mapping",
    "upon", "heads", "rows", "trouble", "encoding", "hangup_by", "reason", "outcome", "how", "bits", "code", "name_key", "serial_key", "query", "class_code",
    "warranty", "chargeable", "channel", "zone", "side", "permissions", "addresses", "awaits", "colour", "color", "key", "number_kind", "format", "line", "version_num",
    "sheet", "lines", "wave", "actor", "lasts", "unit_kind", "name_pinyin", "caller_number", "called", "raw", "search", "words", "old", "new",
}  # fmt: skip
TABLES_ASIDE = ("staff_session", "sign_in", "staff_role", "alembic_version", "job", "live_event", "outbox_message", "kpi_policy", "retention_class", "sla_policy", "feed", "night", "schedule", "search_entry", "recording_")


def poison(database: db.Database, link: str, *words: str) -> int:
    """Every text that somebody typed somewhere is the first of these words that it takes; returns how many columns took one."""
    with database.owner.connect() as connection:
        columns = connection.execute(text(
            "select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)"
            " where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type = 'text' and c.is_generated = 'NEVER' order by 1, 2")).all()  # fmt: skip
    taken = 0
    for table, column in columns:
        if column in NOT_TYPED or column == "id" or table.startswith(TABLES_ASIDE):
            continue
        taken += any(_poisoned(database, table, column, one) for one in ((link,) if column == "web" else words))
    return taken


def _poisoned(database: db.Database, table: str, column: str, value: str) -> bool:
    unique = "" if column == "web" else " || coalesce(ctid::text, '')"
    try:
        with database.owner.begin() as connection:
            connection.execute(text(f'alter table "{table}" disable trigger user'))
            connection.execute(text(f'update "{table}" set "{column}" = :value{unique}'), {"value": value})
            connection.execute(text(f'alter table "{table}" enable trigger user'))
    except DBAPIError:
        return False  # a rule of the database keeps such words out
    return True


class Reader(HTMLParser):
    """What of the hostile words a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.run: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            said = (value or "").strip().lower()
            if (name.startswith("on") and "pwn" in said) or (name in ("href", "src", "action", "formaction", "hx-get", "hx-post") and said.startswith(("javascript:", "data:text"))):
                self.run.append(f"<{tag} {name}={said[:60]}>")
            if name in ("x-data", "hx-on", "style", "srcdoc") and "pwn" in said:
                self.run.append(f"<{tag} {name}={said[:60]}>")
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if getattr(self, "inside", "") in ("script", "style") and "pwn" in data and "<" not in data[:1]:
            self.run.append(data[:80])

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def test_hostile_words_are_words_on_every_page(app: Flask, two: SimpleNamespace, eve: FlaskClient, eva: FlaskClient, clean: db.Database) -> None:
    assert poison(clean, LINK, EVIL, SHORT) > 60
    found, seen = {}, 0
    for browser in (eva, eve):
        for _rule, path in pages.addresses(app, two.mine, "GET"):
            answer = browser.get(path, headers=PAGE)
            if answer.status_code >= 500:
                found[path] = str(answer.status_code)
            if answer.mimetype != "text/html":
                continue
            reader = Reader()
            reader.feed(answer.text)
            if reader.run or "${49}" in answer.text:
                found[path] = " ".join(reader.run)
            seen += "alert(" in answer.text
    world.nothing(found)
    assert seen > 40


def test_no_export_computes(app: Flask, two: SimpleNamespace, eve: FlaskClient, clean: db.Database) -> None:
    assert poison(clean, FORMULA, FORMULA) > 60
    held = 0
    for name in KNOWN:
        plain, book = (eve.get(f"/lists/{name}/export.{form}", headers=PAGE) for form in ("csv", "xlsx"))
        assert (plain.status_code, book.status_code) == (200, 200), name
        for row in csv.reader(io.StringIO(plain.data.decode("utf-8-sig"))):
            assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row), (name, row)
            held += sum("cmd|" in cell for cell in row)
        for sheet in openpyxl.load_workbook(io.BytesIO(book.data)):
            assert not any(cell.data_type == "f" or cell.hyperlink for line in sheet.iter_rows() for cell in line), name
    assert held > 10
    calls = openpyxl.load_workbook(io.BytesIO(eve.get("/calls/export.xlsx").data))
    assert not any(cell.data_type == "f" for sheet in calls for line in sheet.iter_rows() for cell in line)
