"""What is old goes by itself, what is young or still needed stays; and a day is the firm's own day."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.core import clock, db, housekeeping, live, numbers, scope
from service.staff import actions as staff
from service.staff.model import StaffSession


def test_old_news_jobs_and_sign_ins_are_forgotten(committed_cast: SimpleNamespace, clean: db.Database) -> None:
    now, day = clock.now(), timedelta(days=1)
    with db.begin(scope.ALL, clean.app) as work:
        for age in (timedelta(minutes=9), timedelta(minutes=11)):
            live.publish(work, "all", "feed", {}, at=now - age)
        for age in (6 * day, 8 * day):
            job = {"at": now - age}
            work.execute(text("insert into job (name, args, created_at, run_at, state, finished_at, max_attempts) values ('x', '{}', :at, :at, 'done', :at, 1)"), job)
        for began, ended in ((6, None), (8, None), (95, 91)):
            work.add(StaffSession(id=f"s{began}", staff_id=committed_cast.ada.id, began_at=now - began * day, seen_at=now,
                                  ended_at=now - ended * day if ended else None, address="", browser=""))

    housekeeping.job((staff.sweep, calls.sweep), {})

    with db.begin(scope.ALL, clean.app) as work:
        assert work.execute(text("select count(*) from live_event")).scalar_one() == 1
        assert work.execute(text("select count(*) from job")).scalar_one() == 1
        kept = work.execute(text("select id, ended_at is null from staff_session order by id")).all()
    assert [tuple(row) for row in kept] == [("s6", True), ("s8", False)]


@pytest.fixture
def in_new_york() -> Iterator[None]:
    clock.use(ZoneInfo("America/New_York"))
    yield
    clock.use(ZoneInfo("Asia/Shanghai"))


def test_documents_are_numbered_by_the_days_of_the_firm(session: Session, in_new_york: None) -> None:
    evening = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)  # still the 23rd there

    assert [numbers.take(session, "SR", evening) for _ in range(2)] == ["SR202611230001", "SR202611230002"]
