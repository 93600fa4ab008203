"""The device archive, thin: one row a device."""

from datetime import date

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key


class Device(Base):
    """A device at a customer's place."""

    __tablename__ = "device"
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
    site_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("site.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("project.id"), index=True)
    code: Mapped[str] = mapped_column(Text, unique=True, server_default=text("substr(md5((gen_random_uuid())::text), 1, 16)"))
    branch_id: Mapped[branch]
