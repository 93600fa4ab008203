"""A recording is silent for as long as a secret is spoken, and no longer; who, when and at which field is on record."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.model import AgentPop
from service.calls.orders.model import PhoneOrder
from service.calls.pauses import queries, rules
from service.calls.pauses.model import RecordingPause
from service.calls.pauses.rules import Piece
from service.core.errors import DeskError, Invalid
from service.core.model import AuditEntry
from tests import make
from tests.conftest import AT

SECOND = timedelta(seconds=1)
KEY = "1795395600.17"


@pytest.fixture
def pop(session: Session, cast: SimpleNamespace) -> AgentPop:
    """Ada talks with a caller."""
    seat = actions.orders._seat(session, cast.ada.id, AT)
    ring = actions.Ring("pbx1", KEY, seat[1], "+8613800001001", None, "+442079460100")
    pop_id = actions.phone_rings(session, ring, at=AT)
    actions.phone_answered(session, ring, at=AT)
    return session.get_one(AgentPop, pop_id, populate_existing=True)


def asks(session: Session, pop: AgentPop, key: str = "key-of-a-field", field: str = "password", at: int = 0, by: int | None = None) -> RecordingPause:
    return actions.pauses.pause(session, pop, field, key=key, by=by or pop.staff_id, at=AT + at * SECOND)


def goes(session: Session, order_id: int, state: str, error: str = "", at: float = 0.2) -> None:
    """The order was sent, and the switch said this."""
    actions.orders.take(session, "pbx1", at=AT, act=True)
    actions.orders.settle(session, [actions.OrderOutcome(order_id, state, error, at=AT + at * SECOND)], at=AT)  # type: ignore[arg-type]


def tend(session: Session, at: float, **more: Any) -> list[tuple[str, str]]:
    return actions.pauses.tend(session, "pbx1", at=AT + at * SECOND, **more)


def kinds(session: Session) -> list[str]:
    return list(session.scalars(select(PhoneOrder.kind).order_by(PhoneOrder.id)))


def audited(session: Session) -> list[tuple[str, int | None, str]]:
    rows = session.scalars(select(AuditEntry).where(AuditEntry.entity == "recording_pause").order_by(AuditEntry.id))
    return [(row.verb, row.by_id, (row.new or {}).get("why", "")) for row in rows]


def news(session: Session) -> list[str]:
    told = text("select payload->>'state' from live_event where kind = 'recording-pause' order by id")
    return list(session.execute(told).scalars())


def test_a_field_silences_and_its_end_lets_the_recording_go_on(session: Session, pop: AgentPop) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "confirmed", at=0.3)
    tend(session, 1)
    actions.pauses.resume(session, row.request_key, "sent", by=pop.staff_id, at=AT + 20 * SECOND)
    goes(session, row.resume_id or 0, "confirmed", at=20.3)

    assert tend(session, 21) == []
    assert (row.began_at, row.ended_at, row.why) == (AT + 0.3 * SECOND, AT + 20.3 * SECOND, "sent")
    assert kinds(session) == ["record_pause", "record_resume"]
    assert audited(session) == [("record-pause", pop.staff_id, ""), ("record-resume", pop.staff_id, "sent")]
    assert news(session) == ["silent", "over", "over"]
    assert "password" in str(session.scalars(select(AuditEntry.new).where(AuditEntry.entity == "recording_pause")).first())


def test_a_double_key_is_one_field_and_somebody_elses_gives_away_nothing(session: Session, pop: AgentPop, cast: SimpleNamespace) -> None:
    assert asks(session, pop).id == asks(session, pop).id
    assert kinds(session) == ["record_pause"]
    with pytest.raises(Invalid):
        asks(session, pop, by=cast.ben.id)
    assert actions.pauses.resume(session, "key-of-a-field", "left", by=cast.ben.id, at=AT) is None


def test_of_several_fields_the_last_one_lets_the_recording_go_on(session: Session, pop: AgentPop) -> None:
    first, second = asks(session, pop), asks(session, pop, "key-of-another-tab", at=5)
    for row in (first, second):
        goes(session, row.order_id, "confirmed")
    tend(session, 6)

    actions.pauses.resume(session, first.request_key, "left", by=pop.staff_id, at=AT + 8 * SECOND)
    assert "record_resume" not in kinds(session)
    actions.pauses.resume(session, second.request_key, "left", by=pop.staff_id, at=AT + 12 * SECOND)
    assert kinds(session)[-1] == "record_resume"


def talks(session: Session, staff_id: int, key: str) -> AgentPop:
    """That agent talks in the call of that name as well."""
    ring = actions.Ring("pbx1", key, actions.orders._seat(session, staff_id, AT)[1], "+8613800001001", None, "+442079460100")
    pop_id = actions.phone_rings(session, ring, at=AT)
    actions.phone_answered(session, ring, at=AT)
    return session.get_one(AgentPop, pop_id, populate_existing=True)


def test_a_field_in_another_call_of_the_same_phone_keeps_nothing_silent(session: Session, pop: AgentPop) -> None:
    first, second = asks(session, pop), asks(session, talks(session, pop.staff_id, "1795395700.30"), "key-of-call-two", at=5)
    for row in (first, second):
        goes(session, row.order_id, "confirmed")

    tend(session, 6, left=[(pop.extension, KEY)])  # the first call was passed on

    assert (first.why, first.ended_at, second.released_at) == ("agent-left", None, None)
    order = session.get_one(PhoneOrder, first.resume_id)
    assert (order.kind, order.args) == ("record_resume", {"call_key": KEY})


def test_a_call_with_two_names_stays_silent_until_the_last_field_of_it_is_left(
    session: Session, pop: AgentPop, cast: SimpleNamespace
) -> None:
    make.call(session, AT, call_key=KEY, aliases=("1795395650.20",), live=True, ended_at=None, disposition=None)
    first, second = asks(session, pop), asks(session, talks(session, cast.ben.id, "1795395650.20"), "key-of-ben", at=1)

    actions.pauses.resume(session, first.request_key, "left", by=pop.staff_id, at=AT + 5 * SECOND)
    assert (first.ended_at, kinds(session)) == (AT + 5 * SECOND, ["record_pause", "record_pause"])
    actions.pauses.resume(session, second.request_key, "left", by=cast.ben.id, at=AT + 9 * SECOND)
    assert kinds(session)[-1] == "record_resume"


def test_a_field_that_has_outlived_its_time_keeps_nothing_silent(session: Session, pop: AgentPop) -> None:
    asks(session, pop)
    second = asks(session, pop, "key-of-another-tab", at=100)

    actions.pauses.resume(session, second.request_key, "left", by=pop.staff_id, at=AT + 121 * SECOND)

    assert kinds(session)[-1] == "record_resume"


def test_a_field_that_took_over_and_was_never_silenced_lets_the_recording_go_on(session: Session, pop: AgentPop) -> None:
    first = asks(session, pop)
    goes(session, first.order_id, "confirmed")
    second = asks(session, pop, "key-of-another-tab", at=5)
    actions.pauses.resume(session, first.request_key, "left", by=pop.staff_id, at=AT + 6 * SECOND)
    goes(session, second.order_id, "failed", "too-late", at=7)

    tend(session, 8)

    assert (second.why, kinds(session)[-1]) == ("failed", "record_resume")


def test_after_two_minutes_the_recording_goes_on_by_itself(session: Session, pop: AgentPop) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "confirmed")
    tend(session, 119)
    assert row.released_at is None

    assert tend(session, 120) == [(pop.extension, KEY)]
    assert (row.why, row.released_by_id) == ("time", None)
    goes(session, row.resume_id or 0, "confirmed", at=120.2)
    assert tend(session, 121) == []
    assert audited(session)[-1] == ("record-resume", None, "time")


def test_when_the_agents_part_is_over_the_recording_goes_on(session: Session, pop: AgentPop) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "confirmed")

    tend(session, 3, left=[(pop.extension, KEY)])

    assert (row.why, kinds(session)) == ("agent-left", ["record_pause", "record_resume"])


def test_a_call_that_is_over_needs_no_order(session: Session, pop: AgentPop) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "confirmed")

    assert tend(session, 3, gone=[(pop.extension, KEY)]) == []
    assert (row.why, row.ended_at, kinds(session)) == ("call-over", AT + 3 * SECOND, ["record_pause"])


@pytest.mark.parametrize(("error", "asked"), [("not-recorded", 1), ("not-yours", 1), ("not-verified", 2), ("cut", 2)])
def test_what_could_not_be_silenced_is_told_and_what_may_be_silent_goes_on(session: Session, pop: AgentPop, error: str, asked: int) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "failed", error)
    tend(session, 2)

    assert (row.error, row.why, row.began_at) == (error, "failed", None)
    assert len(kinds(session)) == asked
    assert news(session)[-1] == "failed"


def test_a_recording_that_does_not_go_on_is_asked_to_again(session: Session, pop: AgentPop) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "confirmed")
    tend(session, 1)
    actions.pauses.resume(session, row.request_key, "left", by=pop.staff_id, at=AT + 2 * SECOND)
    first = row.resume_id
    goes(session, first or 0, "failed", "no-actor")

    tend(session, 4)
    assert row.resume_id == first
    tend(session, 8)
    assert row.resume_id != first
    goes(session, row.resume_id or 0, "confirmed", at=9)
    tend(session, 10)
    assert row.ended_at == AT + 9 * SECOND


def test_who_talks_with_nobody_silences_nothing(session: Session, pop: AgentPop) -> None:
    actions.call_ended(session, "pbx1", KEY, at=AT)
    session.refresh(pop)

    with pytest.raises(DeskError, match="Nobody talks"):
        asks(session, pop)


@pytest.mark.parametrize(("name", "kept"), [("cvv", "cvv"), ("12345678", "secret"), ("Pa$$", "secret"), ("", "secret"), ("a" * 41, "secret")])
def test_the_name_of_a_field_is_never_its_content(name: str, kept: str) -> None:
    assert rules.field(name) == kept


TALK = [Piece("queue_wait", AT, AT + 10 * SECOND), Piece("talk", AT + 10 * SECOND, AT + 30 * SECOND),
        Piece("ringing", AT + 30 * SECOND, AT + 35 * SECOND), Piece("talk", AT + 35 * SECOND, AT + 45 * SECOND)]


@pytest.mark.parametrize(("began", "ended", "seconds", "expected"), [
    (15, 20, 30.0, [(5, 5)]), (40, 42, 30.0, [(25, 2)]), (28, 37, 30.0, [(18, 4)]),  # ringing is not in the file
    (0, 5, 30.0, []), (44, 60, 30.0, [(29, 1)]),
    (15, 20, 45.0, [(15, 5)]),  # a file that was recorded from the first moment on
])
def test_where_in_the_audio_a_silence_is(began: int, ended: int, seconds: float, expected: list[tuple[float, float]]) -> None:
    silences = [(AT + began * SECOND, AT + ended * SECOND)]

    assert [tuple(one) for one in rules.spans(silences, TALK, seconds, AT + 45 * SECOND)] == expected


def test_silences_that_overlap_are_one() -> None:
    silences = [(AT + 12 * SECOND, AT + 20 * SECOND), (AT + 15 * SECOND, AT + 17 * SECOND), (AT + 18 * SECOND, AT + 22 * SECOND)]

    assert [tuple(one) for one in rules.spans(silences, TALK, 30.0, None)] == [(2, 10)]


def test_the_page_of_a_call_knows_its_pauses(session: Session, pop: AgentPop) -> None:
    row = asks(session, pop)
    goes(session, row.order_id, "confirmed", at=1)
    tend(session, 1)
    actions.pauses.resume(session, row.request_key, "left", by=pop.staff_id, at=AT + 5 * SECOND)
    goes(session, row.resume_id or 0, "confirmed", at=5)
    tend(session, 6)
    call = make.call(session, AT, call_key=KEY)

    found = queries.of_call(session, call, [])
    assert [one.id for one in found.rows] == [row.id]
    assert found.people == {pop.staff_id}
    assert found.length(row) == 4 * SECOND
