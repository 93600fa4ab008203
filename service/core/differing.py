"""Two people edit the same record: what the other one saved beside what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _


@dataclass(frozen=True)
class Differing:
    """A field that is saved in one way and typed in another."""

    name: Any
    saved: str
    typed: str


def differing(saved: Mapping[str, Any], typed: Mapping[str, Any], names: Mapping[str, Any]) -> list[Differing]:
    """The named fields in which both differ, in the order of the names."""
    pairs = [(said, _words(saved.get(field)), _words(typed.get(field))) for field, said in names.items()]
    return [Differing(said, old, new) for said, old, new in pairs if old != new]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return "" if value is None else str(value)
