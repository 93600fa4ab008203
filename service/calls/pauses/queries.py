"""Where recordings were silent on purpose, for the page of a call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls.model import Call, CallAlias, CallSegment
from service.calls.pauses import rules
from service.calls.pauses.model import RecordingPause


@dataclass(frozen=True)
class Pauses:
    """The pauses of one call, and what is needed to find them in its audio."""

    rows: list[RecordingPause]
    pieces: list[rules.Piece]
    ended_at: datetime | None

    @property
    def people(self) -> set[int]:
        """Everybody who is named."""
        return {row.by_id for row in self.rows}

    def spans(self, seconds: float) -> list[rules.Span]:
        """Where in audio of that length it is silent on purpose."""
        silences = [(row.began_at, row.ended_at) for row in self.rows if row.began_at and row.ended_at]
        return rules.spans(silences, self.pieces, float(seconds), self.ended_at)

    def at(self, row: RecordingPause, seconds: float) -> float | None:
        """Where in audio of that length this one began; None when it never did."""
        return rules.place(row.began_at, self.pieces, float(seconds), self.ended_at) if row.began_at else None

    def length(self, row: RecordingPause) -> timedelta:
        """How long it was."""
        return (row.ended_at or row.began_at) - row.began_at if row.began_at and row.ended_at else timedelta()


def of_call(session: Session, call: Call, segments: Sequence[CallSegment]) -> Pauses:
    """The pauses of that call, under whatever name of it they were asked for, oldest first."""
    named = (CallAlias.switch == RecordingPause.switch) & (CallAlias.uniqueid == RecordingPause.uniqueid)
    query = select(RecordingPause).join(CallAlias, named).where(CallAlias.call_id == call.id).order_by(RecordingPause.id)
    pieces = [rules.Piece(one.kind, one.began_at, one.ended_at) for one in segments if one.began_at and one.ended_at]
    return Pauses(list(session.scalars(query)), pieces, call.ended_at)
