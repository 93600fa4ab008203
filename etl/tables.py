"""What is extracted: one SQL file a table, and the types that PostgreSQL itself gives its columns."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from warehouse.engine import quoted

FOLDER = Path(__file__).parent / "extract"
MARK = "row_xid"

# By type id, since PostgreSQL sends no names; everything else travels as text and stays text.
TYPES = {16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 700: "float", 701: "double", 1082: "date",
         1114: "timestamp", 1184: "timestamptz", 5069: "ubigint"}
NUMERIC = 1700
WHOLE = ("bigint", "smallint", "integer")


@dataclass(frozen=True)
class Column:
    """One extracted column and the archive's type for it."""

    name: str
    kind: str

    @property
    def summed(self) -> bool:
        """True when an exact sum of it is a control total."""
        return self.kind in WHOLE or self.kind.startswith("decimal")


@dataclass(frozen=True)
class Table:
    """One table as it is extracted; the local days in its `sql` are those of the session's zone."""

    name: str
    sql: str
    columns: tuple[Column, ...]

    @cached_property
    def key(self) -> str:
        """The first column identifies the row."""
        return self.columns[0].name

    @cached_property
    def marked(self) -> bool:
        """True when rows carry the transaction that last wrote them; the others are read whole each night."""
        return any(column.name == MARK for column in self.columns)

    @cached_property
    def totals(self) -> tuple[Column, ...]:
        """The columns whose sums are compared."""
        return tuple(column for column in self.columns if column.summed)

    @cached_property
    def ddl(self) -> str:
        """Names and types as DuckDB writes them."""
        return ", ".join(f"{quoted(column.name)} {column.kind}" for column in self.columns)

    @cached_property
    def struct(self) -> str:
        """The same for read_csv."""
        return "{" + ", ".join(f"'{column.name}': '{column.kind}'" for column in self.columns) + "}"


@cache
def texts() -> dict[str, str]:
    """The extraction of each table as it is written down."""
    return {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.sql"))}


def kind_of(type_code: int, precision: int | None, scale: int | None) -> str:
    """The archive's type for a PostgreSQL type; a numeric without limits travels as text, losing nothing."""
    if type_code == NUMERIC:
        fits = precision is not None and scale is not None and precision <= 38
        return f"decimal({precision}, {scale})" if fits else "text"
    return TYPES.get(type_code, "text")


def described(cursor: Any, name: str, text: str) -> Table:
    """The table with the types of this moment, so that a migration cannot leave the two schemas apart."""
    cursor.execute(f"select * from ({text}) as q limit 0")
    columns = tuple(Column(c.name, kind_of(c.type_code, c.precision, c.scale)) for c in cursor.description)
    return Table(name, text, columns)


def all_tables(cursor: Any) -> tuple[Table, ...]:
    """Every table that a night reads."""
    return tuple(described(cursor, name, text) for name, text in texts().items())
