"""The tables that the migrations make are the tables that the models mean, and a migration has manners."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

import service.migrations
from service import prepare
from service.core import db
from service.core.config import Settings
from service.core.db import Base
from service.core.embedded import Embedded
from service.core.errors import DeskError
from service.migrations import metadata
from service.staff import rules
from tests.live import server

VERSIONS = Path(service.migrations.__file__).parent / "versions"
# What the shipped roles could do when 0018 was the newest migration.
_AGENT = {"desk.use", "call.read", "call.listen", "call.dial", "call.consent", "ticket.read", "ticket.write", "ticket.assign", "party.read", "party.write", "ledger.read"}
_SUPERVISOR = _AGENT | {
    "floor.watch", "floor.listen", "floor.control", "call.download", "recording.read", "recording.hold", "call.join", "ticket.close", "board.calls",
    "board.sla", "export", "night.read",
}  # fmt: skip
_MANAGER = _SUPERVISOR | {"kpi.set"}
OF_0018 = {
    "agent": _AGENT,
    "supervisor": _SUPERVISOR,
    "technician": {"call.read", "ticket.read", "ticket.write", "party.read"},
    "finance": {"ticket.read", "call.read", "party.read", "ledger.read", "board.calls", "board.sla", "export", "night.read"},
    "manager": _MANAGER,
    "admin": _MANAGER | {"night.run", "staff.admin", "recording.keep", "audit.read"},
}
# What stands in the database and on purpose not in the models: the night's change marks.
MARKS = "{} not like '%row_xid%'"


@pytest.fixture
def empty(settings: Settings, postgres: Embedded) -> Iterator[Settings]:
    """A database without tables, gone afterwards."""
    administrator = create_engine(postgres.dsn(), isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text(f"create database scratch owner {db.OWNER} template template0"))
        addresses = {
            name: make_url(getattr(settings, name)).set(database="scratch").render_as_string(hide_password=False)
            for name in ("dsn_owner", "dsn_app", "dsn_night")
        }
        yield replace(settings, **addresses)
        connection.execute(text("drop database scratch with (force)"))
    administrator.dispose()


def attached(settings: Settings, connection: Connection, **more: str) -> Any:
    """Alembic's view of our migrations, on this connection."""
    config = prepare.alembic_config()
    config.attributes |= {"connection": connection, "app_role": db.APP, "night_role": db.NIGHT}
    for name, value in more.items():
        config.set_main_option(name, value)
    return config


@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_alembic_finds_nothing_to_migrate(settings: Settings, database: db.Database) -> None:
    with database.owner.connect() as connection:
        command.check(attached(settings, connection))


def shape(connection: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """Columns, constraints and indexes as PostgreSQL itself writes them; what alembic does not compare is here too."""
    questions = {
        "columns": "select table_name, column_name, data_type, is_nullable, column_default, is_identity,"
        " numeric_precision, numeric_scale from information_schema.columns where table_schema = 'public' and "
        + MARKS.format("column_name"),
        "constraints": "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint"
        " where connamespace = 'public'::regnamespace and contype <> 'n' and " + MARKS.format("conname"),
        "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' and "
        + MARKS.format("indexname"),
    }
    found = {name: {tuple(row) for row in connection.execute(text(sql))} for name, sql in questions.items()}
    return {name: {row for row in rows if row[0] != "alembic_version"} for name, rows in found.items()}


def test_the_models_alone_would_make_the_same_tables(database: db.Database, empty: Settings) -> None:
    assert metadata.TABLES
    scratch = create_engine(empty.dsn_owner)
    with scratch.begin() as connection:
        Base.metadata.create_all(connection)
        meant = shape(connection)
    scratch.dispose()
    with database.owner.connect() as connection:
        made = shape(connection)
    for kind, rows in made.items():
        assert rows == meant[kind], kind


def test_each_migration_names_its_fact_and_follows_the_one_before() -> None:
    files = sorted(VERSIONS.glob("*.py"))
    assert [path.name[:4] for path in files] == [f"{n:04d}" for n in range(1, len(files) + 1)]
    for path in files:
        # There is no way back but a backup: a downgrade nobody has tried would lose rows quietly.
        assert "def downgrade" not in path.read_text("utf-8"), path.name


def test_a_new_migration_comes_with_its_lecture_and_runs_with_short_lock_waits(empty: Settings, tmp_path: Path) -> None:
    scratch = create_engine(empty.dsn_owner)
    with scratch.connect() as connection:
        config = attached(empty, connection, version_locations=f"{VERSIONS}:{tmp_path}")
        command.upgrade(config, "head")
        command.revision(config, "a fact", rev_id="9999", version_path=str(tmp_path))
        (path,) = tmp_path.glob("9999*.py")
        words = path.read_text("utf-8")
        for lesson in ("lock_timeout", "concurrently", "not valid", "Never edit a merged migration", "branch_id"):
            assert lesson in words
        settings = "insert into kept select name, setting from pg_settings where name like '%%_timeout';\n"
        path.write_text(words.replace('TABLES = """\n', f'TABLES = """create table kept (name text, value text);\n{settings}'))
        command.upgrade(config, "head")
        kept = dict(tuple(row) for row in connection.execute(text("select name, value from kept")))
    scratch.dispose()
    assert (kept["lock_timeout"], kept["statement_timeout"]) == ("4000", "600000")


def test_the_roles_of_an_older_database_may_what_those_of_a_new_firm_may(empty: Settings) -> None:
    own = "own.role"
    scratch = create_engine(empty.dsn_owner)
    with scratch.connect() as connection:
        config = attached(empty, connection)
        command.upgrade(config, "0018")
        for name, codes in OF_0018.items():
            connection.execute(text("insert into role (name, permissions) values (:name, :codes)"), {"name": name, "codes": ",".join(sorted(codes))})
        connection.execute(text("insert into role (name, permissions) values (:name, 'call.read')"), {"name": own})
        connection.commit()
        command.upgrade(config, "head")
        found = {row.name: row.permissions.split(",") for row in connection.execute(text("select name, permissions from role"))}
    scratch.dispose()

    assert found.pop(own) == ["call.read"], "a role that the firm made itself gets nothing"
    assert {name: set(codes) for name, codes in found.items()} == {name: set(codes) for name, codes in rules.PERMISSIONS.items()}
    assert [name for name, codes in found.items() if len(codes) != len(set(codes))] == []


def test_processes_that_start_at_once_migrate_an_empty_database_once(empty: Settings) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-m", "service", "db", "upgrade"],
            env=server.environment(empty),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _process in range(3)
    ]
    assert [start.communicate(timeout=60)[0] for start in starts] == ["The tables are up to date.\n"] * 3


def test_a_database_of_a_newer_program_is_refused_with_a_sentence(empty: Settings) -> None:
    prepare.migrate(empty)
    scratch = create_engine(empty.dsn_owner)
    with scratch.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    scratch.dispose()
    with pytest.raises(DeskError, match="newer Ringdesk"):
        prepare.migrate(empty)


def test_a_migration_that_cannot_have_its_lock_is_told_in_a_sentence(empty: Settings) -> None:
    prepare.migrate(empty)
    scratch = create_engine(empty.dsn_owner)
    with scratch.begin() as connection:
        connection.execute(text("delete from alembic_version"))
        connection.execute(text("lock table alembic_version in access exclusive mode"))
        with pytest.raises(DeskError, match=r"in use.*quiet moment"):
            prepare.migrate(empty)
    scratch.dispose()
