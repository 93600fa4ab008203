"""A night reads one snapshot, proves it, and publishes it whole or not at all."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
from sqlalchemy import text

from etl import nightly, schedule
from etl import run as record
from service.core import db, scope
from service.core.config import Settings
from tests import make
from tests.conftest import AT
from warehouse import engine
from warehouse.read import Archive

SLOT = "2026-11-23"


@pytest.fixture
def night(settings: Settings, committed_cast: SimpleNamespace, clean: db.Database, tmp_path: Path) -> Iterator[Settings]:
    """Settings with an archive of the test's own, and a firm with a customer, calls, a ticket and an open item."""
    with db.begin(scope.ALL, clean.app) as work:
        make.line(work, committed_cast.pudong, "support")
        party = make.party(work, committed_cast.pudong)
        make.call(work, AT)
        make.call(work, AT + timedelta(minutes=5), disposition="abandoned", agent=None, answered_by=None, answered_at=None, talk_seconds=None)
        make.ticket(work, party, committed_cast.ada, AT)
        paid = make.invoice(work, party, "540.00", date(2026, 11, 1), date(2026, 12, 1), AT)
        make.receipt(work, party, "100.10", date(2026, 11, 20), AT, pays=paid)
    yield replace(settings, data=tmp_path)


def run(settings: Settings, **more: object) -> nightly.Outcome:
    return nightly.run(settings, slot=SLOT, at=AT + timedelta(days=1), **more)  # type: ignore[arg-type]


def states(database: db.Database) -> list[str]:
    with db.begin(scope.ALL, database.app) as work:
        return list(work.execute(text("select state from night_run order by id")).scalars())


def test_the_first_night_loads_everything_and_equals_its_source(night: Settings, clean: db.Database) -> None:
    outcome = run(night)

    assert (outcome.generation, outcome.mode, outcome.refused) == (1, "full", None)
    generation = Archive(night.warehouse_dir).generation()
    assert generation.proven
    receivable = next(c for c in generation.controls if c.measure == "receivable")
    assert receivable.source == receivable.archive == "439.90"
    assert states(clean) == ["published"]


def test_a_second_night_reads_changes_and_forgets_deleted_rows(night: Settings, clean: db.Database) -> None:
    run(night)
    with db.begin(scope.ALL, clean.app) as work:
        work.execute(text("update party set name = '新名' "))
        work.execute(text("delete from call where disposition = 'abandoned'"))
        make.call(work, AT + timedelta(hours=1))

    outcome = run(night)

    assert outcome.mode == "changes"
    view = Archive(night.warehouse_dir).generation().view(scope.ALL)
    assert view.ask("select count(*) as n, sum(abandoned) as gone from fact_call").one() == {"n": 2, "gone": 0}
    assert view.ask("select min(party_name) as name from open_item").one()["name"] == "新名"


def test_a_ticket_keeps_its_call_when_the_call_takes_another_name(
    night: Settings, clean: db.Database, committed_cast: SimpleNamespace
) -> None:
    run(night)
    late, early = "1795395700.9", "1795395700.8"
    with db.begin(scope.ALL, clean.app) as work:
        party = make.party(work, committed_cast.pudong)
        ticket = make.ticket(work, party, committed_cast.ada, AT, call=("pbx1", late)).id
        make.call(work, AT + timedelta(hours=2), call_key=late)
    run(night)
    with db.begin(scope.ALL, clean.app) as work:
        make.call(work, AT + timedelta(hours=2), call_key=early, aliases=(late,))

    assert run(night).mode == "changes"
    view = Archive(night.warehouse_dir).generation().view(scope.ALL)
    assert view.ask(f"select call_key from fact_call where ticket_id = {ticket}").one() == {"call_key": early}


def test_running_a_night_twice_gives_the_same_rows(night: Settings) -> None:
    question = "select * exclude (policy_version) from fact_call order by call_id"
    run(night, full=True)
    first = Archive(night.warehouse_dir).generation().view(scope.ALL).ask(question)
    run(night, full=True)

    assert Archive(night.warehouse_dir).generation().view(scope.ALL).ask(question) == first


def test_a_cent_in_the_archive_that_the_ledger_does_not_know_stops_the_night(night: Settings, clean: db.Database) -> None:
    run(night)
    read = engine.current(night.warehouse_dir)
    assert read is not None
    with engine.connect(read) as archive:
        archive.execute("update raw.ledger_item set amount = amount + 0.01 where kind = 'invoice'")

    outcome = run(night)

    assert outcome.generation is None
    assert "ledger_item" in (outcome.refused or "")
    assert engine.current(night.warehouse_dir) == read
    assert states(clean) == ["published", "refused"]
    with db.begin(scope.ALL, clean.app) as work:
        assert work.execute(text("select count(*) from live_event where kind = 'night-failed'")).scalar_one() == 1
        assert work.execute(text("select count(*) from outbox_message where topic = 'night.failed'")).scalar_one() == 1
    assert run(night).mode == "full"  # the repair follows by itself


