"""Kinds of shifts, the shift of a person on a day, and leave."""

from datetime import date

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH, OPEN

EMPTY = text("''")


class ShiftKind(Base):
    """A shift as the firm calls it; minutes count from midnight, and one that ends after midnight ends beyond 1440."""

    __tablename__ = "shift_kind"
    __scope__ = OPEN
    __table_args__ = (
        CheckConstraint("begins >= 0 and begins < 1440 and ends > begins and ends <= begins + 1440", name="within_two_days"),
        CheckConstraint("break_minutes >= 0 and break_minutes < ends - begins", name="break_fits"),
    )
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text, unique=True)
    name_en: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    begins: Mapped[int]
    ends: Mapped[int]
    break_minutes: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))


class Shift(Base):
    """A person works this kind of shift on this day, which is the day on which it begins."""

    __tablename__ = "shift"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("staff_id", "day"), Index("ix_shift_day", "day"))
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    day: Mapped[date] = mapped_column(Date)
    kind_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shift_kind.id"))
    branch_id: Mapped[branch]


class Leave(Base):
    """A person is away from one moment to another."""

    __tablename__ = "leave"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_leave_staff_id_until", "staff_id", "until"),
        CheckConstraint("kind in ('annual', 'sick', 'personal', 'training', 'swap', 'other')", name="kind_is_known"),
        CheckConstraint("until > since", name="ends_after_it_begins"),
    )
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(Text)
    since: Mapped[ts]
    until: Mapped[ts]
    reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    at: Mapped[ts]
    branch_id: Mapped[branch]
