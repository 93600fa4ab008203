"""The rows below a party are as its form says: departments, contacts with phones and mails, contracts, accounts."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.core import phone as phones
from service.core.errors import Invalid
from service.parties.model import Contact, ContactMail, Contract, Party, PartyAccount, PartyDepartment, PartyPhone
from service.parties.schemas import ContactRow, PartyDraft, PhoneRow

Row = TypeVar("Row", Contact, PartyPhone, PartyDepartment, ContactMail, PartyAccount, Contract)


def write_rows(session: Session, party: Party, draft: PartyDraft) -> None:
    """What is new is added, what differs is changed, what is to go is removed, unless it is in use."""
    names = _departments(session, party, draft)
    contacts = _contacts(session, party, draft, names)
    _phones(session, party, draft.phones, None)
    for row, contact in contacts:
        _phones(session, party, row.phones, contact)
        _mails(session, party, row, contact)
    _preferred(session, party, contacts)
    _contracts(session, party, draft)
    _accounts(session, party, draft)
    _gone(session, party, draft)


def _known(session: Session, party: Party, model: type[Row]) -> dict[int, Row]:
    return {row.id: row for row in session.scalars(select(model).where(model.party_id == party.id))}


def _set(row: object, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)


def _one(session: Session, party: Party, known: Mapping[int, Row], row_id: int | None, model: type[Row], values: Mapping[str, Any]) -> Row:
    """The row with that id with these values, or a new one; an id of another party is none."""
    found = known.get(row_id) if row_id else None
    if found is None:
        found = model(party_id=party.id, branch_id=party.branch_id, **values)
        session.add(found)
        session.flush()
    _set(found, values)
    return found


# ---- departments and contacts


def _departments(session: Session, party: Party, draft: PartyDraft) -> dict[str, int]:
    """Each department by its name, and by its former one when it was renamed just now."""
    known = _known(session, party, PartyDepartment)
    names = {one.name: one.id for one in known.values()}
    for row in (row for row in draft.departments if not row.gone and row.name):
        taken = names.get(row.name)
        if taken is not None and taken != row.id and row.id is not None:
            refusal = _("There is a department “%(name)s” already.", name=row.name)
            raise Invalid(refusal, {row.field: refusal})
        names[row.name] = taken or _one(session, party, known, row.id, PartyDepartment, {"name": row.name}).id
    return names


def department(session: Session, party: Party, name: str, names: dict[str, int]) -> int | None:
    """The department of that name, made when there is none."""
    if not name:
        return None
    if name not in names:
        names[name] = _one(session, party, {}, None, PartyDepartment, {"name": name}).id
    return names[name]


def _contacts(session: Session, party: Party, draft: PartyDraft, names: dict[str, int]) -> list[tuple[ContactRow, Contact]]:
    known, made = _known(session, party, Contact), []
    for row in (row for row in draft.contacts if not row.gone):
        values = {"name": row.name, "title": row.title, "note": row.note, "active": row.active}
        values |= {"department_id": department(session, party, row.department, names)}
        made.append((row, _one(session, party, known, row.id, Contact, values)))
    return made


def _preferred(session: Session, party: Party, contacts: Sequence[tuple[ContactRow, Contact]]) -> None:
    """At most one is the main contact; the former one steps back first, since the database allows only one."""
    chosen = next((contact.id for row, contact in contacts if row.preferred), None)
    everybody = _known(session, party, Contact).values()
    for contact in everybody:
        contact.preferred = contact.preferred and contact.id == chosen
    session.flush()
    for contact in everybody:
        contact.preferred = contact.id == chosen
    session.flush()


# ---- phones, mails, contracts, accounts


def _phones(session: Session, party: Party, rows: Sequence[PhoneRow], contact: Contact | None) -> None:
    known = _known(session, party, PartyPhone)
    for row in (row for row in rows if not row.gone and row.raw):
        number = phones.parse(row.raw)
        before = known.get(row.id) if row.id else None
        if not number.key or not (phones.is_written(row.raw) or (before and before.raw == row.raw)):
            raise Invalid(_("This is no number that can call: “%(raw)s”.", raw=row.raw), {row.field: _("Type a phone number.")})
        raw = before.raw if before and (before.e164, before.digits) == (number.e164, number.digits) else row.raw
        owner = contact.id if contact else None
        values = {"raw": raw, "e164": number.e164, "digits": number.digits, "kind": number.kind, "label": row.label, "contact_id": owner}
        twin = next((one for one in known.values() if one.digits == number.digits and one.contact_id == owner), None)
        made = _one(session, party, known, twin.id if twin and not before else row.id, PartyPhone, values)
        known[made.id] = made


def _mails(session: Session, party: Party, row: ContactRow, contact: Contact) -> None:
    known = _known(session, party, ContactMail)
    for mail in (mail for mail in row.mails if not mail.gone and mail.address):
        values = {"address": mail.address, "label": mail.label, "contact_id": contact.id}
        _one(session, party, known, mail.id, ContactMail, values)


def _contracts(session: Session, party: Party, draft: PartyDraft) -> None:
    known = _known(session, party, Contract)
    for row in (row for row in draft.contracts if not row.gone):
        if row.valid_from and row.valid_until and row.valid_until < row.valid_from:
            refusal = _("The contract ends before it begins. Correct one of the days.")
            raise Invalid(refusal, {row.field: refusal})
        values = {"number": row.number, "name": row.name, "valid_from": row.valid_from, "valid_until": row.valid_until}
        _one(session, party, known, row.id, Contract, values | {"services": list(row.services)})


def _accounts(session: Session, party: Party, draft: PartyDraft) -> None:
    known = _known(session, party, PartyAccount)
    for row in (row for row in draft.accounts if not row.gone):
        _one(session, party, known, row.id, PartyAccount, {"system": row.system, "account": row.account, "book": row.book})


# ---- what goes


def _gone(session: Session, party: Party, draft: PartyDraft) -> None:
    numbers = [*draft.phones, *(phone for row in draft.contacts for phone in row.phones)]
    everything: tuple[tuple[type[Any], Sequence[Any]], ...] = (
        (PartyPhone, numbers),
        (ContactMail, [mail for row in draft.contacts for mail in row.mails]),
        (Contract, draft.contracts),
        (PartyAccount, draft.accounts),
    )
    for model, rows in everything:
        known = _known(session, party, model)
        for row in rows:
            if row.gone and row.id in known:
                session.delete(known[row.id])
    session.flush()
    _contacts_gone(session, party, draft)
    _departments_gone(session, party, draft)


def _contacts_gone(session: Session, party: Party, draft: PartyDraft) -> None:
    known = _known(session, party, Contact)
    for row in draft.contacts:
        if not row.gone or row.id not in known:
            continue
        contact = known[row.id]
        refusal = _("“%(name)s” stands in tickets, calls or devices and stays on file. Switch the contact off instead.", name=contact.name)
        below: list[PartyPhone | ContactMail] = [*_known(session, party, PartyPhone).values(), *_known(session, party, ContactMail).values()]
        for one in below:
            if one.contact_id == contact.id:
                session.delete(one)
        _removed(session, contact, refusal, row.field)


def _departments_gone(session: Session, party: Party, draft: PartyDraft) -> None:
    known = _known(session, party, PartyDepartment)
    for row in draft.departments:
        if row.gone and row.id in known:
            refusal = _("“%(name)s” still has contacts. Give them another department first.", name=known[row.id].name)
            _removed(session, known[row.id], refusal, row.field)


def _removed(session: Session, row: object, refusal: str, field: str) -> None:
    """The row is gone; refused in these words while something refers to it."""
    try:
        with session.begin_nested():
            session.delete(row)
            session.flush()
    except IntegrityError as error:
        raise Invalid(refusal, {field: refusal}) from error
