"""One night: read, build, prove, publish. Until the last step readers see the generation before it, whole."""

import errno
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from etl import control, extract, generation, publish, tables
from etl import run as record
from service.core import clock, db
from service.core.config import Settings
from service.core.errors import DeskError
from warehouse import audit, build, engine

log = logging.getLogger(__name__)
Progress = Callable[[str, int, int], None]
FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Outcome:
    """How a night ended; `refused` is the sentence that says why nothing was published."""

    generation: int | None
    rows: int
    seconds: float
    refused: str | None = None
    mode: str = ""


class NightBusy(DeskError):
    """Another night is running on this database."""


@dataclass
class Work:
    """What one night carries from step to step."""

    settings: Settings
    slot: str
    at: datetime
    full: bool
    progress: Progress
    number: int
    run_id: int
    database: db.Database
    steps: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0
    mode: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """The step's wall time is kept for the run record."""
        began, before = time.perf_counter(), self.rows
        self.progress(name, 0, 1)
        yield
        self.steps.append({"name": name, "seconds": round(time.perf_counter() - began, 3), "rows": self.rows - before})


def quiet(step: str, done: int, total: int) -> None:
    """Nobody watches."""


def run(settings: Settings, *, slot: str, at: datetime, full: bool = False, progress: Progress = quiet,
        reached: Callable[[str], None] = lambda _point: None) -> Outcome:
    """A new generation is read by everyone, or the last one still is and the outcome, the record and an alert say why.

    Raises NightBusy when another night runs; every other refusal is in the outcome. `reached` is told each point of
    the publication; the fault tests end the process there.
    """
    began = time.perf_counter()
    database = db.Database(settings, "night")
    try:
        with locked(settings) as connection:
            work = _begin(settings, database, slot=slot, at=at, full=full, progress=progress)
            refused = _attempt(work, connection, reached)
            _end(work, refused)
    finally:
        database.close()
    number = None if refused else work.number
    return Outcome(number, work.rows, time.perf_counter() - began, refused, work.mode)


@contextmanager
def locked(settings: Settings) -> Iterator[Any]:
    """A connection of the night role that holds the one lock; it goes with the connection, even after kill -9."""
    try:
        connection = psycopg2.connect(db.raw_dsn(settings.dsn_night), application_name="ringdesk night", connect_timeout=10)
    except psycopg2.OperationalError as error:
        raise DeskError(f"The database cannot be reached: {_first_line(error)} Check dsn_night and that PostgreSQL runs.") from error
    try:
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s, %s)", record.LOCK)
            if not cursor.fetchone()[0]:
                raise NightBusy("A night is already running on this database. Wait until it has ended; the page “Nights” shows it.")
        connection.commit()
        yield connection
    finally:
        connection.close()


def _begin(settings: Settings, database: db.Database, *, slot: str, at: datetime, full: bool, progress: Progress) -> Work:
    folder = settings.warehouse_dir
    folder.mkdir(parents=True, exist_ok=True)
    troubled = record.last_state(database.app) in ("refused",)
    run_id = record.begin(database.app, slot, at=at, read=publish.read_number(folder))
    number = publish.next_number(folder)
    record.aim(database.app, run_id, number)
    work = Work(settings, slot, at, full, progress, number, run_id, database)
    work.mode = "troubled" if troubled else ""
    return work


def _attempt(work: Work, connection: Any, reached: Callable[[str], None]) -> str | None:
    """None once published; the sentence of the refusal otherwise. What nobody foresaw is recorded and raised."""
    try:
        _carry(work, connection, reached)
    except DeskError as error:
        return error.message
    except psycopg2.Error as error:
        return f"PostgreSQL stopped the night: {_first_line(error)} Mend that and run the night again."
    except (OSError, duckdb.Error) as error:
        sentence = _disk(error)
        if sentence is None:
            _end(work, f"The night failed: {_first_line(error)} The log has the details; run the night again.", state="failed")
            raise
        return sentence
    except BaseException as error:
        _end(work, f"The night was interrupted ({type(error).__name__}). Run it again; readers keep the last generation.", state="failed")
        raise
    finally:
        with suppress(OSError):
            publish.sweep(work.settings.warehouse_dir)
    return None


