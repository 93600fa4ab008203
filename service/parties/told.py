"""A party in flat words, as the audit compares it before and after: one line for each row below it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.parties.model import (
    Contact,
    ContactMail,
    Contract,
    Party,
    PartyAccount,
    PartyCategory,
    PartyDepartment,
    PartyPhone,
)

OWN = (
    "name", "kind", "grade", "address", "email", "fax", "web", "tax_number", "note", "credit_days", "credit_limit",
    "settlement", "settlement_day", "vendor_days", "state", "state_reason",
)  # fmt: skip


def facts(session: Session, party: Party) -> dict[str, Any]:
    """Each field that says something, by its name; a row below the party by its kind and number."""
    session.flush()
    values = {name: getattr(party, name) for name in OWN}
    values |= {"roles": ", ".join(party.roles), "tags": ", ".join(party.tags or [])}
    values |= {"category": _category(session, party.category_id), "vendor_category": _category(session, party.vendor_category_id)}
    return {name: _plain(value) for name, value in (values | _rows(session, party.id)).items() if value not in (None, "")}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)


def _category(session: Session, category_id: int | None) -> str:
    found = session.get(PartyCategory, category_id) if category_id else None
    return found.name if found else ""


def _rows(session: Session, party_id: int) -> dict[str, str]:
    departments = {one.id: one.name for one in session.scalars(select(PartyDepartment).where(PartyDepartment.party_id == party_id))}
    contacts = {one.id: one for one in session.scalars(select(Contact).where(Contact.party_id == party_id))}
    found = {f"department {key}": name for key, name in departments.items()}
    found |= {f"contact {key}": _contact(one, departments) for key, one in contacts.items()}
    for phone in session.scalars(select(PartyPhone).where(PartyPhone.party_id == party_id)):
        found[f"phone {phone.id}"] = _joined(phone.raw, phone.label, contacts[phone.contact_id].name if phone.contact_id in contacts else "")
    for mail in session.scalars(select(ContactMail).where(ContactMail.party_id == party_id)):
        found[f"mail {mail.id}"] = _joined(mail.address, mail.label, contacts[mail.contact_id].name if mail.contact_id in contacts else "")
    for one in session.scalars(select(Contract).where(Contract.party_id == party_id)):
        found[f"contract {one.id}"] = _joined(one.number, one.name, str(one.valid_from or ""), str(one.valid_until or ""), ", ".join(one.services))
    for account in session.scalars(select(PartyAccount).where(PartyAccount.party_id == party_id)):
        found[f"account {account.id}"] = _joined(account.system, account.account, account.book)
    return found


def _contact(one: Contact, departments: dict[int, str]) -> str:
    marks = ["preferred"] if one.preferred else []
    marks += [] if one.active else ["inactive"]
    return _joined(one.name, one.title, departments.get(one.department_id or 0, ""), *marks, one.note)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
