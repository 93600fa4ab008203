"""Jobs, numbers and the outbox between real connections: each once, together with their cause, and never lost."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from service.core import clock, db, jobs, numbers, outbox, scope
from service.core.config import Settings
from tests.conftest import AT
from tests.live import server

NAME = "test-job"


@pytest.fixture
def handled() -> Iterator[Callable[[jobs.Handler], None]]:
    """Jobs of NAME are done by the test's own function, for as long as the test runs."""
    yield lambda function: jobs.handler(NAME, function)
    jobs.HANDLERS.pop(NAME, None)


def put(count: int = 1, **more: Any) -> list[int | None]:
    with db.begin(scope.ALL) as session:
        return [jobs.enqueue(session, NAME, {"n": n}, at=clock.now(), **more) for n in range(count)]


def found(columns: str) -> list[tuple[Any, ...]]:
    with db.begin(scope.ALL) as session:
        return [tuple(row) for row in session.execute(text(f"select {columns} from job order by id"))]


def later(seconds: float) -> None:
    """All waiting and running jobs are older by so much; nobody has to wait for it."""
    with db.begin(scope.ALL) as session:
        gone = {"gone": timedelta(seconds=seconds)}
        session.execute(text("update job set run_at = run_at - :gone, locked_until = locked_until - :gone"), gone)


def working(database: db.Database, count: int) -> tuple[threading.Event, list[threading.Thread]]:
    stop = threading.Event()
    threads = [threading.Thread(target=jobs.Worker(database.app, f"w{n}").run, args=(stop, 0.01)) for n in range(count)]
    for thread in threads:
        thread.start()
    return stop, threads


def until(truth: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def test_two_workers_do_each_job_once_and_side_by_side(clean: db.Database, handled: Any) -> None:
    done: Counter[int] = Counter()
    both = threading.Barrier(2)

    def work(args: dict[str, Any]) -> None:
        if args["n"] < 2:
            both.wait(10)  # the first two only end when two workers have one each
        done[args["n"]] += 1

    handled(work)
    put(40)
    stop, threads = working(clean, 2)
    until(lambda: found("state") == [("done",)] * 40)
    stop.set()
    for thread in threads:
        thread.join(10)

    assert done == Counter(range(40))


def test_a_job_exists_only_with_the_change_that_asked_for_it(clean: db.Database) -> None:
    with pytest.raises(ZeroDivisionError), db.begin(scope.ALL) as session:
        jobs.enqueue(session, NAME, {}, at=AT)
        outbox.send(session, "told", {"n": 1}, at=AT)
        session.flush()
        raise ZeroDivisionError
    with db.begin(scope.ALL) as session:
        jobs.enqueue(session, NAME, {"n": 7}, at=AT)
        outbox.send(session, "told", {"n": 2}, at=AT)

        assert not jobs.Worker(clean.app).step(), "a job that is not committed yet is nobody's work"
    with db.begin(scope.ALL) as session:
        told = session.execute(text("select topic, payload, sent_at from outbox_message")).one()
    assert tuple(told) == ("told", {"n": 2}, None)
    assert found("args") == [({"n": 7},)]


def test_an_equal_job_waits_once_and_may_come_again_when_it_is_done(clean: db.Database, handled: Any) -> None:
    handled(lambda args: None)
    assert put(2, dedupe="same")[1] is None
    assert jobs.Worker(clean.app).step()
    assert put(1, dedupe="same")[0] is not None


def test_a_failing_job_is_tried_again_with_growing_patience_and_then_laid_aside(clean: db.Database, handled: Any) -> None:
    def fail(args: dict[str, Any]) -> None:
        raise ValueError("the printer is on fire")

    handled(fail)
    put(max_attempts=3)
    worker, waits = jobs.Worker(clean.app), []
    for _try in range(2):
        assert worker.step()
        assert not worker.step(), "it waits before it is tried again"
        (state, run_at, why), *_ = found("state, run_at, last_error")
        assert (state, why) == ("ready", "the printer is on fire")
        waits.append((run_at - clock.now()).total_seconds())
        later(waits[-1] + 1)
    assert worker.step()
    later(1e6)
    assert not worker.step()

    assert 11 < waits[0] < 19 and 35 < waits[1] < 55
    assert found("state, attempts") == [("dead", 3)]


def test_a_job_without_a_handler_says_so(clean: db.Database) -> None:
    put(max_attempts=1)
    jobs.Worker(clean.app).step()
    assert found("state, last_error") == [("dead", f"no handler is known for {NAME!r}")]


SLEEPER = f"""
import sys, time
from service.core import config, db, jobs
settings = config.load()
jobs.handler({NAME!r}, lambda args: (print("begun", flush=True), time.sleep(600)))
jobs.Worker(db.Database(settings, "sleeper").app, "sleeper").step()
"""


def test_the_job_of_a_killed_worker_is_taken_again_after_its_lease(
    clean: db.Database, settings: Settings, handled: Any
) -> None:
    put()
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER], env=server.environment(settings), stdout=subprocess.PIPE, text=True
    ) as sleeper:
        assert sleeper.stdout is not None
        assert sleeper.stdout.readline() == "begun\n"
        sleeper.send_signal(signal.SIGKILL)
    done: list[int] = []
    handled(lambda args: done.append(args["n"]))
    worker = jobs.Worker(clean.app)

    assert found("state, locked_by") == [("running", "sleeper")]
    assert not worker.step(), "its lease still runs"
    later(jobs.LEASE.total_seconds())
    assert worker.step()
    assert (done, found("state, attempts")) == ([0], [("done", 2)])


