"""What happens above when a ticket moves: a visible list, filled once by wire()."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Finished:
    """The work on a ticket is done: what was found, by whom, when."""

    ticket_id: int
    result: str
    by: int
    at: datetime


FINISHED: list[Callable[[Session, Finished], None]] = []


def on_finish(effect: Callable[[Session, Finished], None]) -> None:
    """From now on `effect` runs in the transaction in which a ticket is finished; naming it twice changes nothing."""
    if effect not in FINISHED:
        FINISHED.append(effect)


def finished(session: Session, news: Finished) -> None:
    """Whoever waits for the end of this work hears of it."""
    for effect in FINISHED:
        effect(session, news)
