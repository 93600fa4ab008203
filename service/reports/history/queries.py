"""Lines of the audit, newest first, in the scope of who asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from service.core.model import AuditEntry

PAGE = 50


@dataclass(frozen=True)
class Wanted:
    """What the lines are narrowed to; empty means everything. `until` is left out."""

    by_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    kinds: Sequence[str] = ()


def lines(session: Session, wanted: Wanted, *, before: tuple[datetime, int] | None = None, limit: int = PAGE) -> Sequence[AuditEntry]:
    """The lines that fit, paged by (time, id) of the last one seen."""
    query = _narrowed(select(AuditEntry), wanted)
    if before:
        query = query.where(tuple_(AuditEntry.at, AuditEntry.id) < before)
    return session.scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)).all()


def _narrowed(query: Select[AuditEntry], wanted: Wanted) -> Select[AuditEntry]:
    if wanted.by_id:
        query = query.where(AuditEntry.by_id == wanted.by_id)
    if wanted.kinds:
        query = query.where(AuditEntry.kind.in_(wanted.kinds))
    if wanted.since:
        query = query.where(AuditEntry.at >= wanted.since)
    return query.where(AuditEntry.at < wanted.until) if wanted.until else query
