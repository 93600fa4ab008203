"""When a plan is due. Pure: dates in, dates out."""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

MONTHLY, INTERVAL = "monthly", "interval"
TIMINGS = (MONTHLY, INTERVAL)
LONGEST = 3660  # days between two visits: ten years
MOST_NOTICE = 90


@dataclass(frozen=True)
class Timing:
    """A given day of each month (`every` is 1 to 31), or each `every` days."""

    kind: str
    every: int

    def first(self, start: date) -> date:
        """The first due date of a plan that begins on that day: the day of the month from then on, or one interval later."""
        return self._day_of(start) if self.kind == MONTHLY and self._day_of(start) >= start else self.following(start)

    def following(self, day: date) -> date:
        """The due date after that day; a day that a month does not have is its last."""
        if self.kind == INTERVAL:
            return day + timedelta(days=self.every)
        return self._day_of((day.replace(day=1) + timedelta(days=32)).replace(day=1))

    def after(self, due: date, done: date) -> tuple[date, int]:
        """The due date that follows a visit, and how many more have passed meanwhile.

        A visit ahead of its day keeps the rhythm. A late one skips what lies behind it, so that nobody is sent twice in a row.
        """
        following, passed = self.following(due), 0
        while following <= done:
            following, passed = self.following(following), passed + 1
        return following, passed

    def next_visit(self, due: date, done: date) -> tuple[date, int]:
        """As `after` for a day of the month; an interval counts from the visit itself, and never falls back behind its due date."""
        if self.kind == MONTHLY:
            return self.after(due, done)
        return max(self.following(done), due + timedelta(days=1)), 0

    def _day_of(self, month: date) -> date:
        last = calendar.monthrange(month.year, month.month)[1]
        return month.replace(day=min(self.every, last))
