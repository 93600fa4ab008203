"""Pages by key: the rows after the last one seen, or before the first, in one query and without counting."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import ColumnElement, Select, and_, or_, tuple_
from sqlalchemy.orm import Session

from service.core import clock, masking
from service.core.identity import Identity
from service.core.lists import asking, kept, place
from service.core.lists.asking import Asked
from service.core.lists.spec import Action, Column, Filter, ListSpec, Row, Told

BATCH = 1000  # rows whose names are read together when a list is exported


@dataclass(frozen=True)
class Line:
    """One row of a page: what the context's select gave, its key, and where it leads."""

    row: Row
    id: int
    link: str


@dataclass(frozen=True)
class Chip:
    """A condition that is set, as words, and the address without it."""

    label: Any
    words: str
    without: str


@dataclass(frozen=True)
class Tab:
    """A saved view as it stands above the list."""

    id: int
    name: str
    address: str
    here: bool
    own: bool
    role: str
    branch: bool
    starts: bool


@dataclass(frozen=True)
class Page:
    """A page as its template shows it."""

    spec: ListSpec
    asked: Asked
    told: Told
    lines: Sequence[Line]
    next: str
    previous: str
    first: str
    choices: Mapping[str, Sequence[tuple[Any, Any]]]
    roles: Sequence[str]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns in their order."""
        return self.asked.columns

    def value(self, column: Column, line: Line) -> Any:
        """What stands in the cell."""
        return masking.COVERED if column.figures and column.covered_for(self.told.person) else column.told(line.row, self.told)

    def address(self, **changed: str) -> str:
        """The first page of the list with some of its parameters changed or, when empty, dropped."""
        return _address(self.spec, self.asked.kept, self.plain, **changed)

    @property
    def plain(self) -> str:
        """What the address says to show the list as it comes: nothing, unless the person begins with a view."""
        return asking.PLAIN if self.asked.kept_of_list.start else ""

    @property
    def narrowed(self) -> bool:
        """True when the list shows less than there may be without any chip saying so."""
        return any(not one.chip and self.asked.wanted.get(one.key, None) != dict(self.spec.everything).get(one.key) for one in self.spec.filters)

    @property
    def everything(self) -> str:
        """The list with all of its rows."""
        return _address(self.spec, dict(self.spec.everything), self.plain)

    @property
    def bare(self) -> str:
        """The list without any condition."""
        return _address(self.spec, {}, self.plain)

    @property
    def views(self) -> list[Tab]:
        """The saved views that the person may open."""
        now = self.asked.kept.get("saved", "")
        return [
            Tab(view.id, view.name, f"{self.spec.address}?" + urlencode(dict(parse_qsl(view.query)) | {"saved": str(view.id)}), str(view.id) == now,
                view.owner_id == self.told.person.staff_id, view.shared_role or "", view.shared_branch_id is not None, view.starts)
            for view in self.asked.kept_of_list.views
        ]  # fmt: skip

    @property
    def layout(self) -> str:
        """The columns as they are kept."""
        return kept.written(self.columns)

    @property
    def choosable(self) -> list[tuple[Column, bool]]:
        """Every column that may be shown, those that are first, and whether it is."""
        shown = {one.key for one in self.columns}
        return [(one, True) for one in self.columns] + [(one, False) for one in self.spec.seen_by(self.told.person) if one.key not in shown]

    @property
    def actions(self) -> tuple[Action, ...]:
        """What may be done with many rows at once by this person."""
        return tuple(one for one in self.spec.actions if self.told.person.may(one.permission))

    def order(self, column: Column) -> str:
        """For aria-sort: ascending, descending, none, or nothing where the column does not sort."""
        if not column.sorts_for(self.told.person):
            return ""
        return "none" if column.key != self.asked.sort.key else "descending" if self.asked.falling else "ascending"

    def sorted_by(self, column: Column) -> str:
        """The list ordered by that column; a second time, the other way round."""
        return self.address(sort=f"-{column.key}" if self.order(column) == "ascending" else column.key)

    @property
    def chips(self) -> list[Chip]:
        """The conditions that are set."""
        return [Chip(one.label, self.words(one), self.address(**{one.key: ""})) for one in self.spec.filters if one.chip and one.key in self.asked.wanted]

    @property
    def digits_typed(self) -> bool:
        """True when a number, or a part of one, is among the conditions: who may not search by parts is told so."""
        texts = [self.asked.wanted[one.key] for one in self.spec.filters if one.kind == "text" and one.key in self.asked.wanted]
        return any(masking.digits_alone(text) for text in texts)

    def words(self, one: Filter) -> str:
        """The value of a condition as a person reads it."""
        value = self.asked.wanted[one.key]
        if one.words:
            return str(one.words(value))
        if one.kind == "flag":
            return ""
        if one.names:
            return self.told.name(one.names, value, str(value))
        return str({str(code): words for code, words in self.asked.options.get(one.key, ())}.get(value, value))

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The conditions that the form offers."""
        hidden = {one.key for one in self.spec.columns if one.covered_for(self.told.person)}
        person = self.told.person
        offered = [one for one in self.spec.filters if one.form and one.key not in hidden and (person.scope.several or not one.across)]
        return tuple(one for one in offered if not one.permission or person.may(one.permission))

    @property
    def carried(self) -> dict[str, str]:
        """What the form has to send along beside its own fields."""
        own = {one.key for one in self.filters}
        return {name: value for name, value in self.asked.kept.items() if name not in own}

    @property
    def export(self) -> str:
        """Where this list is taken along, as it is shown; the ending is added."""
        return f"/lists/{self.spec.name}/export"

    @property
    def query(self) -> str:
        """The parameters of this page, for its export."""
        return ("?" + urlencode(self.asked.kept)) if self.asked.kept else ""


