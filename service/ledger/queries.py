"""What a party owes: always the amounts less their allocations, reckoned by PostgreSQL."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core.money import money

_OPEN = text("""
    select i.id, i.number, i.kind, i.dated, i.due_on, i.amount,
           i.amount - coalesce(sum(a.amount) filter (where a.dated <= :on), 0) as open
    from ledger_item i
    left join ledger_allocation a on a.claim_id = i.id or a.credit_id = i.id
    where i.party_id = :party and i.dated <= :on
    group by i.id
    having i.amount - coalesce(sum(a.amount) filter (where a.dated <= :on), 0) <> 0
    order by i.due_on, i.id
""")
CLAIMS = ("invoice", "refund_paid")


@dataclass(frozen=True)
class OpenItem:
    """One claim or credit that is not yet used up on the asked day."""

    id: int
    number: str
    kind: str
    dated: date
    due_on: date
    amount: Decimal
    open: Decimal
    days_late: int

    @property
    def owed(self) -> Decimal:
        """What it adds to what the party owes: a credit takes away."""
        return self.open if self.kind in CLAIMS else -self.open


@dataclass(frozen=True)
class Balance:
    """Open claims less open credits; `overdue` is the part of the claims whose due date has passed."""

    total: Decimal
    overdue: Decimal
    oldest_days: int
    items: tuple[OpenItem, ...]


def open_items(session: Session, party_id: int, on: date) -> tuple[OpenItem, ...]:
    """What is open on that day, oldest due date first."""
    rows = session.execute(_OPEN, {"party": party_id, "on": on})
    return tuple(
        OpenItem(r.id, r.number, r.kind, r.dated, r.due_on, r.amount, r.open, _late(r.kind, r.due_on, on)) for r in rows
    )


def _late(kind: str, due_on: date, on: date) -> int:
    return max((on - due_on).days, 0) if kind in CLAIMS else 0


def balance(session: Session, party_id: int, on: date) -> Balance:
    """What the party owes on that day."""
    items = open_items(session, party_id, on)
    claims = [item for item in items if item.kind in CLAIMS]
    late = [item for item in claims if item.due_on < on]
    return Balance(
        money(sum((item.owed for item in items), Decimal(0))),
        money(sum((item.open for item in late), Decimal(0))),
        max((item.days_late for item in late), default=0),
        items,
    )
