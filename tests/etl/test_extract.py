"""What leaves PostgreSQL arrives: each value as it was, each row once, and a table that is refused is refused whole."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import psycopg2
import pytest
from sqlalchemy import text

from etl import control, extract
from etl.tables import Table, described
from service.core import db
from service.core.config import Settings
from warehouse import engine

ZONE = "Asia/Shanghai"
PECULIAR = [
    None, "", "NULL", '""', '"', "a,b", "two\nlines", "dos\r\nlines", "\\N", "\\.", "back\\slash", "\\", "'", "\ttab ", " ", "中文，逗号", "😀",
    "e\u0301", "=1+1", "\x7f", "\ufeff", 'end"', ",", "\n", "\r", '"\n"', "a" * 70_000,
]
MOMENT = datetime(2026, 11, 22, 16, 0, 0, 1, UTC)  # one microsecond into Monday in Shanghai, still Sunday in UTC


@pytest.fixture
def awkward(database: db.Database) -> Iterator[db.Database]:
    """A table with each type that is extracted, which the night role may read; gone afterwards."""
    with database.owner.begin() as connection:
        connection.execute(text("""
            create table awkward (
                id bigint primary key, words text, amount numeric(18, 2), share numeric(18, 6), free numeric, small smallint, whole integer,
                yes boolean, on_day date, at timestamptz, here timestamp, facts jsonb, row_xid xid8 not null default pg_current_xact_id())
        """))
        connection.execute(text(f"grant select on awkward to {db.NIGHT}"))
    yield database
    with database.owner.begin() as connection:
        connection.execute(text("drop table awkward"))


@pytest.fixture
def cursor(settings: Settings) -> Iterator[Any]:
    connection = psycopg2.connect(db.raw_dsn(settings.dsn_night))
    with connection.cursor() as found:
        yield found
    connection.close()


@pytest.fixture
def archive() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"memory_limit": engine.MEMORY}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema raw")
        yield connection


def put(database: db.Database, sql: str, **values: Any) -> None:
    with database.owner.begin() as connection:
        connection.execute(text(sql), values)


def loaded(archive: duckdb.DuckDBPyConnection, cursor: Any, sql: str = "select * from awkward", zone: str = ZONE) -> Table:
    """The table read whole, and proven by the night's own totals and hash of every row."""
    extract.freeze(cursor, zone)
    table = described(cursor, "awkward", sql)
    extract.whole(archive, cursor, table)
    figures = [*control._totals(archive, cursor, table), control._hash(archive, cursor, table, None)]
    control.refuse_difference(figures)
    return table


def column(archive: duckdb.DuckDBPyConnection, name: str) -> list[Any]:
    return [row[0] for row in engine.rows(archive, f"select {name} from raw.awkward order by id")]


def test_every_text_arrives_as_it_was(awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any) -> None:
    for number, words in enumerate(PECULIAR):
        put(awkward, "insert into awkward (id, words) values (:id, :words)", id=number, words=words)

    loaded(archive, cursor)

    assert column(archive, "words") == PECULIAR


@pytest.mark.parametrize("first", ["a\rb", "a\r\nb", "\r", "\r\n", "\n"])
def test_a_first_row_with_a_line_end_of_its_own_says_nothing_about_the_lines(
    first: str, awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any
) -> None:
    """A caller's number may hold one: the lines are PostgreSQL's, whatever stands in the first."""
    words = [first, "x", "a\nb", '"\r"', 'e\r\n"']
    for number, said in enumerate(words):
        put(awkward, "insert into awkward (id, words) values (:id, :words)", id=number, words=said)

    loaded(archive, cursor)

    assert column(archive, "words") == words


