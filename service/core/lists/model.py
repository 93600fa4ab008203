"""How a person, or everybody of a role, sees a list, and views that somebody saved."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, key, ts
from service.core.seen import OPEN


class ListSetting(Base):
    """The columns of one list in their order and width, for one person or as the default of a role."""

    __tablename__ = "list_setting"
    __scope__ = OPEN
    __table_args__ = (
        CheckConstraint("(staff_id is null) <> (role is null)", name="somebody"),
        Index("uq_list_setting_staff", "list_name", "staff_id", unique=True, postgresql_where=text("staff_id is not null")),
        Index("uq_list_setting_role", "list_name", "role", unique=True, postgresql_where=text("role is not null")),
    )
    id: Mapped[key]
    list_name: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.id"))
    role: Mapped[str | None] = mapped_column(Text)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    changed_at: Mapped[ts]


class SavedView(Base):
    """Conditions, order and columns of a list under a name: one's own, or also for a role or a branch. It gives no right to any row."""

    __tablename__ = "saved_view"
    __scope__ = OPEN
    __table_args__ = (
        CheckConstraint("shared_role is null or shared_branch_id is null", name="shared_once"),
        Index("ix_saved_view_list_owner_id", "list_name", "owner_id"),
        Index("uq_saved_view_starts", "list_name", "owner_id", unique=True, postgresql_where=text("starts")),
    )
    id: Mapped[key]
    list_name: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    owner_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    shared_role: Mapped[str | None] = mapped_column(Text)
    shared_branch_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("branch.id"))
    starts: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    made_at: Mapped[ts]
