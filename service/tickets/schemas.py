"""What a form or a call hands to the tickets."""

from dataclasses import dataclass


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