def page(session: Session, spec: ListSpec, person: Identity, args: Mapping[str, str], *, at: datetime | None = None) -> Page:
    """The page that the address asks for. Raises Invalid or Forbidden, in words."""
    asked = asking.read(session, spec, person, args)
    found = session.execute(_ordered(spec, asked, spec.rows(session, asked.wanted)).limit(asked.size + 1)).all()
    if asked.backwards and len(found) <= asked.size:  # the first page, and a whole one
        asked = replace(asked, at=None, backwards=False)
        found = session.execute(_ordered(spec, asked, spec.rows(session, asked.wanted)).limit(asked.size + 1)).all()
    more, rows = len(found) > asked.size, list(found[: asked.size])
    if asked.backwards:
        rows.reverse()
    lines = [Line(row, key, spec.link(row) if spec.link else "") for row, key in ((_row(one), one[-1]) for one in rows)]
    told = Told(person, at or clock.now(), spec.labels(session, [line.row for line in lines], asked.wanted))
    known = {one.options: asked.options[one.key] for one in spec.filters if one.options}  # what a condition lists is not asked for twice
    acts = {one.key: one.options for one in spec.actions if one.options and person.may(one.permission)}
    choices = {key: known[options] if options in known else options(session) for key, options in acts.items()}
    plain = asking.PLAIN if asked.kept_of_list.start else ""
    forwards = bool(rows) and (more or asked.backwards)
    back = bool(rows) and asked.at is not None
    return Page(
        spec, asked, told, lines,
        next=_address(spec, asked.kept, plain, after=place.written(rows[-1][-2], rows[-1][-1])) if forwards else "",
        previous=_address(spec, asked.kept, plain, before=place.written(rows[0][-2], rows[0][-1])) if back else "",
        first=_address(spec, asked.kept, plain) if asked.at is not None else "",
        choices=choices,
        roles=kept.roles(session, person),
    )  # fmt: skip


def each(session: Session, spec: ListSpec, person: Identity, asked: Asked, *, at: datetime, most: int) -> Iterator[tuple[Row, Told]]:
    """Every row of all pages in the order that is shown, at most so many, read in portions so that memory stays flat."""
    asked = replace(asked, at=None, backwards=False)
    query = _ordered(spec, asked, spec.rows(session, asked.wanted)).limit(most).execution_options(yield_per=BATCH)
    for some in session.execute(query).partitions(BATCH):
        rows = [_row(one) for one in some]
        told = Told(person, at, spec.labels(session, rows, asked.wanted))
        yield from ((row, told) for row in rows)


def named(session: Session, spec: ListSpec, person: Identity, keys: Sequence[int], *, at: datetime) -> dict[int, tuple[str, str]]:
    """What the first column says of each of these rows, and where the row leads; rows that the person may not see are left out."""
    query = spec.rows(session, {"reader": person} | dict(spec.everything)).where(spec.key.in_(keys))
    found = {one[-1]: _row(one) for one in session.execute(query.add_columns(spec.key.label("sorted_by"), spec.key.label("row_key")))}
    told = Told(person, at, spec.labels(session, list(found.values()), {}))
    return {key: (str(spec.columns[0].told(row, told)), spec.link(row) if spec.link else "") for key, row in found.items()}


def _row(found: Any) -> Row:
    """The thing that the context selected; of several columns, the whole row."""
    return found[0] if len(found) == 3 else found


def _address(spec: ListSpec, carried: Mapping[str, str], plain: str, **changed: str) -> str:
    told = {name: value for name, value in (dict(carried) | changed).items() if value} or ({"saved": plain} if plain else {})
    return spec.address + ("?" + urlencode(told) if told else "")


def _ordered(spec: ListSpec, asked: Asked, query: Select[Any]) -> Select[Any]:
    """The rows in their order from the place on, each with the value it is sorted by and its key at its end."""
    query = asking.narrowed(spec, asked.wanted, query)
    if asked.found is not None:
        query = query.where(spec.key.in_(asked.found))
    column, down = asked.sort, asked.falling != asked.backwards
    sort: Any = column.sort
    if asked.at:
        query = query.where(_beyond(sort, spec.key, asked.at, down=down, backwards=asked.backwards, nullable=column.nullable))
    first = sort.desc() if down else sort.asc()
    if column.nullable:  # what has no value stands last, whichever way the list is sorted
        first = first.nulls_first() if asked.backwards else first.nulls_last()
    query = query.order_by(first, spec.key.desc() if down else spec.key.asc())
    return query.add_columns(sort.label("sorted_by"), spec.key.label("row_key"))


def _beyond(sort: Any, key: Any, at: place.Place, *, down: bool, backwards: bool, nullable: bool) -> ColumnElement[bool]:
    """True for what stands beyond the place: in the order of (value, key), rows without a value at the end."""
    value, last = at
    if value is None:
        alike = and_(sort.is_(None), key < last if down else key > last)
        return or_(sort.is_not(None), alike) if backwards else alike
    pair = tuple_(sort, key)
    beyond: ColumnElement[bool] = pair < at if down else pair > at
    return or_(beyond, sort.is_(None)) if nullable and not backwards else beyond
