"""The device archive: devices, their components, their holders one after another, swaps, and each device's own history.

`serial_key` is one spelling of a serial (small, narrow, no blanks, no dashes); a trigger keeps it, so no writer can forget it.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, ForeignKey, Index, Integer, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH

EMPTY = text("''")
MAYBE = DateTime(timezone=True)
READING = Numeric(18, 6)
SWAPPED = """kind = 'swap' and old_device_id is not null and new_device_id is not null and old_device_id <> new_device_id
        or kind = 'removal' and old_device_id is not null and new_device_id is null
        or kind = 'installation' and old_device_id is null and new_device_id is not null"""


class Device(Base):
    """A device of a customer; `version` grows with each change so that two editors notice each other."""

    __tablename__ = "device"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("state in ('normal', 'abnormal', 'repair', 'retired')", name="state_is_known"),
        Index("ix_device_serial_key", "serial_key"),
        Index("ix_device_party_id", "party_id", "id"),
        Index("ix_device_warranty_until", "warranty_until", "id"),
        Index("ix_device_created_at", "created_at", "id"),
        Index("ix_device_retired", "retired_on", "id", postgresql_where=text("state = 'retired'")),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    product_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("product.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    serial: Mapped[str] = mapped_column(Text)
    serial_key: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    kind: Mapped[str] = mapped_column(Text, server_default=text("'computer'"))
    place: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    produced_on: Mapped[date | None] = mapped_column(Date)
    installed_on: Mapped[date | None] = mapped_column(Date)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    department: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    holder: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    warranty_from: Mapped[date | None] = mapped_column(Date)
    warranty_until: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, server_default=text("'normal'"))
    retired_on: Mapped[date | None] = mapped_column(Date)
    retired_reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    retired_to: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    created_at: Mapped[datetime] = mapped_column(MAYBE, server_default=text("now()"))
    site_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("site.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("project.id"), index=True)
    code: Mapped[str] = mapped_column(Text, unique=True, server_default=text("substr(md5((gen_random_uuid())::text), 1, 16)"))
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    branch_id: Mapped[branch]

    __mapper_args__ = {"version_id_col": version}


class DeviceComponent(Base):
    """A part of a device with a serial and a warranty of its own; one that was taken out has `removed_at`."""

    __tablename__ = "device_component"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_device_component_device_id", "device_id", "id"),
        Index("ix_device_component_serial_key", "serial_key"),
    )
    id: Mapped[key]
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("device.id"))
    product_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("product.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    serial: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    serial_key: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    produced_on: Mapped[date | None] = mapped_column(Date)
    warranty_from: Mapped[date | None] = mapped_column(Date)
    warranty_until: Mapped[date | None] = mapped_column(Date)
    fitted_on: Mapped[date | None] = mapped_column(Date)
    fitted_at: Mapped[ts]
    removed_at: Mapped[datetime | None] = mapped_column(MAYBE)
    replaces_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device_component.id"), unique=True)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger)
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]


class DeviceHolding(Base):
    """Who had the device from when to when: customer, department, person and place; the present one has no end."""

    __tablename__ = "device_holding"
    __scope__ = BRANCH
    __table_args__ = (
        Index("ix_device_holding_device_id", "device_id", "id"),
        Index("uq_device_holding_now", "device_id", unique=True, postgresql_where=text("ended_at is null")),
    )
    id: Mapped[key]
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("device.id"))
    began_at: Mapped[ts]
    ended_at: Mapped[datetime | None] = mapped_column(MAYBE)
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    department_id: Mapped[int | None] = mapped_column(BigInteger)
    department: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contact.id"))
    holder: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    place: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    branch_id: Mapped[branch]


class DeviceSwap(Base):
    """A device was exchanged for another, taken away, or put in, with both readings where it counts something."""

    __tablename__ = "device_swap"
    __scope__ = BRANCH
    __table_args__ = (CheckConstraint(SWAPPED, name="devices_fit_the_kind"),)
    id: Mapped[key]
    kind: Mapped[str] = mapped_column(Text)
    old_device_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device.id"), index=True)
    new_device_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device.id"), index=True)
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"))
    place: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    original_reading: Mapped[Decimal | None] = mapped_column(READING)
    current_reading: Mapped[Decimal | None] = mapped_column(READING)
    done_on: Mapped[date] = mapped_column(Date)
    at: Mapped[ts]
    by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    person: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    remarks: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]


class DeviceEvent(Base):
    """One line of a device's own history: nobody edits it."""

    __tablename__ = "device_event"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_device_event_device_id", "device_id", "at", "id"),)
    id: Mapped[key]
    device_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("device.id"))
    at: Mapped[ts]
    by_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(Text)
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    swap_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("device_swap.id"))
    ticket_id: Mapped[int | None] = mapped_column(BigInteger)
    branch_id: Mapped[branch]
