"""What is only needed for minutes or days is forgotten in time."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from service.core import clock, db, scope

FORGET = (
    ("delete from live_event where at < :at", timedelta(minutes=10)),
    ("delete from job where state = 'done' and finished_at < :at", timedelta(days=7)),
    ("delete from staff_session where ended_at < :at", timedelta(days=90)),
    ("delete from agent_pop where ended_at < :at", timedelta(days=30)),
)


def job(args: dict[str, Any]) -> None:
    """Old live events, finished jobs, ended sign-ins and old pops are gone."""
    now = clock.now()
    with db.begin(scope.ALL) as session:
        for statement, age in FORGET:
            session.execute(text(statement), {"at": now - age})
