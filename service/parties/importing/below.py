"""The rows below a customer that a table brings: a contact with department, phones and mails, a contract, an external account."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from service.core import phone as phones
from service.core.intake import sql
from service.core.intake.target import Values
from service.core.intake.values import folded
from service.parties.model import Contact, ContactMail, Contract, PartyAccount, PartyDepartment, PartyPhone

PHONE_TYPES = {"party_id": "bigint", "contact_id": "bigint", "raw": "text", "e164": "text", "digits": "text", "kind": "text", "branch_id": "bigint"}
WHOSE = "id, party_id, contact_id"
MAIL_TYPES = {"party_id": "bigint", "contact_id": "bigint", "address": "text", "branch_id": "bigint"}
Written = dict[int, list[int]]  # ids of the rows by whose they are


@dataclass(frozen=True)
class Below:
    """A kind of row of which a customer has many and a table's row names one: by the first of `keys` that it fills in."""

    table: str
    model: Any
    columns: Mapping[str, tuple[str, str]]  # field -> column and its type
    keys: tuple[str, ...]
    blank: Values
    unnamed: bool = False  # without a key the latest is meant

    def named_by(self, asked: Values) -> str:
        """The field that says which one is meant; empty when none does."""
        return next((name for name in self.keys if asked.get(name)), "")

    def meant(self, asked: Values) -> bool:
        """True when the row says something of one."""
        return bool(self.named_by(asked)) or (self.unnamed and any(asked.get(name) for name in self.columns))

    def chosen(self, session: Session, asked: Mapping[int, Values]) -> dict[int, Any]:
        """By customer the row that is meant, where it is there."""
        wanted = {party_id: values for party_id, values in asked.items() if self.meant(values)}
        rows = select(self.model).where(self.model.party_id.in_(wanted)).order_by(self.model.id.desc())
        if self.model is Contract:
            rows = select(Contract).where(Contract.party_id.in_(wanted)).order_by(Contract.valid_until.desc().nulls_first(), Contract.id.desc())
        found: dict[int, Any] = {}
        for row in session.scalars(rows) if wanted else ():
            if row.party_id not in found and self._fits(row, wanted[row.party_id]):
                found[row.party_id] = row
        return found

    def _fits(self, row: Any, asked: Values) -> bool:
        name = self.named_by(asked)
        return not name or folded(getattr(row, self.columns[name][0])) == folded(asked[name])

    def values(self, row: Any) -> Values:
        """The row in a table's values; blanks where there is none."""
        return {name: plain(getattr(row, column)) for name, (column, _type) in self.columns.items()} if row is not None else dict(self.blank)

    def add(self, session: Session, asked: Mapping[int, Values], branches: Mapping[int, int]) -> Written:
        """Customers whose row says something of one have one more."""
        types = dict(self.columns.values()) | {"party_id": "bigint", "branch_id": "bigint"}
        rows = [
            {column: values[name] if values.get(name) is not None else self.blank[name] for name, (column, _type) in self.columns.items()} | {"party_id": party_id, "branch_id": branches[party_id]}
            for party_id, values in asked.items() if self.meant(values)
        ]
        return {row.party_id: [row.id] for row in sql.insert(session, self.table, types, rows, told="id, party_id")}

    def change(self, session: Session, changes: Mapping[int, Values], asked: Mapping[int, Values], branches: Mapping[int, int]) -> Written:
        """The row that is meant has these values; where there is none it is made of all that was asked."""
        touched = {party_id: asked[party_id] for party_id, values in changes.items() if values.keys() & self.columns.keys()}
        there = self.chosen(session, touched)
        set_ = {
            row.id: {self.columns[name][0]: value for name, value in changes[party_id].items() if name in self.columns and name != self.named_by(touched[party_id])}
            for party_id, row in there.items()
        }
        sql.update(session, self.table, dict(self.columns.values()), set_)
        for row in there.values():
            session.expire(row)
        return self.add(session, {party_id: values for party_id, values in touched.items() if party_id not in there}, branches)


CONTACT = Below("contact", Contact, {"contact": ("name", "text"), "title": ("title", "text"), "department_id": ("department_id", "bigint")}, ("contact",),
                {"contact": "", "title": "", "department_id": None})
