"""Pages by key: no row twice, none left out, whichever way one goes and whatever the column holds; and what is typed is refused in words."""

import base64
import csv
import io
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import Date, event, literal, select, type_coerce
from sqlalchemy.orm import Session

from service.app import create_app
from service.core import db, lists, search
from service.core.config import Settings
from service.core.errors import DeskError, Forbidden, Invalid
from service.core.identity import Identity
from service.core.lists import Column, Empty, Filter, ListSpec, asking, export, place
from service.core.scope import ALL
from service.parties.model import Party
from tests import make
from tests.conftest import AT

FIRST = date(2027, 1, 1)
UNTIL = type_coerce(literal(FIRST) + Party.settlement_day, Date)


def until(party: Party) -> date | None:
    """A day that a third of the rows do not have."""
    return None if party.settlement_day is None else FIRST + timedelta(days=party.settlement_day)


SPEC = ListSpec(
    name="things", title="Things", address="/things", permission="party.read", rows=lambda session, wanted: select(Party), key=Party.id,
    columns=(
        Column("number", "No.", lambda p, told: p.number, "ref", Party.number),
        Column("name", "Name", lambda p, told: p.name, sort=Party.name_pinyin),
        Column("until", "Until", lambda p, told: until(p), "date", UNTIL, nullable=True),
        Column("days", "Days", lambda p, told: p.credit_days, "number", Party.credit_days),
        Column("made", "Made", lambda p, told: p.created_at, "moment", Party.created_at, shown=False),
        Column("email", "E-mail", lambda p, told: p.email, "mail", Party.email),
        Column("owed", "Owed", lambda p, told: Decimal("12.50"), "money", Party.credit_days, masked="amount.read"),
        Column("secret", "Secret", lambda p, told: p.address, sort=Party.address, permission="see"),
    ),
    filters=(
        Filter("q", "Name contains", clause=lambda typed: Party.name.icontains(typed, autoescape=True)),
        Filter("kind", "Kind", "choice", lambda kind: Party.kind == kind, lambda session: [("company", "Company"), ("person", "Person")]),
        Filter("email", "E-mail", clause=lambda typed: Party.email == typed),
        *lists.days("made", "Made", Party.created_at),
    ),
    sort="number", empty=Empty("users", "None", "None"),
)  # fmt: skip


def person(*may: str) -> Identity:
    return Identity(1, "Ada", "ada", ("agent",), frozenset(may), ALL, 1, "en", "auto")


ADA, BOSS = person(), person("see", "phone.read", "amount.read")


@pytest.fixture
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    made = create_app(settings, database)
    with made.test_request_context():
        yield made


@pytest.fixture
def rows(session: Session, cast: SimpleNamespace, app: Flask) -> list[Party]:
    """Sixty customers; many share a value, a third has none."""
    made = []
    for n in range(60):
        party = make.party(session, cast.pudong, f"客户{n % 7}", number=f"Z{n:04}", name_pinyin=search.reading(f"客户{n % 7}"))
        party.settlement_day = None if n % 3 == 0 else n % 5
        party.email = "wang@example.com"
        party.credit_days, party.created_at = n % 4, AT + timedelta(microseconds=n % 6)
        made.append(party)
    session.flush()
    return made


def walked(session: Session, **asked: str) -> tuple[list[list[int]], list[list[int]]]:
    """The ids of each page from the first to the last, and of the same pages on the way back."""
    there, args = [], dict(asked)
    while True:
        page = lists.page(session, SPEC, BOSS, args, at=AT)
        there.append([line.id for line in page.lines])
        if not page.next:
            break
        args = dict(parse_qsl(urlsplit(page.next).query))
    back = [there[-1]]
    while page.previous:
        page = lists.page(session, SPEC, BOSS, dict(parse_qsl(urlsplit(page.previous).query)), at=AT)
        back.append([line.id for line in page.lines])
    return there, back[::-1]


