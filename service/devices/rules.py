"""Is it in warranty on that day, and why. Pure."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

STATES = ("normal", "abnormal", "repair", "retired")
CURRENT = ("normal", "abnormal", "repair")


@dataclass(frozen=True)
class Cover:
    """What is known about the warranty of a device or of a component."""

    starts: date | None = None
    until: date | None = None
    installed_on: date | None = None
    produced_on: date | None = None
    months: int | None = None


@dataclass(frozen=True)
class Decision:
    """`result` is in, out or unknown; `rule` says by what: own end date, or months from the start, the installation or the production."""

    result: str
    rule: str
    until: date | None = None
    starts: date | None = None
    months: int | None = None

    @property
    def charge(self) -> str:
        """What the customer is told at first: free, payable, or nothing while nobody knows."""
        return {"in": "free", "out": "payable"}.get(self.result, "")


def decide(cover: Cover, on: date) -> Decision:
    """The warranty on that day; its last day is inside. An own end date goes before months of the product."""
    if cover.until is not None:
        return _judged(Decision("", "own", cover.until, cover.starts), on)
    if cover.months == 0:
        return Decision("out", "none", months=0)
    base = next(((name, day) for name, day in _beginnings(cover) if day is not None), None)
    if base is None or cover.months is None:
        return Decision("unknown", "months" if base else "dates")
    rule, first = base
    return _judged(Decision("", rule, _later(first, cover.months), cover.starts, cover.months), on)


def _beginnings(cover: Cover) -> tuple[tuple[str, date | None], ...]:
    return ("start", cover.starts), ("installed", cover.installed_on), ("produced", cover.produced_on)


def _judged(open_: Decision, on: date) -> Decision:
    early = open_.starts is not None and on < open_.starts
    late = open_.until is not None and on > open_.until
    return Decision("out" if early or late else "in", "early" if early else open_.rule, open_.until, open_.starts, open_.months)


def _later(first: date, months: int) -> date:
    """The last day of a period of months: the same day of its last month, or that month's end (Civil Code of China, art. 202)."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    if year > 9999:
        return date.max
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))
