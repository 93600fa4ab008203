"""What a table may be loaded into: fields with their headings, and the few verbs that a context gives for its own rows."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.orm import Session

from service.core import phone

Word = Any  # a lazy string of the reader's language
Values = dict[str, Any]  # what JSON can hold, by field


@dataclass(frozen=True)
class Field:
    """One column that a table may bring. With `adds` its values join those that are there and replace none."""

    name: str
    head: Word
    kind: str = "text"  # text code day whole money phones mail mails words choice choices
    must: bool = False
    longest: int = 200
    also: tuple[str, ...] = ()  # other headings under which it comes, in any language
    choices: Mapping[str, tuple[Word, ...]] = field(default_factory=dict)  # value -> the words that mean it, the first is shown
    example: str = ""
    note: Word = ""
    adds: bool = False
    least: int = 0  # of a whole number
    most: int = 100_000


@dataclass(frozen=True)
class Finding:
    """What is wrong with one cell: the code of a sentence and its facts; put into words where it is read."""

    field: str
    code: str
    value: str = ""
    facts: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


@dataclass
class Row:
    """One row as a target sees it: its values, what it was found to be, and ids that it leads to."""

    line: int
    values: Values
    entity_id: int | None = None
    leads: dict[str, int] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # what a new one is called where the row does not say
    wrong: list[Finding] = field(default_factory=list)

    def refuse(self, name: str, code: str, value: str = "", **facts: str | int) -> None:
        """The row will not be loaded, for this reason among others."""
        self.wrong.append(Finding(name, code, value or _shown(self.values.get(name)), facts))


@dataclass(frozen=True)
class Into:
    """Where rows go, whose doing it is, and when."""

    branch_id: int
    by: int
    at: datetime
    branches: tuple[int, ...] | None = None  # the person's reach; None is everywhere

    def covers(self, branch_id: int) -> bool:
        """True when rows may land in that branch."""
        return self.branches is None or branch_id in self.branches


@dataclass(frozen=True)
class Made:
    """What became of a row: the thing itself, and the rows of each table that were written for it."""

    entity_id: int
    rows: dict[str, list[int]]


@runtime_checkable
class Living(Protocol):
    """A target of which some choices are rows, which come and go."""

    def now(self, session: Session) -> "Target":
        """The same target with the choices that there are now."""


class Issue(Protocol):
    """What is handed to each new one by a person, once, such as a first password."""

    def waiting(self, session: Session, ids: Sequence[int]) -> int:
        """How many of them wait for theirs."""

    def give(self, session: Session, ids: Sequence[int], into: Into) -> list[tuple[str, str, str]]:
        """The next of them have theirs: name, user name, secret."""


class Target(Protocol):
    """A kind of thing that tables can be loaded into. Every verb takes many rows and uses few statements."""

    @property
    def name(self) -> str:
        """As it stands in addresses and rows."""

    @property
    def permission(self) -> str:
        """What a person must be allowed to do besides importing."""

    @property
    def icon(self) -> str:
        """Its sign."""

    @property
    def title(self) -> Word:
        """Its name in the reader's language."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns that a table may bring."""

    @property
    def tables(self) -> tuple[str, ...]:
        """Those it writes, children first."""

    @property
    def clears(self) -> tuple[tuple[str, str], ...]:
        """(table, column) of rows that go along with a thing that is taken back."""

    @property
    def sentences(self) -> Mapping[str, Word]:
        """What the reader is told, by the code of a finding."""

    @property
    def issue(self) -> Issue | None:
        """What is handed to each new one, if anything."""

    @property
    def address(self) -> str:
        """Of one thing, such as /customers/{id}; empty when it has no page."""

    def key(self, values: Values) -> str:
        """What two rows of one thing have in common; empty when the row cannot be told from others."""

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """Each row knows the thing it means, if there is one, and what is wrong with it."""

    def current(self, session: Session, asked: Mapping[int, Values]) -> dict[int, Values]:
        """The things as they are, in the same values as rows; what a row says chooses among several, such as one of many contracts."""

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The things exist, in the order of the rows; None where it could not be."""

    def update(self, session: Session, changes: Mapping[int, Values], into: Into, asked: Mapping[int, Values]) -> dict[int, dict[str, list[int]]]:
        """The things have these values; returns the rows that were written for each. `asked` is all that each row says."""

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """The things are found by a search as they are now."""

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """Asked before the things go; what it returns is called afterwards, and then no search finds them."""


def differs(target: Target, old: Values, new: Values) -> Values:
    """The values of `new` that would change something; an empty one never does, nor one by which the thing was only found."""
    changed: Values = {}
    for one in target.fields:
        value = new.get(one.name)
        if value in (None, "", []) or one.name not in old:
            continue
        there = old.get(one.name)
        if one.adds:
            present = {_same(one, part) for part in _many(there)}
            missing = [part for part in _many(value) if _same(one, part) not in present]
            if missing:
                changed[one.name] = missing if isinstance(value, list) else value
        elif value != there:
            changed[one.name] = value
    return changed


def _same(one: Field, part: Any) -> Any:
    """What two writings of one value have in common."""
    return phone.parse(str(part)).key if one.kind == "phones" else part


def _many(value: Any) -> list[Any]:
    return [] if value in (None, "") else value if isinstance(value, list) else [value]


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
