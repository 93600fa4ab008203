"""How a party is found: by its name and its people's, their departments, mails and pinyin, its numbers, phones and address.

What became another party is found as that one, by its former number and name too.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import search
from service.core.search import Entry
from service.parties import rules
from service.parties.model import Contact, ContactMail, Contract, Party, PartyAccount, PartyDepartment, PartyPhone

KIND = "party"
OUT_OF_USE = -1
Row = TypeVar("Row", Contact, PartyPhone, PartyDepartment, ContactMail, PartyAccount, Contract)


def index(session: Session, ids: Collection[int]) -> None:
    """These parties are found as they are now."""
    parties = list(session.scalars(select(Party).where(Party.id.in_(ids))))
    for party in parties:
        party.name_key = party.name_key or rules.name_key(party.name)
    search.drop(session, KIND, [party.id for party in parties if party.merged_into_id])
    alive = [party for party in parties if not party.merged_into_id]
    known = {party.id for party in alive}
    departments, mails, accounts = _of(session, PartyDepartment, known), _of(session, ContactMail, known), _of(session, PartyAccount, known)
    contracts = _of(session, Contract, known)
    contacts, phones, former = _of(session, Contact, known), _of(session, PartyPhone, known), _former(session, known)
    search.put(
        session,
        [
            _entry(p, contacts[p.id], phones[p.id], departments[p.id], mails[p.id], accounts[p.id], contracts[p.id], former[p.id])
            for p in alive
        ],
    )


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


def _former(session: Session, ids: Collection[int]) -> dict[int, list[Party]]:
    found: dict[int, list[Party]] = defaultdict(list)
    for row in session.scalars(select(Party).where(Party.merged_into_id.in_(ids))):
        found[row.merged_into_id or 0].append(row)
    return found


def _entry(
    party: Party, contacts: list[Contact], phones: list[PartyPhone], departments: list[PartyDepartment],
    mails: list[ContactMail], accounts: list[PartyAccount], contracts: list[Contract],
    former: list[Party],
) -> Entry:  # fmt: skip
    return Entry(
        kind=KIND,
        ref_id=party.id,
        branch_id=party.branch_id,
        label=party.name,
        hint=party.number,
        code=party.number,
        names=[
            *(contact.name for contact in contacts),
            *(department.name for department in departments),
            *(one.name for one in former),
            *party.tags,
            party.address,
        ],
        codes=[
            *(code for account in accounts for code in (account.account, account.book) if code),
            *(contract.number for contract in contracts if contract.number),
            *(one.number for one in former),
            *([party.tax_number] if party.tax_number and party.kind == "company" else []),  # parts of a person's add up to the whole
        ],
        phones=[phone.raw for phone in phones],
        mails=[one for one in (party.email, *(mail.address for mail in mails)) if one],
        weight=OUT_OF_USE if party.state != "active" else 0,
    )
