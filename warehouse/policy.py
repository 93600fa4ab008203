"""The promise that tickets are measured against; each of their figures carries its version. Calls have a policy of their own, in the books."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """How many of the promises to customers are to be kept."""

    version: str = "2026-1"
    ticket_target: int = 95  # percent of promises


STANDARD = Policy()
