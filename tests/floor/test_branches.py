"""Row-level security on every business table, as the catalogue of the migrated database knows them.

A new table is found by itself: one with a branch_id needs a policy, one without has to stand in NO_BRANCH with its reason.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from psycopg2 import errors, sql

from service.core import db
from service.core.config import Settings
from service.core.db import APP, NIGHT, OWNER
from service.core.embedded import Embedded
from tests.conftest import AT

# Tables that belong to no branch. Sign-in reads people before any scope exists, so `staff` has a branch but no policy.
NO_BRANCH = {
    "alembic_version": "which migrations ran",
    "branch": "the branches themselves; everybody may know their names",
    "role": "what a role may do",
    "staff": "read at sign-in, before there is a scope",
    "staff_role": "read at sign-in",
    "department": "read at sign-in; how the firm is organised is no secret",
    "shift_kind": "the same shifts for everybody",
    "staff_session": "read at sign-in",
    "sign_in_attempt": "counted before anybody is signed in",
    "sign_in_step": "read at sign-in",
    "staff_password": "read at sign-in",
    "staff_totp": "read at sign-in",
    "recovery_code": "read at sign-in",
    "passkey": "read at sign-in",
    "passkey_challenge": "read at sign-in",
    "setup_token": "read before there is a branch",
    "firm": "there is one; everybody may know its name",
    "extension_assignment": "who sits where; the listener asks before it knows the branch",
    "outbox_message": "read by processes only",
    "job": "read by processes only",
    "live_event": "read by topic, and a topic is a person",
    "document_counter": "numbers run over all branches",
    "night_run": "the archive is one for all branches",
    "schedule_slot": "read by processes only",
    "tombstone": "ids of deleted rows, for the night",
    "feed_state": "a switch serves several branches",
    "feed_cursor": "a switch serves several branches",
    "backfill_run": "a switch serves several branches",
    "feed_gap": "a switch serves several branches",
    "doctor_report": "about the switches, which belong to the firm; read by administrators",
    "feed_checkpoint": "read by the listener only",
    "hours_calendar": "hours are posted on the door: everybody may know them",
    "hours_span": "as their calendar",
    "hours_day": "as their calendar",
    "region": "the firm's map; everybody may know its names",
    "hours_use": "which branch or line follows which hours; everybody may know it",
    "feed_doubt": "a switch serves several branches; read by whoever looks after the switches",
    "product_category": "the catalogue is the firm's: every branch repairs the same products",
    "product": "as its category",
    "sla_policy": "the same limits for everybody",
    "retention_class": "the same limits for everybody",
    "kpi_policy": "the same measures for everybody",
    "list_setting": "how a person or a role looks at a list; no row of it",
    "saved_view": "conditions under a name; the rows behind them keep to the branches by themselves",
    "party_category": "one tree of categories for the whole firm; everybody may know their names",
    "recording_chain": "one chain over all branches; read by the command that verifies it",
}
VALUES: dict[str, Any] = {
    "bigint": 1, "integer": 1, "numeric": 1, "text": "x", "jsonb": "{}", "boolean": True, "date": AT.date(),
    "timestamp with time zone": AT, "tsvector": "'x'",
}  # fmt: skip
CHECKED: dict[str, Any] = {"ledger_item.kind": "invoice", "call_segment.kind": "talk", "call_transfer.how": "blind", "agent_state.chosen": "ready",
           "agent_state.phase": "idle", "agent_state.state": "ready", "phone_order.kind": "dial", "phone_order.state": "requested",
           "call_consent.state": "given", "recording_deletion.reason": "retention",
           "import_batch.state": "uploaded", "import_batch.upon": "skip", "import_row.state": "good",
           "recording_pause.why": "left", "call_pair.verdict": "joined", "device_swap.kind": "swap",
           "maintenance_plan.timing": "interval", "maintenance_plan.state": "active", "maintenance_reminder.state": "done", "leave.kind": "annual", "leave.until": AT + timedelta(hours=1)}
# Columns that may be empty by themselves, but not as their rule has it.
TOGETHER: dict[str, dict[str, Any]] = {"party_apart": {"other_id": 3}, "device_swap": {"old_device_id": 1, "new_device_id": 2}}
MINE, FOREIGN = 1, 2


@pytest.fixture
def admin(settings: Settings, postgres: Embedded, clean: db.Database) -> Iterator[Any]:
    """The administrator, for whom no policy and no foreign key counts."""
    connection = psycopg2.connect(db.raw_dsn(postgres.dsn(database="ringdesk")))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        yield cursor
    connection.close()


@pytest.fixture
def tables(admin: Any) -> list[str]:
    """Every business table, with one row of our branch and one of another in each."""
    names = with_branch(admin)
    for name in names:
        for branch_id in (MINE, FOREIGN):
            insert(admin, name, row(admin, name, branch_id))
    return names


def with_branch(cursor: Any) -> list[str]:
    cursor.execute(
        "select table_name from information_schema.columns join information_schema.tables using (table_name, table_schema)"
        " where table_schema = 'public' and column_name = 'branch_id' and table_type = 'BASE TABLE' order by 1"
    )
    return [name for (name,) in cursor.fetchall() if name not in NO_BRANCH]


def row(cursor: Any, table: str, branch_id: int) -> dict[str, Any]:
    """The least a row needs; what is unique differs by branch."""
    cursor.execute(
        "select column_name, data_type from information_schema.columns where table_schema = 'public' and table_name = %s"
        " and is_nullable = 'NO' and column_default is null and is_identity = 'NO'",
        [table],
    )
    values: dict[str, Any] = {"branch_id": branch_id} | TOGETHER.get(table, {})
    for name, kind in cursor.fetchall():
        checked = CHECKED.get(f"{table}.{name}")
        value = f"x{branch_id}" if kind == "text" else VALUES[kind]
        values.setdefault(name, checked if checked is not None else branch_id if name.endswith("_id") else value)
    return values


def insert(cursor: Any, table: str, values: dict[str, Any]) -> None:
    names, holes = map(sql.Identifier, values), [sql.Placeholder()] * len(values)
    cursor.execute(
        sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(table), sql.SQL(", ").join(names), sql.SQL(", ").join(holes)
        ),
        list(values.values()),
    )


@pytest.fixture
def app(settings: Settings, tables: list[str]) -> Iterator[Any]:
    """Raw SQL as the app role, closed before the tables are emptied."""
    connection = psycopg2.connect(db.raw_dsn(settings.dsn_app))
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def refused(cursor: Any, statement: str, *values: Any) -> str:
    """The sentence with which PostgreSQL refuses it; fails when it is allowed."""
    cursor.execute("savepoint here")
    try:
        with pytest.raises(psycopg2.Error) as caught:
            cursor.execute(statement, values)
    finally:
        cursor.execute("rollback to here")
    return str(caught.value).splitlines()[0]


def count(cursor: Any, statement: str) -> int:
    cursor.execute(statement)
    return int(cursor.fetchone()[0])


def test_every_table_has_a_branch_and_a_policy_or_a_reason(admin: Any) -> None:
    admin.execute("select tablename from pg_tables where schemaname = 'public'")
    everything = {name for (name,) in admin.fetchall()}
    assert everything - set(with_branch(admin)) == set(NO_BRANCH)

    admin.execute(
        "select tablename, cmd, qual = with_check, roles::text[] from pg_policies where policyname = 'branch_scope'"
    )
    assert {name: facts for name, *facts in admin.fetchall()} == {n: ["ALL", True, [APP]] for n in with_branch(admin)}
    admin.execute("select relname from pg_class where relrowsecurity and relnamespace = 'public'::regnamespace")
    assert {name for (name,) in admin.fetchall()} == set(with_branch(admin))
    # A second permissive policy would widen the first one.
    admin.execute("select policyname, cmd, roles::text[] from pg_policies where policyname <> 'branch_scope'")
    assert {tuple(map(str, facts)) for facts in admin.fetchall()} == {("night_reads", "SELECT", f"['{NIGHT}']")}


def test_without_a_scope_no_table_shows_a_row(app: Any, tables: list[str]) -> None:
    assert {name: count(app, f'select count(*) from "{name}"') for name in tables} == dict.fromkeys(tables, 0)


def test_a_scope_shows_its_own_rows_of_every_table_and_no_other(app: Any, tables: list[str]) -> None:
    app.execute("select set_config('ringdesk.branches', %s, true)", [str(MINE)])
    for name in tables:
        app.execute(f'select array_agg(branch_id) from "{name}"')
        assert app.fetchone()[0] == [MINE], name


def test_no_row_can_be_put_into_another_branch(app: Any, tables: list[str], admin: Any) -> None:
    app.execute("select set_config('ringdesk.branches', %s, true)", [str(MINE)])
    for name in tables:
        for branch_id in (FOREIGN, None):
            values = row(admin, name, FOREIGN) | {"branch_id": branch_id}
            app.execute("savepoint here")
            with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
                insert(app, name, values)
            app.execute("rollback to here")


def test_no_row_can_be_moved_changed_or_deleted_across_branches(app: Any, tables: list[str]) -> None:
    app.execute("select set_config('ringdesk.branches', %s, true)", [str(MINE)])
    history = set()
    for name in tables:
        words = refused(app, f'update "{name}" set branch_id = %s where branch_id = %s', FOREIGN, MINE)
        if "permission denied" in words:
            history.add(name)
            assert "permission denied" in refused(app, f'delete from "{name}"')
            continue
        assert "row-level security" in words, name
        app.execute(f'update "{name}" set branch_id = branch_id where branch_id = %s', [FOREIGN])
        assert app.rowcount == 0, name
        app.execute(f'delete from "{name}" where branch_id = %s', [FOREIGN])
        assert app.rowcount == 0, name
    assert history == {"agent_state_change", "audit_entry", "device_event", "ledger_item", "ledger_allocation", "party_merge_row", "recording_play", "ticket_event"}


def test_the_app_role_has_no_way_around_its_policies(app: Any, tables: list[str]) -> None:
    app.execute(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = current_user"
    )
    assert app.fetchone() == (False,) * 5
    owned = "select count(*) from pg_class where relowner = current_user::regrole"
    assert count(app, owned) == 0
    assert count(app, "select count(*) from pg_auth_members where member = current_user::regrole") == 0
    for statement in (
        f"set role {OWNER}",
        f"set role {NIGHT}",
        "set session_replication_role = replica",
        "create table public.mine (id int)",
        "create function public.mine() returns int language sql as 'select 1'",
        "alter table party disable row level security",
        "drop policy branch_scope on party",
        "truncate party",
        "insert into tombstone (table_name, row_id) values ('party', 1)",
    ):
        assert "permission denied" in refused(app, statement) or "must be" in refused(app, statement), statement
    app.execute("set row_security = off")
    assert "would be affected by row-level security" in refused(app, "select * from party")


def test_no_function_of_the_schema_lends_its_owners_rights(admin: Any) -> None:
    admin.execute("select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace")
    assert {name for (name,) in admin.fetchall()} == {
        "ringdesk_row_deleted",  # writes tombstones and nothing else
        "ringdesk_device_unimported",  # the one line of a device that an import brought and takes back, within the declared branches
        "ringdesk_search",  # keeps to the declared branches itself; tests/floor/test_search.py says so
    }


def test_the_night_role_reads_all_branches_and_writes_nothing(settings: Settings, tables: list[str], admin: Any) -> None:
    admin.execute("select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'")
    everything = sorted(name for (name,) in admin.fetchall())
    for name in everything:
        held = "select array_agg(kind) from unnest(array['insert', 'update', 'delete', 'truncate', 'trigger']) as kind"
        admin.execute(f"{held} where has_table_privilege(%s, %s, kind)", [NIGHT, f'"{name}"'])
        assert admin.fetchone()[0] is None, name
    connection = psycopg2.connect(db.raw_dsn(settings.dsn_night))
    with connection, connection.cursor() as night:
        for name in tables:
            assert count(night, f'select count(*) from "{name}"') == 2, name
            assert "permission denied" in refused(night, f'delete from "{name}"')
            assert "permission denied" in refused(night, f'insert into "{name}" default values')
        assert "permission denied" in refused(night, "select password from staff")
        night.execute("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        assert night.fetchone() == (False, False)
    connection.close()


def test_a_scope_ends_with_its_transaction(app: Any, tables: list[str]) -> None:
    app.execute("select set_config('ringdesk.branches', '*', true)")
    assert count(app, "select count(*) from party") == 2
    app.connection.commit()
    assert count(app, "select count(*) from party") == 0
