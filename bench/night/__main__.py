"""python -m bench.night [rows ...]: rows/s of the extract beside its peers, the growth exponent, and a whole night beside them.

The extract is the night's own step, PostgreSQL to a table in an archive file. Peer: one pandas.read_sql of the same query.
Floor: the same COPY to nowhere. The three take turns in one snapshot's worth of rows; the best round of each counts. The
night is a full one: extract, models, control totals with the hash of every row, audits, checkpoint, publication.
"""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import psycopg2
from sqlalchemy import text

from etl import extract, nightly, tables
from service import prepare
from service.core import clock, config, db
from service.core.config import Settings
from service.core.embedded import Embedded
from warehouse import engine

SIZES = (100_000, 400_000, 1_600_000)
ROUNDS = 3
ZONE = "Asia/Shanghai"
FILL = """
    insert into call (switch, call_key, direction, caller_number, caller_e164, queue, disposition, started_at, queued_at, answered_at, ended_at,
        wait_seconds, talk_seconds, total_seconds, live, provenance, revision, stored_at, branch_id)
    select 'pbx1', n::text, 'inbound', '138' || lpad(n::text, 8, '0'), '+86138' || lpad(n::text, 8, '0'), 'support', 'answered',
        at, at, at + interval '9 s', at + interval '99 s', 9.125, 90.5, 99.625, false, 'live', n, at, 1
    from (select n, timestamptz '2026-01-01 00:00+00' + n * interval '19 s' as at from generate_series(:first, :last) as n) as g
"""


class Nowhere:
    """Takes bytes and forgets them: what COPY alone costs."""

    def write(self, data: bytes) -> int:
        """All of it is gone."""
        return len(data)


@dataclass(frozen=True)
class Cost:
    """Of one round: seconds on the clock, and seconds of processor here and in the server's own process."""

    wall: float
    processor: float


def timed(work: Callable[[], Any], server: psutil.Process) -> Cost:
    """What the work costs."""
    before, busy, began = server.cpu_times(), time.process_time(), time.perf_counter()
    work()
    took, busy, after = time.perf_counter() - began, time.process_time() - busy, server.cpu_times()
    return Cost(took, busy + after.user + after.system - before.user - before.system)


def product(cursor: Any, table: tables.Table, folder: Path, server: psutil.Process) -> Cost:
    """The night's step."""
    path = folder / "bench.building"
    with engine.connect(path) as archive:
        archive.execute("create schema raw")
        cost = timed(lambda: extract.whole(archive, cursor, table), server)
    path.unlink()
    return cost


def costs(settings: Settings, folder: Path) -> dict[str, Cost]:
    """The best of each way, the rounds interleaved."""
    database = db.Database(settings, "bench")
    found: dict[str, list[Cost]] = {"extract": [], "pandas": [], "copy": []}
    connection = psycopg2.connect(db.raw_dsn(settings.dsn_night))
    with connection.cursor() as cursor, database.night.connect() as peer:
        extract.freeze(cursor, ZONE)
        peer.execute(text(f"set timezone = '{ZONE}'"))
        table = tables.described(cursor, "call", tables.texts()["call"])
        query, csv = text(table.sql.replace(":", r"\:")), f"copy ({table.sql}) to stdout (format csv)"
        ours = psutil.Process(connection.info.backend_pid)
        theirs = psutil.Process(peer.execute(text("select pg_backend_pid()")).scalar_one())
        for _round in range(ROUNDS):
            found["extract"].append(product(cursor, table, folder, ours))
            found["pandas"].append(timed(lambda: pd.read_sql(query, peer), theirs))
            found["copy"].append(timed(lambda: cursor.copy_expert(csv, Nowhere()), ours))
    connection.close()
    database.close()
    return {way: Cost(min(one.wall for one in rounds), min(one.processor for one in rounds)) for way, rounds in found.items()}


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """The slope of log time over log rows: 1 is linear."""
    if len(sizes) < 2:
        return float("nan")
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(found) for found in seconds]).slope


def line(rows: int, found: dict[str, Cost], night: float) -> str:
    """One size: rows/s of each way, how many times pandas by the clock and by processor time, the share of the floor, the night."""
    extract_, pandas, copy = found["extract"], found["pandas"], found["copy"]
    return (f"{rows:>10,} {rows / extract_.wall:>12,.0f} {rows / pandas.wall:>12,.0f} {rows / copy.wall:>12,.0f} "
            f"{pandas.wall / extract_.wall:>9.2f} {pandas.processor / extract_.processor:>7.2f} {copy.wall / extract_.wall:>8.2f} {night:>8.1f}")


def main(sizes: list[int]) -> None:
    """Prints one line a size, then the exponent and a whole night."""
    with tempfile.TemporaryDirectory(prefix="ringdesk-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Embedded(folder / "postgresql")
        server.start()
        try:
            _measure(server, folder, sizes)
        finally:
            server.stop()


def _measure(server: Embedded, folder: Path, sizes: list[int]) -> None:
    settings = prepare.resolve(config.load({"RINGDESK_DATA": str(folder / "data")}), server)
    prepare.migrate(settings)
    database = db.Database(settings, "fill")
    with database.owner.begin() as connection:
        connection.execute(text("insert into branch (id, code, name) values (1, 'HQ', 'HQ')"))
    took, have = [], 0
    print(f"{'rows':>10} {'extract/s':>12} {'pandas/s':>12} {'COPY/s':>12} {'x pandas':>9} {'by CPU':>7} {'of COPY':>8} {'night s':>8}")
    for rows in sizes:
        with database.owner.begin() as connection:
            connection.execute(text(FILL), {"first": have + 1, "last": rows})
        have = rows
        with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze call"))
        found = costs(settings, folder)
        took.append(found["extract"].wall)
        night = nightly.run(replace(settings, data=folder / f"night-{rows}"), slot=str(rows), at=clock.now(), full=True)
        assert night.refused is None, night.refused
        print(line(rows, found, night.seconds), flush=True)
    print(f"growth exponent of the extract: {exponent(sizes, took):.2f}")
    database.close()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
