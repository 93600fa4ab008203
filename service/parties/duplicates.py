"""Parties that may be one and the same: the same name but for writing and legal form, the same phone, tax or account number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.core import audit
from service.core import phone as phones
from service.core.errors import NotFound
from service.parties import rules
from service.parties.model import Party, PartyApart
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
      and not exists (select from party_apart where one_id = least(party.id, :but) and other_id = greatest(party.id, :but))
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


_PAIRS = """
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
        where (one, other) > (:one, :other) and {apart} (select from party_apart where one_id = one and other_id = other) group by one, other order by one, other limit :most
    )
    select shown.one, shown.other, shown.reasons, a.number as one_number, a.name as one_name, a.state as one_state,
           b.number as other_number, b.name as other_name, b.state as other_state
    from shown join party a on a.id = shown.one join party b on b.id = shown.other order by shown.one, shown.other
"""
_SUSPECTED, _APART = text(_PAIRS.format(apart="not exists")), text(_PAIRS.format(apart="exists"))


def pairs(session: Session, after: tuple[int, int] = (0, 0), most: int = PAGE, *, apart: bool = False) -> Sequence[Pair]:
    """Suspected pairs of the reader's branches, or those said to be two, paged by the last pair seen."""
    rows = session.execute(_APART if apart else _SUSPECTED, {"one": after[0], "other": after[1], "most": most})
    return [
        Pair(
            Alike(r.one, r.one_number, r.one_name, r.one_state, tuple(sorted(r.reasons))),
            Alike(r.other, r.other_number, r.other_name, r.other_state, tuple(sorted(r.reasons))),
        )
        for r in rows
    ]


def told_apart(session: Session, one_id: int, other_id: int, *, by: int, at: datetime) -> None:
    """The two are two and no longer suspected; saying it twice changes nothing. Raises NotFound for what is not there."""
    one, other = _both(session, one_id, other_id)
    values = {"one_id": one.id, "other_id": other.id, "by_id": by, "at": at, "branch_id": one.branch_id}
    said = insert(PartyApart).values(values).on_conflict_do_nothing().returning(PartyApart.id)
    if session.execute(said).first():
        _told(session, one, other, "told apart", by, at)


def suspected_again(session: Session, one_id: int, other_id: int, *, by: int, at: datetime) -> None:
    """The two may be one after all."""
    one, other = _both(session, one_id, other_id)
    gone = delete(PartyApart).where(PartyApart.one_id == one.id, PartyApart.other_id == other.id).returning(PartyApart.id)
    if session.execute(gone).first():
        _told(session, one, other, "suspected again", by, at)


def _both(session: Session, one_id: int, other_id: int) -> tuple[Party, Party]:
    """Both parties in the order in which a pair is kept."""
    found = session.scalars(select(Party).where(Party.id.in_((one_id, other_id)), Party.state != "merged").order_by(Party.id)).all()
    if len(found) != 2:
        raise NotFound(_("One of the two is not in your branches any more. Load the page again."))
    return found[0], found[1]


def _told(session: Session, one: Party, other: Party, verb: str, by: int, at: datetime) -> None:
    for party, second in ((one, other), (other, one)):
        told = {"number": second.number, "name": second.name}
        audit.record(session, at=at, by=by, verb=verb, entity="party", entity_id=party.id, new=told, branch_id=party.branch_id)
