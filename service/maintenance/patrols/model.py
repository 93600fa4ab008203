"""Rounds with their stops, and the visits that were made."""

from datetime import date
from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH

DEGREES = Numeric(9, 6)


class PatrolRound(Base):
    """The sites that one inspector visits between two days, both included."""

    __tablename__ = "patrol_round"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"),
        Index("ix_patrol_round_inspector_id", "inspector_id", "ends_on"),
    )
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text)
    inspector_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[ts]
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]

    __mapper_args__ = {"version_id_col": version}


class PatrolStop(Base):
    """One site of a round."""

    __tablename__ = "patrol_stop"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("round_id", "site_id"), Index("ix_patrol_stop_site_id", "site_id"))
    id: Mapped[key]
    round_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patrol_round.id"))
    site_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("site.id"))
    branch_id: Mapped[branch]


class PatrolVisit(Base):
    """Somebody was there and says what was found; `accuracy` is in metres. The ticket is what a fault became, once."""

    __tablename__ = "patrol_visit"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("latitude between -90 and 90", name="latitude_is_on_earth"),
        CheckConstraint("longitude between -180 and 180", name="longitude_is_on_earth"),
        CheckConstraint("(latitude is null) = (longitude is null)", name="position_is_whole"),
        CheckConstraint("accuracy >= 0 and (accuracy is null or latitude is not null)", name="accuracy_is_of_a_position"),
        CheckConstraint("ticket_id is null or faulty", name="only_a_fault_becomes_a_ticket"),
        Index("ix_patrol_visit_site_id", "site_id", "at", "id"),
        Index("ix_patrol_visit_at", "at", "id"),
        Index("ix_patrol_visit_round_id", "round_id", "site_id", postgresql_where=text("round_id is not null")),
        Index("ix_patrol_visit_device_id", "device_id", postgresql_where=text("device_id is not null")),
        Index("ix_patrol_visit_inspector_id", "inspector_id", "at"),
        Index("uq_patrol_visit_ticket_id", "ticket_id", unique=True, postgresql_where=text("ticket_id is not null")),
    )
    id: Mapped[key]
    site_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("site.id"))
    round_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("patrol_round.id"))
    device_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device.id"))
    inspector_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    at: Mapped[ts]
    latitude: Mapped[Decimal | None] = mapped_column(DEGREES)
    longitude: Mapped[Decimal | None] = mapped_column(DEGREES)
    accuracy: Mapped[int | None] = mapped_column(Integer)
    findings: Mapped[str] = mapped_column(Text)
    faulty: Mapped[bool] = mapped_column(Boolean)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("ticket.id"))
    request_key: Mapped[str] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]


class PatrolDevice(Base):
    """A device that stood at the site when the patrol was there, so that it keeps the patrol wherever it goes."""

    __tablename__ = "patrol_device"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("visit_id", "device_id"), Index("ix_patrol_device_device_id", "device_id"))
    id: Mapped[key]
    visit_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("patrol_visit.id"))
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("device.id"))
    branch_id: Mapped[branch]
