"""Why a night stopped, in the reader's language. The record keeps the sentence of the terminal, which is English."""

import re

from flask_babel import LazyString, force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

SENTENCES = (
    _l(
        "Control total “%(measure)s” of “%(table)s” differs: the source says %(source)s, the archive says %(archive)s. "
        "Run a full night (ringdesk night --full); readers keep the last generation until then."
    ),
    _l(
        "Audit “%(name)s” found %(count)s bad row(s): %(examples)s. It claims: %(claim)s "
        "Correct these records and run the night again; readers keep the last generation until then."
    ),
    _l(
        "This night ended without a word: its process was stopped or the machine went down. "
        "Readers keep the last generation; run the night again."
    ),
    _l("The night was interrupted (%(why)s). Run it again; readers keep the last generation."),
    _l("The night failed: %(why)s The log has the details; run the night again."),
    _l("PostgreSQL stopped the night: %(why)s Mend that and run the night again."),
    _l(
        "The disk that holds the archive is full. Free space there and run the night again; "
        "readers keep the last generation."
    ),
)
CLAIMS = (
    _l("No call is both answered and abandoned, and none waits a negative time."),
    _l("Every fact belongs to a branch, or a reader's scope could not hold it."),
    _l("Every ended call of the source is one row of fact_call."),
    _l("The half hours add up to the calls, queue by queue."),
    _l("No ticket is accepted or resolved before it was registered."),
    _l("No claim or credit is allocated past its amount."),
    _l("What is open equals claims less credits, party by party, to the cent; allocations move nothing."),
    _l("Every ticket of the source is one row of fact_ticket."),
    _l("Each call that began on a known day is measured by exactly one policy, the one in force on that day."),
    _l("What counts as good for the service level counts at all, and nobody is kept who was not judged."),
    _l("No agent is in two states at once, and what they spent in all states fits between the first and the last moment of their day."),
    _l("Every missed caller of the source is one row, and who was recovered was judged."),
)


FIGURES = frozenset({"source", "archive", "examples"})  # sums of the whole firm, and rows of any branch


def told(reason: str | None, *, figures: bool = True) -> str:
    """The reason in the language of the request, its figures blotted out for who may not see them."""
    for sentence in SENTENCES:
        found = re.fullmatch(_pattern(_english(sentence)), reason or "", re.DOTALL)
        if found:
            parts = {name: _claim(value) for name, value in found.groupdict().items()}
            return str(sentence) % (parts if figures else parts | dict.fromkeys(FIGURES & parts.keys(), "•••"))
    return (reason or "") if figures else _("The log has the details.") if reason else ""


def _claim(value: str) -> str:
    return _(value) if value in map(_english, CLAIMS) else value


def _english(sentence: LazyString) -> str:
    with force_locale("en"):
        return str(sentence)


def _pattern(english: str) -> str:
    return re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*)", re.escape(english))
