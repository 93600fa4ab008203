"""What forms, imports and other rooms say of devices."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Holder:
    """Where a device is: customer, and there department, person and place; ids where they are on file, words where not."""

    party_id: int
    department: str = ""
    holder: str = ""
    place: str = ""
    department_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True)
class DeviceFacts:
    """What a device is, whoever has it. Without a name the product's is taken, without a kind the one it has."""

    name: str = ""
    model: str = ""
    serial: str = ""
    product_id: int | None = None
    kind: str = ""
    produced_on: date | None = None
    installed_on: date | None = None
    warranty_from: date | None = None
    warranty_until: date | None = None
    state: str = "normal"


@dataclass(frozen=True)
class NewDevice:
    """A device that comes on file; `request_key` makes a double click harmless, `number` is given where another system has one."""

    facts: DeviceFacts
    at_holder: Holder
    request_key: str | None = None
    number: str = ""


@dataclass(frozen=True)
class ComponentFacts:
    """A part with a serial and a warranty of its own. Without a name the product's is taken."""

    name: str = ""
    serial: str = ""
    product_id: int | None = None
    produced_on: date | None = None
    fitted_on: date | None = None
    warranty_from: date | None = None
    warranty_until: date | None = None


@dataclass(frozen=True)
class Work:
    """When, by whom and for which ticket a device was exchanged, taken away or put in."""

    done_on: date
    person: str = ""
    remarks: str = ""
    original_reading: Decimal | None = None
    current_reading: Decimal | None = None
    ticket_id: int | None = None
    request_key: str | None = None


@dataclass(frozen=True)
class Retirement:
    """Why a device is used no longer, since when, and where it went."""

    reason: str
    on: date
    destination: str = ""


@dataclass(frozen=True)
class Fate:
    """What becomes of a device that left its place: its state, and its retirement where that is the state."""

    state: str = "normal"
    retirement: Retirement | None = field(default=None)


@dataclass(frozen=True)
class Occasion:
    """The ticket on which something is done to a device: its number and customer, and whether it is history."""

    number: str
    party_id: int
    closed: bool = False