def _carry(work: Work, connection: Any, reached: Callable[[str], None]) -> None:
    folder = work.settings.warehouse_dir
    last = engine.current(folder)
    with connection.cursor() as cursor:
        zone = str(work.settings.timezone)
        snapshot = extract.freeze(cursor, zone)
        found = tables.all_tables(cursor)
        known = generation.boundary(last)
        mark = generation.fingerprint(found, zone)
        why = generation.why_full(known, snapshot, mark, at=work.at, asked=work.full, troubled=work.mode == "troubled")
        base = known if why is None else None
        work.mode = "changes" if base else "full"
        path = publish.start(folder, work.number, last if base else None)
        facts = {
            "generation": work.number, "slot": work.slot, "mode": work.mode, "why": why or "", "as_of": work.at,
            "snapshot_at": snapshot.taken_at, "high": snapshot.high, "system_identifier": snapshot.system,
            "fingerprint": mark, "full_at": base.full_at if base else work.at,
        }
        with engine.connect(path) as archive:
            generation.stamp(archive, facts, work.settings.timezone)
            _load(work, archive, cursor, found, base)
            _prove(work, archive, cursor, found, base)
            archive.execute("checkpoint")
    _still_ours(connection)
    with work.step("publish"):
        publish.publish(path, work.number, reached)


def _load(work: Work, archive: duckdb.DuckDBPyConnection, cursor: Any, found: tuple[tables.Table, ...],
          base: generation.Boundary | None) -> None:
    with work.step("extract"):
        archive.execute("create schema if not exists raw")
        for done, table in enumerate(found):
            work.progress(table.name, done, len(found))
            changes = base is not None and table.marked
            work.rows += extract.changed(archive, cursor, table, base.low) if base and changes else extract.whole(archive, cursor, table)
    with work.step("build"):
        build.build(archive, work.progress)


def _prove(work: Work, archive: duckdb.DuckDBPyConnection, cursor: Any, found: tuple[tables.Table, ...],
           base: generation.Boundary | None) -> None:
    """Totals are asked of PostgreSQL in the snapshot that was read; audits need only the archive."""
    with work.step("control totals"):
        figures = control.compared(archive, cursor, found, base.low if base else None)
        control.keep(archive, figures)
        control.refuse_difference(figures)
    cursor.connection.rollback()
    with work.step("audits"):
        audit.refuse_bad(audit.findings(archive, work.progress))


def _still_ours(connection: Any) -> None:
    """A night whose connection died may have a successor by now; it must not publish over it."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    connection.rollback()


def _end(work: Work, refused: str | None, state: str = "") -> None:
    told = state or ("refused" if refused else "published")
    if refused:
        log.error("night %s: %s", work.slot, refused)
    try:
        record.end(work.database.app, work.run_id, work.slot, state=told, at=clock.now(), generation=None if refused else work.number,
                   rows=work.rows, reason=refused, steps=work.steps)
    except SQLAlchemyError as error:
        # The next night, or the scheduler, closes the record; the archive itself is as told.
        log.error("night %s: its end could not be recorded: %s", work.slot, _first_line(error))


def _disk(error: Exception) -> str | None:
    full = isinstance(error, OSError) and error.errno in FULL_DISK
    said = str(error).lower()
    if not full and not any(words in said for words in ("no space left", "disk full", "file too large", "out of disk")):
        return None
    return "The disk that holds the archive is full. Free space there and run the night again; readers keep the last generation."


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0].strip().rstrip(".") if lines else type(error).__name__) + "."


def job(settings: Settings, args: dict[str, Any]) -> None:
    """The night of a slot, run by the jobs process; a refusal is on record and not tried again by itself."""
    try:
        outcome = run(settings, slot=str(args["slot"]), at=clock.now(), full=bool(args.get("full", False)))
    except NightBusy as error:
        log.warning("night %s: %s", args["slot"], error.message)
        return
    log.info("night %s: generation %s, %s rows, %.1f s", args["slot"], outcome.generation, outcome.rows, outcome.seconds)


