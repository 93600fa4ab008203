"""Parties are created, changed, merged and put out of use; numbers and contacts are attached to them."""

import json
from collections.abc import Iterable
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import masking
from service.core import phone as phones
from service.core.errors import Invalid
from service.parties import archive, rows, rules, told
from service.parties.archive import LooksAlike, change, create, disable, enable
from service.parties.merging import merge
from service.parties.model import Contact, Party, PartyDepartment, PartyPhone
from service.parties.schemas import AccountRow, Alike, ContactRow, NewContact, NewParty, PartyDraft, PhoneRow

__all__ = [
    "Alike",
    "LooksAlike",
    "NewContact",
    "NewParty",
    "PartyDraft",
    "add_contact",
    "attach_phone",
    "called",
    "change",
    "create",
    "create_party",
    "disable",
    "enable",
    "merge",
]


def create_party(session: Session, new: NewParty, *, by: int, branch_id: int, at: datetime, anyway: bool = True) -> int:
    """The customer exists with its first number and contact; returns its id. Raises Invalid, and LooksAlike unless `anyway`."""
    draft = _quick(session, new)
    return archive.create(session, draft, by=by, branch_id=branch_id, at=at, request_key=new.request_key, anyway=anyway)


def _quick(session: Session, new: NewParty) -> PartyDraft:
    name, contact = short("name", new.name), short("contact_name", new.contact_name, "contact")
    number = (PhoneRow(None, new.phone.strip()[:80], field="phone"),) if new.phone.strip() else ()
    person = ContactRow(None, contact, department=short("department", new.department), phones=number, preferred=True)
    return PartyDraft(
        name=name,
        kind="person" if new.kind == "person" else "company",
        category_id=archive.usual(session),
        address=short("address", new.address),
        tax_number=short("tax_number", new.tax_number),
        contacts=(person,) if contact else (),
        phones=() if contact else number,
        accounts=(AccountRow(None, account=short("account", new.account)),) if new.account.strip() else (),
    )


def short(field: str, typed: str, limit: str = "") -> str:
    """What was typed, cleaned; refused in words when it is longer than the field holds."""
    text_, most = rules.clean(typed), rules.LONGEST[limit or field]
    if len(text_) > most:
        refusal = _("At most %(count)s letters; this has %(found)s.", count=most, found=len(text_))
        raise Invalid(refusal, {field: refusal})
    return text_


def attach_phone(session: Session, party_id: int, raw: str, *, contact_name: str = "", by: int, at: datetime) -> int:
    """The number belongs to the party, as that of the named contact if one is given; returns the phone's id."""
    party = archive.locked(session, party_id)
    before = told.facts(session, party)
    phone = _attach(session, party, raw, contact_name)
    archive.changed(session, party, before, by=by, at=at, verb="attached phone")
    return phone.id


def add_contact(session: Session, party_id: int, new: NewContact, *, by: int, at: datetime) -> int:
    """The person is a contact of the party, in a department that is made when there is none of that name; returns the id."""
    party = archive.locked(session, party_id)
    name, department = short("name", new.name, "contact"), short("department", new.department)
    if not name:
        refusal = _("Give the contact a name.")
        raise Invalid(refusal, {"name": refusal})
    before = told.facts(session, party)
    names = {one.name: one.id for one in session.scalars(select(PartyDepartment).where(PartyDepartment.party_id == party.id))}
    contact = _contact(session, party, name)
    assert contact is not None, "it has a name"
    contact.title = short("title", new.title) or contact.title
    contact.department_id = rows.department(session, party, department, names) or contact.department_id
    if new.phone.strip() and not phones.is_written(new.phone):
        raise Invalid(_("This is no number that can call: “%(raw)s”.", raw=masking.masked_phone(new.phone)), {"phone": _("Type a phone number.")})
    if new.phone.strip():
        _attach(session, party, new.phone, name, new.label)
    archive.changed(session, party, before, by=by, at=at)
    return contact.id


def _attach(session: Session, party: Party, raw: str, contact_name: str, label: str = "") -> PartyPhone:
    number = phones.parse(masking.typed_phone(None, raw))
    if not number.key:
        raise Invalid(_("This is no number that can call: “%(raw)s”.", raw=masking.masked_phone(raw)), {"phone": _("Type a phone number.")})
    contact = _contact(session, party, contact_name)
    same = select(PartyPhone).where(
        PartyPhone.party_id == party.id, PartyPhone.digits == number.digits, PartyPhone.kind == number.kind
    )
    known = session.scalars(same.where(PartyPhone.contact_id == contact.id) if contact else same).first()
    if known:
        return known
    phone = PartyPhone(
        party_id=party.id,
        contact_id=contact.id if contact else None,
        raw=raw[:80],
        e164=number.e164,
        digits=number.digits,
        kind=number.kind,
        label=label if label in rules.LABELS else "",
        branch_id=party.branch_id,
    )
    session.add(phone)
    session.flush()
    return phone


def _contact(session: Session, party: Party, name: str) -> Contact | None:
    wanted = rules.clean(name)[:100]
    if not wanted:
        return None
    known = session.scalars(select(Contact).where(Contact.party_id == party.id, Contact.name == wanted)).first()
    if known:
        return known
    contact = Contact(party_id=party.id, name=wanted, branch_id=party.branch_id)
    session.add(contact)
    session.flush()
    return contact


_CALLED = text("""
    update party_phone set last_call_at = used.at
    from jsonb_to_recordset(cast(:used as jsonb)) as used(party_id bigint, digits text, at timestamptz)
    where party_phone.party_id = used.party_id and party_phone.digits = used.digits
      and party_phone.last_call_at is distinct from greatest(party_phone.last_call_at, used.at)
""")


def called(session: Session, used: Iterable[tuple[int, phones.Phone, datetime]]) -> None:
    """These numbers of these parties were used then, so that the latest is proposed first next time."""
    last: dict[tuple[int, str], datetime] = {}
    for party_id, number, at in used:
        last[party_id, number.digits] = max(at, last.get((party_id, number.digits), at))
    rows = [{"party_id": party_id, "digits": digits, "at": at.isoformat()} for (party_id, digits), at in last.items() if digits]
    if rows:
        session.execute(_CALLED, {"used": json.dumps(rows)})
