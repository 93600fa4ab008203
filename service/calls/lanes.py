"""One call drawn on one axis: who was there from when to when. Pure; positions are percent of the whole call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.calls.model import Call, CallLeg, CallSegment

BLINK = timedelta(seconds=1)  # a phone is up a moment before or after both hear each other
EDGE = 88  # percent of the axis after which a label has no room
STEPS = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Piece:
    """A stretch of a lane: `kind` is caller, wait, ring, or what the segment is: talk, hold, consult, park …"""

    kind: str
    at: float
    width: float
    seconds: int


@dataclass(frozen=True)
class Lane:
    """One row: the caller, the queue, one phone, or a place without an agent (park, voicemail, conference)."""

    kind: str
    name: str
    pieces: tuple[Piece, ...]
    outcome: str | None = None


@dataclass(frozen=True)
class Axis:
    """The whole drawing; `marks` are (percent, moment, where its label begins: start, end, or nowhere)."""

    began: datetime
    ended: datetime
    lanes: tuple[Lane, ...]
    marks: tuple[tuple[float, datetime, str], ...]


def axis(
    call: Call, legs: Sequence[CallLeg], segments: Sequence[CallSegment], names: dict[int, str], now: datetime
) -> Axis | None:
    """The drawing of a call; None while nothing is known of when it began."""
    if call.started_at is None:
        return None
    began = call.started_at
    known = [call.ended_at, *(leg.ended_at for leg in legs)]
    ended = now if call.live else max([moment for moment in known if moment] or [now])
    whole = max((ended - began).total_seconds(), 1.0)
    place = _placing(began, whole)
    lanes = [Lane("caller", call.caller_name or call.caller_number or "", (place("caller", began, ended),))]
    waits = [place("wait", one.began_at, one.ended_at or ended) for one in segments if _is(one, "queue_wait") and one.began_at]
    if call.queued_at:
        lanes.append(Lane("queue", call.queue or "", tuple(waits) or (place("wait", call.queued_at, call.answered_at or ended),)))
    lanes.extend(_leg(leg, segments, names, place, ended) for leg in legs if leg.rang_at or leg.answered_at)
    lanes.extend(_places(segments, place, ended))
    return Axis(began, ended, tuple(lanes), _marks(began, whole))


def _placing(began: datetime, whole: float) -> Callable[[str, datetime, datetime], Piece]:
    def place(kind: str, since: datetime, until: datetime) -> Piece:
        start = min(max((since - began).total_seconds(), 0.0), whole)
        length = min(max((until - since).total_seconds(), 0.0), whole - start)
        return Piece(kind, round(100 * start / whole, 3), round(max(100 * length / whole, 0.4), 3), round(length))

    return place


def _is(segment: CallSegment, *kinds: str) -> bool:
    return segment.kind in kinds


def _places(
    segments: Sequence[CallSegment], place: Callable[[str, datetime, datetime], Piece], end: datetime
) -> list[Lane]:
    """Where the caller was without an agent: one lane a place."""
    lanes = []
    for kind in ("park", "voicemail", "conference"):
        pieces = [place(kind, one.began_at, one.ended_at or end) for one in segments if _is(one, kind) and one.began_at]
        if pieces:
            lanes.append(Lane(kind, "", tuple(pieces)))
    return lanes


def _leg(
    leg: CallLeg,
    segments: Sequence[CallSegment],
    names: dict[int, str],
    place: Callable[[str, datetime, datetime], Piece],
    end: datetime,
) -> Lane:
    name = " ".join(part for part in (leg.extension, names.get(leg.staff_id or 0)) if part) or leg.channel
    pieces = []
    if leg.rang_at:
        pieces.append(place("ring", leg.rang_at, leg.answered_at or leg.ended_at or end))
    if leg.answered_at:
        pieces.extend(_had(leg, segments, place, end) or [place("talk", leg.answered_at, leg.ended_at or end)])
    return Lane("leg", name, tuple(pieces), leg.outcome)


def _had(
    leg: CallLeg, segments: Sequence[CallSegment], place: Callable[[str, datetime, datetime], Piece], end: datetime
) -> list[Piece]:
    """When this phone had the caller, by the segments."""
    until = leg.ended_at or end
    return [
        place(one.kind, one.began_at, one.ended_at or end)
        for one in segments
        if one.extension == leg.extension
        and _is(one, "talk", "hold", "consult")
        and one.began_at
        and leg.answered_at
        and leg.answered_at - BLINK <= one.began_at < until
    ]


def _marks(began: datetime, whole: float) -> tuple[tuple[float, datetime, str], ...]:
    """At most six round moments along the call; the last has a label only where that meets no other."""
    step = next((step for step in STEPS if whole / step <= 6), 3600 * -(-int(whole) // 21600))
    apart = 100 * step / whole
    places = [round(i * apart, 3) for i in range(int(whole // step) + 1)]
    return tuple((at, began + timedelta(seconds=i * step), _label(at, apart)) for i, at in enumerate(places))


def _label(at: float, apart: float) -> str:
    """A label is some 13 % of a narrow axis: past the edge it would run out, and turned about into the one before."""
    return "start" if at <= EDGE else "end" if apart > 100 - EDGE / 2 else ""
