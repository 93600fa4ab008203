"""A party, its contacts, and every number under which it may call."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH


class Party(Base):
    """A customer: company or person, with grade and terms."""

    __tablename__ = "party"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_party_name_pinyin", "name_pinyin"),)
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    name_pinyin: Mapped[str] = mapped_column(Text, server_default=text("''"))
    kind: Mapped[str] = mapped_column(Text, server_default=text("'company'"))
    grade: Mapped[str] = mapped_column(Text, server_default=text("'standard'"))
    address: Mapped[str] = mapped_column(Text, server_default=text("''"))
    email: Mapped[str] = mapped_column(Text, server_default=text("''"))
    credit_days: Mapped[int] = mapped_column(Integer, server_default=text("30"))
    contract_until: Mapped[date | None] = mapped_column(Date)
    contract_name: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[ts]
    branch_id: Mapped[branch]


class Contact(Base):
    """A person at a party."""

    __tablename__ = "contact"
    __scope__ = BRANCH
    id: Mapped[key]
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, server_default=text("''"))
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
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    raw: Mapped[str] = mapped_column(Text)
    e164: Mapped[str | None] = mapped_column(Text)
    digits: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    last_call_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    branch_id: Mapped[branch]
