"""Rows out of PostgreSQL: COPY as CSV through a pipe into DuckDB, typed, counted, and never half."""

import fcntl
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb

from etl.tables import MARK, Table
from service.core.errors import DeskError
from warehouse.engine import quoted

# DuckDB parses only full buffers: with small ones it works while PostgreSQL still sends. A line that is longer than the
# first (a ticket with a book in its description) has the table read once more with the second.
USUAL_LINE = 2 * 1024 * 1024
LONGEST_LINE = 64 * 1024 * 1024
PIPE = 1024 * 1024  # Linux gives 64 kB, at which the two sides wake each other ten thousand times


class ShortTable(DeskError):
    """PostgreSQL sent one number of rows and the archive received another."""


@dataclass(frozen=True)
class Snapshot:
    """One frozen view of PostgreSQL; `high` is the boundary that the next night starts from."""

    high: int
    system: str
    taken_at: Any


def freeze(cursor: Any, zone: str) -> Snapshot:
    """The transaction sees one moment and can write nothing; every later statement of it sees the same.

    Its session stands in the firm's zone, so that `x::date` is the local day. `at time zone` looks the zone up by name
    for each value, which was a quarter of the cost of reading calls. Moments travel with their offset and stay exact.
    """
    cursor.execute("set transaction isolation level repeatable read, read only")
    cursor.execute("set local datestyle = 'ISO'")
    cursor.execute("set local timezone = %s", (zone,))
    cursor.execute("""
        select pg_snapshot_xmin(pg_current_snapshot())::text, (select system_identifier::text from pg_control_system()), transaction_timestamp()
    """)
    high, system, taken_at = cursor.fetchone()
    return Snapshot(int(high), system, taken_at)


class Pump(threading.Thread):
    """Runs COPY into the writing end of a pipe; what went wrong is kept, because the reader only sees an early end."""

    def __init__(self, cursor: Any, sql: str, end: int) -> None:
        super().__init__(name="pump", daemon=True)
        self.cursor, self.sql, self.end = cursor, sql, end
        self.failed: BaseException | None = None
        self.rows = 0

    def run(self) -> None:
        """The pipe is closed in every case, so that the reader ends."""
        try:
            with os.fdopen(self.end, "wb", buffering=1 << 20) as sink:
                self.cursor.copy_expert(self.sql, sink, 1 << 20)
            self.rows = self.cursor.rowcount
        except BaseException as error:
            self.failed = error


def pour(connection: duckdb.DuckDBPyConnection, cursor: Any, table: Table, into: str, where: str = "") -> int:
    """The rows of `table` stand in `into`; returns their number, refuses when one was lost on the way."""
    sql = f"copy (select * from ({table.sql}) as q {where}) to stdout (format csv)"
    try:
        return _poured(connection, cursor, table, into, sql, USUAL_LINE)
    except duckdb.InvalidInputException:  # nothing of it was kept: an insert is whole or not at all
        return _poured(connection, cursor, table, into, sql, LONGEST_LINE)


def _poured(connection: duckdb.DuckDBPyConnection, cursor: Any, table: Table, into: str, sql: str, line: int) -> int:
    source, sink = _pipe()
    pump = Pump(cursor, sql, sink)
    pump.start()
    try:
        got = _read(connection, table, into, f"/dev/fd/{source}", line)
    except duckdb.Error:
        _drained(source, pump)
        raise
    _drained(source, pump)
    if pump.failed:
        raise pump.failed
    _complete(table, pump.rows, got)
    return got


def _pipe() -> tuple[int, int]:
    """Both ends of a pipe that holds a good breath, where the system allows one."""
    source, sink = os.pipe()
    with suppress(OSError):
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, PIPE)
    return source, sink


def _drained(source: int, pump: Pump) -> None:
    """COPY comes to its own end, also when its reader gave up: a broken one would end the snapshot with it."""
    while os.read(source, PIPE):
        pass
    os.close(source)
    pump.join()


def _read(connection: duckdb.DuckDBPyConnection, table: Table, into: str, path: str, line: int) -> int:
    row = connection.execute(f"""
        insert into {into} select * from read_csv('{path}', columns = {table.struct}, auto_detect = false, header = false,
            delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false,
            new_line = '\\n', max_line_size = {line}, buffer_size = {line * 2}, parallel = false)
    """).fetchone()
    return int(row[0]) if row else 0


def _complete(table: Table, sent: int, got: int) -> None:
    if sent != got:
        raise ShortTable(f"Table “{table.name}”: PostgreSQL sent {sent} rows, {got} arrived. Run the night again; "
                         "readers keep the last generation until then.")


def whole(connection: duckdb.DuckDBPyConnection, cursor: Any, table: Table) -> int:
    """The archive's copy is made anew from all visible rows."""
    name = f"raw.{quoted(table.name)}"
    connection.execute(f"drop table if exists {name}")
    connection.execute(f"create table {name} ({table.ddl})")
    return pour(connection, cursor, table, name)


def changed(connection: duckdb.DuckDBPyConnection, cursor: Any, table: Table, low: int) -> int:
    """The archive's copy equals the snapshot: rows written since `low` are replaced, deleted ones are gone."""
    name, key = f"raw.{quoted(table.name)}", quoted(table.key)
    connection.execute(f"create or replace temp table delta ({table.ddl})")
    read = pour(connection, cursor, table, "delta", f"where {MARK} >= '{low}'::xid8")
    gone = _deleted(cursor, table, low)
    connection.execute("begin")
    if gone:
        connection.execute(f"delete from {name} where {key} in (select unnest(?))", [gone])
    connection.execute(f"delete from {name} where {key} in (select {key} from delta)")
    connection.execute(f"insert into {name} select * from delta")
    connection.execute("commit")
    connection.execute("drop table delta")
    return read


def _deleted(cursor: Any, table: Table, low: int) -> list[int]:
    """Ids with a tombstone and no visible row: a tombstone read twice must not kill an id that was used again."""
    cursor.execute(f"""
        select distinct t.row_id from tombstone as t
        where t.table_name = %s and t.row_xid >= %s::xid8
          and not exists (select 1 from {quoted(table.name)} as alive where alive.{quoted(table.key)} = t.row_id)
    """, (table.name, str(low)))
    return [row[0] for row in cursor.fetchall()]
