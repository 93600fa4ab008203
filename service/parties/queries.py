"""Who may be calling, and what a screen shows of a party."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from service.core import masking
from service.core import search as finder
from service.core.phone import Phone
from service.core.scope import Scope
from service.parties import rules
from service.parties.categories import Node, tree
from service.parties.duplicates import Asked, Pair, alike, pairs
from service.parties.merging import survivor
from service.parties.model import Contact as Contact
from service.parties.model import ContactMail, Party, PartyAccount, PartyCategory, PartyDepartment, PartyPhone
from service.parties.model import Contract as Contract
from service.parties.schemas import Alike
from service.parties.words import TABLES as WORDS

__all__ = ["WORDS", "Alike", "Asked", "Contact", "Node", "Pair", "alike", "pairs", "survivor", "tree"]


@dataclass(frozen=True)
class Match:
    """A party that may be calling: `reason` is exact (whole number), digits (same digits, number not valid) or chosen.

    `source` says whose number it is: the party's own, that of a contact, with its label and the contact's department,
    or that of whoever is reached at one of its places; `site` names the place. `called` is true of a number that was used before.
    """

    party_id: int
    contact_id: int | None
    name: str
    contact_name: str | None
    grade: str
    reason: str
    score: int
    source: str = ""
    label: str = ""
    department: str = ""
    title: str = ""
    state: str = "active"
    site: str = ""
    site_id: int | None = None
    called: bool = False


# A contact who left, or a customer out of use, is still named, but after all others.
_MATCHES = """
    select w.n, m.* from jsonb_to_recordset(cast(:wanted as jsonb)) as w(n int, e164 text, digits text, kind text, branches bigint[])
    cross join lateral (
        select phone.party_id, phone.contact_id, party.name, contact.name as contact_name, party.grade, phone.label, party.state, phone.last_call_at is not null as called,
               coalesce(contact.title, '') as title, coalesce(department.name, '') as department
        from party_phone phone join party on party.id = phone.party_id left join contact on contact.id = phone.contact_id
             left join party_department department on department.id = contact.department_id
        where {same} and (w.branches is null or phone.branch_id = any(w.branches))
        order by party.state <> 'active', contact.active is false, phone.last_call_at desc nulls last, phone.id limit :most
    ) m
"""
_BY_NUMBER = text(_MATCHES.format(same="phone.e164 = w.e164"))
_BY_DIGITS = text(_MATCHES.format(same="phone.digits = w.digits and phone.kind = w.kind"))


def match_phones(session: Session, wanted: Sequence[tuple[Phone, Scope]], limit: int = 5) -> list[list[Match]]:
    """Parties with each number, in this order, most recent caller first; indexed, never a LIKE, and numbers that ring in the same moment share a query.

    The scope of each narrows further than the transaction: the ear sees all branches, the person it tells may not.
    """
    found: list[list[Match]] = [[] for _ in wanted]
    known = [(n, phone, within) for n, (phone, within) in enumerate(wanted) if phone.key and phone.kind != "withheld"]
    for query, exact in ((_BY_NUMBER, True), (_BY_DIGITS, False)):
        asked = [
            {"n": n, "e164": phone.e164, "digits": phone.digits, "kind": phone.kind, "branches": within.branches}
            for n, phone, within in known
            if bool(phone.e164) == exact
        ]
        reason, score = ("exact", 100) if exact else ("digits", 60)
        for r in session.execute(query, {"wanted": json.dumps(asked), "most": limit}) if asked else ():
            source = "contact" if r.contact_id else "party"
            more = {"source": source, "label": r.label, "department": r.department, "title": r.title, "state": r.state, "called": r.called}
            found[r.n].append(Match(r.party_id, r.contact_id, r.name, r.contact_name, r.grade, reason, score, **more))
    return found


def as_match(session: Session, party_id: int, contact_name: str, reason: str) -> Match | None:
    """The party as one that may be calling, for a number that is on file elsewhere; a contact of that name is the one who calls."""
    party = session.get(Party, party_id)
    if party is None:
        return None
    contact = people(session, [party_id]).get((party_id, contact_name)) if contact_name else None
    return Match(party.id, contact, party.name, contact_name or None, party.grade, reason, 50, state=party.state)


@dataclass(frozen=True)
class Card:
    """What the desk shows of a party at a glance."""

    party: Party
    contacts: list[Contact]
    phones: list[PartyPhone]
    departments: dict[int, str]
    mails: list[ContactMail]
    contracts: list[Contract]
    accounts: list[PartyAccount]
    category: str = ""
    vendor_category: str = ""

    def department(self, contact: Contact | None) -> str:
        """The name of the contact's department, if it has one."""
        return self.departments.get(contact.department_id or 0, "") if contact else ""

    def contract(self, on: date) -> Contract | None:
        """The contract that holds on that day, else the one that ended or begins nearest to it; the newest ones come first."""
        return next((one for one in self.contracts if holds(one, on)), self.contracts[0] if self.contracts else None)

    @property
    def groups(self) -> list[tuple[str, list[Contact]]]:
        """Contacts by department, those without one first; the main contact leads, who left comes last."""
        order = sorted(self.contacts, key=lambda one: (not one.active, not one.preferred, one.id))
        names = {"": [one for one in order if not self.department(one)]}
        names |= {name: [one for one in order if one.department_id == key] for key, name in self.departments.items()}
        return [(name, people) for name, people in names.items() if people or name]

    def phones_of(self, contact_id: int | None) -> list[PartyPhone]:
        """Numbers of that contact, or the party's own."""
        return [one for one in self.phones if one.contact_id == contact_id]

    def mails_of(self, contact_id: int) -> list[ContactMail]:
        """Mail addresses of that contact."""
        return [one for one in self.mails if one.contact_id == contact_id]


