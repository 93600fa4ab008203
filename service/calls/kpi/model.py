"""The versions of the policy."""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, ts
from service.core.seen import OPEN


class KpiPolicy(Base):
    """What calls are measured by that begin on `valid_from` or later, until another version is in force."""

    __tablename__ = "kpi_policy"
    __scope__ = OPEN
    __table_args__ = (
        CheckConstraint(
            "level_formula in ('standard', 'servicelevel_perf', 'servicelevel_perf2', 'late_abandons')", name="formula_is_known"
        ),
        CheckConstraint(
            "within_seconds between 1 and 3600 and short_seconds between 0 and 600 and call_target between 1 and 100"
            " and occupancy_warning between 1 and 100 and fcr_days between 1 and 90 and recovery_hours between 1 and 720",
            name="limits_are_sound",
        ),
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date)
    within_seconds: Mapped[int] = mapped_column(Integer)
    short_seconds: Mapped[int] = mapped_column(Integer)
    call_target: Mapped[int] = mapped_column(Integer)
    level_formula: Mapped[str] = mapped_column(Text)
    occupancy_warning: Mapped[int] = mapped_column(Integer)
    fcr_days: Mapped[int] = mapped_column(Integer)
    recovery_hours: Mapped[int] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    set_by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    set_at: Mapped[ts]
