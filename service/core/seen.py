"""Which rows of each table a person sees, said by the table itself, and the condition that makes it so.

A model says `__scope__ = OPEN` (no business row, or everybody's), `BRANCH` (whoever sees the branch), `Own(...)` (inside a branch also
only one's own rows or a department's) or `Through(...)` (as the row it belongs to). Branches are PostgreSQL's part; the rest is added to
each ORM statement of a session whose scope is finer than a branch. Statements written as text or on bare tables go past it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Alias, ColumnElement, MetaData, Table, and_, or_, select
from sqlalchemy.orm import Mapper, ORMExecuteState, registry, with_loader_criteria
from sqlalchemy.sql.selectable import NamedFromClause

from service.core.scope import Fine


@dataclass(frozen=True)
class Open:
    """Rows that belong to no branch, or that everybody may know."""


@dataclass(frozen=True)
class OfBranch:
    """Rows that whoever sees their branch sees."""


@dataclass(frozen=True)
class Own:
    """Rows with people they belong to, and a department."""

    people: tuple[str, ...]
    department: str


@dataclass(frozen=True)
class Through:
    """Rows seen as the row of the other model is, whose id is in `column`."""

    column: str
    table: str


Seen = Open | OfBranch | Own | Through
OPEN, BRANCH = Open(), OfBranch()


class Undeclared(RuntimeError):
    """A model does not say who may see its rows: a fault of the program, found before it serves anybody."""


def check(models: registry) -> None:
    """Nothing happens when every model has said who sees its rows; otherwise the program does not start."""
    for mapper in models.mappers:
        model, said = mapper.class_, declared(mapper)
        if said is None:
            raise Undeclared(
                f"The model {model.__module__}.{model.__name__} does not say who may see its rows. "
                "Give it a line `__scope__ = …`; service/core/seen.py says which."
            )
        columns = set(mapper.columns.keys())
        missing = _needed(said) - columns
        if missing:
            raise Undeclared(f"The model {model.__module__}.{model.__name__} says `{said}` and has no column {', '.join(sorted(missing))}.")


def declared(mapper: Mapper[Any]) -> Seen | None:
    """What the model itself says; what its parent says counts for the parent."""
    return mapper.class_.__dict__.get("__scope__")


def _needed(said: Seen) -> set[str]:
    if isinstance(said, Own):
        return {"branch_id", said.department, *said.people}
    if isinstance(said, Through):
        return {"branch_id", said.column}
    return {"branch_id"} if isinstance(said, OfBranch) else set()


def narrow(state: ORMExecuteState, fine: Fine, models: registry) -> None:
    """The statement finds, changes and deletes only what the person may see."""
    if not state.is_orm_statement or state.is_column_load:
        return
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(*conditions(fine, models))


def conditions(fine: Fine, models: registry) -> list[Any]:
    """One condition for each model that is seen more finely than its branch; values are bound, nothing is closed over."""
    said = {mapper: declared(mapper) for mapper in models.mappers}
    owned = {_table(mapper).name: one for mapper, one in said.items() if isinstance(one, Own)}
    return [
        with_loader_criteria(mapper.class_, rows(_table(mapper), one, fine, owned), include_aliases=True, propagate_to_loaders=False)
        for mapper, one in said.items()
        if isinstance(one, Own | Through)
    ]


def rows(table: NamedFromClause, said: Own | Through, fine: Fine, owned: Mapping[str, Own]) -> ColumnElement[bool]:
    """The condition for rows of this table."""
    if isinstance(said, Through):
        # An alias of its own: a plain table would be taken for the one in the statement around it.
        parent = _tables(table).tables[said.table].alias()
        return table.c[said.column].in_(select(parent.c.id).where(rows(parent, owned[said.table], fine, owned)))
    mine = [table.c[name] == fine.staff_id for name in said.people]
    whole = table.c.branch_id.in_(fine.whole)
    department = and_(table.c[said.department].in_(fine.departments), table.c.branch_id.in_(fine.department_branches))
    return or_(whole, department, *mine)


def _tables(table: NamedFromClause) -> MetaData:
    whole = table.element if isinstance(table, Alias) else table
    assert isinstance(whole, Table)
    return whole.metadata


def _table(mapper: Mapper[Any]) -> Table:
    assert isinstance(mapper.local_table, Table)
    return mapper.local_table
