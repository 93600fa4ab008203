"""What a generation knows of itself: its boundary, its parameters, and whether the next one may be built upon it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from etl.extract import Snapshot
from etl.tables import Table
from warehouse import engine
from warehouse.policy import STANDARD, Policy

WEEKLY = timedelta(days=7)


@dataclass(frozen=True)
class Boundary:
    """Where the last generation stopped reading."""

    low: int
    system: str
    fingerprint: str
    full_at: datetime


def boundary(path: Path | None) -> Boundary | None:
    """The boundary stored in a published generation; None when there is none or it cannot be read."""
    if path is None:
        return None
    try:
        with engine.connect(path, read_only=True) as connection:
            row = engine.rows(connection, "select high, system_identifier, fingerprint, full_at from ops.run")[0]
    except (duckdb.Error, IndexError):
        return None
    return Boundary(int(row[0]), row[1], row[2], row[3])


def fingerprint(tables: Iterable[Table], zone: str) -> str:
    """Changes whenever a column, a type, a zone or the text of an extraction does."""
    text = "\n".join([zone, *(f"{table.name} {table.ddl} {table.sql}" for table in tables)])
    return hashlib.sha256(text.encode()).hexdigest()


def why_full(last: Boundary | None, snapshot: Snapshot, print_: str, *, at: datetime, asked: bool, troubled: bool) -> str | None:
    """The reason to read everything, or None when reading changes is enough."""
    if asked:
        return "asked"
    if last is None:
        return "first"
    if troubled:
        return "the last night was refused"
    if last.system != snapshot.system or snapshot.high < last.low:
        return "another database"
    if last.fingerprint != print_:
        return "the extraction changed"
    return "weekly" if at - last.full_at >= WEEKLY else None


def stamp(connection: duckdb.DuckDBPyConnection, facts: dict[str, Any], zone: ZoneInfo, policy: Policy = STANDARD) -> None:
    """`ops.run` holds this night's one row: parameters of the models and the boundary for the next night."""
    row = facts | {
        "as_of_local": facts["as_of"].astimezone(zone).replace(tzinfo=None), "timezone": str(zone), "policy_version": policy.version,
        "ticket_target": policy.ticket_target,
    }
    connection.execute("create schema if not exists ops")
    connection.execute("create schema if not exists meta")
    connection.execute("drop table if exists ops.run")
    connection.execute("""
        create table ops.run (
            generation integer, slot text, mode text, why text, as_of timestamptz, as_of_local timestamp, snapshot_at timestamptz,
            high bigint, system_identifier text, fingerprint text, full_at timestamptz, timezone text, policy_version text,
            ticket_target integer)
    """)
    names = list(row)
    marks = ", ".join("?" for _ in names)
    connection.execute(f"insert into ops.run ({', '.join(names)}) values ({marks})", [row[name] for name in names])
