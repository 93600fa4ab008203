"""What a table of customers means: how a known one is recognised, and how many are written at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import audit, numbers, search
from service.core.intake import sql
from service.core.intake.target import Field, Into, Made, Row, Values
from service.core.intake.values import folded
from service.parties import archive, queries, rules
from service.parties.categories import tree
from service.parties.importing import below
from service.parties.importing.below import ACCOUNT, CONTACT, CONTRACT, Below, Whose
from service.parties.importing.fields import COLUMNS, PARTY, SENTENCES, STANDARD, TWICE
from service.parties.index import KIND, index
from service.parties.model import Contact, ContactMail, Party, PartyPhone

TYPES = COLUMNS | {"number": "text", "name_pinyin": "text", "name_key": "text", "tags": "jsonb", "category_id": "bigint", "created_at": "timestamptz", "branch_id": "bigint",
                   **dict.fromkeys(rules.ROLES, "boolean")}
WRITTEN = COLUMNS | {"name_pinyin": "text", "name_key": "text", "tags": "jsonb", "category_id": "bigint", **dict.fromkeys(rules.ROLES, "boolean")}
TOLD = {"phones": "phone", "mails": "mail", "contract_number": "contract", "contract_name": "contract", "contract_from": "contract", "contract_until": "contract",
        "services": "contract", "book": "account", "system": "account", "title": "contact"}  # field -> word of the audit
_CHANGED = text("update party set version = version + 1 where id = any(:ids)")


@dataclass(frozen=True)
class Parties:
    """Customers with a contact, phones, a contract and an external account."""

    name: str = "parties"
    permission: str = "party.write"
    icon: str = "building"
    title: Any = _l("Customers")
    fields: tuple[Field, ...] = PARTY
    tables: tuple[str, ...] = ("party_phone", "contact_mail", "contract", "party_account", "contact", "party_department", "party")
    clears: tuple[tuple[str, str], ...] = ()
    issue: None = None
    address: str = "/customers/{id}"
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES | {"twice": TWICE})

    def key(self, values: Values) -> str:
        """Its number, its account, else a company's name, or a person's name and phones, since many people have one name."""
        if values.get("number"):
            return f"n:{folded(values['number'])}"
        if values.get("account"):
            return f"a:{folded(values['account'])}|{folded(values.get('system') or '')}"
        phones_too = sorted(below.keys(values)) if values.get("kind") == "person" else []
        return "|".join(("m:" + rules.name_key(values.get("name") or ""), *phones_too))

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By number, else by account, else by exact name; people, and names that several have, by one of their phones too."""
        numbered = queries.by_number(session, {row.values["number"] for row in rows if row.values.get("number")})
        accounts = queries.by_account(session, {row.values["account"] for row in rows if row.values.get("account")})
        named = queries.by_name(session, {row.values["name"] for row in rows if not row.values.get("number") and row.values.get("name")})
        called = below.known_phones(session, {one for ids in named.values() for one in ids})
        for row in rows:
            if row.values.get("number"):
                row.entity_id = numbered.get(row.values["number"])
            elif not _by_account(row, accounts):
                _by_name(row, named.get(row.values.get("name") or "", []), called)
        _sort(session, rows)
        for row in rows:
            _sound(row)

    def current(self, session: Session, asked: Mapping[int, Values]) -> dict[int, Values]:
        """Customers with all phones, and of contacts, contracts and accounts the one that the row means."""
        found: dict[int, Values] = {}
        paths = queries.category_paths(session)
        for party in session.scalars(select(Party).where(Party.id.in_(asked)).execution_options(populate_existing=True)):
            found[party.id] = {name: getattr(party, name) for name in COLUMNS} | {
                "credit_limit": None if party.credit_limit is None else str(party.credit_limit), "roles": sorted(party.roles), "tags": list(party.tags),
                "category": paths.get(party.category_id or 0, ""), "phones": [], "mails": [],
            }
        for party_id, raw in session.execute(select(PartyPhone.party_id, PartyPhone.raw).where(PartyPhone.party_id.in_(asked))):
            found[party_id]["phones"].append(raw)
        for kind in (CONTRACT, ACCOUNT):
            rows = kind.chosen(session, asked)
            for party_id in found:
                found[party_id] |= kind.values(rows.get(party_id))
        _people(session, asked, found)
        return found

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The customers exist with all that the rows say; None where another branch has the number."""
        typed = {row.values["number"] for row in rows if row.values.get("number")}
        taken = iter(numbers.take_many(session, "C", sum(not row.values.get("number") for row in rows), into.at, Party, typed))
        usual = archive.usual(session)
        given = [_columns(row.values, row.leads, usual) | {"number": row.values.get("number") or next(taken), "created_at": into.at.isoformat(), "branch_id": into.branch_id} for row in rows]
        ids = {row.number: row.id for row in sql.insert(session, "party", TYPES, given, told="id, number", conflict="on conflict (number) do nothing")}
        placed = [ids.get(str(one["number"])) for one in given]
        asked = {party_id: row.values for party_id, row in zip(placed, rows, strict=True) if party_id}
        branches = dict.fromkeys(asked, into.branch_id)
        made = _written(session, asked, asked, branches, fresh=True)
        for party_id in asked:
            made[party_id]["party"] = [party_id]
        audit.record_many(session, at=into.at, by=into.by, verb="imported", entity="party", told=[(party_id, None, _said(values), into.branch_id) for party_id, values in asked.items()])
        return [Made(party_id, made[party_id]) if party_id else None for party_id in placed]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into, asked: Mapping[int, Values]) -> dict[int, dict[str, list[int]]]:
        """Columns are set, the contract and account that are meant too; new contacts and phones are added. Whoever edits an old form hears of it."""
        branches = {row.id: row.branch_id for row in session.execute(select(Party.id, Party.branch_id).where(Party.id.in_(changes)).order_by(Party.id).with_for_update())}
        old = self.current(session, asked)
        paths = {path: category_id for category_id, path in queries.category_paths(session).items()}
        sql.update(session, "party", WRITTEN, {party_id: _changed(values, old[party_id], paths) for party_id, values in changes.items()})
        session.execute(_CHANGED, {"ids": list(changes)})
        made = _written(session, changes, asked, branches)
        told = [(party_id, _said({name: old[party_id].get(name) for name in values}), _said(values), branches[party_id]) for party_id, values in changes.items()]
        audit.record_many(session, at=into.at, by=into.by, verb="changed", entity="party", told=told)
        return made

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """Found by name, people, phones."""
        index(session, ids)

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """Found no more."""
        return lambda: search.drop(session, KIND, ids)


# ---- recognised


def _by_account(row: Row, accounts: Mapping[str, Sequence[tuple[str, int]]]) -> bool:
    """True when the account decides: one customer has it, or several have."""
    system = row.values.get("system")
    ids = {party_id for of, party_id in accounts.get(row.values.get("account") or "", ()) if not system or folded(of) == folded(system)}
    if len(ids) > 1:
        row.refuse("account", "account_several", number=len(ids))
    elif ids:
        row.entity_id = ids.pop()
    return row.entity_id is not None or len(ids) > 1


def _by_name(row: Row, ids: Sequence[int], called: Mapping[int, set[str]]) -> None:
    person, keys = row.values.get("kind") == "person", below.keys(row.values)
    fitting = [one for one in ids if called[one] & keys] if keys and (person or len(ids) > 1) else list(ids)
    if len(fitting) == 1:
        row.entity_id = fitting[0]
    elif fitting or (ids and not person):
        row.refuse("name", "name_several", number=len(ids))


def _sort(session: Session, rows: Sequence[Row]) -> None:
    """Each row leads to the category that it names, by path or by a name that only one has."""
    if not any(row.values.get("category") for row in rows):
        return
    paths = queries.category_paths(session)
    known: dict[str, set[int]] = {}
    for node in tree(session, "customer"):
        for word in (node.name, paths[node.id]):
            known.setdefault(_bare(word), set()).add(node.id)
    for row in (row for row in rows if row.values.get("category")):
        ids = known.get(_bare(row.values["category"]), set())
        if len(ids) == 1:
            row.leads["category"] = min(ids)
            row.values["category"] = paths[row.leads["category"]]
        else:
            row.refuse("category", "category_several" if ids else "category_unknown", number=len(ids))


def _bare(path: str) -> str:
    return "/".join(part.strip() for part in folded(path).replace(">", "/").replace("\\", "/").split("/"))


def _sound(row: Row) -> None:
    """What the row says of a contact and a contract makes sense."""
    said = row.values
    for name in ("title", "department", "mails"):
        if said.get(name) and not said.get("contact"):
            row.refuse(name, "contact_missing")
    if said.get("contract_from") and said.get("contract_until") and said["contract_until"] < said["contract_from"]:
        row.refuse("contract_until", "contract_days")
    if "roles" in said and not said["roles"]:
        row.refuse("roles", "role_missing")
    if said.get("tax_number"):
        said["tax_number"] = rules.tax_key(said["tax_number"])


# ---- written


def _columns(values: Values, leads: Mapping[str, int], usual: int | None) -> Values:
    roles = values.get("roles") or ["customer"]
    given = STANDARD | {name: values[name] for name in COLUMNS if values.get(name) not in (None, "")}
    more = {"tags": values.get("tags") or [], "category_id": leads.get("category") or (usual if "customer" in roles else None)}
    return given | more | {role: role in roles for role in rules.ROLES} | _name(values["name"])


def _name(name: str) -> Values:
    return {"name": name, "name_pinyin": search.reading(name), "name_key": rules.name_key(name)}


def _changed(values: Values, old: Values, paths: Mapping[str, int]) -> Values:
    """The columns of the party that these values are."""
    found = {name: value for name, value in values.items() if name in COLUMNS}
    if "name" in values:
        found |= _name(values["name"])
    if "category" in values:
        found["category_id"] = paths.get(values["category"] or "")
    if "roles" in values:
        found |= {role: role in values["roles"] for role in rules.ROLES}
    if values.get("tags"):
        found["tags"] = [*old["tags"], *values["tags"]]
    return found


def _written(session: Session, changes: Mapping[int, Values], asked: Mapping[int, Values], branches: Mapping[int, int], *, fresh: bool = False) -> dict[int, dict[str, list[int]]]:
    """The rows below the parties are written; returns which, by party and table."""
    made: dict[int, dict[str, list[int]]] = {party_id: {} for party_id in changes}
    _note(made, "party_department", _put_people(session, changes, asked, branches, made, fresh=fresh))
    for kind in (CONTRACT, ACCOUNT):
        _note(made, kind.table, _put(session, kind, changes, asked, branches, fresh=fresh))
    return made


def _put(session: Session, kind: Below, changes: Mapping[int, Values], asked: Mapping[int, Values], branches: Mapping[int, int], *, fresh: bool) -> below.Written:
    return kind.add(session, asked, branches) if fresh else kind.change(session, changes, asked, branches)


def _put_people(
    session: Session, changes: Mapping[int, Values], asked: Mapping[int, Values], branches: Mapping[int, int], made: dict[int, dict[str, list[int]]], *, fresh: bool
) -> below.Written:
    """Contacts with department, phones and mails; returns the departments that were made."""
    named, new = below.departments(session, [(party_id, values.get("department") or "") for party_id, values in asked.items()], branches)
    placed = {party_id: values | {"department_id": named.get((party_id, folded(values.get("department") or "")))} for party_id, values in asked.items()}
    differing = {party_id: values | ({"department_id": placed[party_id]["department_id"]} if "department" in values else {}) for party_id, values in changes.items()}
    added = _put(session, CONTACT, differing, placed, branches, fresh=fresh)
    _note(made, "contact", added)
    people = {party_id: ids[0] for party_id, ids in added.items()}
    if not fresh:
        people = {party_id: row.id for party_id, row in CONTACT.chosen(session, asked).items()}
    whose = [(people.get(party_id), party_id, values) for party_id, values in changes.items()]
    phones = below.add_phones(session, [Whose(contact, party, values.get("phones") or []) for contact, party, values in whose], branches, fresh=fresh)
    mails = below.add_mails(session, [Whose(contact, party, values.get("mails") or []) for contact, party, values in whose], branches)
    _note(made, "party_phone", below.grouped(phones, "party_id"))
    _note(made, "contact_mail", below.grouped(mails, "party_id"))
    return new


def _note(made: dict[int, dict[str, list[int]]], table: str, written: below.Written) -> None:
    for party_id, ids in written.items():
        made[party_id][table] = ids


def _people(session: Session, asked: Mapping[int, Values], found: dict[int, Values]) -> None:
    """Of each customer the contact that the row names, with department and mails."""
    contacts: dict[int, Contact] = CONTACT.chosen(session, asked)
    names = below.department_names(session, (row.department_id for row in contacts.values()))
    owner = {row.id: party_id for party_id, row in contacts.items()}
    for party_id in found:
        row = contacts.get(party_id)
        found[party_id] |= {"contact": row.name, "title": row.title, "department": names.get(row.department_id or 0, "")} if row else dict.fromkeys(("contact", "title", "department"), "")
    for contact_id, address in session.execute(select(ContactMail.contact_id, ContactMail.address).where(ContactMail.contact_id.in_(owner))) if owner else ():
        found[owner[contact_id]]["mails"].append(address)


def _said(values: Mapping[str, Any]) -> dict[str, str]:
    """The values in flat words of the audit."""
    found: dict[str, str] = {}
    for name, value in values.items():
        words = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
        if words:
            key = TOLD.get(name, name)
            found[key] = f"{found[key]} · {words}" if key in found else words
    return found
