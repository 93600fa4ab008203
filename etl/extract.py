"""Rows out of PostgreSQL: COPY as CSV through a pipe into DuckDB, typed, counted, and never half."""

import os
import threading
from dataclasses import dataclass
from typing import Any

import duckdb

from etl.tables import MARK, Table
from service.core.errors import DeskError
from warehouse.engine import quoted

# One line may hold a whole ticket description; DuckDB's own limit of 2 MB would stop the night.
LONGEST_LINE = 64 * 1024 * 1024


class ShortTable(DeskError):
    """PostgreSQL sent one number of rows and the archive received another."""


@dataclass(frozen=True)
class Snapshot:
    """One frozen view of PostgreSQL; `high` is the boundary that the next night starts from."""

    high: int
    system: str
    taken_at: Any


def freeze(cursor: Any) -> Snapshot:
    """The transaction sees one moment and can write nothing; every later statement of it sees the same."""
    cursor.execute("set transaction isolation level repeatable read, read only")
    cursor.execute("set local datestyle = 'ISO'")
    cursor.execute("set local timezone = 'UTC'")
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
    source, sink = os.pipe()
    pump = Pump(cursor, sql, sink)
    pump.start()
    try:
        got = _read(connection, table, into, f"/dev/fd/{source}")
    except duckdb.Error:
        os.close(source)  # the pump gets EPIPE instead of waiting for ever
        pump.join()
        raise
    os.close(source)
    pump.join()
    if pump.failed:
        raise pump.failed
    _complete(table, pump.rows, got)
    return got


def _read(connection: duckdb.DuckDBPyConnection, table: Table, into: str, path: str) -> int:
    row = connection.execute(f"""
        insert into {into} select * from read_csv('{path}', columns = {table.struct}, auto_detect = false, header = false,
            delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false,
            max_line_size = {LONGEST_LINE}, buffer_size = {LONGEST_LINE * 2}, parallel = false)
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
