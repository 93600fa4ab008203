"""What a form or a call hands to the tickets."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class NewTicket:
    """A request as the desk took it down; `request_key` makes a double click harmless.

    Where `chargeable` is empty the warranty on the day of the report says free or payable."""

    party_id: int
    subject: str
    priority: str
    type: str = "repair"
    description: str = ""
    contact_id: int | None = None
    device_id: int | None = None
    component_id: int | None = None
    chargeable: str = ""
    phone: str = ""
    channel: str = "hotline"
    assignee_id: int | None = None
    call: tuple[str, str] | None = None
    request_key: str | None = None


@dataclass(frozen=True)
class Origin:
    """Something seen at a place that became a ticket: its page, moment, who saw it, where (latitude, longitude, metres) and its pictures' ids."""

    link: str
    at: datetime
    who: str
    place: str
    place_link: str
    position: tuple[Decimal, Decimal] | None = None
    accuracy: int | None = None
    pictures: tuple[int, ...] = ()
