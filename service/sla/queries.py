"""The limits in force."""

from datetime import datetime

from sqlalchemy.orm import Session

from service.sla import rules
from service.sla.model import SlaPolicy
from service.sla.rules import proposed as proposed


def due(session: Session, priority: str, registered_at: datetime) -> tuple[datetime, datetime]:
    """(response due, solution due) of a ticket of that priority registered at that moment."""
    policy = session.get_one(SlaPolicy, priority)
    return rules.due(registered_at, policy.response_minutes, policy.resolve_minutes)
