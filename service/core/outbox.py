"""Messages to the world outside, written with the fact. A door: no sender takes them from here yet."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.core.model import OutboxMessage


def send(session: Session, topic: str, payload: dict[str, Any], *, at: datetime) -> None:
    """The message leaves if and only if the transaction commits."""
    session.add(OutboxMessage(at=at, topic=topic, payload=payload))