def holds(contract: Contract, on: date) -> bool:
    """True when the contract is valid on that day."""
    return (contract.valid_from is None or contract.valid_from <= on) and (contract.valid_until is None or on <= contract.valid_until)


def card(session: Session, party_id: int) -> Card | None:
    """The party, or the one it became, with all that stands below it; None when it is not there or not in scope."""
    party = session.get(Party, party_id)
    if party is not None and party.merged_into_id:
        party = session.get(Party, party.merged_into_id)
    if party is None:
        return None
    departments = session.scalars(select(PartyDepartment).where(PartyDepartment.party_id == party.id).order_by(PartyDepartment.id))
    contracts = select(Contract).where(Contract.party_id == party.id)
    return Card(
        party,
        list(session.scalars(select(Contact).where(Contact.party_id == party.id).order_by(Contact.id))),
        list(session.scalars(select(PartyPhone).where(PartyPhone.party_id == party.id).order_by(PartyPhone.id))),
        {one.id: one.name for one in departments},
        list(session.scalars(select(ContactMail).where(ContactMail.party_id == party.id).order_by(ContactMail.id))),
        list(session.scalars(contracts.order_by(Contract.valid_until.desc().nulls_first(), Contract.id.desc()))),
        list(session.scalars(select(PartyAccount).where(PartyAccount.party_id == party.id).order_by(PartyAccount.id))),
        *(_category(session, key) for key in (party.category_id, party.vendor_category_id)),
    )


def _category(session: Session, category_id: int | None) -> str:
    found = session.get(PartyCategory, category_id) if category_id else None
    return found.name if found else ""


def phone(session: Session, phone_id: int) -> PartyPhone | None:
    """One number of a party, when its branch is in scope."""
    return session.get(PartyPhone, phone_id)


@dataclass(frozen=True)
class Found:
    """A party that fits what was typed."""

    id: int
    number: str
    name: str
    grade: str
    state: str = "active"


def search(session: Session, typed: str, limit: int = 20, *, reader: masking.Reader) -> list[Found]:
    """Parties of which a name, pinyin, number, phone or address fits every word, closest first, those out of use last; see `masking` for phones."""
    hits = finder.find(session, typed, kinds=["party"], most=limit, phones=masking.searched(reader))
    rows = select(Party.id, Party.number, Party.name, Party.grade, Party.state).where(Party.id.in_([hit.ref_id for hit in hits]))
    known = {row.id: Found(*row) for row in session.execute(rows)} if hits else {}
    return [known[hit.ref_id] for hit in hits if hit.ref_id in known]


def out_of_use(session: Session, ids: set[int]) -> set[int]:
    """Those of the parties that are out of use."""
    return set(session.scalars(select(Party.id).where(Party.id.in_(ids), Party.state != "active"))) if ids else set()


