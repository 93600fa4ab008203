"""What is said of a call is said of its halves: refusals, complaints, pauses; and what is said of halves is told apart again."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls import actions, joining
from service.calls.model import Call, Recording
from service.calls.shelf import actions as shelf
from service.calls.shelf import queries as shelves
from service.calls.shelf.model import CallConsent
from tests import make
from tests.conftest import AT
from tests.service.test_halves import COLLEAGUE, seconds


def collected(session: Session, call: Call, segment: int = 1) -> Recording:
    found = {"path": f"v1/aa/{call.call_key}-{segment}", "sha256": "00" * 32, "size": 9, "seconds": Decimal(130), "form": "wav/8000/1"}
    made = actions.recording_found(session, switch=call.switch, uniqueid=call.call_key, segment=segment, at=seconds(210), **found)  # type: ignore[arg-type]
    return session.get_one(Recording, made)


@pytest.fixture
def pair(session: Session, cast: SimpleNamespace) -> tuple[Call, Call]:
    """A call and its half, both recorded and joined."""
    whole = make.call(session, AT)
    half = make.call(session, seconds(60), **COLLEAGUE, answered_at=seconds(70), ended_at=seconds(200))
    for call in (whole, half):
        collected(session, call)
    joining.join(session, whole.id, half.id, by=cast.cleo.id, at=AT)
    return whole, half


def kept(session: Session, column: Any) -> set[str]:
    session.expire_all()
    return set(session.scalars(select(column)))


@pytest.mark.parametrize("which", [0, 1])
def test_a_refusal_under_any_name_dooms_the_audio_of_all_halves(
    session: Session, pair: tuple[Call, Call], cast: SimpleNamespace, which: int
) -> None:
    shelf.consent(session, "pbx1", pair[which].call_key, "refused", by=cast.cleo.id, at=AT)
    assert kept(session, Recording.state) == {"doomed"}
    assert {collected(session, call, 2).state for call in pair} == {"doomed"}  # and what comes later


def test_audio_of_a_half_that_came_in_the_moment_of_the_refusal_is_doomed_after_all(
    session: Session, pair: tuple[Call, Call], cast: SimpleNamespace
) -> None:
    said = CallConsent(switch="pbx1", uniqueid=pair[0].call_key, state="refused", at=AT, by_id=cast.cleo.id, branch_id=pair[0].branch_id)
    session.add(said)
    session.flush()
    assert shelf.doom_refused(session, since=AT - timedelta(days=1), at=AT) == 2


@pytest.mark.parametrize("which", [0, 1])
def test_a_complaint_under_any_name_keeps_the_audio_of_all_halves(session: Session, pair: tuple[Call, Call], which: int) -> None:
    names = [("pbx1", pair[which].call_key)]
    later = AT + timedelta(days=36_000)
    assert shelves.outlived(session, later, set(names)) == []
    assert len(shelves.outlived(session, later, set())) == 2
    assert shelf.complained_of(session, names) == 2
    assert kept(session, Recording.retention) == {"complaint"}
