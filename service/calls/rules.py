"""What a call means for people, and which of two tellings of it stands. Pure."""

from collections.abc import Sequence
from dataclasses import replace
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

    call_key: str
    live: bool
    provenance: str
    end_certain: bool
    revision: int
    derivation: str | None
    disposition: str | None
    caller_number: str | None
    caller_name: str | None
    mailbox: str | None
    conference: str | None
    recording_name: str | None


Passed = tuple[str, str | None]  # how a call was passed on, and by which extension
OUTCOME = ("direction", "called", "queue", "answered_by", "final_agent", "disposition")


def is_news(row: Row, fact: CallFacts, passed: Sequence[Passed] = (), *, at: datetime) -> bool:
    """True when the facts stand from now on; `passed` is how the books have the call passed on.

    What was heard whole stands, unless files that tell all of the call contradict it: then an event was lost. What the
    switch wrote down corrects the rest, of calls that are over, and is itself corrected only by hearing the call whole;
    the same derived again changes nothing.
    """
    if fact.provenance != "backfilled":
        whole = not fact.live and fact.end_certain and fact.provenance == "live"
        return fact.revision > row.revision and (row.provenance != "backfilled" or whole)
    if row.provenance == "backfilled":
        return row.derivation != fact.derivation
    if row.live:
        return fact.ended_at is not None and at - fact.ended_at > GRACE
    heard = row.provenance == "live" and row.end_certain
    return fact.end_certain and (not heard or (fact.proven and contradicts(row, fact, passed)))


def contradicts(row: Row, fact: CallFacts, passed: Sequence[Passed]) -> bool:
    """True when the facts tell another outcome, with what only the ear can know left as it is."""
    fact = kept(row, fact)
    told = [(one.how, one.extension) for one in fact.transfers]
    return told != list(passed) or any(getattr(row, name) != getattr(fact, name) for name in (*OUTCOME, "caller_number"))


def kept(row: Row, fact: CallFacts) -> CallFacts:
    """Return the facts with what outlives them: from files what only the ear can know, and that nobody may see a number."""
    if fact.provenance != "backfilled" or not row.call_key:
        return fact
    if row.caller_number is not None and phone.parse(row.caller_number).kind == "withheld":
        fact = replace(fact, caller_number=row.caller_number, caller_name=row.caller_name)
    if row.disposition in ("voicemail", "conference") and fact.disposition == "no-answer":
        fact = replace(fact, disposition=row.disposition)
    return replace(fact, revision=row.revision, call_key=row.call_key, recording_name=row.recording_name,
                   mailbox=fact.mailbox or row.mailbox, conference=fact.conference or row.conference)
