"""What was asked of a switch, and how it went."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH

MAYBE = DateTime(timezone=True)
KINDS = (
    "dial", "blind", "atxfer", "atxfer_cancel", "park", "hangup", "pause", "unpause", "queue_add", "queue_remove",
    "listen", "whisper", "barge", "record_pause", "record_resume",
)


class PhoneOrder(Base):
    """One order. It is sent at most once: whatever is not known after a cut stays unknown."""

    __tablename__ = "phone_order"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("request_key"),
        Index("uq_phone_order_channel", "switch", "channel_id", unique=True, postgresql_where=text("channel_id is not null")),
        Index("ix_phone_order_open", "switch", "id", postgresql_where=text("state in ('requested', 'accepted')")),
        Index("ix_phone_order_staff_id", "staff_id", "id"),
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", name="kind_is_known"),
        CheckConstraint("state in ('requested', 'accepted', 'confirmed', 'failed', 'unknown')", name="state_is_known"),
    )
    id: Mapped[key]
    request_key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    switch: Mapped[str] = mapped_column(Text)
    extension: Mapped[str] = mapped_column(Text)
    args: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    party_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"))
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    about_kind: Mapped[str] = mapped_column(Text, server_default=text("''"))
    about_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[str | None] = mapped_column(Text)
    call_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("call.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(Text, server_default=text("'requested'"))
    error: Mapped[str] = mapped_column(Text, server_default=text("''"))
    detail: Mapped[str] = mapped_column(Text, server_default=text("''"))
    requested_at: Mapped[ts]
    taken_at: Mapped[datetime | None] = mapped_column(MAYBE)
    accepted_at: Mapped[datetime | None] = mapped_column(MAYBE)
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]
