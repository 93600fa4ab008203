"""What was refused at the door is on record, whatever becomes of the request; nothing that is secret ever is."""

from datetime import datetime, timedelta

from flask import request
from sqlalchemy import exists, select

from service.core import audit, clock, db, scope
from service.core.model import AuditEntry
from service.staff.model import Staff
from service.staff.security import rules


def refused(person: Staff | None, typed: str, why: str) -> None:
    """The refused sign-in is told: under which name, from where and why. Of a name that is nobody's two letters are kept."""
    name = person.username if person else rules.unknown_name(typed)
    refused_as(person.id if person else None, name, person.branch_id if person else None, why)


def refused_as(staff_id: int | None, name: str, branch_id: int | None, why: str) -> None:
    """The same for whoever is known by their facts alone; `name` stands as it is."""
    now = clock.now()
    if why == "locked" and _told_lately(request.remote_addr or "", now):
        return
    audit.apart(
        at=now,
        by=staff_id,
        verb="refused",
        entity="staff",
        entity_id=staff_id,
        new={"name": name, "why": why},
        branch_id=branch_id,
        kind="refused",
    )


def _told_lately(address: str, at: datetime) -> bool:
    """Who is locked out and goes on trying fills no log: one line a minute tells it."""
    line = AuditEntry
    told = exists().where(line.kind == "refused", line.at > at - timedelta(minutes=1), line.address == address, line.new["why"].astext == "locked")
    with db.begin(scope.ALL) as session:
        return bool(session.scalar(select(told)))
