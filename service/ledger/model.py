"""Claims and credits of parties, and the allocations between them."""

from datetime import date
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH


class LedgerItem(Base):
    """One claim (invoice) or credit (receipt) of a party; never edited once posted."""

    __tablename__ = "ledger_item"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(
            "kind in ('invoice', 'receipt', 'credit_note', 'prepayment', 'refund_paid')", name="kind_known"
        ),
        Index("ix_ledger_item_party_id", "party_id", "due_on"),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    kind: Mapped[str] = mapped_column(Text)
    dated: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    posted_at: Mapped[ts]
    branch_id: Mapped[branch]


class LedgerAllocation(Base):
    """A credit pays part of a claim from a date on."""

    __tablename__ = "ledger_allocation"
    __scope__ = BRANCH
    __table_args__ = (CheckConstraint("amount <> 0", name="amount_not_zero"),)
    id: Mapped[key]
    claim_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ledger_item.id"), index=True)
    credit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ledger_item.id"), index=True)
    dated: Mapped[date] = mapped_column(Date)
    amount: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    branch_id: Mapped[branch]
