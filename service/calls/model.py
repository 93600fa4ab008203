"""Calls, legs, aliases, pops, recordings, and what the feed missed."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH, OPEN

MAYBE = DateTime(timezone=True)
SECONDS = Numeric(12, 3)


class PhoneLine(Base):
    """A number of ours that can be dialled, or a queue: which branch it serves and what it is called."""

    __tablename__ = "phone_line"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("switch", "kind", "name"),)
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    branch_id: Mapped[branch]


class Call(Base):
    """One call. `call_key` is the smallest channel id it ever had; times are the switch's own.

    A person may have joined it to another (`joined_to_id`), which then shows both and keeps its own values in `own`.
    """

    __tablename__ = "call"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("switch", "call_key"),
        Index("ix_call_started_at_id", "started_at", "id"),
        Index("ix_call_caller_e164", "caller_e164", "started_at"),
        Index("ix_call_caller_number_started", "caller_number", "started_at"),
        Index("ix_call_joined_to_id", "joined_to_id", postgresql_where=text("joined_to_id is not null")),
        Index("ix_call_party_id", "party_id", "id"),
        Index("ix_call_staff_started", "staff_id", "started_at"),
        Index("ix_call_called_started", "called", "started_at"),
        Index("ix_call_missed_caller_id", "missed_caller_id", postgresql_where=text("missed_caller_id is not null")),
        Index("ix_call_called_e164", "called_e164", "started_at", postgresql_where=text("called_e164 is not null")),
        Index("ix_call_switch_started_at", "switch", "started_at"),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    call_key: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    caller_number: Mapped[str | None] = mapped_column(Text)
    caller_e164: Mapped[str | None] = mapped_column(Text)
    caller_name: Mapped[str | None] = mapped_column(Text)
    called: Mapped[str | None] = mapped_column(Text)
    called_e164: Mapped[str | None] = mapped_column(Text)
    queue: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    party_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"))
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    disposition: Mapped[str | None] = mapped_column(Text)
    hangup_by: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None] = mapped_column(MAYBE)
    queued_at: Mapped[datetime | None] = mapped_column(MAYBE)
    answered_at: Mapped[datetime | None] = mapped_column(MAYBE)
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    wait_seconds: Mapped[Decimal | None] = mapped_column(SECONDS)
    talk_seconds: Mapped[Decimal | None] = mapped_column(SECONDS)
    total_seconds: Mapped[Decimal | None] = mapped_column(SECONDS)
    hold_seconds: Mapped[Decimal | None] = mapped_column(SECONDS)
    ring_seconds: Mapped[Decimal | None] = mapped_column(SECONDS)
    final_agent: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str | None] = mapped_column(Text)
    mailbox: Mapped[str | None] = mapped_column(Text)
    conference: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    missed_caller_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("missed_caller.id"))
    joined_to_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="SET NULL"))
    own: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    ticketed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    recorded: Mapped[bool | None] = mapped_column(Boolean)
    recording_name: Mapped[str | None] = mapped_column(Text)
    live: Mapped[bool] = mapped_column(Boolean)
    provenance: Mapped[str] = mapped_column(Text)
    end_certain: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    revision: Mapped[int] = mapped_column(BigInteger)
    derivation: Mapped[str | None] = mapped_column(Text)
    stored_at: Mapped[ts]
    branch_id: Mapped[branch]


class CallPair(Base):
    """What a person has said of two calls that looked like halves of one: joined, or different; `call_id` is the smaller id."""

    __tablename__ = "call_pair"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("call_id", "other_id"),
        CheckConstraint("verdict in ('joined', 'different')", name="verdict_is_known"),
    )
    id: Mapped[key]
    call_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="CASCADE"), index=True)
    verdict: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    at: Mapped[ts]
    branch_id: Mapped[branch]


class CallLeg(Base):
    """One attempt to reach somebody, and how it ended."""

    __tablename__ = "call_leg"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("call_id", "no"),)
    id: Mapped[key]
    call_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="CASCADE"))
    no: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str] = mapped_column(Text)
    extension: Mapped[str | None] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    rang_at: Mapped[datetime | None] = mapped_column(MAYBE)
    answered_at: Mapped[datetime | None] = mapped_column(MAYBE)
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    outcome: Mapped[str | None] = mapped_column(Text)
    branch_id: Mapped[branch]


class MissedCaller(Base):
    """A caller whom nobody answered, from the first try until somebody has spoken with them.

    `outside` while each of their tries fell outside the opening hours of where they called.
    """

    __tablename__ = "missed_caller"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_missed_caller_first_at", "outside", "first_at", "id", postgresql_where=text("closed_at is null")),
        Index("ix_missed_caller_closed_at", "closed_at", "id", postgresql_where=text("closed_at is not null")),
        Index("uq_missed_caller_open", "number", "branch_id", unique=True, postgresql_where=text("closed_at is null")),
        CheckConstraint(
            "(closed_at is null) = (why is null) and (why is null or why in ('called again', 'called back', 'by hand'))",
            name="closed_for_a_reason",
        ),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text)
    switch: Mapped[str] = mapped_column(Text)
    queue: Mapped[str | None] = mapped_column(Text)
    party_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"))
    first_at: Mapped[ts]
    last_at: Mapped[ts]
    calls: Mapped[int] = mapped_column(Integer)
    outside: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    owner_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    closed_at: Mapped[datetime | None] = mapped_column(MAYBE)
    closed_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    closing_call_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("call.id", ondelete="SET NULL", use_alter=True)
    )
    why: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    branch_id: Mapped[branch]


class CallSegment(Base):
    """Where the customer was for a while, and at whose phone; segments follow each other."""

    __tablename__ = "call_segment"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("call_id", "no"),
        CheckConstraint(
            "kind in ('ivr', 'queue_wait', 'ringing', 'talk', 'hold', 'consult', 'park', 'voicemail', 'conference')",
            name="kind_is_known",
        ),
    )
    id: Mapped[key]
    call_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="CASCADE"))
    no: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    extension: Mapped[str | None] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    began_at: Mapped[datetime | None] = mapped_column(MAYBE)
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    seconds: Mapped[Decimal | None] = mapped_column(SECONDS)
    branch_id: Mapped[branch]


class CallTransfer(Base):
    """Somebody passed the customer on: how, to whom, and whether it was taken there."""

    __tablename__ = "call_transfer"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("call_id", "no"),
        CheckConstraint("how in ('blind', 'attended', 'park')", name="how_is_known"),
    )
    id: Mapped[key]
    call_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="CASCADE"))
    no: Mapped[int] = mapped_column(Integer)
    how: Mapped[str] = mapped_column(Text)
    extension: Mapped[str | None] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    target: Mapped[str | None] = mapped_column(Text)
    answered: Mapped[bool] = mapped_column(Boolean)
    at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]


class CallAlias(Base):
    """Every channel id that turned out to belong to a call, so that late news finds it."""

    __tablename__ = "call_alias"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("switch", "uniqueid"),)
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    uniqueid: Mapped[str] = mapped_column(Text)
    call_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="CASCADE"), index=True)
    branch_id: Mapped[branch]


class AgentPop(Base):
    """What one agent's screen shows of one call; exists before the call itself is stored."""

    __tablename__ = "agent_pop"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("switch", "call_key", "extension"),
        Index("ix_agent_pop_staff_open", "staff_id", "began_at", postgresql_where=text("ended_at is null")),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    call_key: Mapped[str] = mapped_column(Text)
    extension: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    direction: Mapped[str] = mapped_column(Text)
    caller_number: Mapped[str | None] = mapped_column(Text)
    caller_name: Mapped[str | None] = mapped_column(Text)
    called: Mapped[str | None] = mapped_column(Text)
    queue: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(Text)
    party_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"))
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    matches: Mapped[list[dict[str, object]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    ticketed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    began_at: Mapped[ts]
    answered_at: Mapped[datetime | None] = mapped_column(MAYBE)
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]


class Recording(Base):
    """One audio file in the vault; call_id is empty until its call is known.

    `sha256`, `bytes` and `format` are of the file that the switch wrote, for good; `kept_…` are of what the vault has in its place,
    once it is another. `state` is kept, doomed (asked to be destroyed) or destroyed; `wave` are the bars of its picture in base64; `source` is
    where the switch left it.
    """

    __tablename__ = "recording"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("switch", "uniqueid", "segment"),
        Index("ix_recording_wav", "id", postgresql_where=text("state = 'kept' and kept_as = 'wav'")),
        CheckConstraint(
            "kept_as = 'wav' or (kept_sha256 is not null and kept_bytes is not null and transcoded_at is not null)",
            name="another_form_has_its_hash",
        ),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    uniqueid: Mapped[str] = mapped_column(Text)
    segment: Mapped[int] = mapped_column(Integer)
    call_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("call.id"), index=True)
    path: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[Decimal] = mapped_column(SECONDS)
    format: Mapped[str] = mapped_column(Text)
    kept_as: Mapped[str] = mapped_column(Text, server_default=text("'wav'"))
    kept_sha256: Mapped[str | None] = mapped_column(Text)
    kept_bytes: Mapped[int | None] = mapped_column(BigInteger)
    transcoded_at: Mapped[datetime | None] = mapped_column(MAYBE)
    state: Mapped[str] = mapped_column(Text, server_default=text("'kept'"))
    retention: Mapped[str] = mapped_column(Text, server_default=text("'ordinary'"))
    wave: Mapped[str | None] = mapped_column(Text)
    silences: Mapped[list[list[float]] | None] = mapped_column(JSONB)
    found_at: Mapped[ts]
    changed_at: Mapped[datetime | None] = mapped_column(MAYBE)
    source: Mapped[str | None] = mapped_column(Text)
    source_marked_at: Mapped[datetime | None] = mapped_column(MAYBE)
    source_deleted_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]


