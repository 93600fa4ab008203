"""When a calendar is open, and how much open time lies between two moments. Pure.

A span is minutes of the wall clock: whoever opens at nine does so by the clock on the wall, in summer and in winter. On
the day on which clocks are changed the spans are shorter or longer by what the clock skips or shows twice.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60
FURTHEST = 400  # days that are looked ahead for open time; a calendar that is closed for longer never opens

Span = tuple[int, int]  # minutes of the local day, the second left out
Stretch = tuple[datetime, datetime]  # in UTC, the second left out


class BadSpans(ValueError):
    """Hours as they were typed cannot be read; `part` is what is wrong with them."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True)
class Calendar:
    """A week of spans, Monday first, and the days on which it is another: like some weekday, or closed (None)."""

    zone: ZoneInfo
    week: tuple[tuple[Span, ...], ...] = ((),) * 7
    days: Mapping[date, int | None] = field(default_factory=dict)

    def spans(self, day: date) -> tuple[Span, ...]:
        """The spans of that day."""
        like = self.days.get(day, day.weekday())
        return () if like is None else self.week[like]


def is_open(calendar: Calendar, at: datetime) -> bool:
    """True when the calendar is open at that moment."""
    local = at.astimezone(calendar.zone)
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in calendar.spans(local.date()))


def open_seconds(calendar: Calendar, since: datetime, until: datetime) -> float:
    """Seconds between the two moments in which the calendar is open; 0 when they are out of order."""
    found = 0.0
    day, last = since.astimezone(calendar.zone).date(), until.astimezone(calendar.zone).date()
    while day <= last:
        found += sum(_shared(one, (since, until)) for one in stretches(calendar, day))
        day += timedelta(days=1)
    return found


def after(calendar: Calendar, since: datetime, seconds: float) -> datetime | None:
    """The moment by which the calendar was open for so many seconds since then; None when it does not open for so long."""
    day, left = since.astimezone(calendar.zone).date(), seconds
    for _ in range(FURTHEST):
        for begins, ends in stretches(calendar, day):
            first = max(begins, since)
            length = (ends - first).total_seconds()
            if length > 0 and left <= length:
                return first + timedelta(seconds=left)
            left -= max(length, 0.0)
        day += timedelta(days=1)
    return None


def stretches(calendar: Calendar, day: date) -> Iterator[Stretch]:
    """When it is open on that local day, in order."""
    spans = calendar.spans(day)
    for begins, ends, offset in _pieces(calendar.zone, day) if spans else ():
        shown = datetime.combine(day, time.min, UTC) - offset  # where midnight would be if this offset held all day
        for opens, closes in spans:
            first = max(begins, shown + timedelta(minutes=opens))
            last = min(ends, shown + timedelta(minutes=closes))
            if first < last:
                yield first, last


def _pieces(zone: ZoneInfo, day: date) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """The local day in UTC, parted where its clock is changed: begin, end and the offset from UTC in between."""
    begins, ends = (datetime.combine(one, time.min, zone).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    first, last = _offset(zone, begins), _offset(zone, ends - timedelta(seconds=1))
    if first == last:
        yield begins, ends, first
        return
    change = _change(zone, begins, ends, first)
    yield begins, change, first
    yield change, ends, last


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _change(zone: ZoneInfo, begins: datetime, ends: datetime, before: timedelta) -> datetime:
    """The first second after which the offset is another."""
    low, high = 0, int((ends - begins).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, begins + timedelta(seconds=middle)) == before else (low, middle)
    return begins + timedelta(seconds=high)


def _shared(one: Stretch, other: Stretch) -> float:
    return max(0.0, (min(one[1], other[1]) - max(one[0], other[0])).total_seconds())


# ---- as people write them


def read_spans(text: str) -> tuple[Span, ...]:
    """Spans of one day as they are typed: 09:00-12:00, 13:30-18:00. Raises BadSpans."""
    plain = text.replace("，", ",").replace("、", ",").replace("；", ",").replace(";", ",").replace("：", ":")
    spans = sorted(_span(part.strip()) for part in plain.split(",") if part.strip())
    for before, later in itertools.pairwise(spans):
        if later[0] < before[1]:
            raise BadSpans(written([before, later]))
    return tuple(spans)


def _span(part: str) -> Span:
    for dash in ("–", "—", "~", "～", "至"):
        part = part.replace(dash, "-")
    opens, dash, closes = part.partition("-")
    try:
        span = _minute(opens), _minute(closes)
    except ValueError as error:
        raise BadSpans(part) from error
    if not dash or span[0] >= span[1]:
        raise BadSpans(part)
    return span


def _minute(text: str) -> int:
    hour, _colon, minute = text.strip().partition(":")
    if not (hour.isascii() and hour.isdigit()) or (minute and not (minute.isascii() and minute.isdigit() and len(minute) == 2)):
        raise ValueError(text)
    found = int(hour) * 60 + int(minute or 0)
    if int(minute or 0) > 59 or found > DAY:
        raise ValueError(text)
    return found


def written(spans: "tuple[Span, ...] | list[Span]") -> str:
    """The spans as they would be typed."""
    return ", ".join(f"{opens // 60:02d}:{opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}" for opens, closes in spans)
