"""Promises that boards measure against; each stored figure carries the version it was measured by."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Service level: answered within `within_seconds`; an abandon before `short_seconds` was no real caller."""

    version: str = "2026-1"
    within_seconds: int = 20
    short_seconds: int = 5
    call_target: int = 80     # percent of calls
    ticket_target: int = 95   # percent of promises


STANDARD = Policy()
