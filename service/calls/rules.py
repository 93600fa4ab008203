"""What a call means for people, and which of two tellings of it stands. Pure."""

from datetime import datetime, timedelta
from typing import Protocol

from service.calls.schemas import CallFacts
from service.core import phone

GRACE = timedelta(minutes=2)  # so long after its end a call that is up in the books has not been heard to end

OUTCOMES = {
    "answered": "answered",
    "transferred": "answered",
    "conference": "answered",
    "abandoned": "missed",
    "no-answer": "missed",
    "voicemail": "missed",
    "rejected": "missed",
    "agent-no-answer": "missed",
    "agent-rejected": "missed",
    "agent-busy": "busy",
    "lost": "failed",
    "busy": "busy",
    "failed": "failed",
}


REASONS = ("consultation", "fault", "complaint", "revisit", "other")


def outcome(direction: str, disposition: str | None) -> str:
    """answered, missed, busy or failed; outbound calls that nobody took are failed, never missed."""
    word = OUTCOMES.get(disposition or "failed", "failed")
    return "failed" if word == "missed" and direction == "outbound" else word


def customer_number(direction: str, caller: str | None, called: str | None) -> str | None:
    """The number of the party outside: who called us, or whom we called; None when it is withheld."""
    number = called if direction == "outbound" else caller
    return None if phone.parse(number).kind == "withheld" else number


class Row(Protocol):
    """What the books say of a call."""

    live: bool
    provenance: str
    end_certain: bool
    revision: int
    derivation: str | None


def is_news(row: Row, fact: CallFacts, *, at: datetime) -> bool:
    """True when the facts stand from now on.

    What was heard whole stands for good. What the switch wrote down corrects the rest, of calls that are over, and is
    itself corrected only by hearing the call whole; the same derived again changes nothing.
    """
    if fact.provenance != "backfilled":
        whole = not fact.live and fact.end_certain and fact.provenance == "live"
        return fact.revision > row.revision and (row.provenance != "backfilled" or whole)
    if row.provenance == "backfilled":
        return row.derivation != fact.derivation
    if row.live:
        return fact.ended_at is not None and at - fact.ended_at > GRACE
    return fact.end_certain and not (row.provenance == "live" and row.end_certain)
