"""What a reader without the right sees of a phone, a mail address, an identity number or an amount: enough to tell it from another.

Every page, fragment, export and live event shows such a value through one of the `shown_…` functions, and a form that was
sent back goes through `typed_phone`, so that a covered number is never written over the real one.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal, Protocol

import phonenumbers
from flask_babel import gettext as _

from service.core import identity, phone
from service.core.errors import Invalid

PHONE_READ = "phone.read"  # sees whole numbers and mail addresses
PHONE_REVEAL = "phone.reveal"  # may uncover one at a time; each is on record
AMOUNT_READ = "amount.read"  # what a customer owes or is charged
COST_READ = "cost.read"  # what things cost us: cost, margin, a supplier's price
COVERED = "•••"
STAR = "*"
PUBLIC = ("extension", "short", "service")  # a room's telephone, an emergency call or a firm's 400 number is nobody's secret
WHOLE = 7  # digits; fewer are no number that can be dialled from outside
SIGNS = re.compile(r"[*•]")
RUN = re.compile(r"\+?\d(?:[ ().-]?\d){6,}")  # what may be a number in a machine's words
MAILS = re.compile(r"[^\s@;,<>]+@[^\s@;,<>]+")


class Reader(Protocol):
    """Whoever reads: a signed-in person, or the person at a phone."""

    def reads(self, permission: str, /) -> bool:
        """True when their roles carry the permission wherever they see anything."""
        ...


def reads_phones(person: Reader | None) -> bool:
    """True when the person sees whole numbers; nobody does not."""
    return person is not None and person.reads(PHONE_READ)


def reads_amounts(person: Reader | None) -> bool:
    """True when the person sees what a customer owes or may owe; nobody does not."""
    return person is not None and person.reads(AMOUNT_READ)


# ---- phones


def shown_phone(person: Reader | None, raw: str | None) -> str:
    """The number as this person may see it: 138 0000 1001, or 138****1001; a withheld one is nothing."""
    return phone.display(raw) if reads_phones(person) else masked_phone(raw)


def shown_plain(person: Reader | None, raw: str | None) -> str:
    """The number as it is stored, for a workbook or a form's field, or covered."""
    return (raw or "") if reads_phones(person) else masked_phone(raw)


def shown_name(person: Reader | None, name: str | None) -> str:
    """A caller's name as the switch sent it; many switches send the number once more instead."""
    text = (name or "").strip()
    digits = sum(sign.isdigit() for sign in text)
    return text if digits < WHOLE or reads_phones(person) else masked_phone(text)


def shown_trace(person: Reader | None, text: str | None) -> str:
    """A machine's words, such as a channel or a frame, in which every run of seven digits or more may be a number."""
    words = text or ""
    return words if reads_phones(person) else RUN.sub(lambda run: masked_phone(run.group()), words)


def shown_words(person: Reader | None, text: str | None) -> str:
    """A cell that a stranger's table brought, in which any run of digits may be a number and any word a mail address."""
    return text or "" if reads_phones(person) else MAILS.sub(lambda found: masked_mail(found.group()), shown_trace(person, text))


def masked_phone(raw: str | None) -> str:
    """A mobile keeps its first three and last four digits, a landline its area code and last three, a foreign one its country."""
    number = phone.parse(raw)
    if number.kind == "withheld":
        return ""
    if number.kind in PUBLIC:
        return number.raw
    if number.e164:
        return _masked_valid(number.e164)
    if "@" in number.raw and len(number.digits) < WHOLE:
        return masked_mail(number.raw)
    return STAR * 4 + number.digits[-3:] if number.digits else number.raw


def _masked_valid(e164: str) -> str:
    if e164.startswith("+861") and len(e164) == 14:
        return f"{e164[3:6]}{STAR * 4}{e164[-4:]}"
    parsed = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(parsed)
    if parsed.country_code != 86:
        kept = 4 if len(national) > 8 else 3
        return f"+{parsed.country_code} {STAR * 4}{national[-kept:]}"
    area = national[: phonenumbers.length_of_geographical_area_code(parsed)]
    return f"0{area} {STAR * (len(national) - len(area) - 3)}{national[-3:]}" if area else STAR * (len(national) - 3) + national[-3:]


def is_masked(typed: str) -> bool:
    """True when what was typed or sent back is a covered value and none that could be stored."""
    return SIGNS.search(typed) is not None


def is_covered(typed: str) -> bool:
    """True for a covered number where stars may be dialled too: nobody dials three of them at once."""
    return STAR * 3 in typed or COVERED in typed


