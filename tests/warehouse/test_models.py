"""Every model is in order, can be told in other dialects, and says what it is made of; every audit can fail."""

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot

from warehouse import audit, build

HERE = Path(build.__file__).parent


def test_models_come_after_what_they_read() -> None:
    seen: set[str] = set()
    names = {model.name for model in build.models()}
    for model in build.models():
        assert model.needs & names <= seen, model.name
        seen.add(model.name)


@pytest.mark.parametrize("model", build.models(), ids=lambda model: model.name)
def test_a_model_states_its_grain_and_speaks_other_dialects(model: build.Model) -> None:
    assert model.header.startswith("One row per")
    assert model.layer == "staging" or ("Answers:" in model.header and "Read by:" in model.header)
    for dialect in ("spark", "clickhouse"):
        assert sqlglot.transpile(model.sql, read="duckdb", write=dialect)


@pytest.mark.parametrize("mart", [model for model in build.models() if model.layer == "marts"], ids=lambda model: model.name)
def test_a_mart_is_read_by_the_file_that_its_header_names(mart: build.Model) -> None:
    readers = re.findall(r"[a-z_/]+\.py", mart.header.partition("Read by:")[2])
    assert readers
    for reader in readers:
        assert re.search(rf"\b{mart.name}\b", (HERE.parent / reader).read_text("utf-8")), reader


def test_a_figure_says_which_columns_it_is_made_of() -> None:
    assert "call.wait_seconds" in build.sources("fact_call", "within_limit")
    assert build.sources("open_item", "open_amount") == ("ledger_allocation.amount", "ledger_item.amount", "ledger_item.kind")


BREAKS = {
    "calls_are_kept": "insert into raw.call values (9, 1, false)",
    "a_call_ends_one_way": "update mart.fact_call set answered = 0, within_limit = 0, abandoned = 1",
    "intervals_equal_calls": "update mart.call_interval set offered = offered + 1",
    "tickets_are_kept": "insert into raw.ticket values (9)",
    "moments_are_in_order": "update mart.fact_ticket set accepted_at = registered_at - interval 1 second",
    "open_items_equal_ledger": "update mart.open_item set open_amount = open_amount + 0.01",
    "nothing_is_overpaid": "update mart.open_item set open_amount = -1",
    "a_call_has_the_policy_of_its_day": "update mart.fact_call set policy_version = 2",
    "the_level_is_a_share": "update mart.fact_call set level_hit = 2",
    "agents_are_in_one_state": "insert into mart.fact_agent_stint select * from mart.fact_agent_stint",
    "missed_callers_are_kept": "delete from mart.fact_missed_caller",
    "branches_are_known": "update mart.fact_call set branch_id = 99",
}
SOUND = """
    create schema raw; create schema mart; create schema meta; set search_path = 'mart,raw';
    create table raw.call (id bigint, branch_id bigint, live boolean); insert into raw.call values (1, 1, false);
    create table raw.ticket (id bigint); insert into raw.ticket values (1);
    create table raw.ledger_item (party_id bigint, kind text, amount decimal(18, 2)); insert into raw.ledger_item values (1, 'invoice', 5.00);
    create table mart.dim_branch as select 1 as branch_id;
    create table mart.fact_call as select 1 as call_id, 1 as branch_id, 'q' as queue, date '2026-11-23' as started_on, 1 as offered, 1 as answered,
        0 as abandoned, 0 as short_abandoned, 1 as within_limit, 4.0 as wait_seconds, 9.0 as talk_seconds,
        1 as level_hit, 1 as level_counted, 0 as transferred, 1 as judged, 1 as kept, 1 as policy_version;
    create table mart.call_interval as select branch_id, queue, offered, answered, abandoned, within_limit, level_hit, level_counted from mart.fact_call;
    create table mart.dim_kpi_policy as select 1 as policy_version, date '1970-01-01' as first_on, date '9999-12-31' as last_on
        union all select 2, date '1960-01-01', date '1969-12-31';
    create table mart.fact_agent_stint as select 1 as change_id, 1 as staff_id, 1 as branch_id, date '2026-11-23' as spent_on, 60.000000::decimal(18, 6) as seconds,
        timestamptz '2026-11-23 01:00+00' as began_at, timestamptz '2026-11-23 01:01+00' as ended_at;
    create table raw.missed_caller (id bigint); insert into raw.missed_caller values (1);
    create table mart.fact_missed_caller as select 1 as caller_id, 1 as branch_id, 1 as recovered, 1 as judged;
    create table mart.fact_ticket as select 1 as ticket_id, 'T1' as ticket_number, 1 as branch_id, timestamptz '2026-11-23 01:00+00' as registered_at,
        timestamptz '2026-11-23 02:00+00' as accepted_at, timestamptz '2026-11-23 03:00+00' as resolved_at;
    create table mart.open_item as select 1 as item_id, 'I1' as item_number, 1 as branch_id, 1 as party_id, 5.00::decimal(18, 2) as amount,
        5.00::decimal(18, 2) as open_amount;
"""


def verdicts(breaking: str = "") -> dict[str, int]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(SOUND)
        if breaking:
            connection.execute(breaking)
        return {found.name: found.bad_rows for found in audit.findings(connection, lambda *_seen: None)}


def test_sound_rows_pass_every_audit() -> None:
    assert set(verdicts()) == set(BREAKS) and not any(verdicts().values())


@pytest.mark.parametrize("name", BREAKS)
def test_each_audit_finds_what_it_is_for(name: str) -> None:
    assert verdicts(BREAKS[name])[name] > 0
