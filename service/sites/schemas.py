"""What the forms of regions, projects and sites send, before any rule looks at it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from service.core import asked
from service.sites import rules

LONG = ("products", "note")


@dataclass(frozen=True)
class RegionForm:
    """One region as typed."""

    name: str = ""
    name_en: str = ""
    parent_id: int | None = None
    version: int = 0


@dataclass(frozen=True)
class ProjectForm:
    """One project as typed; `amount` is None where the person may not see it."""

    number: str = ""
    name: str = ""
    region_id: int | None = None
    party_id: int | None = None
    amount: str | None = None
    products: str = ""
    note: str = ""
    request_key: str = ""
    version: int = 0


@dataclass(frozen=True)
class SiteForm:
    """One site as typed."""

    name: str = ""
    address: str = ""
    latitude: str = ""
    longitude: str = ""
    project_id: int | None = None
    party_id: int | None = None
    region_id: int | None = None
    contact: str = ""
    phone: str = ""
    note: str = ""
    request_key: str = ""
    version: int = 0


def number(typed: str | None) -> int | None:
    """A whole number that a column can hold, else nothing."""
    return asked.whole(typed or "") or None


Form = TypeVar("Form", RegionForm, ProjectForm, SiteForm)


def read(form: type[Form], sent: Mapping[str, str]) -> Form:
    """The form as it was sent; what is no number counts as absent."""
    values: dict[str, Any] = {}
    for field in fields(form):
        typed = sent.get(field.name)
        if typed is None:
            continue
        if field.name.endswith("_id"):
            values[field.name] = number(typed)
        elif field.name == "version":
            values[field.name] = number(typed) or 0
        else:
            values[field.name] = long(typed) if field.name in LONG else rules.line(typed)
    return form(**values)


def long(typed: str) -> str:
    """Several lines, without signs that only steer a screen."""
    lines = ("".join(sign for sign in one if sign.isprintable()).rstrip() for one in typed.splitlines())
    return "\n".join(lines).strip()[: rules.LONGEST_TEXT]