def names(session: Session, ids: set[int]) -> dict[int, str]:
    """Names by id."""
    if not ids:
        return {}
    return {row.id: row.name for row in session.execute(select(Party.id, Party.name).where(Party.id.in_(ids)))}


# ---- the list


def inside(session: Session, category_id: int) -> set[int]:
    """The category and all below it."""
    found = {category_id}
    for node in [*tree(session, "customer"), *tree(session, "vendor")]:
        if node.parent_id in found:
            found.add(node.id)
    return found


def category_names(session: Session) -> dict[int, str]:
    """The name of each category."""
    return {row.id: row.name for row in session.scalars(select(PartyCategory))}


def main_contacts(session: Session, ids: Sequence[int]) -> dict[int, Contact]:
    """The main contact of each party: the preferred one, else the first who is still there."""
    rows = select(Contact).where(Contact.party_id.in_(ids), Contact.active).order_by(Contact.party_id, Contact.preferred.desc(), Contact.id)
    found: dict[int, Contact] = {}
    for contact in session.scalars(rows.ext(distinct_on(Contact.party_id))) if ids else ():
        found[contact.party_id] = contact
    return found


# ---- whom a table means


def by_number(session: Session, numbers: Collection[str]) -> dict[str, int]:
    """By its number the party, or the one it became."""
    rows = select(Party.number, func.coalesce(Party.merged_into_id, Party.id).label("means")).where(Party.number.in_(numbers))
    return {row.number: row.means for row in session.execute(rows)} if numbers else {}


def by_account(session: Session, accounts: Collection[str]) -> dict[str, list[tuple[str, int]]]:
    """By account in another system: which system, and whose it is."""
    found: dict[str, list[tuple[str, int]]] = {}
    rows = select(PartyAccount.account, PartyAccount.system, PartyAccount.party_id).where(PartyAccount.account.in_(accounts))
    for account, system, party_id in session.execute(rows) if accounts else ():
        found.setdefault(account, []).append((system, party_id))
    return found


def by_name(session: Session, names: Collection[str]) -> dict[str, list[int]]:
    """The parties that are called exactly so, else those whose names differ only in writing or legal form."""
    found = finder.exactly(session, "party", names)
    keys = {one: rules.name_key(one) for one, ids in found.items() if not ids}
    alike: dict[str, list[int]] = {}
    rows = select(Party.name_key, Party.id).where(Party.name_key.in_(set(keys.values()) - {""}), Party.state != "merged").order_by(Party.id)
    for key, party_id in session.execute(rows) if keys else ():
        alike.setdefault(key, []).append(party_id)
    return {one: ids or alike.get(keys[one], []) for one, ids in found.items()}


def meant(session: Session, typed: Collection[str]) -> dict[str, list[int]]:
    """The parties that each of these means: by its number, else by its account, else by its name; several may have one name."""
    numbered, accounts = by_number(session, typed), by_account(session, typed)
    found = {one: [numbered[one]] if one in numbered else sorted({party_id for _system, party_id in accounts.get(one, ())}) for one in typed}
    named = by_name(session, [one for one, ids in found.items() if not ids])
    return {one: ids or named[one] for one, ids in found.items()}


def homes(session: Session, ids: Collection[int]) -> dict[int, int]:
    """The branch of each party."""
    return {row.id: row.branch_id for row in session.execute(select(Party.id, Party.branch_id).where(Party.id.in_(ids)))} if ids else {}


def people(session: Session, ids: Collection[int]) -> dict[tuple[int, str], int]:
    """The contacts of these parties by party and name; of two with one name the first."""
    rows = select(Contact.party_id, Contact.name, Contact.id).where(Contact.party_id.in_(ids)).order_by(Contact.id.desc())
    return {(party_id, name): contact_id for party_id, name, contact_id in session.execute(rows)} if ids else {}


def category_paths(session: Session) -> dict[int, str]:
    """Each category of customers with the names above it: 企业 / 物流."""
    found: dict[int, str] = {}
    for node in tree(session, "customer"):  # a parent stands before its children
        found[node.id] = f"{found[node.parent_id]} / {node.name}" if node.parent_id in found else node.name
    return found
