"""A database is made ready: roles, the database itself, migrations."""

import time
from dataclasses import replace
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg2 import errors
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError

import service.migrations
from service.core.config import Settings
from service.core.db import APP, NIGHT, OWNER, Database
from service.core.embedded import Embedded
from service.core.errors import DeskError

DATABASE = "ringdesk"
MIGRATING = 0x52494E47  # the family of our advisory locks
_MIGHTY = text("""
    select rolsuper or rolbypassrls
        or exists (select from pg_tables where schemaname = 'public' and pg_has_role(current_user, tableowner, 'member'))
    from pg_roles where rolname = current_user
""")
_OTHERS = text("select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")
ROLES_SQL = f"""-- Run once as an administrator of your PostgreSQL 15 or newer; set passwords of your own.
create role {OWNER} login password 'change-me-1';
create role {APP} login password 'change-me-2';
create role {NIGHT} login password 'change-me-3';
create database {DATABASE} owner {OWNER} encoding 'UTF8' template template0;
-- Nobody else connects, and of these three only the owner makes tables.
revoke all on database {DATABASE} from public;
grant connect on database {DATABASE} to {APP}, {NIGHT};
"""


class Unreachable(DeskError):
    """The database does not answer now; it may in a moment."""


def embedded(settings: Settings) -> Embedded | None:
    """The embedded server when no DSN is given, else None."""
    if settings.dsn_owner or settings.dsn_app or settings.dsn_night:
        return None
    return Embedded(settings.data / "postgresql")


def resolve(settings: Settings, server: Embedded | None) -> Settings:
    """Settings whose three DSNs can be used; the embedded server gets its roles and database first."""
    if server is None:
        _check_three(settings)
        return settings
    _make(server.dsn())
    return replace(
        settings,
        dsn_owner=server.dsn(OWNER, DATABASE),
        dsn_app=server.dsn(APP, DATABASE),
        dsn_night=server.dsn(NIGHT, DATABASE),
    )


def in_use(server: Embedded, patience: float = 5.0) -> bool:
    """True while somebody else is connected; connections that were just closed have `patience` seconds to end."""
    engine = create_engine(server.dsn())
    until = time.monotonic() + patience
    try:
        with engine.connect() as connection:
            while connection.scalar(_OTHERS):
                if time.monotonic() > until:
                    return True
                time.sleep(0.05)
        return False
    finally:
        engine.dispose()


def _check_three(settings: Settings) -> None:
    missing = [name for name in ("dsn_owner", "dsn_app", "dsn_night") if not getattr(settings, name)]
    if missing:
        raise DeskError(
            f"{', '.join(missing)} is missing. All three database addresses are needed; "
            "`ringdesk db roles` prints the SQL that makes their roles."
        )


def _make(admin_dsn: str) -> None:
    engine = create_engine(admin_dsn, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for role in (OWNER, APP, NIGHT):
            if not connection.execute(text("select 1 from pg_roles where rolname = :name"), {"name": role}).first():
                connection.execute(text(f"create role {role} login"))
        if not connection.execute(text("select 1 from pg_database where datname = :name"), {"name": DATABASE}).first():
            connection.execute(text(f"create database {DATABASE} owner {OWNER} encoding 'UTF8' template template0"))
    engine.dispose()


def migrate(settings: Settings) -> None:
    """The schema is the newest one; of several processes that start at once one migrates and the others wait."""
    database = Database(settings, "migrate")
    try:
        with database.owner.connect() as connection:
            connection.execute(text("select pg_advisory_lock(:family, 1)"), {"family": MIGRATING})
            command.upgrade(_attached(settings, connection), "head")
            connection.commit()
    except CommandError as error:
        raise DeskError(
            f"The tables of this database were made by a newer Ringdesk ({error}). "
            "Install that version again, or restore a backup made with this one."
        ) from error
    except DBAPIError as error:
        raise _told(settings.dsn_owner, error) from error
    finally:
        database.close()


def _attached(settings: Settings, connection: Connection) -> Config:
    config = alembic_config()
    config.attributes |= {
        "connection": connection,
        "app_role": _role(settings.dsn_app),
        "night_role": _role(settings.dsn_night),
    }
    return config


def check(settings: Settings) -> None:
    """App and night role can sign in, and the app role stands under the policies; refused with a sentence otherwise."""
    names = {_role(dsn) for dsn in (settings.dsn_owner, settings.dsn_app, settings.dsn_night)}
    if len(names) < 3:
        raise DeskError(
            "dsn_owner, dsn_app and dsn_night need three different roles; with fewer, nobody keeps the branches apart. "
            "`ringdesk db roles` prints the SQL that makes them."
        )
    database = Database(settings, "check")
    try:
        for dsn, engine in ((settings.dsn_app, database.app), (settings.dsn_night, database.night)):
            mighty = _mighty(dsn, engine)
            if mighty and dsn == settings.dsn_app:
                raise DeskError(
                    f"dsn_app names the role {_role(dsn)}, which stands above the tables' policies. "
                    "Use one that is neither a superuser nor their owner; `ringdesk db roles` prints the SQL."
                )
    finally:
        database.close()


def _mighty(dsn: str, engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            return bool(connection.execute(_MIGHTY).scalar_one())
    except OperationalError as error:
        raise _told(dsn, error) from error


def _role(dsn: str) -> str:
    return make_url(dsn).username or ""


def _told(dsn: str, error: DBAPIError) -> Exception:
    """The sentence for what an administrator can mend; any other error as it is."""
    where, why = make_url(dsn).render_as_string(hide_password=True), _first_line(error)
    if isinstance(error.orig, errors.LockNotAvailable | errors.QueryCanceled):
        return DeskError(f"A table is in use and cannot be migrated now ({why}). Try again in a quiet moment.")
    if isinstance(error.orig, errors.InsufficientPrivilege):
        return DeskError(f"The role of {where} lacks a right: {why}. `ringdesk db roles` prints the SQL that gives it.")
    if not isinstance(error, OperationalError):
        return error
    return Unreachable(
        f"The database at {where} cannot be used: {why}. Check the address, the role and that PostgreSQL runs."
    )


def _first_line(error: DBAPIError) -> str:
    return (str(error.orig).strip().splitlines() or ["no answer"])[0].rstrip(".")


def alembic_config() -> Config:
    """Where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(service.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
