"""A listener that died without a word is told by somebody else, and comes back by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls import actions, queries
from service.calls.model import FeedGap
from service.calls.schemas import Checkpoint
from tests.conftest import AT

MARK = Checkpoint("pbx1", "000000000001", 10, "000000000001", 10)


def seconds(number: int) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def heard(session: Session) -> Session:
    """A switch whose listener was alive at AT."""
    actions.store_calls(session, [], MARK, at=AT)
    return session


def gaps(session: Session) -> list[tuple[object, ...]]:
    found = select(FeedGap.began_at - AT, FeedGap.ended_at - AT, FeedGap.reason).order_by(FeedGap.id)
    return [tuple(row) for row in session.execute(found)]


def test_a_listener_that_lives_is_left_alone(heard: Session) -> None:
    actions.watch_feeds(heard, ["pbx1"], at=AT + seconds(59))

    assert gaps(heard) == [] and queries.unheard(heard, ["pbx1"]) == []


def test_a_silent_one_is_not_heard_since_its_last_mark_and_told_once(heard: Session) -> None:
    for late in (61, 76, 91):
        actions.watch_feeds(heard, ["pbx1"], at=AT + seconds(late))

    assert gaps(heard) == [(seconds(0), None, actions.SILENCE)]
    assert queries.unheard(heard, ["pbx1"]) == [("pbx1", AT.isoformat())]


def test_one_that_stores_again_is_heard(heard: Session) -> None:
    actions.watch_feeds(heard, ["pbx1"], at=AT + seconds(61))
    actions.store_calls(heard, [], MARK, at=AT + seconds(70))

    actions.watch_feeds(heard, ["pbx1"], at=AT + seconds(75))

    assert gaps(heard) == [(seconds(0), seconds(70), actions.SILENCE)]


def test_a_listener_that_knows_itself_to_be_deaf_is_believed(heard: Session) -> None:
    """It stores what it has while its switch is away: that must not end the gap."""
    actions.watch_feeds(heard, ["pbx1"], at=AT + seconds(61))
    actions.gap_began(heard, "pbx1", at=AT + seconds(70), reason="connection lost")
    actions.store_calls(heard, [], MARK, at=AT + seconds(71))

    actions.watch_feeds(heard, ["pbx1"], at=AT + seconds(76))

    assert gaps(heard) == [(seconds(0), None, "connection lost")]


def test_a_switch_that_was_never_heard_is_not_taken_for_a_quiet_one(session: Session) -> None:
    actions.watch_feeds(session, ["pbx7"], at=AT)

    assert queries.unheard(session, ["pbx1", "pbx7"]) == [("pbx7", AT.isoformat())]
    assert queries.unheard(session, ["pbx1"]) == []  # a switch that the firm has no longer is missed by nobody
