"""Control totals: the same counts, sums and content hash asked of both sides, and no generation that differs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb

from etl.tables import MARK, Column, Table
from service.core.errors import DeskError
from warehouse.engine import quoted, rows

PRIME = 2**61 - 1  # sums of 60-bit hashes stay exact and free of order


@dataclass(frozen=True)
class Control:
    """One figure, asked of the source and of the archive."""

    table: str
    measure: str
    source: str
    archive: str

    @property
    def equal(self) -> bool:
        """True when both sides say the same, digit for digit."""
        return self.source == self.archive


class Differs(DeskError):
    """The archive does not equal its source."""

    def __init__(self, wrong: Control) -> None:
        super().__init__(f"Control total “{wrong.measure}” of “{wrong.table}” differs: the source says {wrong.source}, the archive "
                         f"says {wrong.archive}. Run a full night (ringdesk night --full); readers keep the last generation until then.")
        self.wrong = wrong


def compared(connection: duckdb.DuckDBPyConnection, cursor: Any, tables: Iterable[Table], low: int | None) -> list[Control]:
    """Counts and sums of whole tables; hashes of the rows written since `low`, or of all rows when it is None."""
    found: list[Control] = []
    for table in tables:
        found += _totals(connection, cursor, table)
        found.append(_hash(connection, cursor, table, low))
    found.append(_receivable(connection, cursor))
    return found


def keep(connection: duckdb.DuckDBPyConnection, found: list[Control]) -> None:
    """Both sides of every figure can be read in the generation they belong to."""
    connection.execute("create or replace table meta.control (table_name text, measure text, source text, archive text, equal boolean)")
    connection.executemany("insert into meta.control values (?, ?, ?, ?, ?)",
                           [[c.table, c.measure, c.source, c.archive, c.equal] for c in found])


def refuse_difference(found: list[Control]) -> None:
    """Passes when every figure is equal; raises Differs for the first that is not."""
    for control in found:
        if not control.equal:
            raise Differs(control)


def _totals(connection: duckdb.DuckDBPyConnection, cursor: Any, table: Table) -> list[Control]:
    names = ["rows", *(f"sum of {column.name}" for column in table.totals)]
    cursor.execute(f"select {_sums(table, 'numeric')} from ({table.sql}) as q")
    source = cursor.fetchone()
    archive = rows(connection, f"select {_sums(table, 'varchar')} from raw.{quoted(table.name)}")[0]
    return [Control(table.name, *facts) for facts in zip(names, source, archive, strict=True)]


def _sums(table: Table, side: str) -> str:
    """Integers are summed wide; both sides answer in text, so that nothing is rounded on the way."""
    def of(column: Column) -> str:
        name = quoted(column.name)
        if column.kind.startswith("decimal"):
            return f"sum({name})"
        return f"sum({name}::{'numeric' if side == 'numeric' else 'hugeint'})"
    return ", ".join(["count(*)::varchar", *(f"coalesce({of(column)}::varchar, '')" for column in table.totals)])


def _hash(connection: duckdb.DuckDBPyConnection, cursor: Any, table: Table, low: int | None) -> Control:
    partly = low is not None and table.marked
    cursor.execute(f"""
        select coalesce((sum(('x' || substr(md5({_canonical(table, 'source')}), 1, 15))::bit(60)::bigint) % {PRIME})::text, '')
        from ({table.sql}) as q {f"where {MARK} >= '{low}'::xid8" if partly else ''}
    """)
    source = cursor.fetchone()[0]
    archive = rows(connection, f"""
        select coalesce((sum(('0x' || substr(md5({_canonical(table, 'archive')}), 1, 15))::bigint::hugeint) % {PRIME})::varchar, '')
        from raw.{quoted(table.name)} {f"where {MARK} >= {low}" if partly else ''}
    """)[0][0]
    return Control(table.name, "content of changed rows" if partly else "content of all rows", source, archive)


def _canonical(table: Table, side: str) -> str:
    """One text per row that both databases write alike; nulls differ from empty text."""
    parts = (f"coalesce({_text(column, side)}, chr(1))" for column in table.columns)
    return " || chr(31) || ".join(parts)


def _text(column: Column, side: str) -> str:
    name = quoted(column.name)
    if not column.kind.startswith("timestamp"):
        return f"{name}::varchar"
    micros = f"(extract(epoch from {name}) * 1000000)::bigint" if side == "source" else f"epoch_us({name})"
    return f"case when isfinite({name}) then {micros}::varchar else {name}::varchar end"


def _receivable(connection: duckdb.DuckDBPyConnection, cursor: Any) -> Control:
    """What customers owe: claims less credits in the ledger, open amounts in the archive's mart."""
    cursor.execute("select coalesce(sum(case when kind in ('invoice', 'refund_paid') then amount else -amount end), 0.00)::varchar from ledger_item")
    source = cursor.fetchone()[0]
    archive = rows(connection, "select coalesce(sum(open_amount), 0.00)::decimal(38, 2)::varchar from mart.open_item")[0][0]
    return Control("ledger", "receivable", source, archive)
