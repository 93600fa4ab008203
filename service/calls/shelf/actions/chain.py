"""A day becomes a link of the chain."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from service.calls.shelf import queries, rules
from service.calls.shelf.model import RecordingChain


def chained(session: Session, day: date, since: datetime, until: datetime, *, at: datetime) -> str:
    """The recordings that were found or destroyed that day are one more link of the chain; returns its hash."""
    rows = queries.changed_between(session, since, until)
    previous = queries.last_link(session)
    assert previous is None or previous.day < day, "a day follows the one before"
    entries, before = rules.listed(rows), previous.hash if previous else rules.FIRST
    linked = rules.linked(before, day, entries)
    session.add(RecordingChain(day=day, entries=entries, previous=before, hash=linked, made_at=at))
    session.flush()
    return linked
