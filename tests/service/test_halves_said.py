"""What is said of a call is said of its halves: refusals, complaints, pauses; and what is said of halves is told apart again."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions, joining
from service.calls.model import Call, Recording
from service.calls.schemas import CallFacts
from service.calls.shelf import actions as shelf
from service.calls.shelf import queries as shelves
from service.calls.shelf.model import CallConsent, RecordingFinding
from service.core import db
from service.core.errors import Invalid
from service.core.scope import ALL, Scope, declare
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


@pytest.fixture
def elsewhere(session: Session, pair: tuple[Call, Call], cast: SimpleNamespace) -> tuple[Call, CallFacts]:
    """A third half in another branch, and what the ear told of it."""
    make.seat(session, cast.dan, "1009", AT)
    told = make.facts(seconds(190), **COLLEAGUE | {"caller_number": "1002", "called": "1009", "agent": "1009", "answered_by": "1009"},
                      answered_at=seconds(195), ended_at=seconds(500))
    third = session.get_one(Call, actions.store_calls(session, [told], None, at=AT)[0])
    joining.join(session, pair[0].id, third.id, by=cast.mei.id, at=AT)
    assert third.branch_id == cast.suzhou.id != pair[0].branch_id
    return third, told


def seen(session: Session, scope: Scope) -> None:
    session.flush()
    session.expire_all()
    declare(session.connection(), scope)


def test_who_does_not_see_a_half_neither_joins_nor_parts(
    session: Session, pair: tuple[Call, Call], elsewhere: tuple[Call, CallFacts], cast: SimpleNamespace
) -> None:
    whole, half, third = (call.id for call in (*pair, elsewhere[0]))
    other = make.call(session, seconds(100), **COLLEAGUE).id
    seen(session, Scope((cast.pudong.id,)))
    with pytest.raises(Invalid):
        joining.part(session, whole, half, by=cast.cleo.id, at=AT)
    with pytest.raises(Invalid):
        joining.join(session, whole, other, by=cast.cleo.id, at=AT)
    seen(session, ALL)
    assert pair[0].ended_at == seconds(500)
    for one in (half, third):
        joining.part(session, whole, one, by=cast.mei.id, at=AT)
    assert (pair[0].ended_at, pair[0].own) == (seconds(130), None)


def test_a_call_whose_own_values_were_lost_mends_itself(session: Session, pair: tuple[Call, Call], elsewhere: tuple[Call, CallFacts]) -> None:
    whole, half = pair
    joining._set(whole, joining.halves.read(whole.own or {}))
    whole.own = half.joined_to_id = None
    session.flush()
    actions.store_calls(session, [replace(elsewhere[1], revision=10**9, ended_at=seconds(600))], None, at=AT)
    assert (whole.ended_at, whole.disposition) == (seconds(600), "transferred")
    assert whole.own is not None and whole.own["halves"] == [elsewhere[0].id]


def test_a_half_that_the_ear_finds_to_be_part_of_another_call_leaves_the_first(
    session: Session, pair: tuple[Call, Call], cast: SimpleNamespace
) -> None:
    first, half = pair
    other = make.call(session, AT, call_key="1.1", ended_at=seconds(100))
    its = make.call(session, seconds(90), call_key="1.2", **COLLEAGUE, ended_at=seconds(190))
    joining.join(session, other.id, its.id, by=cast.cleo.id, at=AT)
    make.call(session, seconds(60), **COLLEAGUE, call_key="1.2", aliases=(half.call_key,), revision=10**9, ended_at=seconds(220))
    assert (first.ended_at, first.own is None) == (seconds(220), False)
    assert (other.ended_at, other.own) == (seconds(100), None)


def test_storing_and_parting_wait_for_each_other(committed_cast: SimpleNamespace, database: db.Database) -> None:
    """Who stores a half waits for its whole first, so that it holds nothing that whoever has the whole still wants."""
    with db.begin(ALL, database.app) as work:
        whole = make.call(work, AT).id
        told = make.facts(seconds(60), **COLLEAGUE)
        half = actions.store_calls(work, [told], None, at=AT)[0]
        joining.join(work, whole, half, by=committed_cast.cleo.id, at=AT)
    with ThreadPoolExecutor() as pool:
        with db.begin(ALL, database.app) as first:
            first.execute(select(Call.id).where(Call.id == whole).with_for_update())
            storing = pool.submit(stored, database, replace(told, revision=10**9, talk_seconds=Decimal(5)))
            for _try in range(500):
                if first.scalar(text("select count(*) from pg_locks where not granted")):
                    break
                time.sleep(0.02)
            first.execute(select(Call.id).where(Call.id == half).with_for_update(nowait=True))
            joining.part(first, whole, half, by=committed_cast.cleo.id, at=AT)
        storing.result(20)
    with db.begin(ALL, database.app) as work:
        assert work.get_one(Call, whole).own is None and work.get_one(Call, half).talk_seconds == 5


def stored(database: db.Database, told: CallFacts) -> None:
    with db.begin(ALL, database.app) as work:
        actions.store_calls(work, [told], None, at=AT)


def test_parting_takes_back_what_the_half_gave_and_nothing_said_since(session: Session, cast: SimpleNamespace) -> None:
    party = make.party(session, cast.pudong).id
    whole = make.call(session, AT)
    half, third = (make.call(session, seconds(60 + n), **COLLEAGUE, answered_at=seconds(70), ended_at=seconds(200)) for n in (0, 5))
    half.party_id, half.reason, half.ticketed, third.reason = party, "fault", True, "revisit"
    session.flush()
    for one in (half, third):
        joining.join(session, whole.id, one.id, by=cast.cleo.id, at=AT)
    assert (whole.party_id, whole.reason, whole.ticketed) == (party, "fault", True)
    joining.part(session, whole.id, half.id, by=cast.cleo.id, at=AT)
    assert (whole.party_id, whole.reason, whole.ticketed) == (None, "revisit", False)  # the other half has a reason too
    actions.ticket_linked(session, "pbx1", third.call_key)
    assert whole.ticketed
    actions.ticket_linked(session, "pbx1", whole.call_key)
    actions.reason_given(session, whole.id, "revisit", by=cast.cleo.id, at=AT)
    actions.party_chosen(session, "pbx1", third.call_key, party, None)
    joining.part(session, whole.id, third.id, by=cast.cleo.id, at=AT)
    assert (whole.party_id, whole.reason, whole.ticketed, whole.own) == (None, "revisit", True, None)
    assert (third.party_id, third.ticketed) == (party, True)


@pytest.mark.parametrize("which", [0, 1])
def test_audio_that_comes_after_the_join_is_the_calls_and_of_the_half_it_belongs_to(session: Session, cast: SimpleNamespace, which: int) -> None:
    calls = [make.call(session, AT, recorded=False), make.call(session, seconds(60), **COLLEAGUE, recorded=False, ended_at=seconds(200))]
    joining.join(session, calls[0].id, calls[1].id, by=cast.cleo.id, at=AT)
    collected(session, calls[which])
    assert calls[0].recorded
    shelf.look_for_missing(session, ["pbx1"], at=seconds(3600))
    assert session.scalars(select(RecordingFinding)).all() == []
    joining.part(session, calls[0].id, calls[1].id, by=cast.cleo.id, at=AT)
    assert [call.recorded for call in calls] == [which == 0, which == 1]
