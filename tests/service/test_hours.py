"""Open time agrees with a count of minutes by the clock on the wall, also where the clock is changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.hours import rules
from service.hours.rules import Calendar

ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu")]
CHANGES = [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC),
           datetime(2018, 11, 4, tzinfo=UTC), datetime(2026, 9, 30, tzinfo=UTC)]


@st.composite
def spans(draw: st.DrawFn) -> tuple[rules.Span, ...]:
    edges = sorted(draw(st.sets(st.integers(0, 48), max_size=6)))
    return tuple((opens * 30, closes * 30) for opens, closes in zip(edges[::2], edges[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    start = draw(st.sampled_from(CHANGES)).date()
    days = draw(st.dictionaries(st.integers(-2, 3).map(lambda n: start + timedelta(days=n)), st.none() | st.integers(0, 6), max_size=3))
    return Calendar(draw(st.sampled_from(ZONES)), tuple(draw(spans()) for _ in range(7)), days)


def minutes_open(calendar: Calendar, since: datetime, minutes: int) -> int:
    return sum(rules.is_open(calendar, since + timedelta(minutes=n)) for n in range(minutes))


@settings(max_examples=150, deadline=None)
@given(calendars(), st.sampled_from(CHANGES), st.integers(-1500, 1500), st.integers(0, 3000))
def test_open_seconds_are_those_of_a_count_by_the_minute(calendar: Calendar, near: datetime, off: int, minutes: int) -> None:
    since = near + timedelta(minutes=off)
    assert rules.open_seconds(calendar, since, since + timedelta(minutes=minutes)) == 60 * minutes_open(calendar, since, minutes)


@settings(max_examples=150, deadline=None)
@given(calendars(), st.sampled_from(CHANGES), st.integers(-1500, 1500), st.integers(1, 200_000))
def test_a_deadline_lies_where_so_much_open_time_has_passed(calendar: Calendar, near: datetime, off: int, seconds: int) -> None:
    since = near + timedelta(minutes=off)
    due = rules.after(calendar, since, seconds)
    if due is None:
        assert rules.open_seconds(calendar, since, since + timedelta(days=390)) < seconds
    else:
        assert rules.open_seconds(calendar, since, due) == pytest.approx(seconds)
        assert rules.open_seconds(calendar, since, due - timedelta(seconds=1)) == pytest.approx(seconds - 1)


@given(calendars(), st.integers(-3000, 3000), st.integers(0, 3000), st.integers(0, 3000))
@settings(max_examples=60, deadline=None)
def test_two_spans_after_each_other_are_one(calendar: Calendar, off: int, one: int, other: int) -> None:
    since = CHANGES[0] + timedelta(minutes=off)
    middle, end = since + timedelta(minutes=one), since + timedelta(minutes=one + other)
    assert rules.open_seconds(calendar, since, end) == rules.open_seconds(calendar, since, middle) + rules.open_seconds(calendar, middle, end)


@given(spans())
def test_what_is_written_is_read_again(day: tuple[rules.Span, ...]) -> None:
    assert rules.read_spans(rules.written(day)) == day


@pytest.mark.parametrize(("text", "read"), [
    ("9-18", ((540, 1080),)), ("09:00–12:00，13:30-18:00", ((540, 720), (810, 1080))), ("0:00-24:00", ((0, 1440),)), ("  ", ()), ("8：30至17：00", ((510, 1020),)),
])
def test_hours_as_people_type_them(text: str, read: tuple[rules.Span, ...]) -> None:
    assert rules.read_spans(text) == read


@pytest.mark.parametrize("text", ["18-9", "9-9", "9", "25:00-26:00", "9:60-10:00", "9-12, 11-13", "a-b", "22:00-06:00", "9-24:30"])
def test_hours_that_are_none(text: str) -> None:
    with pytest.raises(rules.BadSpans):
        rules.read_spans(text)


def test_the_week_of_the_national_day() -> None:
    """Seven days off, and a Saturday that is worked like a Friday."""
    off: dict[date, int | None] = {date(2026, 10, day): None for day in range(1, 8)}
    week = (((540, 1080),),) * 5 + ((), ())
    calendar = Calendar(ZoneInfo("Asia/Shanghai"), week, off | {date(2026, 10, 10): 4})
    begins = datetime(2026, 9, 30, 16, tzinfo=UTC)  # midnight of the first of October in Shanghai
    assert rules.open_seconds(calendar, begins, begins + timedelta(days=7)) == 0
    assert rules.open_seconds(calendar, begins, begins + timedelta(days=11)) == 3 * 9 * 3600
    assert rules.after(calendar, begins, 3600) == datetime(2026, 10, 8, 2, tzinfo=UTC)
