"""A party, its departments, contacts, contracts and accounts, and every number under which it may call."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH, OPEN

EMPTY = text("''")
NONE = text("'[]'::jsonb")
NO, YES = text("false"), text("true")


class PartyCategory(Base):
    """One place in the tree of customers or of vendors; `usual` is what a new one gets when nobody says otherwise."""

    __tablename__ = "party_category"
    __scope__ = OPEN
    id: Mapped[key]
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party_category.id"))
    side: Mapped[str] = mapped_column(Text, server_default=text("'customer'"))
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    usual: Mapped[bool] = mapped_column(Boolean, server_default=NO)
    __table_args__ = (
        CheckConstraint("side in ('customer', 'vendor')", name="side_known"),
        Index("uq_party_category_name", "side", func.coalesce(parent_id, text("0")), "name", unique=True),
        Index("uq_party_category_usual", "side", unique=True, postgresql_where=text("usual")),
    )


class Party(Base):
    """A company or person with whom the firm has to do: as customer, vendor, carrier or repairer. `version` grows with each change."""

    __tablename__ = "party"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("state in ('active', 'disabled', 'merged')", name="state_known"),
        CheckConstraint("(state = 'merged') = (merged_into_id is not null)", name="merged_names_its_survivor"),
        CheckConstraint("customer or vendor or carrier or repairer", name="has_a_role"),
        CheckConstraint("settlement in ('job', 'monthly')", name="settlement_known"),
        Index("ix_party_name_pinyin", "name_pinyin"),
        Index("ix_party_sorted_pinyin", "name_pinyin", "id"),
        Index("ix_party_created_at", "created_at", "id"),
        Index("ix_party_name_key", "name_key"),
        Index("ix_party_tax_number", "tax_number", postgresql_where=text("tax_number <> ''")),
        Index("ix_party_merged_into_id", "merged_into_id", postgresql_where=text("merged_into_id is not null")),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    name_pinyin: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    kind: Mapped[str] = mapped_column(Text, server_default=text("'company'"))
    grade: Mapped[str] = mapped_column(Text, server_default=text("'standard'"))
    address: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    email: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    credit_days: Mapped[int] = mapped_column(Integer, server_default=text("30"))
    created_at: Mapped[ts]
    branch_id: Mapped[branch]
    customer: Mapped[bool] = mapped_column(Boolean, server_default=YES)
    vendor: Mapped[bool] = mapped_column(Boolean, server_default=NO)
    carrier: Mapped[bool] = mapped_column(Boolean, server_default=NO)
    repairer: Mapped[bool] = mapped_column(Boolean, server_default=NO)
    category_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party_category.id"), index=True)
    vendor_category_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party_category.id"), index=True)
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default=NONE)
    fax: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    web: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    tax_number: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    note: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    credit_limit: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    settlement: Mapped[str] = mapped_column(Text, server_default=text("'job'"))
    settlement_day: Mapped[int | None] = mapped_column(Integer)
    vendor_days: Mapped[int] = mapped_column(Integer, server_default=text("30"))
    name_key: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    state: Mapped[str] = mapped_column(Text, server_default=text("'active'"))
    state_reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    merged_into_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)

    @property
    def roles(self) -> tuple[str, ...]:
        """What the party is to the firm."""
        return tuple(name for name in ("customer", "vendor", "carrier", "repairer") if getattr(self, name))


class PartyDepartment(Base):
    """A part of a large customer."""

    __tablename__ = "party_department"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("party_id", "name", name="uq_party_department_party_id_name"),)
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    name: Mapped[str] = mapped_column(Text)
    branch_id: Mapped[branch]


class Contact(Base):
    """A person at a party; the `preferred` one is the party's main contact."""

    __tablename__ = "contact"
    __table_args__ = (Index("uq_contact_preferred", "party_id", unique=True, postgresql_where=text("preferred")),)
    __scope__ = BRANCH
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    department_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party_department.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    preferred: Mapped[bool] = mapped_column(Boolean, server_default=NO)
    active: Mapped[bool] = mapped_column(Boolean, server_default=YES)
    note: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    branch_id: Mapped[branch]


class PartyPhone(Base):
    """One number of a party or of one of its contacts, as dialled and as matched."""

    __tablename__ = "party_phone"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_party_phone_e164", "e164", postgresql_where=text("e164 is not null")),
        Index("ix_party_phone_digits", "digits", "kind"),
    )
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"), index=True)
    raw: Mapped[str] = mapped_column(Text)
    e164: Mapped[str | None] = mapped_column(Text)
    digits: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    last_call_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    branch_id: Mapped[branch]


class ContactMail(Base):
    """A mail address of a contact; the party's own stands in its row."""

    __tablename__ = "contact_mail"
    __scope__ = BRANCH
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    contact_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("contact.id"), index=True)
    address: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    branch_id: Mapped[branch]


class Contract(Base):
    """What was agreed for a time, and which services it covers. Without an end it holds until told otherwise."""

    __tablename__ = "contract"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("valid_until >= valid_from", name="ends_after_it_begins"),
        Index("ix_contract_party_id", "party_id", "valid_until"),
    )
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    number: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    name: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    services: Mapped[list[str]] = mapped_column(JSONB, server_default=NONE)
    branch_id: Mapped[branch]


class PartyAccount(Base):
    """Under which account and book number another system, such as the billing, knows the party."""

    __tablename__ = "party_account"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_party_account_account", "account"),)
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    system: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    account: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    book: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    branch_id: Mapped[branch]


class PartyMergeRow(Base):
    """A row that was handed on when its party became another: whose it was before stays known."""

    __tablename__ = "party_merge_row"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_party_merge_row_kind", "kind", "row_id"),)
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    into_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    kind: Mapped[str] = mapped_column(Text)
    row_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[ts]
    branch_id: Mapped[branch]


class PartyApart(Base):
    """Two parties that look alike and were said to be two; the smaller id stands first."""

    __tablename__ = "party_apart"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("one_id", "other_id", name="uq_party_apart_one_id_other_id"),
        CheckConstraint("one_id < other_id", name="a_pair_has_one_order"),
    )
    id: Mapped[key]
    one_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    other_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    at: Mapped[ts]
    branch_id: Mapped[branch]
