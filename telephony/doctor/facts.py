"""What is known of one switch when it is examined. Plain values: checks are pure and are tested without a switch."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from service.core.config import SwitchSettings
from telephony.doctor.conf import Conf
from telephony.switch import Switch

ENOUGH_CALLS = 5  # channels in the journal after which an event that never came is no chance any more


@dataclass(frozen=True)
class Step:
    """One line of the dialplan."""

    context: str
    exten: str
    application: str
    data: str


@dataclass(frozen=True)
class Member:
    """Who is in a queue, and the device that says whether they are free."""

    queue: str
    name: str
    interface: str


@dataclass(frozen=True)
class Visit:
    """What the switch said to the listener's user. `outcome`: in, refused, in-use, silent, stranger or away."""

    outcome: str = "away"
    why: str = ""
    banner: str = ""
    booted: bool = False                     # FullyBooted came by itself, so the class `system` is read
    twice: bool | None = None                # whether the same user is let in a second time
    settings: Mapping[str, str] = field(default_factory=dict)  # CoreSettings, names in lower case
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # allowed actions and the classes that allow them
    refused: frozenset[str] = frozenset()
    actor: str = ""                          # the same of the user that acts: in, refused, or empty when it was not seen
    acts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # what it may do, and the classes that allow it
    queues: tuple[str, ...] | None = None
    members: tuple[Member, ...] = ()
    dialplan: tuple[Step, ...] | None = None
    pbx: str | None = None                   # the global variable RINGDESK_PBX
    trunks: Mapping[str, str] = field(default_factory=dict)  # context in which each provider's endpoint begins
    offset: float | None = None              # how many seconds the switch's clock is ahead of ours
    doubt: float = 0.0                       # half of the time that the answer took

    @property
    def inside(self) -> bool:
        """True when the switch answered what was asked."""
        return self.outcome == "in"

    @property
    def version(self) -> str:
        """Asterisk's own, empty when it did not say."""
        return self.settings.get("asteriskversion", "")

    def has(self, right: str) -> bool:
        """True when some allowed action needs exactly this class of rights."""
        return _needs(self.commands, right)

    def actor_has(self, right: str) -> bool:
        """The same of the user that acts."""
        return _needs(self.acts, right)

    def runs(self, application: str) -> bool:
        """True when the dialplan uses this application anywhere."""
        return any(step.application.lower() == application.lower() for step in self.dialplan or ())


def _needs(commands: Mapping[str, tuple[str, ...]], right: str) -> bool:
    return any(set(classes) - {"all"} == {right} for classes in commands.values())


@dataclass(frozen=True)
class Evidence:
    """What was heard lately: from the journal, and while the doctor listened."""

    since: datetime | None = None
    events: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    stamped: int = 0
    bare: int = 0                            # events that would carry a Timestamp, and carry none
    inbound: Counter[tuple[str, str]] = field(default_factory=Counter)  # (endpoint, context) of channels that are no phone of ours
    queues: frozenset[str] = frozenset()
    unanswered: int = 0                      # Cdr records of calls that nobody answered
    voicemail: int = 0                       # CEL events that name a mailbox application
    withheld: int = 0                        # calls that the dialplan marked as withheld
    recordings: int = 0
    doubts: int = 0                          # frames that were kept back as forged or broken

    @property
    def total(self) -> int:
        """All events."""
        return self.events.total()


@dataclass(frozen=True)
class Desk:
    """What Ringdesk has on file for this switch."""

    queues: frozenset[str] = frozenset()
    seats: frozenset[str] = frozenset()
    doubted: int = 0                         # frames that the listener kept back since it began
    known: bool = True                       # False while the database is away


@dataclass(frozen=True)
class Place:
    """A folder or a file as it is seen from here."""

    path: str
    there: bool = True
    readable: bool = True
    writable: bool = True
    free: int = 10**12
    ours: int = 0                            # files under our names
    strange: int = 0                         # other files beside them
    age: timedelta | None = None             # since the newest of ours, or since the file was written to
    why: str = ""                            # why it cannot be had by SFTP


@dataclass(frozen=True)
class Facts:
    """One switch, and what Ringdesk expects of it."""

    switch: SwitchSettings
    visit: Visit = Visit()
    evidence: Evidence = field(default_factory=Evidence)
    conf: Conf | None = None
    desk: Desk = Desk()
    switches: int = 1                        # how many are configured
    twins: tuple[str, ...] = ()              # other switches that give the same system name
    recordings: Place | None = None
    vault: Place | None = None
    journal: Place | None = None
    queue_log: Place | None = None
    fetched: Mapping[str, Place] = field(default_factory=dict)  # the other files, by kind, where they are fetched by SFTP

    @property
    def names(self) -> Switch:
        """How this switch's names are read."""
        return Switch(self.switch.name, self.switch.trunk_contexts, self.switch.extension_pattern)

    @property
    def voicemail(self) -> bool | None:
        """Whether callers can reach a mailbox; None when the dialplan was not seen."""
        if self.visit.dialplan is None:
            return True if self.evidence.voicemail else None
        return self.visit.runs("VoiceMail")
