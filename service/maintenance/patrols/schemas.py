"""What the forms of patrols hand over."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Round:
    """A round as described; `sites` are ids."""

    name: str
    inspector_id: int
    starts_on: date
    ends_on: date
    sites: tuple[int, ...] = ()


@dataclass(frozen=True)
class Found:
    """What the inspector sends from the place, as typed; `request_key` makes a second sending harmless."""

    site_id: int
    findings: str
    faulty: bool
    request_key: str
    round_id: int | None = None
    device_id: int | None = None
    latitude: str = ""
    longitude: str = ""
    accuracy: str = ""


@dataclass(frozen=True)
class Sent:
    """One picture as it was sent."""

    content: bytes
    name: str
