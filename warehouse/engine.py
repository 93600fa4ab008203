"""Archive files: one generation a file, built by one process, read by many, found through one pointer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

POINTER = "current"
MEMORY = "512MB"  # DuckDB's own default takes most of the machine, and PostgreSQL lives here too


def generation_name(number: int) -> str:
    """The file name of a published generation."""
    return f"gen-{number:06d}.duckdb"


def building_name(number: int) -> str:
    """The file name of a generation that nobody may read yet."""
    return f"gen-{number:06d}.building"


def number_of(name: str) -> int:
    """The generation number inside a file name."""
    return int(name.split("-")[1].split(".", maxsplit=1)[0])


def current(folder: Path) -> Path | None:
    """The file that the pointer names, or None before the first night."""
    pointer = folder / POINTER
    try:
        name = pointer.read_text("utf-8").strip() if os.name == "nt" else str(pointer.readlink())
    except FileNotFoundError:
        return None
    return folder / name


@contextmanager
def connect(path: Path, *, read_only: bool = False, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """An open archive file in UTC that spills beside itself; closed at the end, also after an error."""
    connection = open_file(path, read_only=read_only, memory=memory)
    try:
        yield connection
    finally:
        connection.close()


def open_file(path: Path, *, read_only: bool = False, memory: str = MEMORY) -> duckdb.DuckDBPyConnection:
    """The archive file, opened; the caller closes it."""
    settings: dict[str, Any] = {"memory_limit": memory, "temp_directory": str(path.parent / "spill"), "autoinstall_known_extensions": False}
    connection = duckdb.connect(str(path), read_only=read_only, config=settings)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str, params: Any = None) -> list[tuple[Any, ...]]:
    """All rows of a query; a cursor of its own, because an open result owns its connection."""
    cursor = connection.cursor()
    try:
        return cursor.execute(sql, params).fetchall()
    finally:
        cursor.close()


def quoted(name: str) -> str:
    """The name as an identifier; several of ours, such as `at` and `no`, are words of SQL."""
    return '"' + name.replace('"', '""') + '"'
