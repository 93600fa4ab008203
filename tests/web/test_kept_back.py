"""Lines that a caller forged are told to whoever looks after the switches, as plain signs and never as markup."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest
from flask import Flask

from service.app import create_app
from service.calls import actions, queries
from service.calls.schemas import Doubted
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from telephony.feed import Feed
from tests.telephony.test_guard import attacked
from tests.web.test_access import PAGE, signed_in

MARKUP = b"123\r\nX: <script>alert(1)</script>\r\nCause: 21"


@pytest.fixture
def app(settings: Settings, database: db.Database) -> Iterator[Flask]:
    yield create_app(replace(settings, switches=(SwitchSettings(name="pbx1"),)), database)


def kept_back() -> list[Doubted]:
    """What the guard keeps back of a call of a real switch whose caller writes markup into his number."""
    feed = Feed()
    list(feed.hear(b"".join(frame + b"\r\n\r\n" for frame in attacked("asterisk-22/a-inbound-answered", MARKUP)), None))
    return [Doubted(one.reason, one.shown, True) for one in feed.doubts]


def test_the_pages_and_the_shell_say_so(app: Flask, committed_cast: SimpleNamespace) -> None:
    doubts = kept_back()
    assert len(doubts) > 5
    with db.begin(scope.ALL) as work:
        actions.history.feed_stands(work, "pbx1", actions.Heard(True, clock.now(), clock.now(), 10, len(doubts), 0), at=clock.now())
        actions.history.doubted(work, "pbx1", doubts, at=clock.now())

    root = signed_in(app, "root")
    for path in ("/settings/doctor", "/nights/feeds"):
        page = root.get(path, headers=PAGE).text
        assert f"{len(doubts)} forged lines were kept back in the last 7 days" in page
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "identify_by = ip" in page
    assert f"pbx1: {len(doubts)} lines that a caller has forged" in root.get("/calls", headers=PAGE).text
    assert "lines that a caller has forged" not in signed_in(app, "cleo").get("/calls", headers=PAGE).text


def test_what_only_does_not_fit_raises_no_alert(app: Flask, committed_cast: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        actions.history.doubted(work, "pbx1", [Doubted("Hangup for a channel that never began", "{}", False)], at=clock.now())
        assert queries.forged_lately(work, at=clock.now()) == []
    assert "does not fit" in signed_in(app, "root").get("/settings/doctor", headers=PAGE).text
