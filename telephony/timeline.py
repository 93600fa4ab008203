"""Where the customer is, from moment to moment: waiting, ringing, talking, held, parked; and who passed whom on. Pure.

A call's segments follow each other without overlap: the customer is in one place at a time. Talk belongs to the agent
who had it, so a call that was passed on credits each for their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Kind = Literal["ivr", "queue_wait", "ringing", "talk", "hold", "consult", "park", "voicemail", "conference"]
How = Literal["blind", "attended", "park"]

WITH_AGENT: frozenset[str] = frozenset({"talk", "hold", "consult"})
SEGMENTS, MOVES = 400, 100  # a phone that toggles hold for a day must not grow
_BLINK = 0.05               # seconds: channels change seats one after the other, which is nobody's experience


@dataclass(frozen=True, slots=True)
class Segment:
    """The customer in one place: what it is, at whose phone, from when to when; open while `ended` is False."""

    kind: Kind
    leg: str | None
    party: str | None
    began_at: datetime | None
    ended_at: datetime | None = None
    ended: bool = False

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it is open or times are unknown."""
        return _between(self.began_at, self.ended_at) or 0.0


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody passed the customer on; `talk` counts the segments when the one who did it had the customer last."""

    how: How
    by: str | None
    to: str | None
    leg: str | None
    at: datetime | None
    talk: int

    def parks(self) -> "Move":
        """Return the move as one into the lot: what was dialled was the lot's number."""
        return replace(self, how="park", to=None)

    def reaches(self, who: str | None) -> "Move":
        """Return the move with who it came to."""
        return replace(self, to=who)


def _between(began: datetime | None, ended: datetime | None) -> float | None:
    return max(0.0, (ended - began).total_seconds()) if began and ended else None


def moved_to(segments: tuple[Segment, ...], kind: Kind | None, leg: str | None, party: str | None,
             at: datetime | None) -> tuple[Segment, ...]:
    """Return the segments with the customer in this place from now on; None: nowhere any more."""
    last = segments[-1] if segments else None
    if last is not None and not last.ended:
        if (last.kind, last.leg) == (kind, leg):
            return segments
        segments = segments[:-1] if _is_detour(segments, leg, at) else (*segments[:-1], *_closed(last, at))
        last = segments[-1] if segments else None
    if kind is None or len(segments) >= SEGMENTS:
        return segments
    if last is not None and (last.kind, last.leg) == (kind, leg) and _is_blink(last.ended_at, at):
        return (*segments[:-1], replace(last, ended_at=None, ended=False))
    return (*segments, Segment(kind, leg, party, at))


def _is_detour(segments: tuple[Segment, ...], leg: str | None, at: datetime | None) -> bool:
    """True when the customer was elsewhere for a blink only, between two moments with the same agent."""
    if len(segments) < 2 or leg is None or segments[-1].leg == leg or segments[-2].leg != leg:
        return False
    return _is_blink(segments[-1].began_at, at)


def _closed(last: Segment, at: datetime | None) -> Iterator[Segment]:
    if last.kind in ("talk", "hold") or not _is_blink(last.began_at, at):
        yield replace(last, ended_at=at, ended=True)


def _is_blink(began: datetime | None, ended: datetime | None) -> bool:
    between = _between(began, ended)
    return between is not None and between < _BLINK


def last_talk(segments: tuple[Segment, ...], leg: str | None = None) -> int:
    """Return where in the segments that leg had the customer last, else where anybody had, -1 when nobody did."""
    had = [at for at, segment in enumerate(segments) if segment.kind in WITH_AGENT]
    return next((at for at in reversed(had) if leg is None or segments[at].leg == leg), had[-1] if had else -1)


def turns(segments: tuple[Segment, ...], moves: tuple[Move, ...]) -> Iterator[list[Segment]]:
    """Yield each agent's turn with the customer in order: talk, hold and consultation until it was passed on."""
    cuts, turn, before = {move.talk for move in moves}, list[Segment](), -1
    for at, segment in enumerate(segments):
        if segment.kind not in WITH_AGENT:
            continue
        if turn and (turn[-1].party != segment.party or not cuts.isdisjoint(range(before, at))):
            yield turn
            turn = []
        turn.append(segment)
        before = at
    if turn:
        yield turn
