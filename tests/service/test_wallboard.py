"""The floor as a look shows it: who waits is counted however many others talk, and complete is said only of what is."""

from datetime import timedelta
from types import SimpleNamespace

from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.wallboard import queries
from service.core import scope
from tests import make
from tests.conftest import AT

WAITING = {"live": True, "answered_at": None, "ended_at": None, "disposition": None, "agent": None, "answered_by": None}


def look(session: Session) -> queries.Board:
    return queries.board(session, ["pbx1"], at=AT, midnight=AT - timedelta(hours=9), reach=scope.ALL)


def test_the_caller_who_waits_longest_counts_although_the_table_is_full(session: Session, cast: SimpleNamespace) -> None:
    first = AT - timedelta(minutes=20)
    make.call(session, first, queued_at=first, **WAITING)
    for number in range(queries.MOST + 5):
        make.call(session, AT - timedelta(minutes=5), call_key=f"1.{number}", live=True, ended_at=None, disposition=None)

    board = look(session)

    assert (board.waiting, board.longest) == (1, first)
    assert len(board.calls) == queries.MOST and board.calls[0].state == "waiting"


def test_what_has_a_gap_is_not_called_complete(session: Session, cast: SimpleNamespace) -> None:
    assert look(session).unfilled == 0
    gap = actions.gap_began(session, "pbx1", at=AT - timedelta(minutes=9), reason="connection lost")
    actions.gap_ended(session, "pbx1", at=AT - timedelta(minutes=8))
    assert look(session).unfilled == 1

    actions.history.gaps_filled(session, [gap], at=AT)
    assert look(session).unfilled == 0
