"""The pages of imports: templates in the reader's language, uploads that are refused in words, and what nobody else may see."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from service.app import create_app
from service.core import db, jobs, scope
from service.core.config import Settings
from service.core.intake import files
from service.staff.model import Staff
from service.wire import wire
from tests import make
from tests.imports.files import book, lines
from tests.signin import people

PAGE = {"Accept": "text/html"}


@pytest.fixture
def app(settings: Settings, database: db.Database, tmp_path: Path) -> Iterator[Flask]:
    yield create_app(replace(settings, data=tmp_path), database)
    wire(settings)


@pytest.fixture
def root(app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> FlaskClient:
    return people.browser(app, settings, committed_cast.root)


def send(client: FlaskClient, path: str, **form: object) -> tuple[int, str, str]:
    answer = client.post(path, data=form | {"csrf_token": people.token(client, "/settings/password")}, headers=PAGE, content_type="multipart/form-data")
    return answer.status_code, answer.text, answer.headers.get("Location", "")


def bring(client: FlaskClient, content: bytes, target: str = "parties", name: str = "t.xlsx", **more: object) -> tuple[int, str, str]:
    return send(client, "/settings/imports", target=target, file=(io.BytesIO(content), name), **more)


def work() -> None:
    while jobs.Worker(db.bound(), "test").step():
        pass


@pytest.mark.parametrize(("locale", "head"), [("en", "Customer name"), ("zh_Hans_CN", "客户名称")])
def test_a_template_speaks_the_readers_language_and_can_be_brought_back_filled(locale: str, head: str, app: Flask, settings: Settings, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as session:
        session.get_one(Staff, committed_cast.root.id).locale = locale
    client = people.browser(app, settings, committed_cast.root)
    made = openpyxl.load_workbook(io.BytesIO(client.get("/settings/imports/templates/parties.xlsx").data))
    heads = [cell.value for cell in made.worksheets[0][1]]
    assert head in heads and len(made.worksheets) == 2
    made.worksheets[0].cell(2, heads.index(head) + 1, "恒通")
    out = io.BytesIO()
    made.save(out)

    status, _page, place = bring(client, out.getvalue())
    assert status == 303
    assert "恒通" in client.get(place, headers=PAGE).text


def test_a_file_that_is_too_large_is_refused_in_words_and_not_kept(root: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.imports import folder

    monkeypatch.setattr(folder, "MOST_BYTES", 1 << 20)
    status, page, _place = bring(root, b"name\n" + b"x" * (1 << 21), name="big.csv")
    assert status == 422 and "larger than 1 MB" in page
    assert list((tmp_path / "imports").iterdir()) == []


@pytest.mark.parametrize(("content", "said"), [(b"", "no filled row"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "Save as"), (b"PK\x03\x04xx", "damaged")])
def test_what_is_no_table_is_refused_in_words(content: bytes, said: str, root: FlaskClient, tmp_path: Path) -> None:
    status, page, _place = bring(root, content)
    assert status == 422 and said in page
    assert list((tmp_path / "imports").iterdir()) == []


def test_a_kept_file_can_be_read_by_nobody_else_on_the_machine(root: FlaskClient, tmp_path: Path) -> None:
    bring(root, book(("客户名称",), ("恒通",)))
    kept = next((tmp_path / "imports").iterdir())
    assert kept.stat().st_mode & 0o777 == 0o600 and "t.xlsx" not in kept.name


def test_a_branch_out_of_reach_takes_no_rows_and_shows_none(app: Flask, settings: Settings, committed_cast: SimpleNamespace, root: FlaskClient) -> None:
    with db.begin(scope.ALL) as session:
        pudong = session.merge(committed_cast.pudong)
        near = make.staff(session, "near", pudong, "manager")
    client = people.browser(app, settings, near)
    assert bring(client, book(("客户名称",), ("x",)), branch_id=committed_cast.suzhou.id)[0] == 422
    _status, _page, place = bring(root, book(("客户名称",), ("x",)), branch_id=committed_cast.suzhou.id)
    assert client.get(place, headers=PAGE).status_code == 404
    assert client.get(place + "/errors.xlsx", headers=PAGE).status_code == 404
    assert send(client, place + "/load")[0] == 404 and send(client, place + "/discard")[0] == 404


def test_users_are_imported_by_administrators_alone_and_their_passwords_come_once(app: Flask, settings: Settings, root: FlaskClient, committed_cast: SimpleNamespace) -> None:
    _status, _page, place = bring(root, lines(("用户名", "姓名", "角色"), ("li.lei", "李雷", "坐席"), encoding="gbk"), "users", "人员.csv")
    manager = people.browser(app, settings, committed_cast.mei)
    assert manager.get(place, headers=PAGE).status_code == 403
    assert bring(manager, b"x", "users")[0] == 403
    send(root, place + "/check", **{"column-username": "0", "column-name": "1", "column-roles": "2"})
    work()
    send(root, place + "/load", upon="skip")
    work()
    token = people.token(root, "/settings/password")
    answer = root.post(place + "/passwords.xlsx", data={"csrf_token": token, "waiting": "2"}, headers=PAGE)
    assert answer.status_code == 409 and "downloads" in answer.text  # some were made since that page
    answer = root.post(place + "/passwords.xlsx", data={"csrf_token": token, "waiting": "1"}, headers=PAGE)
    row = [cell.value for cell in openpyxl.load_workbook(io.BytesIO(answer.data)).active[2]]
    assert row[:2] == ["李雷", "li.lei"] and len(row[2]) >= 12
    assert root.post(place + "/passwords.xlsx", data={"csrf_token": token}, headers=PAGE).status_code == 409
    assert people.typed(app.test_client(), "li.lei", row[2])[0] == 302


def test_the_text_of_bad_rows_makes_no_spreadsheet_reckon_and_comes_back_as_it_was(root: FlaskClient, tmp_path: Path) -> None:
    _status, _page, place = bring(root, lines(("客户名称", "电话"), ("=1+1", "wang"), ("-x", "+86 138 0000"), encoding="utf-8"), name="t.csv")
    send(root, place + "/check", **{"column-name": "0", "column-phones": "1"})
    work()
    text = root.get(place + "/errors.csv").data
    assert b"\n'=1+1,wang" in text
    path = tmp_path / "again.csv"
    path.write_bytes(text)
    assert [cells[0] for _line, cells in files.opened(path).rows()][1] == "=1+1"
    assert re.search("What is wrong", text.decode())
    with db.begin(scope.ALL) as session:
        from service.parties.model import Party

        assert session.scalars(select(Party)).all() == []
