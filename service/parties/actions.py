"""Parties are created, and numbers are attached to them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import audit, masking, numbers, search
from service.core import phone as phones
from service.core.errors import Invalid, NotFound
from service.parties.index import index
from service.parties.model import Contact, Party, PartyPhone


@dataclass(frozen=True)
class NewParty:
    """What the desk knows of a new customer while the phone is at the ear."""

    name: str
    phone: str
    contact_name: str = ""
    kind: str = "company"
    address: str = ""


def create_party(session: Session, new: NewParty, *, by: int, branch_id: int, at: datetime) -> int:
    """The customer exists with its first number and contact; returns its id."""
    name = new.name.strip()
    if not name:
        raise Invalid(_("Give the customer a name."), {"name": _("Give the customer a name.")})
    party = Party(
        number=numbers.take(session, "C", at),
        name=name[:200],
        name_pinyin=search.reading(name),
        kind=new.kind,
        address=new.address.strip()[:300],
        created_at=at,
        branch_id=branch_id,
    )
    session.add(party)
    session.flush()
    if new.phone.strip():
        _attach(session, party, new.phone, new.contact_name)
    index(session, [party.id])
    audit.record(
        session,
        at=at,
        by=by,
        verb="created",
        entity="party",
        entity_id=party.id,
        new={"name": party.name, "phone": new.phone},
        branch_id=branch_id,
    )
    return party.id


def attach_phone(session: Session, party_id: int, raw: str, *, contact_name: str = "", by: int, at: datetime) -> int:
    """The number belongs to the party, as that of the named contact if one is given; returns the phone's id."""
    party = session.get(Party, party_id)
    if party is None:
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    phone = _attach(session, party, raw, contact_name)
    index(session, [party.id])
    audit.record(
        session,
        at=at,
        by=by,
        verb="attached phone",
        entity="party",
        entity_id=party_id,
        new={"phone": raw, "contact": contact_name},
        branch_id=party.branch_id,
    )
    return phone.id


def _attach(session: Session, party: Party, raw: str, contact_name: str) -> PartyPhone:
    number = phones.parse(masking.typed_phone(None, raw))
    if not number.key:
        raise Invalid(_("This is no number that can call: “%(raw)s”.", raw=masking.masked_phone(raw)), {"phone": _("Type a phone number.")})
    known = session.scalars(
        select(PartyPhone).where(
            PartyPhone.party_id == party.id, PartyPhone.digits == number.digits, PartyPhone.kind == number.kind
        )
    ).first()
    if known:
        return known
    contact = _contact(session, party, contact_name)
    phone = PartyPhone(
        party_id=party.id,
        contact_id=contact.id if contact else None,
        raw=raw[:80],
        e164=number.e164,
        digits=number.digits,
        kind=number.kind,
        branch_id=party.branch_id,
    )
    session.add(phone)
    session.flush()
    return phone


def _contact(session: Session, party: Party, name: str) -> Contact | None:
    wanted = name.strip()[:100]
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
