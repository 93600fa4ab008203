"""News for open browsers: a row that can be replayed and a NOTIFY that arrives at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

CHANNEL = "ringdesk_live"
SESSION_CHANNEL = "ringdesk_session"  # carries the id of a sign-in session that has just ended
LIMIT = 7000  # PostgreSQL refuses NOTIFY payloads of 8000 bytes; past this only the id travels

_PUBLISH = text(f"""
    with told as (
        insert into live_event (at, topic, kind, payload)
        select at, topic, kind, payload
        from rows from (jsonb_to_recordset(cast(:events as jsonb)) as (at timestamptz, topic text, kind text, payload jsonb))
            with ordinality as event(at, topic, kind, payload, turn)
        order by turn
        returning id, topic, kind, payload::text as data
    )
    select id, pg_notify('{CHANNEL}', concat_ws('|', id, topic, kind, case when octet_length(data) < {LIMIT} then data else '' end))
    from told
""")  # noqa: S608  constants of this module


@dataclass(frozen=True)
class Event:
    """One piece of news for a topic."""

    topic: str
    kind: str
    payload: dict[str, Any]
    at: datetime


def topic_of(staff_id: int) -> str:
    """The topic that only this person's browsers hear."""
    return f"u{staff_id}"


def publish(session: Session, topic: str, kind: str, payload: dict[str, Any], *, at: datetime) -> int:
    """Browsers on `topic` hear it when the transaction commits; returns the event's id."""
    return publish_all(session, [Event(topic, kind, payload, at)])[0]


def publish_all(session: Session, events: Sequence[Event]) -> list[int]:
    """Browsers hear all of it in this order when the transaction commits; returns the ids."""
    if not events:
        return []
    told = json.dumps([vars(event) for event in events], ensure_ascii=False, default=str)
    return [row.id for row in session.execute(_PUBLISH, {"events": told})]


def session_ended(session: Session, session_id: str) -> None:
    """Every process closes the streams of that sign-in when the transaction commits."""
    session.execute(text("select pg_notify(:channel, :id)"), {"channel": SESSION_CHANNEL, "id": session_id})