class RecordingPlay(Base):
    """Somebody listened."""

    __tablename__ = "recording_play"
    __scope__ = BRANCH
    id: Mapped[key]
    recording_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("recording.id"), index=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(Text, server_default=text("'play'"))
    reason: Mapped[str] = mapped_column(Text, server_default=text("''"))
    at: Mapped[ts]
    branch_id: Mapped[branch]


class FeedGap(Base):
    """A span in which the switch was not heard."""

    __tablename__ = "feed_gap"
    __scope__ = OPEN
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    began_at: Mapped[ts]
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    reason: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    filled_at: Mapped[datetime | None] = mapped_column(MAYBE)


class FeedCheckpoint(Base):
    """How far the store has followed the journal, and from where a restart must re-read."""

    __tablename__ = "feed_checkpoint"
    __scope__ = OPEN
    switch: Mapped[str] = mapped_column(Text, primary_key=True)
    segment: Mapped[str] = mapped_column(Text)
    offset: Mapped[int] = mapped_column(BigInteger)
    low_segment: Mapped[str] = mapped_column(Text)
    low_offset: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[ts]


class FeedState(Base):
    """How one switch's listener stands, told by itself every few seconds."""

    __tablename__ = "feed_state"
    __scope__ = OPEN
    switch: Mapped[str] = mapped_column(Text, primary_key=True)
    up: Mapped[bool] = mapped_column(Boolean)
    since: Mapped[datetime | None] = mapped_column(MAYBE)
    heard_at: Mapped[datetime | None] = mapped_column(MAYBE)
    frames: Mapped[int] = mapped_column(BigInteger)
    doubted: Mapped[int] = mapped_column(BigInteger)
    calls: Mapped[int] = mapped_column(Integer)
    at: Mapped[ts]


