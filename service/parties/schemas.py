"""What is known of a party as it is written down: frozen, checked by whoever read it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class NewParty:
    """What the desk knows of a new customer while the phone is at the ear; `request_key` makes a double click harmless."""

    name: str
    phone: str
    contact_name: str = ""
    kind: str = "company"
    address: str = ""
    tax_number: str = ""
    account: str = ""
    department: str = ""
    request_key: str | None = None


@dataclass(frozen=True)
class NewContact:
    """A person at a party, as the desk meets them."""

    name: str
    title: str = ""
    department: str = ""
    phone: str = ""
    label: str = ""


@dataclass(frozen=True)
class DepartmentRow:
    """A department; without an id it is new, `gone` says that it is to be removed."""

    id: int | None
    name: str
    gone: bool = False
    field: str = ""


@dataclass(frozen=True)
class PhoneRow:
    """A number of the party, or of the contact in whose row it stands."""

    id: int | None
    raw: str
    label: str = ""
    gone: bool = False
    field: str = ""


@dataclass(frozen=True)
class MailRow:
    """A mail address of the contact in whose row it stands."""

    id: int | None
    address: str
    label: str = ""
    gone: bool = False
    field: str = ""


@dataclass(frozen=True)
class ContactRow:
    """A person with their department by name, numbers and addresses."""

    id: int | None
    name: str
    title: str = ""
    department: str = ""
    note: str = ""
    active: bool = True
    preferred: bool = False
    phones: tuple[PhoneRow, ...] = ()
    mails: tuple[MailRow, ...] = ()
    gone: bool = False
    field: str = ""


@dataclass(frozen=True)
class ContractRow:
    """What was agreed, from and to which day, and which services it covers."""

    id: int | None
    number: str = ""
    name: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    services: tuple[str, ...] = ()
    gone: bool = False
    field: str = ""


@dataclass(frozen=True)
class AccountRow:
    """Account and book number in another system."""

    id: int | None
    system: str = ""
    account: str = ""
    book: str = ""
    gone: bool = False
    field: str = ""


@dataclass(frozen=True)
class PartyDraft:
    """A whole party as a form or an import writes it down."""

    name: str
    kind: str = "company"
    roles: tuple[str, ...] = ("customer",)
    grade: str = "standard"
    category_id: int | None = None
    vendor_category_id: int | None = None
    tags: tuple[str, ...] = ()
    address: str = ""
    email: str = ""
    fax: str = ""
    web: str = ""
    tax_number: str = ""
    note: str = ""
    credit_days: int = 30
    credit_limit: Decimal | None = None
    settlement: str = "job"
    settlement_day: int | None = None
    vendor_days: int = 30
    departments: tuple[DepartmentRow, ...] = ()
    contacts: tuple[ContactRow, ...] = ()
    phones: tuple[PhoneRow, ...] = ()
    contracts: tuple[ContractRow, ...] = ()
    accounts: tuple[AccountRow, ...] = ()


@dataclass(frozen=True)
class Alike:
    """A party that may be the same as another; `reasons` are name, phone, tax or account."""

    id: int
    number: str
    name: str
    state: str
    reasons: tuple[str, ...]
