"""The timetable: one leader among any number of processes; a tick only enqueues, the jobs process works.

Each planned moment is a row that is taken once, so that a restart, a second process or a clock set back repeats nothing,
and a night that was missed while the machine was off is caught up at the next start.
"""

import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import psycopg2
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from etl import publish
from etl import run as record
from service.core import clock, db, jobs, scope
from service.core.config import Settings
from service.core.single import Single

log = logging.getLogger(__name__)

BEAT = 1.0
FILLING = timedelta(hours=1)
CLEANING = timedelta(minutes=10)
ROUND = timedelta(minutes=1)
_TAKE = text("""
    insert into schedule_slot (name, slot, taken_at) values (:name, :slot, :at)
    on conflict (name, slot) do nothing returning id
""")


def slot_due(settings: Settings, at: datetime) -> str:
    """The local day of the last night whose hour has come."""
    here = clock.local(at, settings.timezone)
    day = here.date() if here.timetz().replace(tzinfo=None) >= settings.night_at else here.date() - timedelta(days=1)
    return day.isoformat()


def take_night(engine: Engine, settings: Settings, *, at: datetime) -> bool:
    """The due night is enqueued, unless its slot was taken before; True when this call took it."""
    slot = slot_due(settings, at)
    with db.begin(scope.ALL, engine) as session:
        if session.execute(_TAKE, {"name": "night", "slot": slot, "at": at}).first() is None:
            return False
        jobs.enqueue(session, "night", {"slot": slot}, at=at, dedupe=slot, max_attempts=1)
    log.info("schedule: the night of %s is enqueued", slot)
    return True


def take_day(engine: Engine, settings: Settings, *, at: datetime) -> bool:
    """The shelf's daily work is enqueued, once for each day whose night has come; True when this call took it."""
    slot = slot_due(settings, at)
    with db.begin(scope.ALL, engine) as session:
        if session.execute(_TAKE, {"name": "recordings", "slot": slot, "at": at}).first() is None:
            return False
        jobs.enqueue(session, "recordings.daily", {}, at=at, dedupe=slot)
    return True


def take_reminders(engine: Engine, settings: Settings, *, at: datetime) -> bool:
    """The visits that come near are remembered, once a day of the firm; a day that was missed is made up for. True when taken."""
    slot = clock.local(at, settings.timezone).date().isoformat()
    with db.begin(scope.ALL, engine) as session:
        if session.execute(_TAKE, {"name": "maintenance", "slot": slot, "at": at}).first() is None:
            return False
        jobs.enqueue(session, "maintenance.remind", {}, at=at, dedupe=slot)
    return True


def bury(engine: Engine, settings: Settings, *, at: datetime) -> int:
    """A night that was killed is on record as failed and told, long before the next one begins; returns how many were."""
    return record.bury(engine, at=at, read=publish.read_number(settings.warehouse_dir))


def clean(engine: Engine, *, at: datetime) -> None:
    """Old live events and the like will be swept soon."""
    with db.begin(scope.ALL, engine) as session:
        jobs.enqueue(session, "housekeeping", {}, at=at, dedupe="housekeeping")


def refill(engine: Engine, settings: Settings, *, at: datetime) -> None:
    """What the switches wrote down in the last hour will be read soon, where they write anything."""
    with db.begin(scope.ALL, engine) as session:
        for name in (switch.name for switch in settings.switches if switch.files):
            jobs.enqueue(session, "backfill", {"switch": name, "why": "hourly"}, at=at, dedupe=f"{name} hourly", max_attempts=1)


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Keeps the timetable until told to stop; waits while another process leads."""
    ending = stop or _told_to_stop()
    engine = db.Database(settings, "schedule").app
    while not ending.is_set():
        with contextlib.suppress(psycopg2.Error):
            _lead(settings, engine, ending)
        ending.wait(BEAT)
    engine.dispose()


def _told_to_stop() -> threading.Event:
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    return ending


def _lead(settings: Settings, engine: Engine, ending: threading.Event) -> None:
    """Leads while the right is held; it is asked for each second, so that a lost one is noticed."""
    leader = Single(db.raw_dsn(settings.dsn_app), "schedule leader")
    try:
        if not leader.held():
            return
        with _timetable(settings, engine):
            while not ending.wait(BEAT) and leader.held():
                pass
    finally:
        leader.release()


@contextlib.contextmanager
def _timetable(settings: Settings, engine: Engine) -> Iterator[BackgroundScheduler]:
    scheduler = BackgroundScheduler(timezone=settings.timezone)
    hour = CronTrigger(hour=settings.night_at.hour, minute=settings.night_at.minute, timezone=settings.timezone)
    night = _careful(lambda: take_night(engine, settings, at=clock.now()))
    kept = {"coalesce": True, "misfire_grace_time": 3600, "max_instances": 1}
    scheduler.add_job(night, hour, **kept)
    scheduler.add_job(
        _careful(lambda: clean(engine, at=clock.now())), "interval", seconds=CLEANING.total_seconds(), **kept
    )
    day = _careful(lambda: take_day(engine, settings, at=clock.now()))
    scheduler.add_job(day, hour, **kept)
    scheduler.add_job(
        _careful(lambda: refill(engine, settings, at=clock.now())), "interval", seconds=FILLING.total_seconds(), **kept
    )
    visits = _careful(lambda: take_reminders(engine, settings, at=clock.now()))
    scheduler.add_job(visits, CronTrigger(hour=0, minute=5, timezone=settings.timezone), **kept)
    look = _careful(lambda: bury(engine, settings, at=clock.now()))
    scheduler.add_job(look, "interval", seconds=ROUND.total_seconds(), **kept)
    look()
    night()  # a night that was missed while nobody led
    day()
    visits()
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def _careful(tick: Callable[[], object]) -> Callable[[], None]:
    """A tick that meets a lost database says so; the slot stays free and is taken at the next start."""

    def ticked() -> None:
        try:
            tick()
        except SQLAlchemyError as error:
            log.error("schedule: %s", str(error).splitlines()[0])

    return ticked
