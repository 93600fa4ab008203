"""The page says what is missing, and says that nothing is only when nothing is."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy.orm import Session

from service.calls import actions, queries
from service.calls.completeness import Feed
from service.calls.schemas import Heard
from tests import make
from tests.conftest import AT

UP = Heard(True, AT - timedelta(hours=1), AT - timedelta(seconds=2), 1000, 3, 2)
FILES = ("cel", "queue_log", "cdr")


def feed(session: Session, heard: Heard | None = UP, *, at: timedelta = timedelta()) -> Feed:
    if heard:
        actions.history.feed_stands(session, "pbx1", heard, at=AT)
    found, = queries.feeds(session, [("pbx1", FILES)], at=AT + at, day=AT - timedelta(hours=9))
    return found


def test_a_switch_that_is_heard_is_complete_until_it_was_heard_last(session: Session) -> None:
    found = feed(session)

    assert (found.up, found.age, found.complete_to, found.unfilled, found.run) == (True, 2.0, UP.heard_at, 0, None)


def test_a_listener_that_does_not_say_how_it_stands_is_none(session: Session) -> None:
    found = feed(session, at=timedelta(seconds=30))

    assert (found.up, found.listens, found.age) == (False, False, 32.0)


def test_while_it_is_not_heard_it_is_complete_until_the_gap(session: Session) -> None:
    actions.gap_began(session, "pbx1", at=AT - timedelta(minutes=5), reason="connection lost")

    found = feed(session, replace(UP, up=False))

    assert (found.up, found.complete_to, found.unfilled) == (False, AT - timedelta(minutes=5), 1)
    assert [gap.gap.ended_at for gap in found.gaps] == [None]


def test_a_gap_counts_until_it_is_filled(session: Session, cast: SimpleNamespace) -> None:
    gap = actions.gap_began(session, "pbx1", at=AT - timedelta(minutes=5), reason="connection lost")
    actions.gap_ended(session, "pbx1", at=AT - timedelta(minutes=4))
    assert feed(session).unfilled == 1

    make.call(session, AT - timedelta(minutes=5), provenance="backfilled", derivation="d", revision=0,
              ended_at=AT - timedelta(minutes=4))
    actions.history.gaps_filled(session, [gap], at=AT)
    found = feed(session)

    assert (found.unfilled, [one.calls for one in found.gaps]) == (0, [1])


def test_an_old_gap_that_nothing_filled_is_not_forgotten(session: Session) -> None:
    actions.gap_began(session, "pbx1", at=AT - timedelta(days=9), reason="connection lost")
    actions.gap_ended(session, "pbx1", at=AT - timedelta(days=8))

    found = feed(session)

    assert (found.unfilled, found.older) == (0, 1)


def test_todays_calls_are_counted_by_who_told_them(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT)
    make.call(session, AT, provenance="repaired", end_certain=False)
    make.call(session, AT, provenance="backfilled", derivation="d", revision=0)
    make.call(session, AT - timedelta(days=1))

    today = feed(session).today

    assert (today.live, today.repaired, today.backfilled, today.unsure) == (1, 1, 1, 1)


def test_a_switch_that_was_never_heard_is_complete_to_no_time(session: Session) -> None:
    found = feed(session, None)

    assert (found.up, found.age, found.complete_to) == (False, None, None)


@pytest.mark.parametrize("why", ["after a gap", "hourly", "by hand"])
def test_the_last_run_is_shown(session: Session, why: str) -> None:
    run = actions.history.run_began(session, "pbx1", why=why, since=AT, at=AT)
    actions.history.run_ended(session, run, at=AT + timedelta(seconds=2))

    found = feed(session)

    assert found.run is not None and (found.run.why, found.run.state) == (why, "done")
