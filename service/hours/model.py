"""Calendars, their weeks and special days, and who uses which.

Like the branches themselves they are known to everybody: a calendar of the headquarters holds for branches that see nothing
else of it, so none of these tables has a policy.
"""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, key
from service.core.seen import OPEN


class HoursCalendar(Base):
    """Hours under a name; in the time zone that the firm had when they were made."""

    __tablename__ = "hours_calendar"
    __scope__ = OPEN
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text, unique=True)
    zone: Mapped[str] = mapped_column(Text)


class HoursSpan(Base):
    """Open from minute to minute of a weekday, Monday is 0."""

    __tablename__ = "hours_span"
    __scope__ = OPEN
    __table_args__ = (
        UniqueConstraint("calendar_id", "weekday", "opens"),
        CheckConstraint("weekday between 0 and 6", name="weekday_is_one"),
        CheckConstraint("opens >= 0 and opens < closes and closes <= 1440", name="ends_after_it_begins"),
    )
    id: Mapped[key]
    calendar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("hours_calendar.id", ondelete="CASCADE"))
    weekday: Mapped[int] = mapped_column(Integer)
    opens: Mapped[int] = mapped_column(Integer)
    closes: Mapped[int] = mapped_column(Integer)


class HoursDay(Base):
    """A day that is not as its weekday: closed, or open like another weekday."""

    __tablename__ = "hours_day"
    __scope__ = OPEN
    __table_args__ = (
        UniqueConstraint("calendar_id", "day"),
        CheckConstraint("like_weekday between 0 and 6", name="like_a_weekday"),
    )
    id: Mapped[key]
    calendar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("hours_calendar.id", ondelete="CASCADE"))
    day: Mapped[date] = mapped_column(Date)
    like_weekday: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))


class HoursUse(Base):
    """Who follows the calendar: one line or queue of a switch, a branch with those below it, or the firm (neither)."""

    __tablename__ = "hours_use"
    __scope__ = OPEN
    __table_args__ = (
        UniqueConstraint("of_branch", "switch", "line", postgresql_nulls_not_distinct=True),
        CheckConstraint("(switch is null) = (line is null) and (line is null or of_branch is null)", name="of_one_thing"),
    )
    id: Mapped[key]
    calendar_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("hours_calendar.id", ondelete="CASCADE"))
    of_branch: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("branch.id"))
    switch: Mapped[str | None] = mapped_column(Text)
    line: Mapped[str | None] = mapped_column(Text)
