"""Many rows in one statement. Table and column names are constants of the contexts, never anybody's text."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session


def insert(session: Session, table: str, types: Mapping[str, str], rows: Sequence[Mapping[str, Any]], *, told: str = "id", conflict: str = "") -> Sequence[Row[Any]]:
    """The rows exist; returns the columns `told` of each. `conflict` says what is done with those that cannot."""
    if not rows:
        return []
    columns = ", ".join(types)
    shape = ", ".join(f"{name} {kind}" for name, kind in types.items())
    statement = f"insert into {table} ({columns}) select {columns} from jsonb_to_recordset(cast(:rows as jsonb)) as given({shape}) {conflict} returning {told}"  # noqa: S608
    return session.execute(text(statement), {"rows": json.dumps(list(rows), ensure_ascii=False)}).all()


def update(session: Session, table: str, types: Mapping[str, str], changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Each row has these values in these columns, and its others as they were; a statement a column."""
    for name, kind in types.items():
        rows = [{"id": row_id, "v": values[name]} for row_id, values in changes.items() if name in values]
        if rows:
            statement = f"update {table} set {name} = given.v from jsonb_to_recordset(cast(:rows as jsonb)) as given(id bigint, v {kind}) where {table}.id = given.id"  # noqa: S608
            session.execute(text(statement), {"rows": json.dumps(rows, ensure_ascii=False)})


_REFERENCES = text("""
    select c.conrelid::regclass::text as from_table, a.attname as from_column from pg_constraint c
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.contype = 'f' and c.confrelid = cast(:table as regclass) and cardinality(c.conkey) = 1 order by 1, 2
""")


def uses(session: Session, table: str, ids: Sequence[int], besides: Mapping[str, Sequence[int]], ignored: Iterable[tuple[str, str]] = ()) -> dict[str, int]:
    """How many of the rows are referred to, by table that refers; rows in `besides` do not count, nor (table, column) in `ignored`."""
    found: dict[str, int] = {}
    for row in session.execute(_REFERENCES, {"table": table}).all():
        if (row.from_table, row.from_column) in set(ignored):
            continue
        own = besides.get(row.from_table)
        but = " and not (id = any(:own))" if own else ""
        statement = f'select count(distinct "{row.from_column}") from {row.from_table} where "{row.from_column}" = any(:ids){but}'  # noqa: S608
        count = session.scalar(text(statement), {"ids": list(ids)} | ({"own": list(own)} if own else {}))
        if count:
            found[row.from_table] = found.get(row.from_table, 0) + int(count)
    return found


def delete(session: Session, table: str, ids: Sequence[int], column: str = "id") -> None:
    """The rows are gone."""
    session.execute(text(f'delete from {table} where "{column}" = any(:ids)'), {"ids": list(ids)})  # noqa: S608
