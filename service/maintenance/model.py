"""Plans and their reminders."""

from datetime import date, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH

PLAN_STATES = ("active", "paused", "ended")
REMINDER_STATES = ("due", "dispatched", "done", "skipped")


class MaintenancePlan(Base):
    """What is done at a device, how often, and by whom. `every` is a day of the month or a number of days."""

    __tablename__ = "maintenance_plan"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("timing in ('monthly', 'interval')", name="timing_is_known"),
        CheckConstraint("every >= 1 and every <= 3660 and (timing = 'interval' or every <= 31)", name="every_fits_its_timing"),
        CheckConstraint("notice_days between 0 and 90", name="notice_is_short"),
        CheckConstraint("state in ('active', 'paused', 'ended')", name="state_is_known"),
        Index("ix_maintenance_plan_device_id", "device_id"),
        Index("ix_maintenance_plan_next_due_on", "next_due_on", "id", postgresql_where=text("state = 'active'")),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("device.id"))
    content: Mapped[str] = mapped_column(Text)
    timing: Mapped[str] = mapped_column(Text)
    every: Mapped[int] = mapped_column(Integer)
    starts_on: Mapped[date] = mapped_column(Date)
    notice_days: Mapped[int] = mapped_column(Integer, server_default=text("3"))
    responsible_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    responsible_branch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("branch.id"))
    next_due_on: Mapped[date] = mapped_column(Date)
    done_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, server_default=text("'active'"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[ts]
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]

    __mapper_args__ = {"version_id_col": version}

    @property
    def shown_from(self) -> date:
        """The day on which the next visit enters the list."""
        return self.next_due_on - timedelta(days=self.notice_days)


class MaintenanceReminder(Base):
    """One due date of a plan; `passed` counts further dates that went by before the work was done."""

    __tablename__ = "maintenance_reminder"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("plan_id", "due_on"),
        CheckConstraint("state in ('due', 'dispatched', 'done', 'skipped')", name="state_is_known"),
        CheckConstraint("(state = 'done') = (done_on is not null)", name="done_has_its_day"),
        CheckConstraint("(state = 'done') = (done_at is not null)", name="done_has_its_moment"),
        CheckConstraint("state <> 'dispatched' or ticket_id is not null", name="dispatched_has_its_ticket"),
        Index("ix_maintenance_reminder_open", "due_on", "id", postgresql_where=text("state in ('due', 'dispatched')")),
        Index("uq_maintenance_reminder_open", "plan_id", unique=True, postgresql_where=text("state in ('due', 'dispatched')")),
        Index("ix_maintenance_reminder_device_id", "device_id", "id"),
        Index("ix_maintenance_reminder_done_at", "device_id", "done_at", "id", postgresql_where=text("state = 'done'")),
        Index("uq_maintenance_reminder_ticket_id", "ticket_id", unique=True, postgresql_where=text("ticket_id is not null")),
    )
    id: Mapped[key]
    plan_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("maintenance_plan.id"))
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("device.id"))
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, server_default=text("'due'"))
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ticket.id"))
    done_on: Mapped[date | None] = mapped_column(Date)
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    done_by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    findings: Mapped[str] = mapped_column(Text, server_default=text("''"))
    passed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    reason: Mapped[str] = mapped_column(Text, server_default=text("''"))
    created_at: Mapped[ts]
    branch_id: Mapped[branch]
