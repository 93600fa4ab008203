"""The key figures of a selection of calls as tiles: value, formula with its numbers, and which calls stand behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flask_babel import gettext as _

from service.core import kpi_words as words
from service.core.kpi import Figures, Policy
from service.core.kpi_words import Told


class Spread(Protocol):
    """Waits of the answered."""

    @property
    def p50(self) -> float | None:
        """Half waited no longer."""

    @property
    def p90(self) -> float | None:
        """Nine in ten waited no longer."""


@dataclass(frozen=True)
class Tile:
    """One figure; `unit` is % or s, `behind` are (words, figure condition of the call list, how many)."""

    label: str
    value: float | None
    unit: str
    fact: str
    told: Told
    behind: tuple[tuple[str, str, int], ...] = ()
    good: bool | None = None


def tiles(policies: Sequence[Policy], found: Figures, spread: Spread) -> list[Tile]:
    """Service level first; empty when no call was offered to a queue."""
    if not found.offered:
        return []
    target = policies[-1].call_target if policies else Policy().call_target
    waits = "" if spread.p50 is None or spread.p90 is None else _("p50 %(half)s s · p90 %(most)s s", half=f"{spread.p50:.0f}", most=f"{spread.p90:.0f}")
    return [
        Tile(_("Service level"), found.level, "%", _("Aim %(percent)s%%", percent=target), words.level(policies, found), level_behind(found),
             None if found.level is None else found.level >= target),
        Tile(_("Answer rate"), found.answer_rate, "%", _("%(count)s answered", count=f"{found.answered:,}"), words.answer_rate(found),
             ((_("Offered"), "offered", found.offered), (_("Answered"), "answered", found.answered))),
        Tile(_("Abandonment rate"), found.abandonment, "%", _("%(count)s gave up", count=f"{found.lost:,}"), words.abandonment(policies, found),
             ((_("Gave up"), "lost", found.lost), (_("Short abandons"), "short", found.short))),
        Tile(_("Mean time to answer"), found.speed, "s", waits, words.speed(found), ((_("Answered late"), "late", found.answered - found.within),)),
        Tile(_("Transfer rate"), found.transfer_rate, "%", _("%(count)s passed on", count=f"{found.transferred:,}"), words.transfer_rate(found),
             ((_("Passed on"), "transferred", found.transferred),)),
    ]


def level_behind(found: Figures) -> tuple[tuple[str, str, int], ...]:
    """The calls that make the service level what it is."""
    late = found.answered - found.within
    return (
        (_("In time"), "within", found.within), (_("Answered late"), "late", late), (_("Gave up"), "lost", found.lost),
        (_("Short abandons"), "short", found.short),
    )


def names() -> dict[str, str]:
    """The conditions that a figure puts on the list of calls, in words."""
    return {
        "offered": _("Offered to a queue"), "answered": _("Answered from a queue"), "within": _("In time"), "late": _("Answered late"),
        "abandoned": _("Abandoned"), "lost": _("Gave up"), "short": _("Short abandons"), "transferred": _("Passed on"),
        "counted": _("Counted for the service level"), "hits": _("Good for the service level"),
    }
