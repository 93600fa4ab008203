"""Given these rows a model makes those: its own SQL on a table or two written down here."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from warehouse import build, engine

MONDAY = date(2026, 11, 23)
CALLS = """branch_id bigint, queue text, queue_label text, started_on date, weekday integer, half_hour integer, offered integer, answered integer,
    abandoned integer, short_abandoned integer, within_limit integer, wait_seconds decimal(12, 3)"""
TICKETS = """ticket_id bigint, ticket_number text, branch_id bigint, party_id bigint, ticket_type text, channel text, priority text, state text,
    subject text, assignee_id bigint, registered_at timestamptz, registered_on date, response_due_at timestamptz, resolve_due_at timestamptz,
    accepted_at timestamptz, accepted_on date, resolved_at timestamptz, resolved_on date"""


@pytest.fixture
def archive() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create schema mart; create schema staging; create schema raw; create schema ops")
        connection.execute("set search_path = 'mart,staging,raw,ops'")
        yield connection


def given(archive: duckdb.DuckDBPyConnection, name: str, columns: str, *rows: tuple[Any, ...]) -> None:
    archive.execute(f"create table {name} ({columns})")
    for row in rows:
        archive.execute(f"insert into {name} values ({', '.join('?' * len(row))})", list(row))


def made(archive: duckdb.DuckDBPyConnection, name: str, columns: str = "*") -> list[tuple[Any, ...]]:
    """The rows of the model as the night builds it, in the order of its first columns."""
    model = next(model for model in build.models() if model.name == name)
    archive.execute(f"create table {model.schema}.{name} as {model.sql}")
    return engine.rows(archive, f"select {columns} from {model.schema}.{name} order by all")


def call(half_hour: int = 18, *, queue: str = "support", branch: int = 1, day: date | None = MONDAY, offered: int = 1, answered: int = 0,
         abandoned: int = 0, short: int = 0, within: int = 0, wait: str | None = None) -> tuple[Any, ...]:
    return (branch, queue, queue.title(), day, 0, half_hour, offered, answered, abandoned, short, within, wait and Decimal(wait))


def test_half_hours_add_up_what_was_offered_and_keep_queues_branches_and_days_apart(archive: duckdb.DuckDBPyConnection) -> None:
    tuesday = date(2026, 11, 24)
    given(archive, "mart.fact_call", CALLS,
          call(answered=1, within=1, wait="4.125"), call(answered=1, wait="40.5"), call(abandoned=1, short=1, wait="0.001"),
          call(),                                # neither answered nor abandoned, and nobody knows how long it waited
          call(19, answered=1, wait="1"), call(queue="sales", abandoned=1, wait="7"), call(branch=2, answered=1, within=1, wait="2"),
          call(day=tuesday, answered=1, wait="3"),
          call(offered=0, answered=1, wait="9"),  # an inner call is no load of a queue
          call(day=None, answered=1, wait="9"))   # a call that nobody heard begin has no half hour

    assert made(archive, "call_interval") == [
        (1, "sales", "Sales", MONDAY, 0, 18, 1, 0, 1, 0, 0, Decimal("7.000")),
        (1, "support", "Support", MONDAY, 0, 18, 4, 2, 1, 1, 1, Decimal("44.626")),
        (1, "support", "Support", MONDAY, 0, 19, 1, 1, 0, 0, 0, Decimal("1.000")),
        (1, "support", "Support", tuesday, 0, 18, 1, 1, 0, 0, 0, Decimal("3.000")),
        (2, "support", "Support", MONDAY, 0, 18, 1, 1, 0, 0, 1, Decimal("2.000")),
    ]


def test_every_branch_has_its_two_names_also_one_without_a_single_fact(archive: duckdb.DuckDBPyConnection) -> None:
    given(archive, "raw.branch", "id bigint, code text, name text, name_en text, row_xid ubigint",
          (2, "PD", "浦东", "Pudong", 7), (1, "HQ", "总部", None, 9))
    made(archive, "stg_branch")

    assert made(archive, "dim_branch") == [(1, "HQ", "总部", None), (2, "PD", "浦东", "Pudong")]


def ticket(number: int, accepted: str | None, resolved: str | None, *, due: str = "11:00", party: int | None = None) -> tuple[Any, ...]:
    at = f"{MONDAY} "
    return (number, f"T{number}", 1, party, "fault", "phone", "normal", "new", "jam", None, at + "09:00", MONDAY, at + "10:00", at + due,
            accepted and at + accepted, accepted and MONDAY, resolved and at + resolved, resolved and MONDAY)


def test_a_promise_is_met_missed_or_still_ahead(archive: duckdb.DuckDBPyConnection) -> None:
    given(archive, "ops.run", "as_of timestamptz, policy_version text", (f"{MONDAY} 12:00", "2026-1"))
    given(archive, "staging.stg_branch", "branch_id bigint, branch_name text, branch_name_en text", (1, "浦东", "Pudong"))
    given(archive, "staging.stg_party", "party_id bigint, party_name text, party_grade text, branch_id bigint")
    given(archive, "staging.stg_staff", "staff_id bigint, staff_name text")
    given(archive, "staging.stg_ticket", TICKETS,
          ticket(1, "10:00", "11:00"),              # at the very limit is in time
          ticket(2, "10:00:00.000001", "11:00:00.000001"),
          ticket(3, None, None),                    # both limits have passed
          ticket(4, "09:30", None, due="12:00"),    # its limit is this moment: not passed
          ticket(5, "09:30", None, due="12:30", party=404))

    found = made(archive, "fact_ticket", "ticket_id, response_promise, resolve_promise, response_seconds, resolve_seconds, resolve_allowed")

    assert found == [
        (1, "met", "met", 3600, 7200, 7200), (2, "missed", "missed", 3600, 7200, 7200), (3, "missed", "missed", None, None, 7200),
        (4, "met", "pending", 1800, None, 10800), (5, "met", "pending", 1800, None, 12600),
    ]


def test_what_is_open_is_the_amount_less_what_was_allocated_to_the_cent(archive: duckdb.DuckDBPyConnection) -> None:
    given(archive, "staging.stg_party", "party_id bigint, party_name text, branch_id bigint", (1, "恒通", 1))
    given(archive, "staging.stg_ledger_item", """item_id bigint, item_number text, branch_id bigint, party_id bigint, kind text, dated date,
          due_on date, amount decimal(18, 2), direction integer""",
          (1, "L1", 1, 1, "invoice", MONDAY, MONDAY, "1234567890123456.78", 1), (2, "L2", 1, 1, "receipt", MONDAY, MONDAY, "0.30", -1),
          (3, "L3", 1, 1, "invoice", MONDAY, MONDAY, "5.00", 1))
    given(archive, "staging.stg_ledger_allocation", "allocation_id bigint, claim_id bigint, credit_id bigint, dated date, amount decimal(18, 2)",
          (1, 1, 2, MONDAY, "0.10"), (2, 1, 2, MONDAY, "0.10"))

    assert made(archive, "open_item", "item_id, amount, open_amount") == [
        (1, Decimal("1234567890123456.78"), Decimal("1234567890123456.58")), (2, Decimal("-0.30"), Decimal("-0.10")),
        (3, Decimal("5.00"), Decimal("5.00")),
    ]
