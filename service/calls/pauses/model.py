"""Who wanted silence on a recording, and when there was some."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH

MAYBE = DateTime(timezone=True)
WHY = ("left", "sent", "gone", "agent-left", "call-over", "time", "failed")


class RecordingPause(Base):
    """One field that asks for silence. Began and ended are the switch's moments; `why` tells how it was released.

    Named like an alias: the call need not be stored yet.
    """

    __tablename__ = "recording_pause"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("request_key"),
        Index("ix_recording_pause_switch_uniqueid", "switch", "uniqueid"),
        Index("ix_recording_pause_open", "switch", "id", postgresql_where=text("ended_at is null")),
        CheckConstraint(f"why in ('', {', '.join(repr(why) for why in WHY)})", name="why_is_known"),
        CheckConstraint("(released_at is null) = (why = '')", name="a_release_has_its_reason"),
        CheckConstraint("ended_at is null or released_at is not null", name="what_ended_was_released"),
    )
    id: Mapped[key]
    request_key: Mapped[str] = mapped_column(Text)
    switch: Mapped[str] = mapped_column(Text)
    uniqueid: Mapped[str] = mapped_column(Text)
    extension: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("phone_order.id"))
    resume_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("phone_order.id"))
    asked_at: Mapped[ts]
    began_at: Mapped[datetime | None] = mapped_column(MAYBE)
    released_at: Mapped[datetime | None] = mapped_column(MAYBE)
    released_by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    why: Mapped[str] = mapped_column(Text, server_default=text("''"))
    error: Mapped[str] = mapped_column(Text, server_default=text("''"))
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]
