"""Staging and marts in the order their own SQL asks for; nobody writes that order down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import cast

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage

from warehouse.engine import quoted

HERE = Path(__file__).parent
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Model:
    """One SQL file: what it makes, from what, and the words at its head."""

    name: str
    layer: str  # staging or marts
    sql: str
    header: str
    needs: frozenset[str]

    @property
    def schema(self) -> str:
        """Where it lives in the archive."""
        return "staging" if self.layer == "staging" else "mart"


def header(sql: str) -> str:
    """The comment lines at the head of a file: grain, question, readers."""
    return "\n".join(line[2:].strip() for line in sql.splitlines() if line.startswith("--"))


def _tables(sql: str) -> frozenset[str]:
    """Names that the query reads and does not define itself."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    return frozenset(table.name for table in tree.find_all(exp.Table) if table.name not in own)


def _model(path: Path) -> Model:
    sql = path.read_text("utf-8")
    return Model(name=path.stem, layer=path.parent.name, sql=sql, header=header(sql), needs=_tables(sql))


@cache
def models() -> tuple[Model, ...]:
    """Every model, each after those it reads; a circle is our own fault and raises."""
    found = {model.name: model for folder in ("staging", "marts") for model in map(_model, sorted((HERE / folder).glob("*.sql")))}
    graph = {name: {need for need in model.needs if need in found} for name, model in found.items()}
    return tuple(found[name] for name in TopologicalSorter(graph).static_order())


def build(connection: duckdb.DuckDBPyConnection, progress: Progress) -> None:
    """Every model stands anew on the rows in `raw`: staging as views, marts as tables."""
    plan = models()
    for schema in ("mart", "staging"):
        connection.execute(f"drop schema if exists {schema} cascade")
    for schema in ("staging", "mart"):
        connection.execute(f"create schema {schema}")
    connection.execute("set search_path = 'mart,staging,raw,ops'")
    for done, model in enumerate(plan):
        progress(model.name, done, len(plan))
        kind = "view" if model.layer == "staging" else "table"
        connection.execute(f"create {kind} {model.schema}.{quoted(model.name)} as {model.sql}")
    progress("built", len(plan), len(plan))


def sources(name: str, column: str) -> tuple[str, ...]:
    """The extracted columns that a mart's column is made of, such as `call.wait_seconds`."""
    return tuple(sorted(_sources(name, column)))


@cache
def _sources(name: str, column: str) -> frozenset[str]:
    model = next((model for model in models() if model.name == name), None)
    if model is None:
        return frozenset({f"{name}.{column}"})
    tree = sqlglot.parse_one(model.sql, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        table.set("db", None)  # lineage wants one depth of names
    return frozenset(_leaves(cast(exp.Expression, tree), column))


def _leaves(tree: exp.Expression, column: str) -> Iterator[str]:
    node = lineage(column, tree, _schema(tree), dialect="duckdb")
    for part in node.walk():
        if not part.downstream and isinstance(part.expression, exp.Table):
            yield from _sources(part.expression.name, part.name.split(".")[-1])


def _schema(tree: exp.Expression) -> dict[str, dict[str, str]]:
    """The columns of what a model reads: a model's own, or for extracted tables every name that is mentioned."""
    by_name = {model.name: model for model in models()}
    mentioned = {column.name: "text" for column in tree.find_all(exp.Column)}
    return {table.name: _columns(by_name[table.name]) if table.name in by_name else mentioned for table in tree.find_all(exp.Table)}


def _columns(model: Model) -> dict[str, str]:
    return dict.fromkeys(cast(exp.Select, sqlglot.parse_one(model.sql, dialect="duckdb")).named_selects, "text")
