"""The ticket, its timeline and its calls."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import Own, Through

MAYBE = DateTime(timezone=True)


class Ticket(Base):
    """One request for service. `version` grows with each change so that two editors notice each other."""

    __tablename__ = "ticket"
    __scope__ = Own(people=("assignee_id", "registered_by_id"), department="department_id")
    __table_args__ = (
        Index("ix_ticket_state", "state", "id"),
        Index("ix_ticket_party_id", "party_id", "id"),
        Index("ix_ticket_assignee_id", "assignee_id", "id"),
        Index("ix_ticket_device_id", "device_id", "registered_at", "id", postgresql_where=text("device_id is not null")),
        CheckConstraint("warranty in ('', 'in', 'out', 'unknown')", name="warranty_is_said"),
        CheckConstraint("chargeable in ('', 'free', 'payable')", name="charge_is_said"),
        Index("ix_ticket_department_id", "department_id", "id", postgresql_where=text("department_id is not null")),
        Index("ix_ticket_registered_by_id", "registered_by_id", "id"),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    device_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device.id"))
    component_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device_component.id"))
    warranty: Mapped[str] = mapped_column(Text, server_default=text("''"))
    chargeable: Mapped[str] = mapped_column(Text, server_default=text("''"))
    phone: Mapped[str] = mapped_column(Text, server_default=text("''"))
    type: Mapped[str] = mapped_column(Text, server_default=text("'repair'"))
    channel: Mapped[str] = mapped_column(Text, server_default=text("'hotline'"))
    priority: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    result: Mapped[str] = mapped_column(Text, server_default=text("''"))
    assignee_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    registered_by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    registered_at: Mapped[ts]
    response_due_at: Mapped[ts]
    resolve_due_at: Mapped[ts]
    assigned_at: Mapped[datetime | None] = mapped_column(MAYBE)
    accepted_at: Mapped[datetime | None] = mapped_column(MAYBE)
    started_at: Mapped[datetime | None] = mapped_column(MAYBE)
    finished_at: Mapped[datetime | None] = mapped_column(MAYBE)
    closed_at: Mapped[datetime | None] = mapped_column(MAYBE)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    department_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("department.id"))
    branch_id: Mapped[branch]

    __mapper_args__ = {"version_id_col": version}


class TicketEvent(Base):
    """One line of the timeline: who did what, and which field went from what to what."""

    __tablename__ = "ticket_event"
    __scope__ = Through("ticket_id", "ticket")
    __table_args__ = (Index("ix_ticket_event_ticket_id", "ticket_id", "id"),)
    id: Mapped[key]
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket.id"))
    at: Mapped[ts]
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    verb: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(Text, server_default=text("''"))
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default=text("''"))
    branch_id: Mapped[branch]


class TicketCall(Base):
    """A ticket remembers its calls by switch and key, since the pop comes before the call is stored."""

    __tablename__ = "ticket_call"
    __scope__ = Through("ticket_id", "ticket")
    __table_args__ = (
        UniqueConstraint("ticket_id", "switch", "call_key"),
        Index("ix_ticket_call_call", "switch", "call_key"),
    )
    id: Mapped[key]
    ticket_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("ticket.id"))
    switch: Mapped[str] = mapped_column(Text)
    call_key: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[ts]
    branch_id: Mapped[branch]
