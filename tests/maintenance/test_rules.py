"""When a plan is due: days of the month, intervals, short months, visits ahead of time and late ones."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.maintenance.rules import Timing

DAYS = st.integers(0, 29_000).map(lambda days: date(2020, 1, 1) + timedelta(days=days))
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("timing", "start", "due"),
    [
        (Timing("monthly", 15), date(2027, 3, 2), [date(2027, 3, 15), date(2027, 4, 15)]),
        (Timing("monthly", 15), date(2027, 3, 15), [date(2027, 3, 15)]),
        (Timing("monthly", 15), date(2027, 3, 16), [date(2027, 4, 15)]),
        (Timing("interval", 30), date(2027, 3, 2), [date(2027, 4, 1), date(2027, 5, 1)]),
        (Timing("monthly", 31), date(2027, 3, 2), [date(2027, 3, 31), date(2027, 4, 30), date(2027, 5, 31)]),
        (Timing("monthly", 31), date(2028, 1, 31), [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]),
        (Timing("monthly", 30), date(2027, 2, 28), [date(2027, 2, 28), date(2027, 3, 30)]),
        (Timing("monthly", 1), date(2027, 12, 2), [date(2028, 1, 1)]),
    ],
)
def test_due_dates_follow_the_calendar(timing: Timing, start: date, due: list[date]) -> None:
    found = [timing.first(start)]
    while len(found) < len(due):
        found.append(timing.following(found[-1]))
    assert found == due


@pytest.mark.parametrize(
    ("timing", "due", "done", "following", "passed"),
    [
        (Timing("monthly", 15), date(2027, 3, 15), date(2027, 3, 13), date(2027, 4, 15), 0),
        (Timing("monthly", 15), date(2027, 3, 15), date(2027, 3, 20), date(2027, 4, 15), 0),
        (Timing("monthly", 15), date(2027, 3, 15), date(2027, 4, 15), date(2027, 5, 15), 1),
        (Timing("monthly", 31), date(2027, 1, 31), date(2027, 5, 2), date(2027, 5, 31), 3),
        (Timing("interval", 30), date(2027, 4, 1), date(2027, 3, 29), date(2027, 4, 28), 0),
        (Timing("interval", 30), date(2027, 4, 1), date(2027, 4, 11), date(2027, 5, 11), 0),
        (Timing("interval", 5), date(2027, 4, 20), date(2027, 4, 1), date(2027, 4, 21), 0),
    ],
)
def test_the_next_visit_follows_the_last(timing: Timing, due: date, done: date, following: date, passed: int) -> None:
    assert timing.next_visit(due, done) == (following, passed)


@PATIENT
@given(st.integers(1, 31), DAYS)
def test_a_monthly_plan_is_due_once_in_each_month(day: int, start: date) -> None:
    timing = Timing("monthly", day)
    due = timing.first(start)
    assert due >= start
    for _month in range(14):
        following = timing.following(due)
        assert (following.year * 12 + following.month) - (due.year * 12 + due.month) == 1
        assert following.day == day or (following + timedelta(days=1)).day == 1
        due = following


@PATIENT
@given(st.sampled_from(["monthly", "interval"]), st.integers(1, 31), DAYS, st.integers(-60, 400))
def test_the_next_visit_never_lies_behind_its_due_date(kind: str, every: int, due: date, late: int) -> None:
    timing, done = Timing(kind, every), due + timedelta(days=late)
    following, passed = timing.next_visit(due, done)
    assert following > due and (kind == "interval" or following > done) and passed >= 0
