"""What happens at the telephones while browsers look on: the real actions, in transactions of their own."""

from typing import Any

from service.calls import actions as calls
from service.calls.schemas import Ring
from service.core import clock, db, scope


def ring(key: str = "1795331794.1", extension: str = "1001", **more: Any) -> Ring:
    """A call from 138 0000 1001 at this extension."""
    plain: dict[str, Any] = {
        "switch": "pbx1",
        "call_key": key,
        "extension": extension,
        "caller_number": "13800001001",
        "caller_name": "Wang",
        "called": "02160000100",
        "queue": "support",
        "direction": "inbound",
    }
    return Ring(**plain | more)


def rings(key: str = "1795331794.1", extension: str = "1001", **more: Any) -> int | None:
    """The phone rings."""
    with db.begin(scope.ALL) as work:
        return calls.phone_rings(work, ring(key, extension, **more), at=clock.now())


def answers(key: str = "1795331794.1", extension: str = "1001", **more: Any) -> None:
    """Somebody takes the call there."""
    with db.begin(scope.ALL) as work:
        calls.phone_answered(work, ring(key, extension, **more), at=clock.now())


def stops(key: str = "1795331794.1", extension: str = "1001", reason: str = "abandoned", **more: Any) -> None:
    """It rings there no longer."""
    with db.begin(scope.ALL) as work:
        calls.phone_stopped(work, ring(key, extension, **more), at=clock.now(), reason=reason)


def hangs_up(key: str = "1795331794.1") -> None:
    """The call is over."""
    with db.begin(scope.ALL) as work:
        calls.call_ended(work, "pbx1", key, at=clock.now())
