"""Halves of one call are suggested and never joined by themselves; what a person decides outlives what is told later."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from service.calls import actions, finding, history, joining, queries
from service.calls.finding import Filters
from service.calls.model import Call
from service.calls.schemas import LegFacts, SegmentFacts
from service.core.errors import Invalid, NotFound
from service.core.model import AuditEntry
from tests import make
from tests.conftest import AT

COLLEAGUE: dict[str, Any] = {"direction": "internal", "caller_number": "1001", "called": "1002", "queue": None, "agent": "1002", "answered_by": "1002"}


def seconds(number: int) -> Any:
    return AT + timedelta(seconds=number)


def talk(begin: int, end: int, extension: str = "1001") -> SegmentFacts:
    return SegmentFacts("talk", extension, seconds(begin), seconds(end), Decimal(end - begin))


@pytest.fixture
def customer(session: Session, cast: SimpleNamespace) -> Call:
    """A customer speaks to Ada for two minutes, from the tenth second on."""
    return make.call(session, AT, segments=(talk(10, 130),), legs=(LegFacts(1, "PJSIP/1001-1", "1001", None, AT, seconds(10), seconds(130), "answered"),))


@pytest.fixture
def colleague(session: Session, customer: Call) -> Call:
    """Ada's second line rings Ben, who has the customer for longer than Ada did."""
    return make.call(session, seconds(60), **COLLEAGUE, answered_at=seconds(70), ended_at=seconds(200), segments=(talk(70, 200, "1002"),))


def suggested(session: Session, call: Call) -> list[tuple[int, str]]:
    return [(one.call.id, one.why) for one in joining.suggestions(session, call)]


def test_each_half_names_the_other(session: Session, customer: Call, colleague: Call) -> None:
    assert suggested(session, customer) == [(colleague.id, "line")]
    assert suggested(session, colleague) == [(customer.id, "line")]
    assert finding.sums(session, Filters()).calls == 2  # nothing is joined by itself


def test_a_hairpin_shows_by_the_number_also_on_another_switch(session: Session, customer: Call) -> None:
    back = make.call(session, seconds(20), direction="outbound", caller_number="02160000100", called="13800001001", queue=None, agent=None, answered_by=None)
    other = make.call(session, seconds(5), switch="pbx2", agent="801", answered_by="801", queue=None)
    assert suggested(session, customer) == [(other.id, "number"), (back.id, "number")]


@pytest.mark.parametrize("more", [
    {"started_at": AT + timedelta(seconds=140)}, {"role": "supervision"}, {"live": True}, {"caller_number": "1002", "agent": "1009", "answered_by": "1009"},
    {"direction": "inbound", "caller_number": "13911112222"},
])
def test_others_are_not_suggested(session: Session, customer: Call, more: dict[str, Any]) -> None:
    make.call(session, more.pop("started_at", seconds(60)), **COLLEAGUE | more)
    assert suggested(session, customer) == []


def test_joined_they_are_one_call_and_parted_what_they_were(session: Session, customer: Call, colleague: Call, cast: SimpleNamespace) -> None:
    before = {call.id: (call.disposition, call.ended_at, call.talk_seconds, call.total_seconds, call.final_agent) for call in (customer, colleague)}

    whole = joining.join(session, colleague.id, customer.id, by=cast.cleo.id, at=AT)

    assert whole == customer.id
    assert session.scalars(select(Call.id).where(*finding.conditions(Filters()))).all() == [customer.id]
    assert (customer.disposition, customer.ended_at, customer.talk_seconds, customer.total_seconds) == (
        "transferred", seconds(200), Decimal(190), Decimal(200))
    page = queries.call_page(session, customer.id)
    assert page is not None
    assert [one.extension for one in page.segments] == ["1001", "1002"]
    assert suggested(session, customer) == suggested(session, colleague) == []
    assert queries.call_of_pop(session, "pbx1", colleague.call_key) == customer.id
    assert [one.id for one in queries.calls_by_keys(session, [("pbx1", colleague.call_key)])] == [customer.id]
    assert ("pbx1", colleague.call_key) in queries.names_of(session, customer.id)

    joining.part(session, customer.id, colleague.id, by=cast.cleo.id, at=AT)

    assert {call.id: (call.disposition, call.ended_at, call.talk_seconds, call.total_seconds, call.final_agent) for call in (customer, colleague)} == before
    assert finding.sums(session, Filters()).calls == 2
    assert suggested(session, customer) == []  # parting says that they are not the same
    told = session.execute(select(AuditEntry.verb, AuditEntry.by_id).where(AuditEntry.entity == "call").order_by(AuditEntry.id)).all()
    assert [tuple(row) for row in told] == [("join", cast.cleo.id), ("part", cast.cleo.id)]


