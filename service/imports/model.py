"""A file that somebody brought, its rows, and which column meant what the last time."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base, branch, key, ts
from service.core.seen import BRANCH

ZERO, NOTHING, LIST, OBJECT = text("0"), text("''"), text("'[]'::jsonb"), text("'{}'::jsonb")
STATES = ("uploaded", "checking", "checked", "loading", "loaded", "undoing", "undone")
ROW_STATES = ("good", "bad", "created", "updated", "unchanged", "skipped", "failed", "undone")


def _one_of(column: str, codes: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(code) for code in codes)})"


class Batch(Base):
    """One file for one target; `done` is the last line that was dealt with in this state."""

    __tablename__ = "import_batch"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint(_one_of("state", STATES), name="state"),
        CheckConstraint(_one_of("upon", ("skip", "update")), name="upon"),
        Index("ix_import_batch_sha256", "sha256"),
    )
    id: Mapped[key]
    target: Mapped[str] = mapped_column(Text)
    file_name: Mapped[str] = mapped_column(Text)
    file: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sheets: Mapped[list[str]] = mapped_column(JSONB, server_default=LIST)
    sheet: Mapped[str] = mapped_column(Text, server_default=NOTHING)
    encoding: Mapped[str] = mapped_column(Text, server_default=NOTHING)
    head_line: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    heads: Mapped[list[str]] = mapped_column(JSONB, server_default=LIST)
    sample: Mapped[list[list[str]]] = mapped_column(JSONB, server_default=LIST)
    mapping: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=OBJECT)
    state: Mapped[str] = mapped_column(Text, server_default=text("'uploaded'"))
    upon: Mapped[str] = mapped_column(Text, server_default=text("'skip'"))
    rows: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    good: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    bad: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    fresh: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    differing: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    done: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    created: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    updated: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    unchanged: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    skipped: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    failed: Mapped[int] = mapped_column(Integer, server_default=ZERO)
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    by_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    created_at: Mapped[ts]
    loaded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    branch_id: Mapped[branch]


class ImportRow(Base):
    """One row of a batch: what it says, what is wrong with it, what became of it and what stood there before."""

    __tablename__ = "import_row"
    __scope__ = BRANCH
    __table_args__ = (
        CheckConstraint(_one_of("state", ROW_STATES), name="state"),
        UniqueConstraint("batch_id", "line"),
        Index("ix_import_row_batch_id_key", "batch_id", "key", postgresql_where=text("key <> ''")),
        Index("ix_import_row_batch_id_state_line", "batch_id", "state", "line"),
    )
    id: Mapped[key]
    batch_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("import_batch.id", ondelete="cascade"))
    line: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text, server_default=NOTHING)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    raw: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    wrong: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    old: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    made: Mapped[dict[str, list[int]] | None] = mapped_column(JSONB(none_as_null=True))
    entity_id: Mapped[int | None] = mapped_column(BigInteger)
    branch_id: Mapped[branch]


class ImportMapping(Base):
    """Which heading meant which field when this person brought a table with these headings."""

    __tablename__ = "import_mapping"
    __scope__ = BRANCH
    __table_args__ = (UniqueConstraint("staff_id", "target", "heads"),)
    id: Mapped[key]
    staff_id: Mapped[int] = mapped_column(Integer, ForeignKey("staff.id"))
    target: Mapped[str] = mapped_column(Text)
    heads: Mapped[str] = mapped_column(Text)
    mapping: Mapped[dict[str, int]] = mapped_column(JSONB)
    at: Mapped[ts]
    branch_id: Mapped[branch]
