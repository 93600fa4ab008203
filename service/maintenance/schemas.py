"""What a form hands to the plans."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Plan:
    """A plan as described: `timing` is monthly (`every` is the day) or interval (`every` is a number of days)."""

    content: str
    timing: str
    every: int
    starts_on: date
    notice_days: int = 3
    responsible_id: int | None = None
    responsible_branch_id: int | None = None