def test_what_people_said_of_a_half_is_kept(session: Session, customer: Call, colleague: Call, cast: SimpleNamespace) -> None:
    actions.reason_given(session, colleague.id, "fault", by=cast.ben.id, at=AT)
    joining.join(session, customer.id, colleague.id, by=cast.cleo.id, at=AT)
    assert customer.reason == "fault"
    actions.ticket_linked(session, "pbx1", colleague.call_key)
    session.refresh(customer)
    assert customer.ticketed


def test_not_the_same_is_not_asked_again(session: Session, customer: Call, colleague: Call, cast: SimpleNamespace) -> None:
    joining.differ(session, customer.id, colleague.id, by=cast.cleo.id, at=AT)
    assert suggested(session, customer) == suggested(session, colleague) == []


@pytest.mark.parametrize("which", ["customer", "colleague"])
def test_late_news_and_the_backfill_write_the_half_that_they_mean(
    session: Session, customer: Call, colleague: Call, cast: SimpleNamespace, which: str
) -> None:
    joining.join(session, customer.id, colleague.id, by=cast.cleo.id, at=AT)
    for call in (customer, colleague):
        call.provenance, call.end_certain = "repaired", False
    session.flush()
    plain: dict[str, Any] = {"segments": (talk(10, 130),)}
    if which == "colleague":
        plain = COLLEAGUE | {"started_at": seconds(60), "answered_at": seconds(70), "segments": (talk(70, 240, "1002"),)}
    call = customer if which == "customer" else colleague
    told = make.facts(AT, **plain | {"call_key": call.call_key, "provenance": "backfilled", "derivation": "d1", "ended_at": seconds(240), "revision": 0})

    for _ in range(2):
        history.reconcile(session, [told], at=seconds(9000))

    assert (customer.ended_at, customer.disposition, colleague.joined_to_id) == (seconds(240), "transferred", customer.id)
    assert customer.talk_seconds == (190 if which == "customer" else 230)
    assert finding.sums(session, Filters()).calls == 1
    joining.part(session, customer.id, colleague.id, by=cast.cleo.id, at=AT)
    assert customer.ended_at == (seconds(240) if which == "customer" else seconds(130))


def test_a_third_half_joins_the_same_call(session: Session, customer: Call, colleague: Call, cast: SimpleNamespace) -> None:
    third = make.call(session, seconds(190), **COLLEAGUE | {"caller_number": "1002", "called": "1003", "agent": "1003", "answered_by": "1003"},
                      answered_at=seconds(195), ended_at=seconds(300))
    joining.join(session, colleague.id, third.id, by=cast.cleo.id, at=AT)
    joining.join(session, colleague.id, customer.id, by=cast.cleo.id, at=AT)
    assert [one.id for one in joining.halves_of(session, customer.id)] == [colleague.id, third.id]
    assert (customer.ended_at, colleague.ended_at, colleague.own) == (seconds(300), seconds(200), None)
    with pytest.raises(Invalid):
        joining.join(session, customer.id, third.id, by=cast.cleo.id, at=AT)
    joining.part(session, customer.id, third.id, by=cast.cleo.id, at=AT)
    assert customer.ended_at == seconds(200)


def test_halves_that_the_ear_finds_to_be_one_are_one_row(session: Session, customer: Call, colleague: Call, cast: SimpleNamespace) -> None:
    joining.join(session, customer.id, colleague.id, by=cast.cleo.id, at=AT)
    make.call(session, AT, call_key=customer.call_key, aliases=(colleague.call_key,), revision=10**6)
    assert session.scalar(select(func.count()).select_from(Call)) == 1
    assert (customer.own, customer.joined_to_id, customer.disposition) == (None, None, "answered")


def test_calls_that_are_not_there_cannot_be_joined(session: Session, customer: Call, cast: SimpleNamespace) -> None:
    with pytest.raises(NotFound):
        joining.join(session, customer.id, 999999, by=cast.cleo.id, at=AT)
    with pytest.raises(Invalid):
        joining.join(session, customer.id, customer.id, by=cast.cleo.id, at=AT)


def test_suggestions_are_found_by_indexes_in_a_fixed_number_of_questions(session: Session, customer: Call, colleague: Call) -> None:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    bind = session.get_bind()
    for count in (1, 12):
        for n in range(count):
            make.call(session, seconds(61 + n), **COLLEAGUE)
        session.flush()
        asked.clear()
        event.listen(bind, "before_cursor_execute", note)
        joining.suggestions(session, customer)
        event.remove(bind, "before_cursor_execute", note)
        assert len(asked) <= 4
    session.execute(text("set local enable_seqscan = off"))
    half = joining._halves(session, [customer])[0]
    wanted = joining._near(session, customer, half).compile(bind, compile_kwargs={"literal_binds": True})
    plan = "\n".join(row[0] for row in session.execute(text("explain " + str(wanted).replace(":", "\\:"))))
    assert "Seq Scan" not in plan and "ix_call_" in plan, plan