CONTRACT = Below(
    "contract", Contract, {"contract_number": ("number", "text"), "contract_name": ("name", "text"), "contract_from": ("valid_from", "date"),
                           "contract_until": ("valid_until", "date"), "services": ("services", "jsonb")},
    ("contract_number", "contract_name"), {"contract_number": "", "contract_name": "", "contract_from": None, "contract_until": None, "services": []}, unnamed=True,
)
ACCOUNT = Below("party_account", PartyAccount, {"account": ("account", "text"), "book": ("book", "text"), "system": ("system", "text")}, ("account", "book"),
                {"account": "", "book": "", "system": ""})


def plain(value: Any) -> Any:
    """As JSON holds it."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def departments(session: Session, wanted: Iterable[tuple[int, str]], branches: Mapping[int, int]) -> tuple[dict[tuple[int, str], int], Written]:
    """The id of each customer's department by its folded name, those that were not there made; and those that were, by customer."""
    names = {(party_id, folded(name)): name for party_id, name in wanted if name}
    if not names:
        return {}, {}
    rows = session.execute(select(PartyDepartment.id, PartyDepartment.party_id, PartyDepartment.name).where(PartyDepartment.party_id.in_({one for one, _name in names})))
    known = {(row.party_id, folded(row.name)): row.id for row in rows}
    new = [{"party_id": key[0], "name": name, "branch_id": branches[key[0]]} for key, name in names.items() if key not in known]
    made: Written = defaultdict(list)
    for row in sql.insert(session, "party_department", {"party_id": "bigint", "name": "text", "branch_id": "bigint"}, new, told="id, party_id, name"):
        known[row.party_id, folded(row.name)] = row.id
        made[row.party_id].append(row.id)
    return known, made


def department_names(session: Session, ids: Iterable[int | None]) -> dict[int, str]:
    """Names of departments by id."""
    wanted = {one for one in ids if one}
    return {row.id: row.name for row in session.scalars(select(PartyDepartment).where(PartyDepartment.id.in_(wanted)))} if wanted else {}


def keys(values: Values) -> set[str]:
    """What the row's numbers have in common with other writings of them."""
    return {phones.parse(raw).key for raw in values.get("phones") or ()}


def known_phones(session: Session, ids: Iterable[int]) -> dict[int, set[str]]:
    """By customer every number of theirs and of their contacts."""
    found: dict[int, set[str]] = defaultdict(set)
    wanted = list(ids)
    rows = select(PartyPhone.party_id, PartyPhone.raw).where(PartyPhone.party_id.in_(wanted))
    for party_id, raw in session.execute(rows) if wanted else ():
        found[party_id].add(phones.parse(raw).key)
    return found


@dataclass(frozen=True)
class Whose:
    """Numbers or addresses that are to be a contact's, or the customer's own."""

    contact_id: int | None
    party_id: int
    told: Sequence[str]


def add_phones(session: Session, wanted: Sequence[Whose], branches: Mapping[int, int], *, fresh: bool = False) -> Sequence[Row[Any]]:
    """Numbers that the customer has not are written; returns id, party_id and contact_id of each. With `fresh` customers nothing is looked up."""
    known = defaultdict[int, set[str]](set) if fresh else known_phones(session, {one.party_id for one in wanted if one.told})
    rows = []
    for one in wanted:
        for number in map(phones.parse, one.told):
            if number.key not in known[one.party_id]:
                known[one.party_id].add(number.key)
                rows.append({"party_id": one.party_id, "contact_id": one.contact_id, "raw": number.raw, "e164": number.e164, "digits": number.digits, "kind": number.kind, "branch_id": branches[one.party_id]})
    return sql.insert(session, "party_phone", PHONE_TYPES, rows, told=WHOSE)


def add_mails(session: Session, wanted: Sequence[Whose], branches: Mapping[int, int]) -> Sequence[Row[Any]]:
    """Addresses that the contact has not are written; returns id, party_id and contact_id of each."""
    contacts = {one.contact_id for one in wanted if one.told and one.contact_id}
    there = {(row.contact_id, row.address) for row in session.scalars(select(ContactMail).where(ContactMail.contact_id.in_(contacts)))} if contacts else set()
    rows = [
        {"party_id": one.party_id, "contact_id": one.contact_id, "address": address, "branch_id": branches[one.party_id]}
        for one in wanted for address in one.told if one.contact_id and (one.contact_id, address) not in there
    ]
    return sql.insert(session, "contact_mail", MAIL_TYPES, rows, told=WHOSE)


def grouped(rows: Sequence[Row[Any]], column: str) -> Written:
    """Ids of the rows by whose they are: party_id or contact_id."""
    found: Written = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row.id)
    return found
