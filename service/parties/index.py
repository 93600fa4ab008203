"""How a party is found: by its name and its people's, their pinyin, its number, phones and address."""

from collections import defaultdict
from collections.abc import Collection
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import search
from service.core.search import Entry
from service.parties.model import Contact, Party, PartyPhone

KIND = "party"
Row = TypeVar("Row", Contact, PartyPhone)


def index(session: Session, ids: Collection[int]) -> None:
    """These parties are found as they are now."""
    contacts, phones = _of(session, Contact, ids), _of(session, PartyPhone, ids)
    parties = session.scalars(select(Party).where(Party.id.in_(ids)))
    search.put(session, [_entry(party, contacts[party.id], phones[party.id]) for party in parties])


def rebuild(session: Session, after: int, most: int) -> int | None:
    """The next parties by id are indexed; returns the last of them, None when there is none left."""
    ids = session.scalars(select(Party.id).where(Party.id > after).order_by(Party.id).limit(most)).all()
    index(session, ids)
    return ids[-1] if ids else None


def _of(session: Session, model: type[Row], ids: Collection[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in session.scalars(select(model).where(model.party_id.in_(ids)).order_by(model.id)):
        found[row.party_id].append(row)
    return found


def _entry(party: Party, contacts: list[Contact], phones: list[PartyPhone]) -> Entry:
    return Entry(
        kind=KIND,
        ref_id=party.id,
        branch_id=party.branch_id,
        label=party.name,
        hint=party.number,
        code=party.number,
        names=[*(contact.name for contact in contacts), party.address],
        phones=[phone.raw for phone in phones],
    )
