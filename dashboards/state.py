"""The address is the state: every filter of a board is in its URL, so Back, a shared link and an export all agree."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from warehouse.read import Run

PRESETS = ("30", "90", "month", "year", "365")
COMPARE = ("prior", "year", "off")
PROMISES = ("resolve", "response")
DEFAULT_PRESET = {"calls": "30", "sla": "90", "staffing": "90"}
# What a chart of each board may filter by, and how its value is read from the address.
DRILLS: Mapping[str, Mapping[str, type]] = {
    "calls": {"queue": str, "weekday": int, "hour": int, "half": int, "day": date, "staff": int, "outcome": str, "passed": int, "again": int},
    "sla": {"month": date, "week": date, "priority": str, "branch": int, "type": str, "staff": int, "met": str},
    "staffing": {"queue": str, "weekday": int, "half": int},
}
# A night begun by hand in the daytime shows the day so far; one at its usual hour shows closed days only.
DAY_BEGINS = 6


@dataclass(frozen=True)
class Period:
    """Local days, both included."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.end - self.start).days + 1

    def back(self, days: int) -> "Period":
        """The same length, earlier."""
        return Period(self.start - timedelta(days=days), self.end - timedelta(days=days))


@dataclass(frozen=True)
class State:
    """Everything a board is drawn from, besides the generation and the reader."""

    board: str
    period: Period
    last_day: date
    preset: str = ""
    compare: str = "prior"
    branch: int | None = None
    drill: tuple[tuple[str, Any], ...] = ()
    promise: str = "resolve"
    before: int | None = None
    width: int = 1440
    dark: bool = False
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def narrow(self) -> bool:
        """True on a phone."""
        return self.width < 700

    @property
    def compared(self) -> Period | None:
        """The period beside which figures are set: whole weeks earlier, so that Mondays meet Mondays."""
        if self.compare == "off":
            return None
        return self.period.back(364 if self.compare == "year" else -(-self.period.days // 7) * 7)

    def without(self, *keys: str) -> "State":
        """The state with some drill filters taken off: a chart ignores the filter it sets itself."""
        return replace(self, drill=tuple(item for item in self.drill if item[0] not in keys))

    def drilled(self, key: str) -> Any:
        """The value of one drill filter, or None."""
        return dict(self.drill).get(key)

    def href(self, **changes: str | None) -> str:
        """This board's address with some parameters changed, or dropped when None; paging starts anew."""
        kept = {key: value for key, value in self.given.items() if key != "before"} | changes
        query = self.query(kept)
        return f"/dashboards/{self.board}" + (f"?{query}" if query else "")

    @staticmethod
    def query(given: Mapping[str, str | None]) -> str:
        """Parameters as an address carries them, those left out that say nothing."""
        return urlencode({key: value for key, value in given.items() if value})

    def with_drill(self, **more: Any) -> str:
        """The address with these filters set; one that is set to the same value already is taken off."""
        now = dict(self.drill)
        same = all(now.get(key) == value for key, value in more.items())
        kept = {key: value for key, value in now.items() if key not in more} | ({} if same else more)
        return self.href(drill=written(kept.items()))

    def up_to(self, count: int) -> str:
        """The address with only the first `count` drill filters."""
        return self.href(drill=written(self.drill[:count]))

    def export(self) -> str:
        """The address of the workbook of exactly this state."""
        query = urlencode({key: value for key, value in self.given.items() if key != "before"})
        return f"/dashboards/export/{self.board}.xlsx" + (f"?{query}" if query else "")


def written(drill: Any) -> str | None:
    """Filters as the address carries them."""
    return ",".join(f"{key}:{quote(str(value), safe='')}" for key, value in drill) or None


def parse(board: str, search: str, run: Run, *, width: int = 1440, dark: bool = False) -> State:
    """The state of an address; what cannot be read is left out, since links age and people type."""
    given = dict(parse_qsl(search.removeprefix("?")))
    preset, period = _period(board, given, run)
    return State(
        board=board, period=period, last_day=run.last_day, preset=preset, width=width, dark=dark, given=given,
        compare=_one_of(COMPARE, given.get("cmp")), promise=_one_of(PROMISES, given.get("promise")),
        branch=_number(given.get("branch")), before=_number(given.get("before")),
        drill=tuple(_drill(board, given.get("drill", ""))),
    )


def _one_of(known: tuple[str, ...], asked: str | None) -> str:
    return asked if asked in known else known[0]


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else None


def day_of(text: str | None) -> date | None:
    """An ISO date of this time, or None: whoever is still typing the year has written 0002."""
    try:
        read = date.fromisoformat(text or "")
    except ValueError:
        return None
    return read if 1970 <= read.year < 2970 else None


def _drill(board: str, text: str) -> list[tuple[str, Any]]:
    found: dict[str, Any] = {}
    for part in text.split(","):
        key, _, raw = part.partition(":")
        kind = DRILLS[board].get(key)
        value = _value(kind, raw) if kind else None
        if value is not None:
            found[key] = value
    return list(found.items())


def _value(kind: type, raw: str) -> Any:
    if kind is int:
        return _number(raw)
    return day_of(raw) if kind is date else unquote(raw) or None


def closed(run: Run) -> date:
    """The last day that a board shows by itself."""
    return run.last_day if run.as_of_local.hour >= DAY_BEGINS else run.last_day - timedelta(days=1)


def _period(board: str, given: Mapping[str, str], run: Run) -> tuple[str, Period]:
    start, end = day_of(given.get("from")), day_of(given.get("to"))
    if start and end:
        return "", Period(min(start, end), max(start, end))
    preset = given.get("p", "")
    preset = preset if preset in PRESETS else DEFAULT_PRESET[board]
    return preset, _preset(preset, closed(run))


def _preset(preset: str, end: date) -> Period:
    if preset == "month":
        last = end.replace(day=1) - timedelta(days=1)
        return Period(last.replace(day=1), last)
    if preset == "year":
        return Period(end.replace(month=1, day=1), end)
    return Period(end - timedelta(days=int(preset) - 1), end)
