"""A form that two people had open: what the other one saved stands beside what was typed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

NAMES: Mapping[str, LazyString] = {
    "number": _l("Project number"),
    "name": _l("Name"),
    "name_en": _l("Name in English"),
    "parent_id": _l("Lies in"),
    "address": _l("Address"),
    "latitude": _l("Latitude"),
    "longitude": _l("Longitude"),
    "project_id": _l("Project"),
    "party_id": _l("Customer"),
    "region_id": _l("Region"),
    "contact": _l("Contact"),
    "phone": _l("Phone number"),
    "amount": _l("Amount"),
    "products": _l("Included products"),
    "note": _l("Note"),
}


@dataclass(frozen=True)
class Difference:
    """One field in which the saved record and the form differ."""

    name: LazyString
    saved: str
    typed: str


def differences(saved: Any, typed: Any, told: Callable[[str, Any], str]) -> list[Difference]:
    """Every field that differs; `told` says a value in words."""
    found = []
    for field, name in NAMES.items():
        if not hasattr(typed, field) or (getattr(typed, field) is None and field == "amount"):
            continue
        there, here = told(field, getattr(saved, field)), told(field, getattr(typed, field))
        if there != here:
            found.append(Difference(name, there, here))
    return found
