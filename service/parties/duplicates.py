"""Parties that may be one and the same: the same name but for writing and legal form, the same phone, tax or account number."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core import phone as phones
from service.parties import rules
from service.parties.schemas import Alike, PartyDraft

MOST = 8
PAGE = 50


@dataclass(frozen=True)
class Asked:
    """What is known of a party that may be on file already; `but` is the party itself."""

    name: str = ""
    phones: tuple[str, ...] = ()
    tax_number: str = ""
    accounts: tuple[str, ...] = ()
    but: int | None = None


def asked(draft: PartyDraft) -> Asked:
    """What a draft says of itself."""
    own = [phone.raw for phone in draft.phones if not phone.gone]
    of_contacts = [phone.raw for row in draft.contacts if not row.gone for phone in row.phones if not phone.gone]
    accounts = tuple(row.account for row in draft.accounts if row.account and not row.gone)
    return Asked(draft.name, tuple(own + of_contacts), draft.tax_number, accounts)


_ALIKE = text("""
    with hits as (
        select id as party_id, 'name' as reason from party where name_key = :name and :name <> ''
        union select party_id, 'phone' from party_phone where digits = any(cast(:digits as text[]))
        union select id, 'tax' from party where tax_number = :tax and tax_number <> '' and :tax <> ''
        union select party_id, 'account' from party_account where account = any(cast(:accounts as text[]))
    )
    select party.id, party.number, party.name, party.state, array_agg(distinct hits.reason) as reasons
    from hits join party on party.id = hits.party_id
    where party.state <> 'merged' and party.id is distinct from :but
    group by party.id order by count(*) desc, party.id limit :most
""")


def alike(session: Session, wanted: Asked, most: int = MOST) -> list[Alike]:
    """Parties of the reader's branches that may be the same, those with most in common first."""
    digits = [number.digits for number in map(phones.parse, wanted.phones) if number.digits and number.kind == "e164"]
    values = {"name": rules.name_key(wanted.name), "digits": digits, "tax": rules.tax_key(wanted.tax_number), "most": most}
    values |= {"accounts": [one for one in wanted.accounts if one], "but": wanted.but}
    if not (values["name"] or digits or values["tax"] or values["accounts"]):
        return []
    return [Alike(row.id, row.number, row.name, row.state, tuple(sorted(row.reasons))) for row in session.execute(_ALIKE, values)]


@dataclass(frozen=True)
class Pair:
    """Two parties that may be one."""

    one: Alike
    other: Alike


_PAIRS = text("""
    with pairs as (
        select a.id as one, b.id as other, 'name' as reason from party a join party b on b.name_key = a.name_key and b.id > a.id
        where a.name_key <> '' and a.state <> 'merged' and b.state <> 'merged'
        union
        select a.party_id, b.party_id, 'phone' from party_phone a join party_phone b on b.e164 = a.e164 and b.party_id > a.party_id
        union
        select a.id, b.id, 'tax' from party a join party b on b.tax_number = a.tax_number and b.id > a.id
        where a.tax_number <> '' and a.state <> 'merged' and b.state <> 'merged'
    ),
    shown as (
        select one, other, array_agg(distinct reason) as reasons from pairs
        where (one, other) > (:one, :other) group by one, other order by one, other limit :most
    )
    select shown.one, shown.other, shown.reasons, a.number as one_number, a.name as one_name, a.state as one_state,
           b.number as other_number, b.name as other_name, b.state as other_state
    from shown join party a on a.id = shown.one join party b on b.id = shown.other order by shown.one, shown.other
""")


def pairs(session: Session, after: tuple[int, int] = (0, 0), most: int = PAGE) -> Sequence[Pair]:
    """Suspected pairs of the reader's branches, paged by the last pair seen."""
    rows = session.execute(_PAIRS, {"one": after[0], "other": after[1], "most": most})
    return [
        Pair(
            Alike(r.one, r.one_number, r.one_name, r.one_state, tuple(sorted(r.reasons))),
            Alike(r.other, r.other_number, r.other_name, r.other_state, tuple(sorted(r.reasons))),
        )
        for r in rows
    ]
