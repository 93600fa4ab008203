"""Who may be calling, and what a screen shows of a party."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import masking
from service.core import search as finder
from service.core.phone import Phone
from service.core.scope import Scope
from service.parties.model import Contact as Contact
from service.parties.model import Party, PartyPhone


@dataclass(frozen=True)
class Match:
    """A party that may be calling: `reason` is exact (whole number), digits (same digits, number not valid) or chosen."""

    party_id: int
    contact_id: int | None
    name: str
    contact_name: str | None
    grade: str
    reason: str
    score: int


_MATCHES = """
    select w.n, m.* from jsonb_to_recordset(cast(:wanted as jsonb)) as w(n int, e164 text, digits text, kind text, branches bigint[])
    cross join lateral (
        select phone.party_id, phone.contact_id, party.name, contact.name as contact_name, party.grade
        from party_phone phone join party on party.id = phone.party_id left join contact on contact.id = phone.contact_id
        where {same} and (w.branches is null or phone.branch_id = any(w.branches))
        order by phone.last_call_at desc nulls last, phone.id limit :most
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
            found[r.n].append(Match(r.party_id, r.contact_id, r.name, r.contact_name, r.grade, reason, score))
    return found


@dataclass(frozen=True)
class Card:
    """What the desk shows of a party at a glance."""

    party: Party
    contacts: list[Contact]
    phones: list[PartyPhone]


def card(session: Session, party_id: int) -> Card | None:
    """The party with its contacts and numbers, or None when it is not there or not in scope."""
    party = session.get(Party, party_id)
    if party is None:
        return None
    contacts = list(session.scalars(select(Contact).where(Contact.party_id == party_id).order_by(Contact.id)))
    phones = list(session.scalars(select(PartyPhone).where(PartyPhone.party_id == party_id).order_by(PartyPhone.id)))
    return Card(party, contacts, phones)


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


def search(session: Session, typed: str, limit: int = 20, *, reader: masking.Reader) -> list[Found]:
    """Parties of which a name, pinyin, number, phone or address fits every word, closest first; see `masking` for phones."""
    hits = finder.find(session, typed, kinds=["party"], most=limit, phones=masking.searched(reader))
    rows = select(Party.id, Party.number, Party.name, Party.grade).where(Party.id.in_([hit.ref_id for hit in hits]))
    known = {row.id: Found(*row) for row in session.execute(rows)} if hits else {}
    return [known[hit.ref_id] for hit in hits if hit.ref_id in known]


def names(session: Session, ids: set[int]) -> dict[int, str]:
    """Names by id."""
    if not ids:
        return {}
    return {row.id: row.name for row in session.execute(select(Party.id, Party.name).where(Party.id.in_(ids)))}
