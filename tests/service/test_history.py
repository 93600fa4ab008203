"""What was heard whole stands; what the switch wrote down corrects the rest, once, and never a call that is up."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.model import Call, CallLeg
from service.calls.schemas import CallFacts, LegFacts, SegmentFacts
from tests import make
from tests.conftest import AT

LATER = AT + timedelta(hours=1)


def written(**changes: object) -> CallFacts:
    """A call as the switch's own files tell it."""
    plain = {"call_key": "100.1", "provenance": "backfilled", "revision": 0, "derivation": "d1", "ended_at": AT + timedelta(seconds=60)}
    return make.facts(AT, **plain | changes)


def heard(session: Session, **changes: object) -> Call:
    """The same call as the ear tells it."""
    return make.call(session, AT, **{"call_key": "100.1"} | changes)


def meet(session: Session, *facts: CallFacts) -> tuple[int, int]:
    found = actions.history.reconcile(session, facts, at=LATER)
    session.expire_all()
    return found.found, found.mended


def one(session: Session) -> Call:
    return session.scalars(select(Call)).one()


def test_a_call_that_nobody_heard_is_stored_once(session: Session, cast: SimpleNamespace) -> None:
    assert meet(session, written()) == (1, 0)
    before = one(session).stored_at

    assert meet(session, written()) == (0, 0)
    assert (one(session).provenance, one(session).stored_at) == ("backfilled", before)


def test_what_was_heard_whole_stands(session: Session, cast: SimpleNamespace) -> None:
    heard(session, disposition="answered")

    assert meet(session, written(disposition="abandoned")) == (0, 0)
    assert (one(session).disposition, one(session).provenance) == ("answered", "live")


@pytest.mark.parametrize("state", [{"provenance": "repaired"}, {"end_certain": False}, {"live": True, "ended_at": None, "disposition": None}])
def test_what_was_concluded_or_never_ended_is_corrected(session: Session, cast: SimpleNamespace, state: dict[str, object]) -> None:
    heard(session, **{"disposition": "lost", "legs": tuple(leg(no) for no in (1, 2, 3)), **state})

    assert meet(session, written(disposition="answered", legs=(leg(1),))) == (0, 1)
    call = one(session)
    assert (call.disposition, call.provenance, call.live, call.end_certain) == ("answered", "backfilled", False, True)
    assert session.scalar(select(func.count()).select_from(CallLeg)) == 1


def leg(no: int) -> LegFacts:
    return LegFacts(no, f"PJSIP/100{no}-1", f"100{no}", None, AT, None, None, "no-answer")


def test_a_call_that_only_just_ended_is_left_to_who_hears_it(session: Session, cast: SimpleNamespace) -> None:
    heard(session, live=True, ended_at=None, disposition=None)

    assert meet(session, written(ended_at=LATER - timedelta(seconds=60))) == (0, 0)
    assert one(session).live


def test_news_that_is_no_better_does_not_undo_it(session: Session, cast: SimpleNamespace) -> None:
    """A listener that starts again reads its journal from the midst of the call."""
    meet(session, written(disposition="answered"))
    heard(session, revision=7, live=True, disposition=None)
    heard(session, revision=8, provenance="repaired", end_certain=False, disposition="lost")

    session.expire_all()
    assert (one(session).disposition, one(session).provenance, one(session).live) == ("answered", "backfilled", False)


def test_hearing_it_whole_after_all_is_better(session: Session, cast: SimpleNamespace) -> None:
    meet(session, written(disposition="no-answer"))
    heard(session, revision=7, disposition="abandoned")

    session.expire_all()
    assert (one(session).disposition, one(session).provenance, one(session).derivation) == ("abandoned", "live", None)


def test_an_end_that_the_files_do_not_know_either_changes_nothing(session: Session, cast: SimpleNamespace) -> None:
    heard(session, provenance="repaired", end_certain=False, disposition="lost")

    assert meet(session, written(end_certain=False, disposition="failed")) == (0, 0)


def test_both_names_of_a_call_are_one_row(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT, call_key="100.5", provenance="repaired", end_certain=False)

    assert meet(session, written(call_key="100.1", aliases=("100.5",))) == (0, 1)
    assert one(session).call_key == "100.5"


def test_only_the_ear_knows_the_recordings_name_and_that_a_number_is_withheld(session: Session, cast: SimpleNamespace) -> None:
    heard(session, end_certain=False, recorded=True, recording_name="a.wav", caller_number="anonymous", caller_name=None)

    meet(session, written(recorded=None, recording_name=None, caller_number="+8613800001001", caller_name="Ann"))

    call = one(session)
    assert (call.recorded, call.recording_name, call.caller_number, call.caller_name) == (True, "a.wav", "anonymous", None)


def test_holds_that_were_heard_are_handed_back(session: Session, cast: SimpleNamespace) -> None:
    hold = SegmentFacts("hold", "1001", AT + timedelta(seconds=5), AT + timedelta(seconds=9), Decimal(4))
    call = heard(session, segments=(hold, replace(hold, seconds=Decimal("0.02"))))

    found = actions.history.holds_heard(session, "pbx1", AT - timedelta(minutes=1))

    assert [(held.extension, held.began_at, held.ended_at) for held in found] == [("1001", hold.began_at, hold.ended_at)]
    assert call.call_key in found[0].names


def test_a_run_that_was_killed_is_known_as_failed(session: Session) -> None:
    history = actions.history
    first = history.run_began(session, "pbx1", why="hourly", since=AT, at=AT)
    second = history.run_began(session, "pbx1", why="hourly", since=AT, at=LATER)
    history.run_ended(session, second, at=LATER)

    from service.calls.model import BackfillRun
    assert session.get_one(BackfillRun, first, populate_existing=True).state == "failed"
    assert session.get_one(BackfillRun, second, populate_existing=True).state == "done"
