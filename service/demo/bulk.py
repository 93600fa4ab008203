"""Many rows at once."""

from typing import Any

from psycopg2.extras import execute_values
from sqlalchemy.orm import Session

from service.core.db import Base


def pour(session: Session, model: type[Base], rows: list[dict[str, Any]]) -> list[int]:
    """The rows exist, in their order; returns their ids. Unknown keys are for the seed's own use."""
    columns = [name for name in model.__table__.columns.keys() if name in rows[0]]  # noqa: SIM118  a column collection
    quoted = ", ".join(f'"{name}"' for name in columns)
    statement = f'insert into "{model.__tablename__}" ({quoted}) values %s returning id'  # noqa: S608  our own table and column names
    cursor: Any = session.connection().connection.cursor()
    with cursor:
        found = execute_values(
            cursor, statement, [[row[name] for name in columns] for row in rows], page_size=2000, fetch=True
        )
    return [row[0] for row in found]
