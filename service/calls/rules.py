"""What a call means for people. Pure."""

from service.core import phone

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
