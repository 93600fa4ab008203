"""What an address asks of a list, read with care: what is not known or not allowed is refused in words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, BigInteger, Integer, Select, func, literal
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.core import asked as addresses
from service.core import search
from service.core.errors import Forbidden, Invalid
from service.core.identity import Identity
from service.core.lists import kept, place
from service.core.lists.kept import Kept
from service.core.lists.spec import Column, Filter, ListSpec, Sortable

SIZES = (25, 50, 100, 200)
SIZE = 50
NAMED = 5000  # keys that a search is told to look among
LONGEST = 100  # letters of a typed condition
OWN = ("sort", "after", "before", "size", "cols", "saved")
PLAIN = "none"  # `saved` for the list as it comes, where a view of the person's would begin


@dataclass(frozen=True)
class Asked:
    """What the list is to show. `kept` are the parameters that every address of the page carries on."""

    wanted: Mapping[str, Any]
    kept: Mapping[str, str]
    options: Mapping[str, Sequence[tuple[str, Any]]]
    columns: tuple[Column, ...]
    kept_of_list: Kept
    sort: Column
    falling: bool
    at: place.Place | None = None
    backwards: bool = False
    size: int = SIZE
    found: Sequence[int] | None = None

    @property
    def cut(self) -> bool:
        """More fits what is searched for than a list goes through."""
        return self.found is not None and len(self.found) >= search.IN_LIST


def read(session: Session, spec: ListSpec, person: Identity, args: Mapping[str, str]) -> Asked:
    """What the address asks; nothing asked is the view that the person begins with. Raises Invalid, Forbidden or NotFound, in words."""
    known = kept.kept(session, spec, person)
    if not args and known.start:
        args = dict(parse_qsl(known.start.query)) | {"saved": str(known.start.id)}
    filters = {one.key: one for one in spec.filters}
    for name in args:
        if name not in filters and name not in OWN and name not in spec.also:
            raise Invalid(_("This list has no condition “%(name)s”. Take it out of the address.", name=name[:40]))
    options = {one.key: one.options(session) for one in spec.filters if one.options}
    given = {name: args[name].strip() for name in filters if args.get(name, "").strip()}
    for name in given:
        _allowed(filters[name], spec, person)
    wanted: dict[str, Any] = {name: _value(filters[name], text, options.get(name, ())) for name, text in given.items()}
    wanted["reader"] = person  # for conditions such as “mine”, and for what is searched by right
    found = _found(session, spec, wanted, person)
    column, falling = _sort(spec, person, args.get("sort", ""))
    if found is not None and not args.get("sort"):
        column, falling = _closest(spec, found), False
    at, backwards = _place(column, args)
    carried = given | {name: args[name] for name in ("sort", "size", "cols", "saved", *spec.also) if args.get(name)}
    return Asked(wanted, carried, options, _columns(spec, person, args, known), known, column, falling, at, backwards, _size(args.get("size", "")), found)


def _allowed(one: Filter, spec: ListSpec, person: Identity) -> None:
    column = spec.column(one.key)
    for permission in (one.permission, column.guard if column else "", column.permission if column else ""):
        if permission and not person.reads(permission):
            raise Forbidden(_("“%(label)s” is hidden from your roles, and so it cannot be searched. Ask an administrator.", label=one.label), permission)


def _value(one: Filter, text: str, options: Sequence[tuple[str, Any]]) -> Any:
    value = _READERS[one.kind](text)
    if value is None and one.kind == "day":
        raise Invalid(_("“%(value)s” is no day for “%(label)s”. Write it as 2026-11-26.", value=text[:40], label=one.label))
    if value is None and one.kind == "number":
        raise Invalid(_("“%(value)s” is no number for “%(label)s”. Correct it in the address, or take it out.", value=text[:40], label=one.label))
    if value is None or (one.kind == "choice" and one.options and value not in {str(code) for code, _words in options}):
        raise Invalid(_("“%(value)s” is no value of “%(label)s”. Choose one of the list.", value=text[:40], label=one.label))
    return value


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year < 9999 else None


def _number(text: str) -> int | None:
    return addresses.whole(text)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "text": lambda text: text[:LONGEST],
    "choice": lambda text: text[:LONGEST],
    "day": _day,
    "number": _number,
    "flag": lambda text: True if text == "1" else None,
}


def _sort(spec: ListSpec, person: Identity, text: str) -> tuple[Column, bool]:
    wanted = text or spec.sort
    column = spec.column(wanted.removeprefix("-"))
    if column is None or column.sort is None:
        raise Invalid(_("This list cannot be sorted by “%(name)s”. Choose a column's head.", name=wanted[:40]))
    if not column.sorts_for(person):
        raise Forbidden(_("“%(label)s” is hidden from your roles, and so it cannot be sorted by. Ask an administrator.", label=column.label), column.guard or column.permission)
    return column, wanted.startswith("-")


def _found(session: Session, spec: ListSpec, wanted: Mapping[str, Any], person: Identity) -> Sequence[int] | None:
    """The keys of the things that fit what is searched for, closest first; None when nothing is."""
    finds = [(one.find, wanted[one.key]) for one in spec.filters if one.find and one.key in wanted]
    return finds[0][0](session, finds[0][1], person, _among(session, spec, wanted)) if finds else None


def _among(session: Session, spec: ListSpec, wanted: Mapping[str, Any]) -> Sequence[int] | None:
    """The keys that all other conditions leave, so that the search spends none of its hits on others; None when they are too many to be named."""
    keys = narrowed(spec, wanted, spec.rows(session, wanted)).with_only_columns(spec.key, maintain_column_froms=True).order_by(None).limit(NAMED + 1)
    found = session.scalars(keys).all()
    return found if len(found) <= NAMED else None


def narrowed(spec: ListSpec, wanted: Mapping[str, Any], query: Select[Any]) -> Select[Any]:
    """The rows that the plain conditions leave."""
    for one in spec.filters:
        if one.clause and one.key in wanted:
            query = query.where(one.clause(wanted[one.key]))
    return query


def _closest(spec: ListSpec, found: Sequence[int]) -> Column:
    place_of = func.array_position(literal(list(found), ARRAY(BigInteger)), spec.key, type_=Integer)
    return Column("closest", _l("closeness"), lambda _row, _told: None, sort=place_of)


def _place(column: Column, args: Mapping[str, str]) -> tuple[place.Place | None, bool]:
    after, before = args.get("after", ""), args.get("before", "")
    if not after and not before:
        return None, False
    found = place.read(after or before, kind_of(column.sort))
    if found[0] is None and not column.nullable:
        raise Invalid(_("This address names no place in the list. Begin at the first page."))
    return found, not after


def kind_of(sort: Sortable | None) -> type:
    """The Python type that the expression has."""
    assert sort is not None
    return sort.type.python_type


def _size(text: str) -> int:
    if not text:
        return SIZE
    if _number(text) not in SIZES:
        raise Invalid(_("A page has %(sizes)s rows. Choose one of these.", sizes=", ".join(map(str, SIZES))))
    return int(text)


def _columns(spec: ListSpec, person: Identity, args: Mapping[str, str], known: Kept) -> tuple[Column, ...]:
    """The columns that the address names, else those of its view, of the person, of their role, of the list."""
    saved = args.get("saved", "")
    layout: kept.Layout = known.layout
    if saved and saved != PLAIN:
        layout = known.view(saved).columns or layout
    if args.get("cols"):
        layout = [{"key": key} for key in dict.fromkeys(args["cols"].split(","))]
    return kept.arranged(spec, person, layout)


def days(key: str, label: Any, moment: InstrumentedAttribute[Any], *, since: str = "", until: str = "", more: bool = False) -> tuple[Filter, Filter]:
    """Two conditions, from a day and until a day, both included, in the reader's time zone."""
    return (
        Filter(since or f"{key}_from", _l("%(what)s from", what=label), "day", lambda day: moment >= addresses.midnight(day), more=more),
        Filter(until or f"{key}_to", _l("%(what)s until", what=label), "day", lambda day: moment < addresses.midnight(day + timedelta(days=1)), more=more),
    )
