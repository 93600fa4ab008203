"""The page of how completely each switch was heard, in both languages, and the button that reads the files."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from service.app import create_app
from service.calls import actions
from service.calls.schemas import Heard
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from tests.web.test_access import PAGE, signed_in, token


@pytest.fixture
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    switches = (SwitchSettings(name="pbx1", cel=Path("cel"), cdr=Path("cdr")), SwitchSettings(name="pbx2"))
    yield create_app(replace(settings, switches=switches), database)


def heard(switch: str) -> None:
    with db.begin(scope.ALL) as session:
        now = clock.now()
        actions.history.feed_stands(session, switch, Heard(True, now, now, 10, 1, 0), at=now)


def test_it_is_complete_only_when_every_switch_is(app: Flask, committed_cast: SimpleNamespace) -> None:
    mei = signed_in(app, "mei")
    assert "Not every switch has been heard yet" in mei.get("/nights/feeds", headers=PAGE).text
    heard("pbx1")
    heard("pbx2")
    page = mei.get("/nights/feeds/now", headers=PAGE).text
    assert ", 0 gaps" in page and page.count('class="card feed"') == 2
    with db.begin(scope.ALL) as session:
        actions.gap_began(session, "pbx2", at=clock.now(), reason="connection lost")
    assert "1 gap is not filled" in mei.get("/nights/feeds/now", headers=PAGE).text


def test_in_chinese_too(app: Flask, committed_cast: SimpleNamespace) -> None:
    heard("pbx1")
    heard("pbx2")
    mei = signed_in(app, "mei")
    mei.post("/settings/locale", data={"locale": "zh_Hans_CN", "csrf_token": token(mei, "/nights/feeds")}, headers=PAGE)
    page = mei.get("/nights/feeds", headers=PAGE).text
    assert "话务完整至" in page and "缺口 0 个" in page and "该交换机未配置日志文件" in page


def test_who_may_not_run_a_night_may_not_have_the_files_read(app: Flask, committed_cast: SimpleNamespace) -> None:
    mei = signed_in(app, "mei")
    refused = mei.post("/nights/feeds", data={"csrf_token": token(mei, "/nights/feeds")}, headers=PAGE)
    assert refused.status_code == 403
    with db.begin(scope.ALL) as session:
        assert session.execute(text("select count(*) from job where name = 'backfill'")).scalar_one() == 0
