"""What happens above when a device leaves its branch: a visible list, filled once by wire()."""

from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session


class Effect(Protocol):
    """What is done when the device has gone."""

    def __call__(self, session: Session, device_id: int, *, by: int | None, at: datetime) -> None: ...


LEFT: list[Effect] = []


def on_leaving(effect: Effect) -> None:
    """From now on `effect` runs in the transaction in which a device goes to another branch; naming it twice changes nothing."""
    if effect not in LEFT:
        LEFT.append(effect)


def left(session: Session, device_id: int, *, by: int | None, at: datetime) -> None:
    """Whoever in the old branch counted on the device hears of it."""
    for effect in LEFT:
        effect(session, device_id, by=by, at=at)
