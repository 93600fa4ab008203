"""A form that two people had open: what the other one saved stands beside what was typed."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from service.core.editing import Differing, differing

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


def differences(saved: Any, typed: Any, told: Callable[[str, Any], str]) -> list[Differing]:
    """Every field that differs; `told` says a value in words."""
    fields = [name for name in NAMES if hasattr(typed, name) and not (name == "amount" and typed.amount is None)]
    there, here = ({name: told(name, getattr(one, name)) for name in fields} for one in (saved, typed))
    return differing(there, here, {name: NAMES[name] for name in fields})
