"""The table of contents: which step is taken for which event."""

from collections.abc import Callable

from telephony.event import Event
from telephony.livecall import Leg, LiveCall

Step = Callable[[LiveCall, Event], LiveCall]
STEPS: dict[str, Step] = {}


def on(*names: str) -> Callable[[Step], Step]:
    """Register the step for these events: STEPS is the table of contents."""
    def keep(step: Step) -> Step:
        STEPS.update(dict.fromkeys(names, step))
        return step
    return keep


def leg_of(call: LiveCall, event: Event, prefix: str = "") -> Leg | None:
    """Return the leg that the event names, under "" or under "dest"."""
    return call.legs.get(event.headers.get(prefix + "uniqueid", ""))
