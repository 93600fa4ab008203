"""What a table of contacts means: people at customers that are known already."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import audit
from service.core.intake import sql
from service.core.intake.target import Field, Into, Made, Row, Values
from service.core.intake.values import folded
from service.parties import queries
from service.parties.importing import below
from service.parties.importing.below import Whose
from service.parties.importing.fields import CONTACT, SENTENCES
from service.parties.index import index
from service.parties.model import Contact, ContactMail, PartyPhone

TYPES = {"party_id": "bigint", "name": "text", "title": "text", "department_id": "bigint", "branch_id": "bigint"}
_CHANGED = text("update party set version = version + 1 where id = any(:ids)")


@dataclass(frozen=True)
class Contacts:
    """People at customers, with department, position, phones and mails."""

    name: str = "contacts"
    permission: str = "party.write"
    icon: str = "user"
    title: Any = _l("Contacts")
    fields: tuple[Field, ...] = CONTACT
    tables: tuple[str, ...] = ("party_phone", "contact_mail", "contact", "party_department")
    clears: tuple[tuple[str, str], ...] = ()
    issue: None = None
    address: str = ""
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES)

    def key(self, values: Values) -> str:
        """The customer and the name."""
        return f"{folded(values.get('party') or '')}|{folded(values.get('name') or '')}"

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By customer and name."""
        lead(session, rows)
        parties = {row.leads["party"] for row in rows if "party" in row.leads}
        known = {(one.party_id, folded(one.name)): one.id for one in session.execute(
            select(Contact.id, Contact.party_id, Contact.name).where(Contact.party_id.in_(parties)).order_by(Contact.id.desc()))}
        for row in rows:
            row.entity_id = known.get((row.leads.get("party", 0), folded(row.values.get("name") or "")))
        _once(rows)

    def current(self, session: Session, asked: Mapping[int, Values]) -> dict[int, Values]:
        """Contacts with their own phones and mails; the customer is what they were found by."""
        rows = session.scalars(select(Contact).where(Contact.id.in_(asked)).execution_options(populate_existing=True)).all()
        names = below.department_names(session, (row.department_id for row in rows))
        found: dict[int, Values] = {row.id: {"title": row.title, "department": names.get(row.department_id or 0, ""), "phones": [], "mails": []} for row in rows}
        for contact_id, raw in session.execute(select(PartyPhone.contact_id, PartyPhone.raw).where(PartyPhone.contact_id.in_(asked))):
            found[contact_id or 0]["phones"].append(raw)
        for contact_id, address in session.execute(select(ContactMail.contact_id, ContactMail.address).where(ContactMail.contact_id.in_(asked))):
            found[contact_id]["mails"].append(address)
        return found

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The people exist at their customers, with department, phones and mails."""
        branches = queries.homes(session, {row.leads["party"] for row in rows})
        named, new = below.departments(session, [(row.leads["party"], row.values.get("department") or "") for row in rows], branches)
        given = [
            {"party_id": row.leads["party"], "name": row.values["name"], "title": row.values.get("title") or "", "branch_id": branches[row.leads["party"]],
             "department_id": named.get((row.leads["party"], folded(row.values.get("department") or "")))}
            for row in rows
        ]
        ids = {(row.party_id, row.name): row.id for row in sql.insert(session, "contact", TYPES, given, told="id, party_id, name")}
        placed = {ids[row.leads["party"], row.values["name"]]: row for row in rows}
        made = _numbers(session, {contact_id: row.values for contact_id, row in placed.items()}, {contact_id: row.leads["party"] for contact_id, row in placed.items()}, branches)
        for contact_id, row in placed.items():
            made[contact_id] |= {"contact": [contact_id], "party_department": new.pop(row.leads["party"], [])}
        _tell(session, [(row.leads["party"], None, row.values) for row in placed.values()], branches, into)
        return [Made(contact_id, made[contact_id]) for contact_id in placed]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into, asked: Mapping[int, Values]) -> dict[int, dict[str, list[int]]]:
        """Position and department are set, new phones and mails are added."""
        people = {row.id: row for row in session.execute(select(Contact.id, Contact.party_id, Contact.name, Contact.title).where(Contact.id.in_(changes)))}
        parties = {contact_id: row.party_id for contact_id, row in people.items()}
        branches = queries.homes(session, set(parties.values()))
        named, new = below.departments(session, [(parties[contact_id], values.get("department") or "") for contact_id, values in changes.items()], branches)
        placed = {
            contact_id: values | ({"department_id": named.get((parties[contact_id], folded(values["department"] or "")))} if "department" in values else {})
            for contact_id, values in changes.items()
        }
        sql.update(session, "contact", {"title": "text", "department_id": "bigint"}, placed)
        made = _numbers(session, changes, parties, branches)
        for contact_id in changes:
            made[contact_id]["party_department"] = new.pop(parties[contact_id], [])
        _tell(session, [(parties[one], f"{people[one].name} {people[one].title}".strip(), {"name": people[one].name, **values}) for one, values in changes.items()], branches, into)
        return made

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """Their customers are found by them."""
        index(session, set(session.scalars(select(Contact.party_id).where(Contact.id.in_(ids)))))

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """Their customers are found by them no more."""
        parties = set(session.scalars(select(Contact.party_id).where(Contact.id.in_(ids))))
        return lambda: index(session, parties)


def lead(session: Session, rows: Sequence[Row]) -> None:
    """Each row leads to the customer that it names, or says why not."""
    meant = queries.meant(session, {row.values["party"] for row in rows if row.values.get("party")})
    for row in rows:
        ids = meant.get(row.values.get("party") or "", [])
        if len(ids) == 1:
            row.leads["party"] = ids[0]
        elif row.values.get("party"):
            row.refuse("party", "party_several" if ids else "party_unknown", number=len(ids))


def _once(rows: Sequence[Row]) -> None:
    """Of rows that mean one person of one customer, called by its number here and by its name there, the first counts."""
    first: dict[tuple[int, str], int] = {}
    for row in rows:
        if row.wrong or not row.values.get("name"):
            continue
        line = first.setdefault((row.leads["party"], folded(row.values["name"])), row.line)
        if line != row.line:
            row.refuse("name", "twice", line=line)


def _numbers(session: Session, told: Mapping[int, Values], parties: Mapping[int, int], branches: Mapping[int, int]) -> dict[int, dict[str, list[int]]]:
    """The contacts have these phones and mails besides; returns the rows of each."""
    phones = below.add_phones(session, [Whose(one, parties[one], values.get("phones") or []) for one, values in told.items()], branches)
    mails = below.add_mails(session, [Whose(one, parties[one], values.get("mails") or []) for one, values in told.items()], branches)
    by_phone, by_mail = below.grouped(phones, "contact_id"), below.grouped(mails, "contact_id")
    return {one: {"party_phone": by_phone.get(one, []), "contact_mail": by_mail.get(one, [])} for one in told}


def _tell(session: Session, told: Sequence[tuple[int, str | None, Values]], branches: Mapping[int, int], into: Into) -> None:
    """The customers' own history has it, and whoever edits an old form of one hears of it."""
    session.execute(_CHANGED, {"ids": list({party_id for party_id, _old, _values in told})})
    lines = [(party_id, {"contact": old} if old else None, _said(values), branches[party_id]) for party_id, old, values in told]
    audit.record_many(session, at=into.at, by=into.by, verb="changed", entity="party", told=lines)


def _said(values: Values) -> dict[str, str]:
    """The values in flat words; numbers and mails by names of their own, under which the audit covers them."""
    parts = [values.get(name) for name in ("name", "title", "department")]
    found = {"contact": " · ".join(str(one) for one in parts if one), "phone": ", ".join(values.get("phones") or ()), "mail": ", ".join(values.get("mails") or ())}
    return {name: words for name, words in found.items() if words}
