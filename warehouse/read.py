"""Reading the archive: one generation at a time, only the branches a reader may see, nothing half."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from service.core.errors import DeskError
from service.core.kpi import Policy, Stretch, in_force
from service.core.scope import Scope
from warehouse import build, engine
from warehouse.engine import quoted

# Marts that a reader may name; each is narrowed to the reader's branches before the question sees it.
MARTS = ("fact_call", "call_interval", "fact_agent_stint", "fact_missed_caller", "fact_ticket", "open_item", "dim_branch")
# What a row says of another thing is seen by those alone who may see that thing: the column of its branch, what it says.
_OF_PARTY = {"party_branch_id": ("party_id", "party_name")}
BORROWED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "fact_call": _OF_PARTY | {"ticket_branch_id": ("ticket_id", "ticket_number")},
    "fact_ticket": _OF_PARTY,
    "open_item": _OF_PARTY,
}


class NothingYet(DeskError):
    """No night has been published."""

    status = 404


@dataclass(frozen=True)
class Run:
    """What a generation says of itself."""

    generation: int
    as_of: datetime
    as_of_local: datetime
    snapshot_at: datetime
    mode: str
    policy_version: str
    ticket_target: int

    @property
    def last_day(self) -> date:
        """The last local day that figures may cover."""
        return self.as_of_local.date()


@dataclass(frozen=True)
class Control:
    """One control total as both sides gave it."""

    table: str
    measure: str
    source: str
    archive: str
    equal: bool


@dataclass(frozen=True)
class Answer:
    """Named columns and their rows, exact as the archive holds them."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """Each row by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def one(self) -> dict[str, Any]:
        """The only row."""
        return self.dicts()[0]


@dataclass
class Generation:
    """One published file, open for reading; queries under way keep it even when a newer one appears."""

    path: Path
    _connection: duckdb.DuckDBPyConnection = field(repr=False)

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> Answer:
        """The answer to one query, on a cursor of its own."""
        cursor = self._connection.cursor()
        try:
            result = cursor.execute(sql, dict(params) if params else None)
            return Answer(tuple(column[0] for column in result.description or ()), result.fetchall())
        finally:
            cursor.close()

    @cached_property
    def run(self) -> Run:
        """The run row."""
        names = ", ".join(Run.__dataclass_fields__)
        return Run(*self.rows(f"select {names} from ops.run").rows[0])

    @cached_property
    def policies(self) -> tuple[Stretch, ...]:
        """By which policy calls are measured on which local days, oldest first; the same for every reader."""
        names = ("policy_version", "first_on", "within_seconds", "short_seconds", "call_target", "level_formula", "occupancy_warning",
                 "fcr_days", "recovery_hours")
        found = self.rows(f"select {', '.join(names)}, last_on from mart.dim_kpi_policy order by first_on").rows
        return tuple(Stretch(row[1], row[-1], Policy(*row[:-1])) for row in found)

    def policies_of(self, first: date, last: date) -> tuple[Policy, ...]:
        """The policies of the calls of these local days, both included."""
        return in_force(self.policies, first, last)

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """Every control total of the night."""
        return tuple(Control(*row) for row in self.rows("select * from meta.control").rows)

    @cached_property
    def audits(self) -> int:
        """How many audits passed."""
        return int(self.rows("select count(*) from meta.audit where bad_rows = 0").rows[0][0])

    @property
    def proven(self) -> bool:
        """True when every control total is equal on both sides."""
        return bool(self.controls) and all(control.equal for control in self.controls)

    def view(self, scope: Scope) -> "View":
        """The generation as a reader with that scope may see it: figures are of branches that are seen whole."""
        return View(self, scope.whole)


@dataclass(frozen=True)
class View:
    """Marts narrowed to a scope. A question names them without a schema, so it cannot reach past the scope."""

    generation: Generation
    scope: Scope

    def ask(self, sql: str, params: Mapping[str, Any] | None = None) -> Answer:
        """The answer to a question about the marts, from the reader's branches alone."""
        assert "mart." not in sql and "raw." not in sql, "a question must not name a schema"
        tail = sql.lstrip()
        narrowed = self._narrowed()
        joined = f"{narrowed},\n{tail[5:]}" if tail[:5].lower() == "with " else f"{narrowed}\n{tail}"
        return self.generation.rows(joined, params)

    def _narrowed(self) -> str:
        return "with " + ",\n".join(f"{name} as ({self._select(name)})" for name in MARTS)

    def _select(self, name: str) -> str:
        if self.scope.branches is None:
            return f"select * from mart.{quoted(name)}"
        ids = ", ".join(str(int(branch)) for branch in self.scope.branches) or "null"
        seen = [f"case when {branch} in ({ids}) then {column} end as {column}"
                for branch, columns in BORROWED.get(name, {}).items() for column in columns]
        shown = f"* replace ({', '.join(seen)})" if seen else "*"
        return f"select {shown} from mart.{quoted(name)} where branch_id in ({ids})"


class Archive:
    """Follows the pointer: each call gives the generation of that moment. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._open: Generation | None = None

    def generation(self) -> Generation:
        """The newest published generation; raises NothingYet with the next step before the first night."""
        with self._lock:
            for _attempt in range(3):
                path = engine.current(self.folder)
                if path is None:
                    break
                if self._open and self._open.path == path:
                    return self._open
                try:
                    self._open = Generation(path, engine.open_file(path, read_only=True))
                except duckdb.IOException:
                    continue  # pruned between the look at the pointer and the opening; look again
                return self._open
        raise NothingYet("No night has been published yet. Run `ringdesk night`, or wait until the hour that is set for it.")


def sources(mart: str, column: str) -> tuple[str, ...]:
    """The extracted columns that a figure is made of."""
    return build.sources(mart, column)
