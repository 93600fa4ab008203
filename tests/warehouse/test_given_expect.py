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
    abandoned integer, short_abandoned integer, within_limit integer, wait_seconds decimal(12, 3), level_hit integer, level_counted integer,
    talk_seconds decimal(12, 3), hold_seconds decimal(12, 3), acw_seconds decimal(12, 3)"""
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
    work = ("100.5", None, "20.25") if answered else ("7", None, None)
    return (branch, queue, queue.title(), day, 0, half_hour, offered, answered, abandoned, short, within, wait and Decimal(wait), within,
            answered + abandoned - short, *work)


def work(handled: int) -> tuple[int, Decimal, Decimal, Decimal]:
    """What so many handled calls took: handled, talk, hold, after-call work; nobody was on hold."""
    return handled, handled * Decimal("100.500"), Decimal("0.000"), handled * Decimal("20.250")


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
        (1, "sales", "Sales", MONDAY, 0, 18, 1, 0, 1, 0, 0, Decimal("7.000"), 0, 1, *work(0)),
        (1, "support", "Support", MONDAY, 0, 18, 4, 2, 1, 1, 1, Decimal("44.626"), 1, 2, *work(2)),
        (1, "support", "Support", MONDAY, 0, 19, 1, 1, 0, 0, 0, Decimal("1.000"), 0, 1, *work(1)),
        (1, "support", "Support", tuesday, 0, 18, 1, 1, 0, 0, 0, Decimal("3.000"), 0, 1, *work(1)),
        (2, "support", "Support", MONDAY, 0, 18, 1, 1, 0, 0, 1, Decimal("2.000"), 1, 1, *work(1)),
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


POLICIES = """policy_version integer, valid_from date, within_seconds integer, short_seconds integer, call_target integer, level_formula text,
    occupancy_warning integer, fcr_days integer, recovery_hours integer, note text"""
IN_FORCE = "policy_version integer, first_on date, last_on date, within_seconds integer, short_seconds integer, level_formula text, fcr_days integer, recovery_hours integer"


def test_a_policy_is_in_force_until_the_next_and_one_that_another_overtakes_never_is(archive: duckdb.DuckDBPyConnection) -> None:
    limits = (20, 5, 80, "standard", 85, 7, 24, "")
    given(archive, "staging.stg_kpi_policy", POLICIES, (1, date(1970, 1, 1), *limits), (2, MONDAY, *limits), (3, MONDAY, *limits), (4, date(2026, 11, 20), *limits))

    assert made(archive, "dim_kpi_policy", "policy_version, first_on, last_on") == [
        (1, date(1970, 1, 1), date(2026, 11, 19)), (3, MONDAY, date(9999, 12, 31)), (4, date(2026, 11, 20), date(2026, 11, 22))]


def test_an_agents_day_is_cut_at_midnight_and_writing_down_belongs_to_its_call(archive: duckdb.DuckDBPyConnection) -> None:
    given(archive, "ops.run", "as_of timestamptz", ("2026-11-24 02:00+00",))
    given(archive, "staging.stg_staff", "staff_id bigint, staff_name text", (1, "Ada"))
    given(archive, "staging.stg_call", "call_id bigint, switch text, call_key text", (7, "pbx1", "1.7"), (8, "pbx2", "1.7"))
    given(archive, "staging.stg_local_day", "local_day date, begins_at timestamptz, ends_at timestamptz",
          (MONDAY, "2026-11-22 16:00+00", "2026-11-23 16:00+00"), (date(2026, 11, 24), "2026-11-23 16:00+00", "2026-11-24 16:00+00"))
    given(archive, "staging.stg_agent_state_change",
          "change_id bigint, staff_id bigint, branch_id bigint, switch text, extension text, call_key text, state text, reason text, began_at timestamptz",
          (1, 1, 1, "pbx1", "801", None, "ready", "", "2026-11-23 15:00+00"), (2, 1, 1, "pbx1", "801", "1.7", "talking", "", "2026-11-23 15:59:00.5+00"),
          (3, 1, 1, "pbx1", "801", "1.7", "acw", "", "2026-11-23 16:00:20+00"), (4, 1, 1, "pbx1", "801", "1.7", "offline", "", "2026-11-23 16:00:50+00"),
          (5, 1, 1, "pbx1", "801", None, "pause", "lunch", "2026-11-24 01:59+00"))

    assert made(archive, "fact_agent_stint", "change_id, spent_on, state, followed_call_id, seconds") == [
        (1, MONDAY, "ready", None, Decimal("3540.5")), (2, MONDAY, "talking", None, Decimal("59.5")), (2, date(2026, 11, 24), "talking", None, Decimal(20)),
        (3, date(2026, 11, 24), "acw", 7, Decimal(30)), (5, date(2026, 11, 24), "pause", None, Decimal(60)),
    ]


def test_a_missed_caller_is_recovered_in_time_too_late_by_hand_or_still_waits(archive: duckdb.DuckDBPyConnection) -> None:
    given(archive, "ops.run", "as_of timestamptz", ("2026-11-24 02:00+00",))
    given(archive, "mart.dim_kpi_policy", IN_FORCE, (3, date(1970, 1, 1), date(9999, 12, 31), 20, 5, "standard", 7, 24))
    first = ("2026-11-23 01:00+00", MONDAY)
    given(archive, "staging.stg_missed_caller",
          "caller_id bigint, branch_id bigint, switch text, queue text, first_at timestamptz, first_on date, closed_at timestamptz, why text",
          (1, 1, "pbx1", "support", *first, "2026-11-24 01:00+00", "called back"), (2, 1, "pbx1", "support", *first, "2026-11-24 01:00:00.000001+00", "called again"),
          (3, 1, "pbx1", None, *first, "2026-11-23 01:05+00", "by hand"), (4, 1, "pbx1", "sales", *first, None, None),
          (5, 1, "pbx1", "sales", "2026-11-23 03:00+00", MONDAY, None, None))

    assert made(archive, "fact_missed_caller", "caller_id, recovered, judged, recall_seconds, policy_version") == [
        (1, 1, 1, 86400, 3), (2, 0, 1, 86400, 3), (3, 0, 1, None, 3), (4, 0, 1, None, 3), (5, 0, 0, None, 3)]


CALL = """call_id bigint, switch text, call_key text, branch_id bigint, direction text, queue text, caller_number text, caller_e164 text, caller_name text,
    extension text, staff_id bigint, party_id bigint, disposition text, hangup_by text, end_certain boolean, started_at timestamptz, started_on date,
    started_local timestamp, wait_seconds decimal(12, 3), talk_seconds decimal(12, 3), hold_seconds decimal(12, 3)"""


def stored(number: int, at: str, *, day: date = MONDAY, party: int | None = None, end: str = "answered", wait: str | None = "10") -> tuple[Any, ...]:
    return (number, "pbx1", f"1.{number}", 1, "inbound", "support", "138", None, None, "801", None, party, end, "caller", True, f"{day} {at}+00", day,
            f"{day} {at}", wait, "60", "5")


@pytest.fixture
def around_calls(archive: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """What calls are joined with: nobody, but a policy a day and the night of 1 December."""
    given(archive, "ops.run", "as_of timestamptz", ("2026-12-01 01:00+00",))
    given(archive, "staging.stg_phone_line", "switch text, queue text, queue_label text")
    given(archive, "staging.stg_party", "party_id bigint, party_name text, branch_id bigint")
    given(archive, "staging.stg_staff", "staff_id bigint, staff_name text")
    given(archive, "mart.fact_agent_stint", "followed_call_id bigint, seconds decimal(18, 6)", (1, "12.5"), (1, "0.25"))
    return archive


def test_a_call_is_measured_by_the_formula_of_its_day(around_calls: duckdb.DuckDBPyConnection) -> None:
    days = [date(2026, 11, day) for day in (23, 24, 25, 26)]
    formulas = ("standard", "servicelevel_perf", "servicelevel_perf2", "late_abandons")
    given(around_calls, "mart.dim_kpi_policy", IN_FORCE, *((no, day, day, 20, 5, name, 7, 24) for no, (day, name) in enumerate(zip(days, formulas, strict=True), 1)))
    given(around_calls, "staging.stg_ticket_call", "ticket_id bigint, call_id bigint")
    given(around_calls, "staging.stg_ticket", "ticket_id bigint, ticket_number text, branch_id bigint, party_id bigint, registered_at timestamptz")
    given(around_calls, "staging.stg_call_transfer", "call_id bigint, how text, answered boolean", (1, "blind", False), (2, "attended", False), (2, "park", True))
    ends = [("answered", "20"), ("answered", "20.001"), ("abandoned", "4.999"), ("abandoned", "20"), ("abandoned", "21"), ("no-answer", "99"), ("answered", None)]
    given(around_calls, "staging.stg_call", CALL, *(stored(10 * no + index + 1 if no else index + 1, "09:00", day=day, end=end, wait=wait)
                                                    for no, day in enumerate(days) for index, (end, wait) in enumerate(ends)))

    made(around_calls, "fact_call")
    levels = engine.rows(around_calls, "select policy_version, sum(level_hit), sum(level_counted), sum(short_abandoned) from mart.fact_call group by all order by all")
    assert levels == [(1, 1, 5, 1), (2, 1, 3, 1), (3, 3, 6, 1), (4, 1, 4, 1)]
    assert engine.rows(around_calls, "select call_id, transferred, acw_seconds from mart.fact_call where call_id < 3 order by 1") == [
        (1, 1, Decimal("12.750")), (2, 0, None)]


def test_first_contact_is_kept_unless_the_customer_comes_again_within_the_days(around_calls: duckdb.DuckDBPyConnection) -> None:
    tuesday = date(2026, 11, 24)
    given(around_calls, "mart.dim_kpi_policy", IN_FORCE, (1, date(1970, 1, 1), date(9999, 12, 31), 20, 5, "standard", 7, 24))
    given(around_calls, "staging.stg_call_transfer", "call_id bigint, how text, answered boolean")
    given(around_calls, "staging.stg_ticket_call", "ticket_id bigint, call_id bigint", (71, 3))
    given(around_calls, "staging.stg_ticket", "ticket_id bigint, ticket_number text, branch_id bigint, party_id bigint, registered_at timestamptz",
          (71, "T71", 1, 3, f"{MONDAY} 01:05+00"), (72, "T72", 1, 4, "2026-11-28 09:00+00"), (73, "T73", 1, 5, "2026-11-30 01:00:01+00"))
    given(around_calls, "staging.stg_call", CALL,
          stored(1, "01:00", party=1),                                    # rings again, is not answered, and gives up
          stored(2, "03:00", party=1, end="abandoned"),
          stored(3, "01:00", party=3),                                    # its own ticket is no return
          stored(4, "01:00", party=4),                                    # another ticket is
          stored(5, "01:00", party=5),                                    # a ticket a second too late
          stored(6, "02:00", party=6, day=tuesday),                       # too young to be judged: six days and 23 hours
          stored(7, "01:00"))                                             # nobody knows whose it is

    assert made(around_calls, "fact_call", "call_id, judged, kept") == [
        (1, 1, 0), (2, 0, 0), (3, 1, 1), (4, 1, 0), (5, 1, 1), (6, 0, 0), (7, 0, 0)]
