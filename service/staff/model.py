"""Branches, departments, people, roles, sign-in sessions and dated extension assignments.

Sign-in must read people before any scope exists, so staff tables carry a branch but no policy; business tables do.
"""

from datetime import date, datetime

from flask_security import AsaList, RoleMixin, UserMixin
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)  # fmt: skip
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.core.db import Base, branch, key, ts
from service.core.seen import OPEN

EMPTY = text("''")

class Codes(AsaList):
    """Permission codes, kept as one text with commas."""

    cache_ok = True


# A role holds in one branch (and those below it, if the role reaches so far), or, without one, as far as the person reaches.
staff_role = Table(
    "staff_role",
    Base.metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False),
    Column("role_id", ForeignKey("role.id"), nullable=False, index=True),
    Column("branch_id", BigInteger, ForeignKey("branch.id")),
    UniqueConstraint("staff_id", "role_id", "branch_id", postgresql_nulls_not_distinct=True),
)


class Branch(Base):
    """A branch (网点) of the firm, a region of several, or an agent's company; the one without a parent is the headquarters."""

    __tablename__ = "branch"
    __scope__ = OPEN
    __table_args__ = (
        CheckConstraint("kind in ('headquarters', 'region', 'branch', 'agent')", name="kind_is_known"),
        CheckConstraint("parent_id <> id", name="not_below_itself"),
    )
    id: Mapped[key]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("branch.id"))
    kind: Mapped[str] = mapped_column(Text, server_default=text("'branch'"))
    region: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    hotline: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    address: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))


class Department(Base):
    """A part of a branch with somebody at its head; sign-in reads it, so it carries a branch and no policy."""

    __tablename__ = "department"
    __scope__ = OPEN
    __table_args__ = (
        UniqueConstraint("branch_id", "name"),
        CheckConstraint("parent_id <> id", name="not_below_itself"),
    )
    id: Mapped[key]
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("department.id"))
    head_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id", use_alter=True))
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    branch_id: Mapped[branch]


class Role(Base, RoleMixin):
    """A named set of permission codes, and how far they reach at most."""

    __tablename__ = "role"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("reach in ('own', 'department', 'branch', 'below', 'all')", name="reach_is_known"),)
    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    description: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    reach: Mapped[str] = mapped_column(Text, server_default=text("'all'"))
    active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    permissions: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(Codes()))
    second_factor: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    addresses: Mapped[str] = mapped_column(Text, server_default=text("''"))  # ranges with commas; empty: from anywhere


class Staff(Base, UserMixin):
    """A person who signs in. `reach` says how far they see: own rows, department, own branch, branch and below, or all."""

    __tablename__ = "staff"
    __scope__ = OPEN
    __table_args__ = (CheckConstraint("kind in ('staff', 'collector', 'provider', 'portal')", name="kind_is_known"),)
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
    kind: Mapped[str] = mapped_column(Text, server_default=text("'staff'"))
    department_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("department.id"))
    phone: Mapped[str] = mapped_column(Text, server_default=EMPTY)
    valid_until: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    # Those that hold as far as the person reaches; the ones of a branch are told by service.staff.grants.
    roles: Mapped[list[Role]] = relationship(  # type: ignore[assignment]
        Role, secondary=staff_role, primaryjoin=lambda: (Staff.id == staff_role.c.staff_id) & staff_role.c.branch_id.is_(None), lazy="selectin"
    )


class StaffSession(Base):
    """One signed-in browser; its id is in the cookie and dies with the sign-out."""

    __tablename__ = "staff_session"
    __scope__ = OPEN
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
    __scope__ = OPEN
    id: Mapped[key]
    at: Mapped[ts]
    username: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)


class ExtensionAssignment(Base):
    """Who sits at which extension from when until when; an open end means still."""

    __tablename__ = "extension_assignment"
    __scope__ = OPEN
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
