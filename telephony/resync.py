"""After a cut: what is up now. The answers travel the same way as everything else, journal first.

Nothing of the past is repeated by a switch; a snapshot of its channels and queues says which calls live on, and the
floor ends those that do not.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from telephony.event import Event

Send = Callable[[str], None]
SNAPSHOT = ("CoreShowChannels", "QueueStatus")
BOOT_PATIENCE = 3.0    # a user without the class `system` is never told FullyBooted
SOON = 5.0             # after a list of which a part was lost
ROUTINE = 900.0        # a call whose end was missed without a sign ends at the next routine look
ASK_AGAIN = 60.0       # how often a quiet doubt is worth a snapshot


class Resync:
    """Asks for a snapshot when a connection is new, or when something heard cannot be right; tells when it is there."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.wanted = False        # a new connection has not had its snapshot yet
        self._asked_at: float | None = None

    def connected(self) -> None:
        """A login was taken: what happened before it is unknown."""
        self.wanted, self._asked_at = True, None

    def ask(self, now: float) -> None:
        """Have the switch list its channels and queues."""
        self._asked_at = now
        for action in SNAPSHOT:
            self._send(action)

    def heard(self, event: Event, now: float, *, whole: bool = True) -> bool:
        """Take an event's word for when to ask; True when the snapshot of a new connection is complete and whole."""
        if event.name == "FullyBooted":
            self.ask(now)
        done = event.name == "CoreShowChannelsComplete" and self.wanted and whole
        if done:
            self.wanted = False
        return done

    def remind(self, now: float, logged_in_at: float) -> None:
        """Ask without FullyBooted when it does not come, again when a list came in part, and now and then."""
        if self._asked_at is None:
            due = self.wanted and now - logged_in_at > BOOT_PATIENCE
        else:
            due = now - self._asked_at > (SOON if self.wanted else ROUTINE)
        if due:
            self.ask(now)

    def doubt(self, now: float) -> None:
        """Something was heard that only a snapshot can put right."""
        if self._asked_at is None or now - self._asked_at > ASK_AGAIN:
            self.ask(now)


class Cuts:
    """The gaps that a journal tells of: from the last read of one connection to the snapshot of the next that had one."""

    def __init__(self) -> None:
        self.closed: list[tuple[datetime | None, datetime]] = []
        self.began: datetime | None = None
        self._open = True          # whether the first connection had its snapshot before it is read again is not known
        self._heard_at: datetime | None = None

    def connected(self) -> None:
        """What came before this connection was cut."""
        if not self._open:
            self._open, self.began = True, self._heard_at

    def heard(self, events: Iterable[Event], at: datetime | None) -> None:
        """A read of this connection."""
        self._heard_at = at or self._heard_at
        if self._open and self._heard_at and any(event.name == "CoreShowChannelsComplete" for event in events):
            self.closed.append((self.began, self._heard_at))
            self._open, self.began = False, None


def gap_note(began: datetime | None, ended: datetime) -> str:
    """Return how long nothing was heard, for the record."""
    return f"{(ended - began).total_seconds():.1f} s" if began else ""
