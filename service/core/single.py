"""One process at a time may do a thing, wherever it runs: a lock that PostgreSQL holds for a connection."""

from contextlib import suppress
from typing import Any

import psycopg2

_FAMILY = 0x52494E47  # keeps the keys apart from other programs' in the same database


class Single:
    """The right to be the only `name`; it ends with the connection, however the process ends."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn, self._name = dsn, name
        self._connection: Any = None

    def held(self) -> bool:
        """True when the right is ours now; a lost connection is tried anew, an unreachable server raises."""
        if self._connection is not None:
            try:
                self._ask("select true")
            except psycopg2.Error:
                self._close()
            else:
                return True
        self._connection = psycopg2.connect(self._dsn, connect_timeout=5, application_name=f"ringdesk {self._name}")
        self._connection.autocommit = True
        if not self._ask("select pg_try_advisory_lock(%s, hashtext(%s))", _FAMILY, self._name):
            self._close()
            return False
        return True

    def _ask(self, statement: str, *values: object) -> bool:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            return bool(cursor.fetchone()[0])

    def release(self) -> None:
        """Somebody else may have the right, at once and not only when the server notices that the connection has gone."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._ask("select pg_advisory_unlock(%s, hashtext(%s))", _FAMILY, self._name)
        self._close()

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
        self._connection = None
