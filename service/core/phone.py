"""Phone numbers: E.164 where a number is truly valid, else digits with a kind; the dialled form is kept."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers

Kind = Literal["e164", "extension", "short", "service", "withheld", "unknown"]
WITHHELD = {"anonymous", "restricted", "private", "unavailable", "withheld", "unknown", "<unknown>"}
SUFFIX = re.compile(r"(?:ext\.?|x|转|分机|[-–—#,;])\s*(\d{1,6})$", re.IGNORECASE)
LOCAL = re.compile(r"[2-8]\d{6,7}")  # a landline without its area code
WRITTEN = re.compile(r"\+?[\d\s().\-–—−/*#]+")  # the signs that numbers are written with
BEHIND = re.compile(r"\(?\s*(?:ext(?:ension)?\.?|x|转|分机|[-#,;]+)\s*[:.]?\s*\d{1,6}\s*\)?$", re.IGNORECASE)
SERVICE = re.compile(r"(?:95\d{3,6}|96\d{3,4}|12\d{3}|1[01]\d{1}|400\d{7}|800\d{7})$")


@dataclass(frozen=True)
class Phone:
    """One number: `raw` as it came, `e164` when valid for its region, else `digits` with `kind`."""

    raw: str
    e164: str | None
    digits: str
    kind: Kind
    extension: str | None = None

    @property
    def key(self) -> str:
        """What two writings of one number have in common; empty when nothing can be matched."""
        return self.e164 or self.digits


@lru_cache(maxsize=4096)
def parse(raw: str | None, region: str = "CN") -> Phone:
    """The number read by the rules of `region`; never raises, since callers send anything."""
    text = (raw or "").strip()[:80]
    if not text or text.lower() in WITHHELD:
        return Phone(text, None, "", "withheld")
    e164 = _valid(text, region)
    if e164:
        return Phone(text, e164, e164.lstrip("+"), "e164")
    main, extension = _split(text)
    e164 = _valid(main, region) if extension else None
    if e164:
        return Phone(text, e164, e164.lstrip("+"), "e164", extension)
    digits = re.sub(r"\D", "", main if extension and len(re.sub(r"\D", "", main)) > 4 else text)
    return Phone(text, None, digits, _kind(digits))


def is_written(typed: str) -> bool:
    """True when what somebody typed can be a number: digits and the signs between them, and behind them perhaps an extension."""
    text = unicodedata.normalize("NFKC", typed).strip()
    return bool(WRITTEN.fullmatch(BEHIND.sub("", text) or text)) and 2 < len(re.sub(r"\D", "", text)) < 25


def _split(text: str) -> tuple[str, str | None]:
    found = SUFFIX.search(text)
    if not found or len(re.sub(r"\D", "", text[: found.start()])) < 7:
        return text, None
    return text[: found.start()].rstrip(), found.group(1)


def _valid(text: str, region: str) -> str | None:
    digits = re.sub(r"\D", "", text)
    if len(digits) < 7 or re.search(r"[A-Za-z]", text) or SERVICE.fullmatch(digits):
        return None
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def spellings(number: Phone, line: str | None) -> tuple[Phone, ...]:
    """The number, and what else it may be called by where `line`, our own number, stands: an exchange leaves its area code out at home."""
    area = _area(line)
    if not area:
        return (number,)
    if number.kind == "unknown" and LOCAL.fullmatch(number.digits):
        whole = parse(f"0{area}{number.digits}")
        return (number, whole) if whole.e164 else (number,)
    home = f"+86{area}"
    return (number, parse(number.e164[len(home) :])) if number.e164 and number.e164.startswith(home) else (number,)


@lru_cache(maxsize=256)
def _area(line: str | None) -> str:
    """The area code of a landline of this country, 21 of 021 6000 0100; nothing for any other number."""
    own = parse(line).e164
    if not own or not own.startswith("+86"):
        return ""
    parsed = phonenumbers.parse(own)
    return phonenumbers.national_significant_number(parsed)[: phonenumbers.length_of_geographical_area_code(parsed)]


def _kind(digits: str) -> Kind:
    if not digits:
        return "unknown"
    if SERVICE.fullmatch(digits):
        return "service"
    if len(digits) <= 4:
        return "extension"
    return "short" if len(digits) <= 6 else "unknown"


def display(raw: str | None) -> str:
    """The number as people here write it: 138 0000 1001, 021 6234 5678; anything else as it came; a withheld one is nothing."""
    number = parse(raw)
    if number.kind == "withheld":
        return ""
    if number.e164 and number.e164.startswith("+861") and len(number.e164) == 14:
        local = number.e164[3:]
        return f"{local[:3]} {local[3:7]} {local[7:]}"
    if number.e164:
        form = phonenumbers.PhoneNumberFormat
        parsed = phonenumbers.parse(number.e164)
        style = form.NATIONAL if parsed.country_code == 86 else form.INTERNATIONAL
        return str(phonenumbers.format_number(parsed, style))
    return number.raw
