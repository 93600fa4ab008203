"""Regions, projects and sites."""

from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from service.core import phone as phones
from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH, OPEN

EMPTY = text("''")
DEGREES = Numeric(9, 6)


class Region(Base):
    """A part of the country as the firm divides it; everybody may know it."""

    __tablename__ = "region"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("parent_id <> id", name="not_its_own_parent"),)
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("region.id"), index=True)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))

    __mapper_args__ = {"version_id_col": version}


class Project(Base):
    """What was sold and is to be installed as a whole."""

    __tablename__ = "project"
    __scope__ = BRANCH
    __table_args__ = (CheckConstraint("amount >= 0", name="amount_is_no_debt"),)
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    region_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("region.id"), index=True)
    party_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(18, 2))
    products: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    note: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[ts]
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]

    __mapper_args__ = {"version_id_col": version}


class Site(Base):
    """A place at which devices are installed. `phone_key` is its number as callers are compared by it."""

    __tablename__ = "site"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint("latitude between -90 and 90", name="latitude_is_on_earth"),
        CheckConstraint("longitude between -180 and 180", name="longitude_is_on_earth"),
        CheckConstraint("(latitude is null) = (longitude is null)", name="position_is_whole"),
        Index("ix_site_phone_key", "phone_key", postgresql_where=text("phone_key <> ''")),
    )
    id: Mapped[key]
    number: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    latitude: Mapped[Decimal | None] = mapped_column(DEGREES)
    longitude: Mapped[Decimal | None] = mapped_column(DEGREES)
    project_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("project.id"), index=True)
    party_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("party.id"), index=True)
    region_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("region.id"), index=True)
    contact: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    phone: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    phone_key: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    note: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    created_at: Mapped[ts]
    request_key: Mapped[str | None] = mapped_column(Text, unique=True)
    branch_id: Mapped[branch]

    __mapper_args__ = {"version_id_col": version}

    @validates("phone")
    def _compared(self, _name: str, typed: str) -> str:
        """Whoever writes the number, calls are compared with it."""
        self.phone_key = phones.parse(typed).key
        return typed
