"""A database is made ready: roles, the database itself, migrations."""

from dataclasses import replace
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

import service.migrations
from service.core.config import Settings
from service.core.db import APP, NIGHT, OWNER, Database
from service.core.embedded import Embedded
from service.core.errors import DeskError

DATABASE = "ringdesk"
ROLES_SQL = f"""-- Run once as an administrator of your PostgreSQL 15 or newer; set passwords of your own.
create role {OWNER} login password 'change-me-1';
create role {APP} login password 'change-me-2';
create role {NIGHT} login password 'change-me-3';
create database {DATABASE} owner {OWNER} encoding 'UTF8' template template0;
"""


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
    """The schema is the newest one; a wrong address is told in a sentence."""
    database = Database(settings, "migrate")
    try:
        with database.owner.connect() as connection:
            config = alembic_config()
            config.attributes |= {
                "connection": connection,
                "app_role": _role(settings.dsn_app),
                "night_role": _role(settings.dsn_night),
            }
            command.upgrade(config, "head")
            connection.commit()
    except OperationalError as error:
        raise DeskError(_unreachable(settings.dsn_owner, error)) from error
    finally:
        database.close()


def _role(dsn: str) -> str:
    return make_url(dsn).username or ""


def _unreachable(dsn: str, error: OperationalError) -> str:
    where = make_url(dsn).render_as_string(hide_password=True)
    why = str(error.orig).strip().splitlines()[-1] if str(error.orig).strip() else "no answer"
    return f"The database at {where} cannot be used: {why}. Check the address, the role and that PostgreSQL runs."


def alembic_config() -> Config:
    """Where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(Path(service.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
