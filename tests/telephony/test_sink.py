"""The store against a database that takes nothing, or not this: what cannot be written waits, what nobody can write goes."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from service.core import db, scope
from telephony.feed import Feed
from telephony.floor import Change, Floor
from telephony.journal import Position
from telephony.livecall import LiveCall
from telephony.refusal import is_away
from telephony.sink import Sink
from tests import make
from tests.conftest import AT
from tests.telephony.ami import frames, until


def changes(*names: str, name: bytes = b"Maria Mustermann") -> list[Change]:
    """All that these captures change, the first caller under that name."""
    feed, floor = Feed(), Floor()
    said = b"".join(frame + b"\r\n\r\n" for one in names for frame in frames(one))
    said = said.replace(b"Name: Maria Mustermann", b"Name: " + name)
    return [change for event in feed.hear(said, None) for change in floor.hear(event)]


@contextmanager
def sinking(database: db.Database) -> Iterator[Sink]:
    sink = Sink("pbx1", database.app)
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()


def rows(database: db.Database, statement: str) -> list[tuple[object, ...]]:
    with db.begin(scope.ALL, database.app) as session:
        return [tuple(row) for row in session.execute(text(statement)).all()]


def owner(database: db.Database, statement: str) -> None:
    with database.owner.begin() as connection:
        connection.execute(text(statement))


def ended(database: db.Database) -> list[tuple[object, ...]]:
    return rows(database, "select disposition from call where not live order by disposition")


def test_a_schema_that_takes_no_call_loses_none(
    committed_cast: SimpleNamespace, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    owner(database, "alter table call rename column hangup_by to of_a_later_version")
    try:
        with sinking(database) as sink:
            sink.take(changes("asterisk-22/b-abandoned"), Position(3, 900), pops=False)
            until(lambda: "The store of pbx1 waits" in caplog.text, what="the refusal")
            assert sink.stored == sink.failed == 0
            assert rows(database, "select 1 from feed_checkpoint") == []
            owner(database, "alter table call rename column of_a_later_version to hangup_by")
            until(lambda: ended(database), what="the call that waited")
            until(lambda: sink.stored == 1)
    finally:
        if not rows(database, "select 1 from information_schema.columns where table_name = 'call' and column_name = 'hangup_by'"):
            owner(database, "alter table call rename column of_a_later_version to hangup_by")


def test_calls_wait_for_a_firm_that_has_no_branch_yet(
    clean: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    with sinking(clean) as sink:
        sink.take(changes("asterisk-22/b-abandoned"), Position(3, 900), pops=False)
        until(lambda: "The store of pbx1 waits" in caplog.text, what="the refusal")
        with db.begin(scope.ALL, clean.app) as session:
            make.cast(session, AT)
        until(lambda: ended(clean), what="the call that waited")
    assert sink.failed == 0


def test_a_call_that_nobody_can_write_is_left_out_and_the_others_are_not(
    committed_cast: SimpleNamespace, database: db.Database
) -> None:
    """PostgreSQL keeps no NUL in a text."""
    with sinking(database) as sink:
        sink.take(changes("asterisk-22/a-inbound-answered", name=b"Ma\x00ria"), Position(3, 900), pops=False)
        until(lambda: sink.failed == 1, what="the refusal")
        sink.take(changes("asterisk-22/b-abandoned"), Position(3, 1900), pops=False)
        until(lambda: sink.stored == 1, what="the other call")

    assert ended(database) == [("abandoned",)]
    assert rows(database, 'select segment, "offset" from feed_checkpoint') == [("000000000003", 1900)]
    assert rows(database, "select 1 from call_alias where uniqueid = 'probe'") == []


@pytest.mark.parametrize(("away", "statement"), [
    (True, "set transaction read only; delete from call"), (True, "select pg_terminate_backend(pg_backend_pid())"),
    (True, "set local statement_timeout = 1; select pg_sleep(9)"), (False, "select repeat('a', 2000000000)"),
    (False, "select 1 / 0"), (False, "select nothing from call"), (False, "select 'x'::date")])
def test_a_refusal_is_about_the_server_or_about_what_was_written(clean: db.Database, statement: str, away: bool) -> None:
    with pytest.raises(Exception, match=r".") as refusal, db.begin(scope.ALL, clean.app) as session:
        session.execute(text(statement))

    assert isinstance(refusal.value, Exception)
    assert is_away(refusal.value) is away


def test_a_crowd_of_calls_that_go_on_is_stored(committed_cast: SimpleNamespace, database: db.Database) -> None:
    crowd = [Change(None, LiveCall(key=f"1795331794.{no}", began_at=AT), AT, no) for no in range(130)]
    with sinking(database) as sink:
        sink.take(crowd, Position(3, 900), pops=False)
        until(lambda: rows(database, "select count(*) from call where live") == [(130,)], what="the crowd")


def test_pops_that_are_refused_are_worth_a_refresh_in_a_while(
    committed_cast: SimpleNamespace, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sinking(database) as sink:
        sink.take(changes("asterisk-22/a-inbound-answered", name=b"Ma\x00ria"), Position(3, 900))
        until(lambda: sink.failed > 1, what="the refusal")
        assert not sink.pops.take_missed()
        monkeypatch.setattr("telephony.pops.REFUSED_PAUSE", 0.0)
        sink.take(changes("asterisk-22/a-inbound-answered", name=b"Ma\x00ria"), Position(3, 1900))
        until(sink.pops.take_missed, what="the refresh")
        assert not sink.pops.take_missed()


def test_a_call_that_goes_on_is_not_ended_by_what_is_read_of_it_from_the_midst(committed_cast: SimpleNamespace, database: db.Database) -> None:
    """The database was away: other calls are read again, from a place where this one was under way already."""
    said = b"".join(frame + b"\r\n\r\n" for frame in frames("harder-22/unanswered-given-up"))
    heard = _heard(said)
    midst = heard[len(heard) // 3].offset
    partial = [(change, Position(1, change.offset)) for change in _heard(said[midst:]) if change.new.ended]
    sink = Sink("pbx1", database.app, None, lambda _since, _to: iter(partial))
    sink.take([change for change in heard if not change.new.ended], Position(1, len(said)), pops=False)
    sink._store_waiting()

    assert partial
    sink._read_again(Position(1, midst), Position(1, len(said)))

    assert rows(database, "select live, disposition from call") == [(True, None)]
    assert rows(database, "select 1 from missed_caller") == []
    assert sink._checkpoint({}, Position(1, len(said))).low_offset <= heard[0].offset


def _heard(said: bytes) -> list[Change]:
    feed, floor = Feed(), Floor()
    return [change for event in feed.hear(said, None) for change in floor.hear(event)]