def test_a_failed_audit_keeps_the_last_generation_and_says_why(night: Settings, clean: db.Database) -> None:
    run(night)
    with db.begin(scope.ALL, clean.app) as work:
        work.execute(text("update call set wait_seconds = -1 where disposition = 'answered'"))

    outcome = run(night)

    assert "a_call_ends_one_way" in (outcome.refused or "")
    assert Archive(night.warehouse_dir).generation().run.generation == 1
    assert not list(night.warehouse_dir.glob("*.building*"))


def test_a_second_night_at_the_same_time_is_refused_with_a_sentence(night: Settings, clean: db.Database) -> None:
    with nightly.locked(night), pytest.raises(nightly.NightBusy, match="already running"):
        run(night)
    assert states(clean) == []


@pytest.mark.parametrize(("point", "read"), [("built", 1), ("renamed", 1), ("pointed", 2)])
def test_a_night_killed_while_publishing_leaves_one_whole_generation(night: Settings, clean: db.Database, point: str, read: int) -> None:
    run(night)
    killed_at(point, night, clean)

    generation = Archive(night.warehouse_dir).generation()
    assert generation.run.generation == read
    assert generation.proven
    assert run(night).refused is None
    assert states(clean)[1] == ("published" if point == "pointed" else "failed")


def killed_at(point: str, settings: Settings, database: db.Database) -> None:
    """A night in a process of its own, gone without a word at that point."""
    child = os.fork()
    if child == 0:
        database.app.dispose(close=False)
        run(settings, reached=lambda at: os._exit(9) if at == point else None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    until = time.monotonic() + 20
    while lock_held(database) and time.monotonic() < until:
        time.sleep(0.01)  # PostgreSQL notices a dead client when it next listens to it


def lock_held(database: db.Database) -> bool:
    with db.begin(scope.ALL, database.app) as work:
        return record.held(work)


@pytest.mark.parametrize(("point", "state", "told"), [("built", "failed", 1), ("renamed", "failed", 1), ("pointed", "published", 0)])
def test_the_timetable_finds_a_killed_night_and_tells_it_once(night: Settings, clean: db.Database, point: str, state: str, told: int) -> None:
    run(night)
    killed_at(point, night, clean)
    assert states(clean) == ["published", "running"]

    assert schedule.bury(clean.app, night, at=AT) == told
    assert schedule.bury(clean.app, night, at=AT) == 0

    assert states(clean) == ["published", state]
    with db.begin(scope.ALL, clean.app) as work:
        assert work.execute(text("select count(*) from live_event where kind = 'night-failed'")).scalar_one() == told
        assert work.execute(text("select count(*) from outbox_message where topic = 'night.failed'")).scalar_one() == told


def test_a_night_that_lives_is_not_buried(night: Settings, clean: db.Database) -> None:
    found: list[int] = []

    assert run(night, progress=lambda *_at: found.append(schedule.bury(clean.app, night, at=AT))).refused is None

    assert found and not any(found)
    assert states(clean) == ["published"]


def test_a_timetable_that_starts_looks_for_killed_nights(night: Settings, clean: db.Database) -> None:
    killed_at("built", night, clean)
    stop = threading.Event()
    thread = threading.Thread(target=schedule.run, args=(night, stop))
    thread.start()
    until = time.monotonic() + 20
    while states(clean) != ["failed"] and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    thread.join(10)

    assert states(clean) == ["failed"]


def test_a_full_disk_is_told_in_one_sentence(night: Settings) -> None:
    def full(_name: str, _done: int, _total: int) -> None:
        raise OSError(28, "No space left on device")

    outcome = run(night, progress=full)

    assert "disk" in (outcome.refused or "") and outcome.generation is None


def test_a_reader_of_an_old_generation_keeps_it_to_the_end(night: Settings) -> None:
    run(night)
    old = Archive(night.warehouse_dir).generation()
    for _night in range(4):
        run(night)

    assert old.run.generation == 1
    assert old.rows("select count(*) from mart.fact_call").rows == [(2,)]
    assert len(list(night.warehouse_dir.glob("gen-*.duckdb"))) == 3


def test_the_night_cannot_write_and_reads_no_password(night: Settings) -> None:
    with nightly.locked(night) as connection, connection.cursor() as cursor:
        for statement in ("update party set name = ''", "select password from staff"):
            with pytest.raises(Exception, match="permission denied"):
                cursor.execute(statement)
            connection.rollback()


def test_an_archive_file_that_is_damaged_is_not_built_upon(night: Settings) -> None:
    run(night)
    read = engine.current(night.warehouse_dir)
    assert read is not None
    read.write_bytes(b"not a database")

    outcome = run(night)

    assert outcome.mode == "full" and outcome.refused is None
    assert isinstance(Archive(night.warehouse_dir).generation()._connection, duckdb.DuckDBPyConnection)