def test_numbers_and_moments_are_exact(awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any) -> None:
    put(awkward, """
        insert into awkward values
            (1, 'x', 1234567890123456.78, 0.000001, 'NaN', -32768, 2147483647, true, '2026-02-28', :at, '2026-11-23 00:00:00.000001', '{"n": 1.10}'),
            (2, null, -0.01, null, 1e40, null, null, false, 'infinity', 'infinity', '-infinity', 'null'),
            (9223372036854775807, '', 0, 0, 0, 0, 0, null, '1900-01-01', '1900-01-01 00:00+00', '1900-01-01', null)
    """, at=MOMENT)

    loaded(archive, cursor)

    assert column(archive, "amount") == [Decimal("1234567890123456.78"), Decimal("-0.01"), Decimal("0.00")]
    assert column(archive, "share") == [Decimal("0.000001"), None, Decimal("0.000000")]
    assert column(archive, "free") == ["NaN", "1" + "0" * 40, "0"]
    assert column(archive, "facts") == ['{"n": 1.10}', "null", None]
    assert column(archive, 'epoch_us("at")')[0] == int(MOMENT.timestamp()) * 1_000_000 + 1
    assert column(archive, '"at"::varchar')[1:] == ["infinity", "1900-01-01 00:00:00+00"]
    assert column(archive, "id")[2] == 2**63 - 1


@pytest.mark.parametrize(("zone", "at", "day", "clock"), [
    (ZONE, "2026-11-22 16:00+00", date(2026, 11, 23), "2026-11-23 00:00:00"),
    (ZONE, "2026-11-22 15:59:59.999999+00", date(2026, 11, 22), "2026-11-22 23:59:59.999999"),
    ("Asia/Kolkata", "2026-11-22 18:30+00", date(2026, 11, 23), "2026-11-23 00:00:00"),
    ("Europe/Berlin", "2026-10-25 00:30+00", date(2026, 10, 25), "2026-10-25 02:30:00"),  # the hour that comes twice
    ("Europe/Berlin", "2026-10-25 01:30+00", date(2026, 10, 25), "2026-10-25 02:30:00"),
    (ZONE, "1890-01-01 00:00+00", date(1890, 1, 1), "1890-01-01 08:05:43"),  # before there were zones
])
def test_local_days_are_the_firms_and_moments_stay_what_they_are(
        awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any, zone: str, at: str, day: date, clock: str) -> None:
    put(awkward, "insert into awkward (id, at) values (1, cast(:at as timestamptz))", at=at)

    loaded(archive, cursor, "select id, at, at::date as at_on, at::timestamp as at_local from awkward", zone)

    assert column(archive, "at_on") == [day]
    assert column(archive, "at_local::varchar") == [clock]
    assert column(archive, f""" "at" = timestamptz '{at}' """) == [True]


def test_a_line_longer_than_usual_is_read_with_more_room_in_the_same_snapshot(
        awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any) -> None:
    put(awkward, "insert into awkward (id, words) select n, 'short' from generate_series(1, 30000) as n")
    put(awkward, "update awkward set words = repeat(:words, 800000) where id = 20000", words='\n",')
    extract.freeze(cursor, ZONE)
    table = described(cursor, "awkward", "select * from awkward")
    put(awkward, "insert into awkward (id, words) values (0, 'after the snapshot')")

    assert extract.whole(archive, cursor, table) == 30000

    control.refuse_difference([control._hash(archive, cursor, table, None)])
    assert column(archive, "octet_length(words::blob)")[19999] == 2_400_000


def test_a_value_that_the_archive_cannot_hold_stops_the_table_and_not_the_snapshot(
        awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any) -> None:
    put(awkward, "insert into awkward (id, at) select n, now() from generate_series(1, 30000) as n")
    put(awkward, "insert into awkward (id, at) values (0, '0044-03-15 00:00+00 BC')")
    extract.freeze(cursor, ZONE)
    table = described(cursor, "awkward", "select * from awkward")

    with pytest.raises(duckdb.Error):
        extract.whole(archive, cursor, table)

    assert column(archive, "id") == []
    cursor.execute("select count(*) from awkward")
    assert cursor.fetchone() == (30001,)


def test_a_copy_that_fails_half_way_is_no_short_table(awkward: db.Database, archive: duckdb.DuckDBPyConnection, cursor: Any) -> None:
    put(awkward, "insert into awkward (id, whole) select n, n - 29000 from generate_series(1, 30000) as n")
    extract.freeze(cursor, ZONE)
    table = described(cursor, "awkward", "select id, 1 / whole as part from awkward")

    with pytest.raises(psycopg2.errors.DivisionByZero):
        extract.whole(archive, cursor, table)