@pytest.mark.parametrize("sort", ["number", "-number", "name", "-name", "until", "-until", "days", "-days", "made", "-made"])
def test_every_row_stands_on_one_page_and_the_way_back_is_the_same(sort: str, session: Session, rows: list[Party]) -> None:
    there, back = walked(session, sort=sort, size="25")

    flat = [row for page in there for row in page]
    values = {party.id: {"number": party.number, "name": party.name_pinyin, "until": until(party), "days": party.credit_days, "made": party.created_at}[sort.removeprefix("-")] for party in rows}
    known = [row for row in flat if values[row] is not None]
    assert sorted(flat) == sorted(party.id for party in rows)
    assert known == sorted(known, key=lambda row: (values[row], row), reverse=sort.startswith("-"))
    assert flat[: len(known)] == known, "what has no value stands last"
    assert [len(page) for page in there] == [25, 25, 10]
    assert back == there


def test_rows_that_come_and_go_between_two_pages_shift_nothing(session: Session, rows: list[Party], cast: SimpleNamespace) -> None:
    first = lists.page(session, SPEC, BOSS, {"size": "25"}, at=AT)
    make.party(session, cast.pudong, "早", number="A0001")
    session.delete(rows[3])
    session.delete(rows[24])  # the very row of the place
    session.flush()

    second = lists.page(session, SPEC, BOSS, dict(parse_qsl(urlsplit(first.next).query)), at=AT)

    assert [line.row.number for line in second.lines] == [f"Z{n:04}" for n in range(25, 50)]


def test_going_back_to_less_than_a_page_shows_the_first_page_whole(session: Session, rows: list[Party]) -> None:
    second = lists.page(session, SPEC, BOSS, {"size": "25", "after": place.written("Z0009", rows[9].id)}, at=AT)
    page = lists.page(session, SPEC, BOSS, dict(parse_qsl(urlsplit(second.previous).query)), at=AT)

    assert [line.row.number for line in page.lines] == [f"Z{n:04}" for n in range(25)]
    assert page.previous == ""
    assert page.next


def test_chinese_is_sorted_as_it_is_read(session: Session, cast: SimpleNamespace, app: Flask) -> None:
    for name in ("张三", "阿里", "重庆火锅", "北京", "Acme"):
        make.party(session, cast.pudong, name, name_pinyin=search.reading(name))

    page = lists.page(session, SPEC, BOSS, {"sort": "name"}, at=AT)

    assert [line.row.name for line in page.lines] == ["Acme", "阿里", "北京", "重庆火锅", "张三"]


