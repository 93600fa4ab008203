"""What a party may be called and what its fields may say. Pure."""

import re
import unicodedata
from collections.abc import Mapping

GRADES = ("standard", "silver", "gold", "vip", "contract")
ROLES = ("customer", "vendor", "carrier", "repairer")
VENDING = ("vendor", "carrier", "repairer")
LABELS = ("mobile", "office", "home", "fax", "other")
SETTLEMENTS = ("job", "monthly")
LONGEST: Mapping[str, int] = {
    "name": 200, "address": 300, "email": 200, "fax": 80, "web": 200, "tax_number": 40, "note": 2000, "tags": 200,
    "contact": 100, "title": 100, "department": 100, "raw": 80, "mail": 200, "number": 80, "system": 60, "account": 80, "book": 80,
    "services": 300, "reason": 300,
}  # fmt: skip
MOST_TAGS, LONGEST_TAG = 20, 30
JOINERS = "\u200c\u200d"  # they hold some scripts and emoji together
FORMS = re.compile(
    r"(股份有限公司|有限责任公司|股份公司|有限公司|责任公司|集团公司|集团|股份|公司|总公司|分公司"
    r"|\b(?:co|company|ltd|limited|inc|corp|corporation|llc|gmbh|plc)\b)"
)


def clean(text: str) -> str:
    """What was typed without signs that cannot be seen and turn or break a line; blanks at the ends are gone."""
    kept = (sign for sign in text if sign in JOINERS or unicodedata.category(sign) not in ("Cc", "Cf", "Cs"))
    return "".join(kept).strip()


def clean_lines(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(clean(line) for line in text.splitlines()).strip()


def name_key(name: str) -> str:
    """What two writings of one name have in common: narrow small letters and signs without blanks, brackets or legal form."""
    small = unicodedata.normalize("NFKC", name).lower()
    bare = re.sub(r"[\W_]", "", FORMS.sub(" ", re.sub(r"[.,，。]", " ", small)))
    return (bare or re.sub(r"\s", "", small))[:200]


def tax_key(typed: str) -> str:
    """A tax number as it is stored and compared: capitals and digits alone."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", typed)).upper()


def words(typed: str) -> list[str]:
    """Words between commas, semicolons or line ends, each once, in the order in which they were typed."""
    parts = (clean(part) for part in re.split(r"[,，、;；\n]", typed))
    return list(dict.fromkeys(part for part in parts if part))
