"""Tables of the floor: audit, outbox, jobs, live events, counters, runs."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Integer, Numeric, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH, OPEN


class AuditEntry(Base):
    """Who changed what, from which value to which; written in the transaction of the change."""

    __tablename__ = "audit_entry"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_audit_entry_at", "at", "id"),
        Index("ix_audit_entry_entity", "entity", "entity_id", "id"),
        Index("ix_audit_entry_by_id", "by_id", "id"),
        Index("ix_audit_entry_kind", "kind", "at", "id"),
    )
    id: Mapped[key]
    at: Mapped[ts]
    by_id: Mapped[int | None] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(Text, server_default=text("''"))
    verb: Mapped[str] = mapped_column(Text)
    entity: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[int | None] = mapped_column(BigInteger)
    old: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    new: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    branch_id: Mapped[branch | None]
    kind: Mapped[str] = mapped_column(Text, server_default=text("'change'"))


class OutboxMessage(Base):
    """News for the world outside, committed together with the fact it tells."""

    __tablename__ = "outbox_message"
    __scope__ = OPEN
    id: Mapped[key]
    at: Mapped[ts]
    topic: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Job(Base):
    """Work to be done soon, at least once, by whoever takes it first."""

    __tablename__ = "job"
    __scope__ = OPEN
    __table_args__ = (
        Index("uq_job_dedupe", "name", "dedupe", unique=True, postgresql_where=text("state in ('ready', 'running')")),
        Index("ix_job_waiting", "run_at", "id", postgresql_where=text("state in ('ready', 'running')")),
    )
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text)
    args: Mapped[dict[str, Any]] = mapped_column(JSONB)
    dedupe: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default=text("'ready'"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(Integer, server_default=text("5"))
    created_at: Mapped[ts]
    run_at: Mapped[ts]
    locked_by: Mapped[str | None] = mapped_column(Text)
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)


class LiveEvent(Base):
    """What was told to browsers in the last minutes, so that a reconnecting one misses nothing."""

    __tablename__ = "live_event"
    __scope__ = OPEN
    __table_args__ = (Index("ix_live_event_topic_id", "topic", "id"), Index("ix_live_event_at", "at"))
    id: Mapped[key]
    at: Mapped[ts]
    topic: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DocumentCounter(Base):
    """The last number given out in a series and period."""

    __tablename__ = "document_counter"
    __scope__ = OPEN
    series: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class NightRun(Base):
    """One run of the night cart: what it loaded, what it proved, why it stopped."""

    __tablename__ = "night_run"
    __scope__ = OPEN
    id: Mapped[key]
    slot: Mapped[str] = mapped_column(Text)
    began_at: Mapped[ts]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text)
    generation: Mapped[int | None] = mapped_column(Integer)
    rows_read: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))


class ScheduleSlot(Base):
    """A planned moment that has been taken; the same one is never taken twice."""

    __tablename__ = "schedule_slot"
    __scope__ = OPEN
    __table_args__ = (UniqueConstraint("name", "slot"),)
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text)
    slot: Mapped[str] = mapped_column(Text)
    taken_at: Mapped[ts]


class Tombstone(Base):
    """A row of an extracted table that was deleted, for the next night to know."""

    __tablename__ = "tombstone"
    __scope__ = OPEN
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    table_name: Mapped[str] = mapped_column(Text)
    row_id: Mapped[int] = mapped_column(BigInteger)


class SearchEntry(Base):
    """A thing as it is looked for; `tokens` are lexemes of our own making, see core.search."""

    __tablename__ = "search_entry"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_search_entry_tokens", "tokens", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_search_entry_label_key", "label_key", postgresql_ops={"label_key": "text_pattern_ops"}),
        Index("ix_search_entry_code", "code"),
    )
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    ref_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    branch_id: Mapped[branch]
    label: Mapped[str] = mapped_column(Text)
    label_key: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text, server_default=text("''"))
    code: Mapped[str] = mapped_column(Text, server_default=text("''"))
    reading: Mapped[str] = mapped_column(Text, server_default=text("''"))
    weight: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    tokens: Mapped[str] = mapped_column(TSVECTOR)
    owners: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    department_id: Mapped[int | None] = mapped_column(BigInteger)


class DoctorReport(Base):
    """What the doctor last found at a switch: codes and values, put into words where they are read."""

    __tablename__ = "doctor_report"
    __scope__ = OPEN
    switch: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[ts]
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)


class Attachment(Base):
    """A picture of something; its files lie under a token of ours, see core.attachments."""

    __tablename__ = "attachment"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_attachment_entity", "entity", "entity_id", "id"),)
    id: Mapped[key]
    entity: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    bytes: Mapped[int] = mapped_column(Integer)
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    taken_at: Mapped[datetime | None] = mapped_column(DateTime)  # the camera's own clock, which knows no zone
    at: Mapped[ts]
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    branch_id: Mapped[branch]
