"""The audit row: in the same transaction as the change it tells. What was refused has a transaction of its own."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import has_request_context, request
from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from service.core import db, scope
from service.core.errors import Forbidden
from service.core.model import AuditEntry

log = logging.getLogger(__name__)
# change: business rows. The other kinds are the system log: settings, security (people, rights, proofs of identity),
# signin, refused (sign-ins), forbidden (what a signed-in person was not let do), job.
KINDS = ("settings", "security", "signin", "refused", "forbidden", "job")
_KIND_OF = {
    "staff": "security", "role": "security", "firm": "security", "branch": "settings", "department": "settings",
    "team": "settings", "hours": "settings", "kpi_policy": "settings", "retention_class": "settings",
}  # fmt: skip
_EVERYDAY = ("took seat", "left seat")


def record(
    session: Session,
    *,
    at: datetime,
    by: int | None,
    verb: str,
    entity: str,
    entity_id: int | None,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    branch_id: int | None = None,
    kind: str = "",
) -> None:
    """Who did what to which thing is on record, with the old and the new values that JSON can hold.

    What has no branch belongs to the whole firm. Raises Forbidden where the session sees less than that: the change is not theirs.
    """
    if branch_id is None and by is not None and scope.of(session).branches is not None:
        raise Forbidden(_("This belongs to the whole firm. Ask somebody who sees all branches to change it."))
    session.add(
        AuditEntry(
            at=at,
            by_id=by,
            address=_address(),
            verb=verb,
            entity=entity,
            entity_id=entity_id,
            old=_plain(old),
            new=_plain(new),
            branch_id=branch_id,
            kind=kind or ("change" if verb in _EVERYDAY else _KIND_OF.get(entity, "change")),
        )
    )


_MANY = text("""
    insert into audit_entry (at, by_id, address, verb, entity, entity_id, old, new, branch_id)
    select :at, :by, :address, :verb, :entity, id, old, new, branch_id
    from jsonb_to_recordset(cast(:rows as jsonb)) as given(id bigint, old jsonb, new jsonb, branch_id bigint)
""")


def record_many(
    session: Session, *, at: datetime, by: int | None, verb: str, entity: str, told: Sequence[tuple[int, dict[str, Any] | None, dict[str, Any] | None, int]]
) -> None:
    """The same is on record for many things at once: id, old, new and branch of each."""
    rows = [{"id": entity_id, "old": _plain(old), "new": _plain(new), "branch_id": branch_id} for entity_id, old, new, branch_id in told]
    if rows:
        facts = {"at": at, "by": by, "address": _address(), "verb": verb, "entity": entity}
        session.execute(_MANY, facts | {"rows": json.dumps(rows, ensure_ascii=False)})


def of(session: Session, entity: str, entity_id: int, most: int = 30) -> Sequence[AuditEntry]:
    """What happened to one thing, newest first."""
    lines = select(AuditEntry).where(AuditEntry.entity == entity, AuditEntry.entity_id == entity_id)
    return session.scalars(lines.order_by(AuditEntry.id.desc()).limit(most)).all()


def apart(**facts: Any) -> None:
    """On record whatever becomes of the caller's own transaction; a database that is away is told to the log alone."""
    try:
        with db.begin(scope.ALL) as session:
            record(session, **facts)
    except SQLAlchemyError as error:
        log.warning("not on record: %s (%s)", facts.get("verb"), str(error).splitlines()[0])


def _address() -> str:
    """From where the request came; nothing for what the program does by itself."""
    return (request.remote_addr or "")[:80] if has_request_context() else ""


def _plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
    return (
        None
        if values is None
        else {k: v if isinstance(v, int | str | bool | None) else str(v) for k, v in values.items()}
    )
