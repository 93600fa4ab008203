"""What is only needed for minutes or days is forgotten in time; each context sweeps its own tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core import clock, db, scope

FORGET = (
    (text("delete from live_event where at < :before"), timedelta(minutes=10)),
    (text("delete from job where state = 'done' and finished_at < :before"), timedelta(days=7)),
)


class Sweep(Protocol):
    """A context's part of the work."""

    def __call__(self, session: Session, *, at: datetime) -> None:
        """What is old at that moment is gone."""


def job(sweeps: Sequence[Sweep], args: dict[str, Any]) -> None:
    """Old live events and finished jobs are gone, and whatever the contexts no longer need."""
    at = clock.now()
    with db.begin(scope.ALL) as session:
        for statement, age in FORGET:
            session.execute(statement, {"before": at - age})
        for sweep in sweeps:
            sweep(session, at=at)
