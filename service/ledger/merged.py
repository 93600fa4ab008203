"""Claims and credits of a party that became another are that one's, so that both balances are one; amounts and days stay as posted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.ledger.model import LedgerItem


def party_merged(session: Session, old: int, new: int, *, by: int | None, at: datetime) -> Mapping[str, Sequence[int]]:
    """No row names the old party any more; returns the ids of those that did."""
    moved = update(LedgerItem).where(LedgerItem.party_id == old).values(party_id=new).returning(LedgerItem.id)
    return {"ledger_item": list(session.execute(moved, execution_options={"synchronize_session": False}).scalars())}
