"""News for open browsers: a row that can be replayed and a NOTIFY that arrives at once."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "ringdesk_live"
SESSION_CHANNEL = "ringdesk_session"  # carries the id of a sign-in session that has just ended
LIMIT = 7000  # PostgreSQL refuses NOTIFY payloads of 8000 bytes; past this only the id travels

_PUBLISH = text("""
    with told as (
        insert into live_event (at, topic, kind, payload) values (:at, :topic, :kind, cast(:payload as jsonb)) returning id
    )
    select id, pg_notify('ringdesk_live', id || '|' || :topic || '|' || :kind || '|' || :sent) from told
""")


def topic_of(staff_id: int) -> str:
    """The topic that only this person's browsers hear."""
    return f"u{staff_id}"


def publish(session: Session, topic: str, kind: str, payload: dict[str, Any], *, at: datetime) -> int:
    """Browsers on `topic` hear it when the transaction commits; returns the event's id."""
    body = json.dumps(payload, ensure_ascii=False, default=str)
    sent = body if len(body.encode()) < LIMIT else ""
    row = session.execute(_PUBLISH, {"at": at, "topic": topic, "kind": kind, "payload": body, "sent": sent}).one()
    return int(row[0])


def session_ended(session: Session, session_id: str) -> None:
    """Every process closes the streams of that sign-in when the transaction commits."""
    session.execute(text("select pg_notify(:channel, :id)"), {"channel": SESSION_CHANNEL, "id": session_id})
