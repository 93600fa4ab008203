"""Runs migrations as the owner role, one transaction each, with short lock waits."""

from alembic import context
from sqlalchemy import Connection, text

from service.core.db import Base
from service.migrations import metadata  # noqa: F401  registers every table


def in_schema(thing: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Change marks belong to the night, not to the models."""
    return not (kind == "column" and name == "row_xid") and not (kind == "index" and str(name).endswith("_row_xid"))


def migrate(connection: Connection) -> None:
    """All pending migrations have run, or the failing one left nothing behind."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
        include_object=in_schema,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes["connection"]
connection.execute(text("set lock_timeout = '4s'"))
connection.execute(text("set statement_timeout = '10min'"))
connection.commit()
migrate(connection)