class FeedDoubt(Base):
    """A frame that was kept back: its bytes as plain signs; `more` of the same moment were not written down."""

    __tablename__ = "feed_doubt"
    __scope__ = OPEN
    __table_args__ = (Index("ix_feed_doubt_switch_id", "switch", "id"), Index("ix_feed_doubt_at", "at"))
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    at: Mapped[ts]
    forged: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text)
    frame: Mapped[str] = mapped_column(Text)
    more: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class FeedCursor(Base):
    """How far one of a switch's files has been read, and by which bytes its beginning is known again."""

    __tablename__ = "feed_cursor"
    __scope__ = OPEN
    switch: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    inode: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger)
    known: Mapped[int] = mapped_column(Integer)
    head: Mapped[str] = mapped_column(Text)
    low_at: Mapped[ts]
    at: Mapped[ts]


class BackfillRun(Base):
    """One reading of a switch's files, and what came of it."""

    __tablename__ = "backfill_run"
    __scope__ = OPEN
    __table_args__ = (
        Index("ix_backfill_run_switch_id", "switch", "id"),
        CheckConstraint("state in ('running', 'done', 'failed')", name="state_is_known"),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    since: Mapped[ts]
    read_to: Mapped[datetime | None] = mapped_column(MAYBE)
    began_at: Mapped[ts]
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    state: Mapped[str] = mapped_column(Text)
    records: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    unreadable: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    calls: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    found: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    mended: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
