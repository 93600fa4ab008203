"""What a list is: its rows, columns and filters, written down once by the context that owns the rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.core import masking
from service.core.errors import NotFound
from service.core.identity import Identity

Row = Any
Sortable = ColumnElement[Any] | InstrumentedAttribute[Any]
Labels = Mapping[str, Mapping[Any, Any]]
KINDS = ("text", "ref", "number", "money", "date", "moment", "state", "phone", "mail", "identity", "seconds")
COVERS: Mapping[str, Callable[[Identity, str], str]] = {
    "phone": masking.shown_phone, "mail": masking.shown_mail, "identity": masking.shown_identity,
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """What a cell knows besides its row: who reads, when, and the names that the list asked for."""

    person: Identity
    at: datetime
    labels: Labels = field(default_factory=dict)

    def name(self, of: str, key: object, nothing: str = "") -> str:
        """The name of the thing with that key, in the labels called `of`."""
        return str(self.labels.get(of, {}).get(key, nothing))


@dataclass(frozen=True)
class Column:
    """One column: its value of a row, how it sorts and how it looks.

    `width` is in pixels, 0 takes what is left. `card` says where the cell stands when rows are cards on a phone: title, quiet, labelled or off.
    Without `permission` the column is not there at all; without `masked` it neither sorts nor is searched, and an amount is covered.
    `wraps`: the cell may take several lines. `headed` False: the head is for those who hear the page; `exported` False: the column is nothing to take along.
    `across`: the column is there only for who sees more than one branch.
    A phone, mail or identity is given as it is stored: it covers itself for those who may not read phones.
    """

    key: str
    label: Any
    value: Callable[[Row, Told], Any]
    kind: str = "text"
    sort: Sortable | None = None
    nullable: bool = False
    width: int = 132
    shown: bool = True
    card: str = ""
    permission: str = ""
    masked: str = ""
    wraps: bool = False
    headed: bool = True
    exported: bool = True
    across: bool = False

    @property
    def figures(self) -> bool:
        """True when the column holds numbers, which stand at the right."""
        return self.kind in ("number", "money", "seconds")

    @property
    def guard(self) -> str:
        """The permission without which the column covers its values."""
        return self.masked or (masking.PHONE_READ if self.kind in COVERS else "")

    def covered_for(self, person: Identity) -> bool:
        """The person does not see the values as they are."""
        return bool(self.guard) and not person.reads(self.guard)

    def told(self, row: Row, told: Told) -> Any:
        """What the reader may see of the value; nothing of a covered amount."""
        value = self.value(row, told)
        if self.kind in COVERS:
            return COVERS[self.kind](told.person, str(value)) if value else value
        return None if self.figures and self.covered_for(told.person) else value

    def seen_by(self, person: Identity) -> bool:
        """The person may know that there is such a column."""
        return (not self.permission or person.reads(self.permission)) and (not self.across or person.scope.several)

    def sorts_for(self, person: Identity) -> bool:
        """The person may order by it: an order tells of the values."""
        return self.sort is not None and self.seen_by(person) and not self.covered_for(person)


@dataclass(frozen=True)
class Filter:
    """One condition in the address. `kind`: text, choice, day, flag, number.

    Without `clause` the rows' maker reads it from what is wanted. `form` False: it is set by links alone and shown as a chip;
    `more` True: it stands behind “More conditions”; `chip` False: the page shows by itself that it is set. `names` are the labels in which a number finds its word.
    `across`: the form offers it only for who sees more than one branch.
    `find` gives the keys that fit among those that the other conditions leave (None: too many to be named), closest first: so they
    are shown as long as nobody asks for another order.
    """

    key: str
    label: Any
    kind: str = "text"
    clause: Callable[[Any], ColumnElement[bool]] | None = None
    options: Callable[[Session], Sequence[tuple[str, Any]]] | None = None
    form: bool = True
    more: bool = False
    chip: bool = True
    names: str = ""
    permission: str = ""
    placeholder: Any = ""
    words: Callable[[Any], Any] | None = None
    find: Callable[[Session, Any, Identity, Sequence[int] | None], Sequence[int]] | None = None
    across: bool = False


@dataclass(frozen=True)
class Action:
    """What is done with many rows at once. `do` does it to one key, with the choice that was made, and refuses in words; `options` are the choices.

    `leads`, an address and the name of a parameter: nothing is done here, the person goes there with the ticked keys.
    """

    key: str
    label: Any
    icon: str
    permission: str
    do: Callable[[Session, int, str, Identity, datetime], None] | None = None
    options: Callable[[Session], Sequence[tuple[Any, Any]]] | None = None
    choose: Any = ""
    danger: bool = False
    leads: tuple[str, str] | None = None


@dataclass(frozen=True)
class Empty:
    """What stands where no row is: a sign, why, what to do next, and a way there; what to do only for who has the permission, if one is named."""

    icon: str
    title: Any
    words: Any
    link: str = ""
    name: Any = ""
    permission: str = ""


def _no_labels(_session: Session, _rows: Sequence[Row], _wanted: Mapping[str, Any]) -> Labels:
    return {}


@dataclass(frozen=True)
class ListSpec:
    """One list. `rows` makes the select from what is wanted (and of wanted["reader"], who reads); `key` is unique and orders what sorts alike; `sort` is a column's key, with - for downwards."""

    name: str
    title: Any
    address: str
    permission: str
    rows: Callable[[Session, Mapping[str, Any]], Select[Any]]
    key: Sortable
    columns: tuple[Column, ...]
    sort: str
    empty: Empty
    filters: tuple[Filter, ...] = ()
    link: Callable[[Row], str] | None = None
    labels: Callable[[Session, Sequence[Row], Mapping[str, Any]], Labels] = _no_labels
    cells: str = ""
    also: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    everything: tuple[tuple[str, str], ...] = ()  # conditions with which nothing is left out, where none leave something out

    def column(self, key: str) -> Column | None:
        """The column of that name."""
        return next((one for one in self.columns if one.key == key), None)

    def seen_by(self, person: Identity) -> tuple[Column, ...]:
        """Every column that the person may look at."""
        return tuple(one for one in self.columns if one.seen_by(person))


KNOWN: dict[str, ListSpec] = {}


def know(spec: ListSpec) -> ListSpec:
    """The list is reached by its name: for exports, settings and saved views."""
    KNOWN[spec.name] = spec
    return spec


def known(name: str) -> ListSpec:
    """The list of that name. Raises NotFound."""
    if name not in KNOWN:
        raise NotFound(_("There is no such list. Check the address, or start from the desk."))
    return KNOWN[name]
