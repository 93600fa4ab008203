"""Consent, holds, deletions, findings, retention and the daily chain; the recording itself is beside its call."""

from datetime import date, datetime

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
from service.core.seen import BRANCH, OPEN

MAYBE = DateTime(timezone=True)


class CallConsent(Base):
    """What the caller was told or said about recording; the last row counts. Named like an alias: it may come before its call."""

    __tablename__ = "call_consent"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_call_consent_switch_uniqueid", "switch", "uniqueid"),
        CheckConstraint("state in ('announced', 'given', 'refused')", name="state_is_known"),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    uniqueid: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    at: Mapped[ts]
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    branch_id: Mapped[branch]


class RetentionClass(Base):
    """How many days recordings of a class are kept."""

    __tablename__ = "retention_class"
    __scope__ = OPEN
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)


class RecordingHold(Base):
    """A recording that must not be deleted, from when until when, and why."""

    __tablename__ = "recording_hold"
    __scope__ = BRANCH
    __table_args__ = (
        Index("uq_recording_hold_open", "recording_id", unique=True, postgresql_where=text("lifted_at is null")),
    )
    id: Mapped[key]
    recording_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("recording.id"))
    reason: Mapped[str] = mapped_column(Text)
    set_at: Mapped[ts]
    set_by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    lifted_at: Mapped[datetime | None] = mapped_column(MAYBE)
    lifted_by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    lift_reason: Mapped[str] = mapped_column(Text, server_default=text("''"))
    branch_id: Mapped[branch]


class RecordingDeletion(Base):
    """Audio that is no more: who had it destroyed, when, why, and the hash that names it."""

    __tablename__ = "recording_deletion"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("recording_id"),
        CheckConstraint("reason in ('retention', 'refused')", name="reason_is_known"),
    )
    id: Mapped[key]
    recording_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("recording.id"))
    call_id: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    asked_at: Mapped[ts]
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    destroyed_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]


class RecordingFinding(Base):
    """Something is wrong with a file, a call's audio or the vault; open until it is mended."""

    __tablename__ = "recording_finding"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("switch", "kind", "subject"),
        Index("ix_recording_finding_open", "id", postgresql_where=text("mended_at is null")),
        Index("ix_recording_finding_switch_uniqueid", "switch", "uniqueid"),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    uniqueid: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    found_at: Mapped[ts]
    mended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]


class RecordingChain(Base):
    """One day's recordings, and a hash over them and the day before."""

    __tablename__ = "recording_chain"
    __scope__ = OPEN
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    entries: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text)
    made_at: Mapped[ts]