def test_a_job_that_kills_every_worker_is_laid_aside_in_the_end(clean: db.Database, handled: Any) -> None:
    """As a worker that dies leaves it: taken, never finished."""
    handled(lambda args: None)
    put(max_attempts=2)
    taken = 0
    for _life in range(20):
        with db.begin(scope.ALL) as session:
            now = clock.now()
            facts = {"me": "doomed", "until": now, "at": now, "deaths": jobs.DEATHS}
            taken += session.execute(jobs._TAKE, facts).first() is not None
        later(1)
    assert taken == 2 + jobs.DEATHS
    assert not jobs.Worker(clean.app).step()
    assert found("state, last_error") == [("dead", "its worker ended in the midst of it each time")]


def test_a_worker_that_lost_its_lease_cannot_end_the_work_of_another(clean: db.Database, handled: Any) -> None:
    second = jobs.Worker(clean.app, "second")

    def slow(args: dict[str, Any]) -> None:
        later(jobs.LEASE.total_seconds())
        handled(lambda args: None)
        assert second.step()
        raise ValueError("too late")

    handled(slow)
    put()
    jobs.Worker(clean.app, "first").step()
    assert found("state, attempts, last_error") == [("done", 2, None)]


def test_two_desks_never_draw_one_number_and_leave_no_gap(clean: db.Database) -> None:
    drawn: list[str] = []

    def desk() -> None:
        for _ticket in range(30):
            with db.begin(scope.ALL, clean.app) as session:
                drawn.append(numbers.take(session, "SR", AT))

    threads = [threading.Thread(target=desk) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(drawn) == [f"SR20261123{n:04d}" for n in range(1, 61)]


def test_a_number_that_was_rolled_back_is_the_next_ones(clean: db.Database) -> None:
    """The second desk waits for the first: that is the price of a series without gaps."""
    got: list[str] = []

    def second() -> None:
        with db.begin(scope.ALL, clean.app) as session:
            got.append(numbers.take(session, "SR", AT))

    with db.open_session(scope.ALL, clean.app) as first:
        held = numbers.take(first, "SR", AT)
        waiting = threading.Thread(target=second)
        waiting.start()
        until(lambda: blocked(clean) == 1)
        assert got == []
        first.rollback()
    waiting.join(10)
    assert got == [held] == ["SR202611230001"]


def blocked(database: db.Database) -> int:
    with database.owner.connect() as connection:
        query = "select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
        return int(connection.execute(text(query)).scalar_one())


def test_a_series_begins_anew_each_local_day_and_knows_no_other_series(clean: db.Database) -> None:
    with db.begin(scope.ALL) as session:
        taken = [
            numbers.take(session, "SR", AT),
            numbers.take(session, "SR", AT.replace(hour=15, minute=59)),
            numbers.take(session, "SR", AT.replace(hour=16)),  # midnight in Shanghai
            numbers.take(session, "PO", AT),
        ]
    assert taken == ["SR202611230001", "SR202611230002", "SR202611240001", "PO202611230001"]
