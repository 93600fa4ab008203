"""Branches, people, roles, sign-in sessions and dated extension assignments.

Sign-in must read people before any scope exists, so staff tables carry a branch but no policy; business tables do.
"""

from datetime import datetime

from flask_security import AsaList, RoleMixin, UserMixin
from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Identity, Index, Integer, Table, Text, text
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.core.db import Base, key, ts

staff_role = Table(
    "staff_role",
    Base.metadata,
    Column("staff_id", ForeignKey("staff.id"), primary_key=True),
    Column("role_id", ForeignKey("role.id"), primary_key=True),
)


class Branch(Base):
    """A branch (网点) of the firm; the one without a parent is the headquarters."""

    __tablename__ = "branch"
    id: Mapped[key]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text, server_default=text("''"))
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("branch.id"))


class Role(Base, RoleMixin):
    """A named set of permission codes."""

    __tablename__ = "role"
    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str] = mapped_column(Text, server_default=text("''"))
    permissions: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()))
    second_factor: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    addresses: Mapped[str] = mapped_column(Text, server_default=text("''"))  # ranges with commas; empty: from anywhere


class Staff(Base, UserMixin):
    """A person who signs in. `reach` says how far they see: own branch, branch and below, or all."""

    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(Text, unique=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    password: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean)
    fs_uniquifier: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    branch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("branch.id"))
    reach: Mapped[str] = mapped_column(Text, server_default=text("'branch'"))
    locale: Mapped[str] = mapped_column(Text, server_default=text("'zh_Hans_CN'"))
    theme: Mapped[str] = mapped_column(Text, server_default=text("'auto'"))
    password_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    must_change: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # somebody else chose the password
    roles: Mapped[list[Role]] = relationship(Role, secondary=staff_role, lazy="selectin")  # type: ignore[assignment]


class StaffSession(Base):
    """One signed-in browser; its id is in the cookie and dies with the sign-out."""

    __tablename__ = "staff_session"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    began_at: Mapped[ts]
    seen_at: Mapped[ts]
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address: Mapped[str] = mapped_column(Text, server_default=text("''"))
    browser: Mapped[str] = mapped_column(Text, server_default=text("''"))


class SignInAttempt(Base):
    """A refused sign-in, so that guessing is slowed by name and by address."""

    __tablename__ = "sign_in_attempt"
    id: Mapped[key]
    at: Mapped[ts]
    username: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)


class ExtensionAssignment(Base):
    """Who sits at which extension from when until when; an open end means still."""

    __tablename__ = "extension_assignment"
    __table_args__ = (
        Index(
            "uq_extension_assignment_open",
            "switch",
            "extension",
            unique=True,
            postgresql_where=text("valid_to is null"),
        ),
    )
    id: Mapped[key]
    switch: Mapped[str] = mapped_column(Text)
    extension: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"), index=True)
    valid_from: Mapped[ts]
    valid_to: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
