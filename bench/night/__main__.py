"""python -m bench.night [rows ...]: rows/s of the extract beside its peers, the growth exponent, and a whole night beside them."""

import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
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


def timed(work: Callable[[], Any]) -> float:
    """Seconds of wall time."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def product(cursor: Any, table: tables.Table, folder: Path) -> None:
    """The step of the night itself."""
    path = folder / "bench.building"
    path.unlink(missing_ok=True)
    with engine.connect(path) as archive:
        archive.execute("create schema raw")
        extract.whole(archive, cursor, table)


def rates(settings: Settings, rows: int, folder: Path) -> dict[str, float]:
    """Median rows/s of each way, their rounds interleaved."""
    database = db.Database(settings, "bench")
    seconds: dict[str, list[float]] = {"extract": [], "pandas": [], "copy": []}
    connection = psycopg2.connect(db.raw_dsn(settings.dsn_night))
    with connection.cursor() as cursor, database.night.connect() as peer:
        extract.freeze(cursor)
        table = tables.described(cursor, "call", tables.texts()["call"], "Asia/Shanghai")
        for _round in range(ROUNDS):
            seconds["extract"].append(timed(lambda: product(cursor, table, folder)))
            seconds["pandas"].append(timed(lambda: sum(len(part) for part in pd.read_sql(text(table.sql.replace(":", r"\:")), peer, chunksize=50_000))))
            seconds["copy"].append(timed(lambda: cursor.copy_expert(f"copy ({table.sql}) to stdout (format csv)", Nowhere())))
    connection.close()
    database.close()
    return {name: rows / statistics.median(found) for name, found in seconds.items()}


def exponent(sizes: list[int], seconds: list[float]) -> float:
    """The slope of log time over log rows: 1 is linear."""
    if len(sizes) < 2:
        return float("nan")
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(found) for found in seconds]).slope


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
    print(f"{'rows':>10} {'extract/s':>12} {'pandas/s':>12} {'COPY/s':>12} {'x pandas':>9} {'of COPY':>8} {'night s':>8}")
    for rows in sizes:
        with database.owner.begin() as connection:
            connection.execute(text(FILL), {"first": have + 1, "last": rows})
        have = rows
        with database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze call"))
        found = rates(settings, rows, folder)
        took.append(rows / found["extract"])
        night = nightly.run(replace(settings, data=folder / f"night-{rows}"), slot=str(rows), at=clock.now(), full=True)
        assert night.refused is None, night.refused
        print(f"{rows:>10,} {found['extract']:>12,.0f} {found['pandas']:>12,.0f} {found['copy']:>12,.0f} "
              f"{found['extract'] / found['pandas']:>9.2f} {found['extract'] / found['copy']:>8.2f} {night.seconds:>8.1f}", flush=True)
    print(f"growth exponent of the extract: {exponent(sizes, took):.2f}")
    database.close()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(SIZES))
