"""What a room says in English for the terminal reads in Chinese on the page."""

import re
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy.orm import Session

from etl import nightly
from etl import run as record
from etl.control import Control, Differs
from service.app import create_app
from service.core import db
from service.core.config import Settings
from service.reports import words
from service.tickets import actions as tickets
from tests import make
from tests.conftest import AT
from warehouse import audit
from warehouse.build import header

CLAIMS = [header(path.read_text("utf-8")) for path in sorted(audit.FOLDER.glob("*.sql"))]
REFUSALS = [
    Differs(Control("ledger_item", "sum of amount", "1.00", "1.01")).message,
    *(audit.AuditFailed(audit.Finding("a_rule", claim, 2, ("call_id 7", "call_id 8"))).message for claim in CLAIMS),
    record.KILLED,
    nightly._disk(OSError(28, "No space left on device")),
]


@pytest.fixture
def app(settings: Settings, database: db.Database) -> Flask:
    return create_app(settings, database)


@pytest.mark.parametrize("said", REFUSALS)
def test_each_refusal_of_a_night_is_told_in_the_readers_language(said: str, app: Flask) -> None:
    with app.test_request_context("/"):
        with force_locale("en"):
            assert words.told(said) == said
        with force_locale("zh_Hans_CN"):
            told = words.told(said)
    assert re.search("[一-鿿]", told)
    assert not re.search(r"\b(the|is|and|readers|run)\b", told), told
    for fact in re.findall(r"\d+(?:\.\d+)?", said):
        assert fact in told


def test_what_postgresql_or_the_system_said_is_kept_as_it_was(app: Flask) -> None:
    with app.test_request_context("/"), force_locale("zh_Hans_CN"):
        told = words.told("PostgreSQL stopped the night: canceling statement. Mend that and run the night again.")
        assert "canceling statement." in told and "Mend" not in told
        assert words.told("something else") == "something else"
        assert words.told(None) == ""


def test_a_step_from_the_wrong_state_names_it_as_the_page_does(
    app: Flask, session: Session, cast: SimpleNamespace
) -> None:
    ticket = make.ticket(session, make.party(session, cast.pudong), cast.ada, AT)
    for locale, name in (("en", "“To assign”"), ("zh_Hans_CN", "待派单")):
        with app.test_request_context("/"), force_locale(locale):
            with pytest.raises(tickets.WrongState) as refused:
                tickets.start(session, ticket.id, by=cast.ada.id, at=AT)
        assert name in refused.value.message and "registered" not in refused.value.message
