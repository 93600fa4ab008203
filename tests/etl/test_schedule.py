"""The timetable: a slot runs once, one process leads, a missed night is caught up."""

import threading
import time
from datetime import UTC, datetime

from sqlalchemy import text

from etl import schedule
from service.core import db, scope
from service.core.config import Settings

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # nine in the morning in Shanghai


def waiting(database: db.Database) -> list[str]:
    with db.begin(scope.ALL, database.app) as session:
        return list(session.scalars(text("select args->>'slot' from job where name = 'night' order by id")))


def test_the_due_slot_turns_at_the_set_hour(settings: Settings) -> None:
    assert schedule.slot_due(settings, AT) == "2026-11-23"
    assert schedule.slot_due(settings, datetime(2026, 11, 22, 17, 59, tzinfo=UTC)) == "2026-11-22"
    assert schedule.slot_due(settings, datetime(2026, 11, 22, 18, 0, tzinfo=UTC)) == "2026-11-23"


def test_a_slot_is_taken_once(clean: db.Database, settings: Settings) -> None:
    assert schedule.take_night(clean.app, settings, at=AT)
    assert not schedule.take_night(clean.app, settings, at=AT)
    assert waiting(clean) == ["2026-11-23"]


def test_two_processes_catch_a_missed_night_up_once(clean: db.Database, settings: Settings) -> None:
    stop = threading.Event()
    threads = [threading.Thread(target=schedule.run, args=(settings, stop)) for _ in range(2)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 10
    while not waiting(clean) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert len(waiting(clean)) == 1


def test_the_round_over_the_plans_is_enqueued_once_a_day(clean: db.Database, settings: Settings) -> None:
    assert [schedule.take_reminders(clean.app, settings, at=AT) for _again in range(2)] == [True, False]
    assert schedule.take_reminders(clean.app, settings, at=AT.replace(day=24))
    with db.begin(scope.ALL, clean.app) as session:
        assert list(session.scalars(text("select dedupe from job where name = 'maintenance.remind' order by id"))) == ["2026-11-23", "2026-11-24"]
