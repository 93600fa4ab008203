"""The device archive, thin: one row a device."""

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key
from service.core.seen import BRANCH


class Device(Base):
    """A device at a customer's place."""

    __tablename__ = "device"
    __scope__ = BRANCH
    __table_args__ = (Index("ix_device_serial", "serial"),)
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    party_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    serial: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, server_default=text("'computer'"))
    place: Mapped[str] = mapped_column(Text, server_default=text("''"))
    warranty_until: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text, server_default=text("'normal'"))
    branch_id: Mapped[branch]
