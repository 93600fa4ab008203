"""Who may be calling, and what a screen shows of a party."""

from dataclasses import dataclass

from sqlalchemy import Boolean, Integer, Row, bindparam, or_, select
from sqlalchemy.orm import Session

from service.core.phone import Phone
from service.core.scope import ALL, Scope
from service.parties.model import Contact as Contact
from service.parties.model import Party, PartyPhone


@dataclass(frozen=True)
class Match:
    """A party that may be calling: `reason` is exact (whole number) or digits (same digits, number not valid)."""

    party_id: int
    contact_id: int | None
    name: str
    contact_name: str | None
    grade: str
    reason: str
    score: int


# Built once: the pop waits for them.
_CALLER = (
    select(PartyPhone.party_id, PartyPhone.contact_id, Party.name, Contact.name.label("contact_name"), Party.grade)
    .join(Party, Party.id == PartyPhone.party_id)
    .outerjoin(Contact, Contact.id == PartyPhone.contact_id)
    .where(
        or_(bindparam("everywhere", type_=Boolean), PartyPhone.branch_id.in_(bindparam("branches", expanding=True)))
    )
    .order_by(PartyPhone.last_call_at.desc().nulls_last(), PartyPhone.id)
    .limit(bindparam("most", type_=Integer))
)
_BY_NUMBER = _CALLER.where(PartyPhone.e164 == bindparam("e164"))
_BY_DIGITS = _CALLER.where(PartyPhone.digits == bindparam("digits"), PartyPhone.kind == bindparam("kind"))


def match_phone(session: Session, phone: Phone, limit: int = 5, *, within: Scope = ALL) -> list[Match]:
    """Parties with this number, most recent caller first; one indexed query, never a LIKE.

    `within` narrows further than the transaction: the ear sees all branches, the person it tells may not.
    """
    if not phone.key or phone.kind == "withheld":
        return []
    rows = session.execute(
        _BY_NUMBER if phone.e164 else _BY_DIGITS,
        {
            **({"e164": phone.e164} if phone.e164 else {"digits": phone.digits, "kind": phone.kind}),
            "everywhere": within.branches is None,
            "branches": within.branches or (),
            "most": limit,
        },
    )
    reason, score = ("exact", 100) if phone.e164 else ("digits", 60)
    return [Match(r.party_id, r.contact_id, r.name, r.contact_name, r.grade, reason, score) for r in rows]


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


def search(session: Session, typed: str, limit: int = 20) -> list[Row[tuple[int, str, str, str]]]:
    """Parties whose name, pinyin initials, number or phone begins so or contains it, closest first."""
    wanted = typed.strip()
    if not wanted:
        return []
    safe = wanted.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    digits = "".join(c for c in wanted if c.isdigit())
    by_phone = select(PartyPhone.party_id).where(PartyPhone.digits.like(f"%{digits}%")) if len(digits) >= 4 else None
    tests = [Party.name.ilike(f"%{safe}%"), Party.name_pinyin.like(f"%{safe.lower()}%"), Party.number.ilike(f"{safe}%")]
    if by_phone is not None:
        tests.append(Party.id.in_(by_phone))
    return list(
        session.execute(
            select(Party.id, Party.number, Party.name, Party.grade)
            .where(or_(*tests))
            .order_by(Party.name.ilike(f"{safe}%").desc(), Party.name_pinyin, Party.id)
            .limit(limit)
        )
    )


def names(session: Session, ids: set[int]) -> dict[int, str]:
    """Names by id."""
    if not ids:
        return {}
    return {row.id: row.name for row in session.execute(select(Party.id, Party.name).where(Party.id.in_(ids)))}