def token(*value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("args", [
    {"nonsense": "1"}, {"sort": "nothing"}, {"sort": "--number"}, {"size": "7"}, {"size": "９"}, {"kind": "cat"}, {"made_from": "yesterday"},
    {"after": "x"}, {"after": "Ω"}, {"after": "A" * 9000}, {"after": token()}, {"after": token("Z1")}, {"after": token("Z1", "1")},
    {"after": token("Z1", 2**70)}, {"after": token("\x00", 1)}, {"after": token("\ud800", 1)}, {"after": token(1, 1)}, {"after": token(None, 1)},
    {"after": token(True, 1), "sort": "days"}, {"before": token(2**65, 1), "sort": "days"}, {"after": token("2026-01-01", 1), "sort": "made"},
    {"after": token("0001-01-01T00:00:00+23:00", 1), "sort": "made"}, {"after": token("x", 1), "sort": "until"}, {"after": token([], {}), "sort": "until"},
])  # fmt: skip
def test_what_an_address_makes_up_is_refused_in_words(args: dict[str, str], session: Session, rows: list[Party]) -> None:
    with pytest.raises(Invalid) as refused:
        lists.page(session, SPEC, BOSS, args, at=AT)

    assert len(refused.value.message) > 20


def test_a_hidden_column_neither_sorts_nor_is_searched(session: Session, rows: list[Party]) -> None:
    for args in ({"sort": "email"}, {"sort": "owed"}, {"sort": "-secret"}, {"email": "a@b"}):
        with pytest.raises(Forbidden):
            lists.page(session, SPEC, ADA, args, at=AT)
        assert lists.page(session, SPEC, BOSS, args, at=AT)

    page = lists.page(session, SPEC, ADA, {"cols": "secret,number,email,owed"}, at=AT)
    assert [column.key for column in page.columns] == ["number", "email", "owed"]
    assert [page.value(column, page.lines[0]) for column in page.columns][1:] == ["w***@example.com", "•••"]
    assert taken(session, "csv", ADA, cols="owed")[1] == [""]
    assert taken(session, "csv", BOSS, cols="owed")[1] == ["12.50"]
    assert "email" not in {one.key for one in page.filters}
    assert page.order(page.columns[1]) == ""


def test_conditions_are_chips_and_each_can_be_dropped(session: Session, rows: list[Party]) -> None:
    page = lists.page(session, SPEC, BOSS, {"q": "客户3", "kind": "company", "sort": "-days", "size": "25"}, at=AT)

    assert {line.row.name for line in page.lines} == {"客户3"}
    assert [(chip.label, chip.words) for chip in page.chips] == [("Name contains", "客户3"), ("Kind", "Company")]
    assert dict(parse_qsl(urlsplit(page.chips[0].without).query)) == {"kind": "company", "sort": "-days", "size": "25"}


def test_one_query_for_the_rows_however_many_there_are(session: Session, rows: list[Party], database: db.Database) -> None:
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    after = lists.page(session, SPEC, BOSS, {"size": "25"}, at=AT).next
    event.listen(database.app, "before_cursor_execute", note)
    try:
        lists.page(session, SPEC, BOSS, {"size": "25"}, at=AT)
        lists.page(session, SPEC, BOSS, dict(parse_qsl(urlsplit(after).query)), at=AT)
    finally:
        event.remove(database.app, "before_cursor_execute", note)

    assert len(sent) == 2 * 3, "what is kept of the list, its views, its rows"
    assert not [one for one in sent if "count(" in one]


def taken(session: Session, form: str, who: Identity, **args: str) -> list[list[object]]:
    """The cells of the export, head included."""
    asked = asking.read(session, SPEC, who, args)
    if form == "csv":
        made = export.text(session, SPEC, who, asked, at=AT).read()
        assert made.startswith(b"\xef\xbb\xbf")
        return [list(line) for line in csv.reader(io.StringIO(made.decode("utf-8-sig")))]
    sheet = openpyxl.load_workbook(export.workbook(session, SPEC, who, asked, at=AT)).worksheets[0]
    return [[cell.value for cell in line] for line in sheet.iter_rows()]


def written(cell: object) -> str:
    """A cell of either form as text."""
    return "" if cell is None else str(cell.date() if isinstance(cell, datetime) else cell)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("who", [ADA, BOSS])
def test_the_export_is_what_the_screen_shows(form: str, who: Identity, session: Session, rows: list[Party]) -> None:
    args = {"cols": "secret,until,email,number", "sort": "-number", "kind": "company", "size": "25"}
    page = lists.page(session, SPEC, who, args, at=AT)

    head, *lines = taken(session, form, who, **args)

    assert head == [str(column.label) for column in page.columns]
    assert len(lines) == 60, "all pages"
    shown = [[str(page.value(column, line) or "") for column in page.columns] for line in page.lines]
    assert [[written(cell) for cell in line] for line in lines[:25]] == shown
    assert ("w***@" in str(lines)) is (who is ADA)


@pytest.mark.parametrize("bad", ["=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])
def test_no_cell_computes(bad: str, session: Session, cast: SimpleNamespace, app: Flask) -> None:
    make.party(session, cast.pudong, bad, number="Z1")

    assert taken(session, "csv", BOSS, cols="name")[1] == ["'" + bad]
    asked = asking.read(session, SPEC, BOSS, {"cols": "name"})
    cell = openpyxl.load_workbook(export.workbook(session, SPEC, BOSS, asked, at=AT)).worksheets[0]["A2"]
    assert cell.data_type == "s"


def test_a_list_too_long_for_a_file_says_so(session: Session, rows: list[Party], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST", 59)

    with pytest.raises(DeskError, match="59"):
        taken(session, "csv", BOSS)