def typed_phone(person: Reader | None, typed: str, stored: str | None = None) -> str:
    """What a form's number means: `stored` when it came back as it was shown. Raises Invalid for any other covered number."""
    text = typed.strip()
    if stored and text and text in (masked_phone(stored), shown_phone(person, stored)):
        return stored
    if is_masked(text):
        refusal = _("This number is covered with stars. Type the whole number.")
        raise Invalid(refusal, {"phone": refusal})
    return text


def digits_alone(typed: object) -> bool:
    """True when only a number was typed: who may not search by a part of it is told so; a test of templates."""
    return re.sub(r"[\s().+-]", "", str(typed)).isdigit()


def searched(person: Reader | None) -> Literal["parts", "whole"]:
    """What of a number finds its owner: any part of it, or for those who do not see whole ones the whole alone."""
    return "parts" if reads_phones(person) else "whole"


# ---- other contacts


def shown_mail(person: Reader | None, raw: str | None) -> str:
    """The address, or a***@example.com."""
    return (raw or "") if reads_phones(person) else masked_mail(raw)


def masked_mail(raw: str | None) -> str:
    """The first letter and the domain."""
    name, at, domain = (raw or "").strip().rpartition("@")
    return f"{name[:1]}***@{domain}" if at else (STAR * 3 if domain else "")


def shown_identity(person: Reader | None, raw: str | None) -> str:
    """An identity or tax number, whole or by its first three and last four signs."""
    text = (raw or "").strip()
    if reads_phones(person) or not text:
        return text
    return f"{text[:3]}{STAR * (len(text) - 7)}{text[-4:]}" if len(text) > 8 else STAR * len(text)


FIELDS = ("phone", "raw", "number", "fax", "email", "mail", "contact", "q", "query")  # of the audit, in which a number or a mail may stand
AMOUNTS = ("credit_limit", "amount")


def shown_field(person: Reader | None, name: str, value: object) -> object:
    """What the audit kept under that name, a row's number behind it or not, as covered as it is on its own page."""
    kind = name.partition(" ")[0]
    if kind in AMOUNTS and value not in (None, ""):
        return value if person is not None and person.reads(AMOUNT_READ) else COVERED
    if not isinstance(value, str):
        return value
    if kind == "tax_number":
        return shown_identity(person, value)
    return shown_words(person, value) if kind in FIELDS else value


# ---- amounts


def shown_amount(
    person: Reader | None, amount: Decimal | None, permission: str = AMOUNT_READ, written: Callable[[Decimal | None], str] = str
) -> str:
    """The amount as `written` says it, or three dots for those without the permission."""
    return written(amount) if person is not None and person.reads(permission) else COVERED


def exported(person: Reader | None, amount: Decimal | None, permission: str = AMOUNT_READ) -> Decimal | None:
    """The amount for a workbook or JSON; nothing for those without the permission, since dots are no number."""
    return amount if person is not None and person.reads(permission) else None


# ---- the filters of templates: the reader is the person of the request


def number(raw: str | None) -> str:
    """A customer's number; `|number` in templates."""
    return shown_phone(identity.current(), raw)


def sent_name(name: str | None) -> str:
    """A caller's name as sent; `|sent_name` in templates."""
    return shown_name(identity.current(), name)


def trace(text: str | None) -> str:
    """A channel, a frame or a file's name; `|trace` in templates."""
    return shown_trace(identity.current(), text)


def field(value: object, name: str) -> object:
    """A value of the audit by the name it was kept under; `|field(name)` in templates."""
    return shown_field(identity.current(), name, value)


def mail(raw: str | None) -> str:
    """A customer's mail address; `|mail` in templates."""
    return shown_mail(identity.current(), raw)


def identity_number(raw: str | None) -> str:
    """An identity or tax number; `|identity_number` in templates."""
    return shown_identity(identity.current(), raw)


FILTERS: dict[str, Callable[..., object]] = {
    "number": number,
    "sent_name": sent_name,
    "trace": trace,
    "field": field,
    "mail": mail,
    "identity_number": identity_number,
    "line": phone.display,  # a line of our own is no secret
}


def amounts(written: Callable[[Decimal | None], str]) -> dict[str, Callable[[Decimal | None], str]]:
    """The filters `|owed` and `|cost`; `written` says an amount to those who may see it."""
    return {
        "owed": lambda amount: shown_amount(identity.current(), amount, AMOUNT_READ, written),
        "cost": lambda amount: shown_amount(identity.current(), amount, COST_READ, written),
    }
