"""Two people edit the same record: who saves upon an older version sees what the other one saved beside what was typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from service.core.errors import DeskError


class Stale(DeskError):
    """Somebody else saved the record since it was read; nothing of this save was kept."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("Somebody else saved this meanwhile. Compare both below; saving again keeps what stands in the form."))


def fresh(now: int, seen: int) -> None:
    """The record still has the version that was read. Raises Stale."""
    if now != seen:
        raise Stale


@dataclass(frozen=True)
class Differing:
    """A field that is saved in one way and typed in another."""

    name: Any
    saved: Any
    typed: Any


def differing(saved: Mapping[str, Any], typed: Mapping[str, Any], names: Mapping[str, Any]) -> list[Differing]:
    """The named fields in which both differ, in the order of the names."""
    pairs = [(said, _words(saved.get(field)), _words(typed.get(field))) for field, said in names.items()]
    return [Differing(said, old, new) for said, old, new in pairs if old != new]


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return "" if value is None else str(value)
