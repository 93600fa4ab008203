"""What an agent does now, what they did, and the queues they serve."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
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

MAYBE = DateTime(timezone=True)
EMPTY = text("''")


class AgentState(Base):
    """One agent now: what they chose, what their phone does, and what the switch's queues show of them."""

    __tablename__ = "agent_state"
    __scope__ = BRANCH
    __table_args__ = (
        UniqueConstraint("staff_id"),
        Index("ix_agent_state_seat", "switch", "extension"),
        CheckConstraint("chosen in ('offline', 'ready', 'pause')", name="chosen_is_known"),
        CheckConstraint("phase in ('idle', 'ringing', 'talking', 'hold')", name="phase_is_known"),
        CheckConstraint("state in ('offline', 'ready', 'ringing', 'talking', 'hold', 'acw', 'pause')", name="state_is_known"),
    )
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    switch: Mapped[str] = mapped_column(Text)
    extension: Mapped[str] = mapped_column(Text)
    chosen: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    phase: Mapped[str] = mapped_column(Text, server_default=text("'idle'"))
    customer: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    call_key: Mapped[str | None] = mapped_column(Text)
    acw_until: Mapped[datetime | None] = mapped_column(MAYBE)
    state: Mapped[str] = mapped_column(Text)
    since: Mapped[ts]
    wants_paused: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    wants_reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    is_paused: Mapped[bool | None] = mapped_column(Boolean)
    paused_reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    device: Mapped[int | None] = mapped_column(Integer)
    queues: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    heard_at: Mapped[datetime | None] = mapped_column(MAYBE)
    branch_id: Mapped[branch]


class AgentStateChange(Base):
    """An agent went from one state to another: when, why, and who made them if not they themselves."""

    __tablename__ = "agent_state_change"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_agent_state_change_staff_id_at", "staff_id", "at"),)
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    at: Mapped[ts]
    old: Mapped[str] = mapped_column(Text)
    new: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    extension: Mapped[str] = mapped_column(Text)
    switch: Mapped[str | None] = mapped_column(Text)
    call_key: Mapped[str | None] = mapped_column(Text)
    branch_id: Mapped[branch]


class AgentQueue(Base):
    """A queue that a person serves whenever they are signed in."""

    __tablename__ = "agent_queue"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("staff_id", "switch", "queue"),)
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    switch: Mapped[str] = mapped_column(Text)
    queue: Mapped[str] = mapped_column(Text)
    penalty: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    branch_id: Mapped[branch]


class QueueMember(Base):
    """A phone in a queue as the switch last told it, whoever sits there."""

    __tablename__ = "queue_member"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("switch", "queue", "interface"), Index("ix_queue_member_phone", "switch", "extension"))
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    queue: Mapped[str] = mapped_column(Text)
    interface: Mapped[str] = mapped_column(Text)
    extension: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(Integer)
    paused: Mapped[bool] = mapped_column(Boolean)
    reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    dynamic: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    heard_at: Mapped[ts]
    branch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("branch.id"), index=True)
