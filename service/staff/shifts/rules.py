"""Minutes and moments of shifts. Pure."""

import re
from datetime import date, datetime, timedelta

from service.core import clock

CLOCK = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")
DAY = 1440


def moment(day: date, minutes: int) -> datetime:
    """The instant so many minutes into the day by the firm's clocks; a day whose clocks are moved has 23 or 25 hours."""
    begins = clock.local(clock.midnight(day + timedelta(days=minutes // DAY)))
    return begins.replace(hour=minutes % DAY // 60, minute=minutes % 60)


def covers(day: date, begins: int, ends: int, at: datetime) -> bool:
    """True while a shift of that day lasts."""
    return moment(day, begins) <= at < moment(day, ends)


def minutes(typed: str) -> int | None:
    """Minutes from midnight of a time as people type it, such as 9:00."""
    found = CLOCK.fullmatch(typed.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def told(value: int) -> str:
    """The time of day as it is shown."""
    return f"{value // 60 % 24:02d}:{value % 60:02d}"


def lasts(since: datetime, until: datetime) -> str:
    """From when to when, in days where it is whole days."""
    first, last = clock.local(since), clock.local(until)
    if (first.hour, first.minute, last.hour, last.minute) != (0, 0, 0, 0):
        return f"{first:%Y-%m-%d %H:%M} – {last:%Y-%m-%d %H:%M}"
    day, end = first.date(), last.date() - timedelta(days=1)
    return f"{day}" if day == end else f"{day} – {end}"


def monday(day: date) -> date:
    """The first day of the week."""
    return day - timedelta(days=day.weekday())
