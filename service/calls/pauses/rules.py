"""How long a recording may be silent, and where in the audio that is. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

LONGEST = timedelta(seconds=120)  # a field that nobody leaves does not silence the rest of a talk
RETRY = timedelta(seconds=5)  # the recording has to go on: that is asked for again as long as the call lasts
# The switch says no before anything is silent; after any other failure it might be.
NOT_SENT = frozenset({
    "no-actor", "too-late", "seat-changed", "call-over", "not-yours", "not-recorded", "recorded-elsewhere", "no-right",
    "unknown-action", "refused",
})  # fmt: skip
TOGETHER = frozenset({"talk", "hold", "consult"})  # when the customer's channel is in a bridge, and option b writes
SAME = 3.0  # seconds that the file and the talk may differ by, and still be told by the talk
_FIELD = re.compile(r"[a-z][a-z0-9_-]{0,39}", re.ASCII)


class Piece(NamedTuple):
    """Where the customer was, from when to when."""

    kind: str
    began_at: datetime
    ended_at: datetime


class Span(NamedTuple):
    """Seconds in the audio."""

    begin: float
    length: float


def field(name: str) -> str:
    """The name of a field as it is kept; whatever else a page says is a secret."""
    return name if _FIELD.fullmatch(name) else "secret"


def place(at: datetime, pieces: Sequence[Piece], seconds: float, ended_at: datetime | None) -> float:
    """Where in the audio that moment is: what is recorded is the time in a bridge, so all else is left out.

    A file of another length was recorded by other rules; it ends with the call at least.
    """
    recorded = [piece for piece in pieces if piece.kind in TOGETHER]
    whole = sum((piece.ended_at - piece.began_at).total_seconds() for piece in recorded)
    if recorded and (abs(whole - seconds) <= SAME or ended_at is None):
        before = sum(max(0.0, (min(at, piece.ended_at) - piece.began_at).total_seconds()) for piece in recorded)
        return min(max(0.0, before), seconds)
    if ended_at is None:
        return 0.0
    return min(max(0.0, seconds - (ended_at - at).total_seconds()), seconds)


def spans(
    silences: Iterable[tuple[datetime, datetime]], pieces: Sequence[Piece], seconds: float, ended_at: datetime | None
) -> list[Span]:
    """Where in the audio these silences are; what overlaps is one."""
    found = sorted((place(began, pieces, seconds, ended_at), place(ended, pieces, seconds, ended_at)) for began, ended in silences)
    whole: list[tuple[float, float]] = []
    for begin, end in found:
        if whole and begin <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(end, whole[-1][1])
        elif end > begin:
            whole.append((begin, end))
    return [Span(round(begin, 2), round(end - begin, 2)) for begin, end in whole]
