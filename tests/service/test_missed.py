"""Who was missed stands on the list once, until somebody has spoken with them; list, figures and workbook agree."""

import io
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls import actions, finding, missed
from service.calls.finding import Filters
from service.calls.model import Call, MissedCaller
from service.core import sheet
from service.core.errors import Invalid, NotFound
from service.hours import actions as hours
from service.hours import queries
from tests import make
from tests.conftest import AT

NOBODY: dict[str, Any] = {"agent": None, "answered_by": None, "answered_at": None, "talk_seconds": None, "disposition": "abandoned"}


def later(minutes: int) -> Any:
    return AT + timedelta(minutes=minutes)


def lines(session: Session, state: str = "open") -> list[MissedCaller]:
    return [line.caller for line in missed.listed(session, at=later(600), state=state)]


def test_a_caller_who_tries_three_times_is_one_line(session: Session, cast: SimpleNamespace) -> None:
    for minute in (0, 5, 9):
        make.call(session, later(minute), **NOBODY)
    make.call(session, later(7), caller_number="02162345678", **NOBODY)

    assert [(line.number, line.calls, line.first_at, line.last_at) for line in lines(session)] == [
        ("+8613800001001", 3, AT, later(9)), ("+862162345678", 1, later(7), later(7))]
    assert missed.waiting(session) == 2


def test_the_same_call_told_again_counts_once(session: Session, cast: SimpleNamespace) -> None:
    fact = make.facts(AT, **NOBODY)
    for revision in (10**6, 10**6 + 1):
        actions.store_calls(session, [make.facts(AT, call_key=fact.call_key, revision=revision, **NOBODY)], None, at=AT)
    assert [line.calls for line in lines(session)] == [1]


@pytest.mark.parametrize(("spoken", "why"), [
    ({}, "called again"),
    ({"direction": "outbound", "caller_number": "1001", "called": "013800001001", "queue": None}, "called back"),
])
def test_a_caller_who_was_spoken_with_leaves_the_list(session: Session, cast: SimpleNamespace, spoken: dict[str, Any], why: str) -> None:
    make.call(session, AT, **NOBODY)
    answer = make.call(session, later(30), **spoken)

    assert lines(session) == []
    closed, = lines(session, "closed")
    assert (closed.why, closed.closing_call_id, closed.closed_by) == (why, answer.id, cast.ada.id)


def test_a_missed_call_that_is_told_late_does_not_come_back(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, later(30))
    make.call(session, AT, **NOBODY)
    assert lines(session) == []


def test_an_answer_before_the_missed_call_settles_nothing(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT)
    make.call(session, later(30), **NOBODY)
    assert len(lines(session)) == 1


@pytest.mark.parametrize("more", [{"caller_number": "anonymous"}, {"direction": "outbound", "called": "013800001001"}, {"role": "consultation"},
                                  {"direction": "internal"}, {"live": True}])
def test_some_calls_ask_for_no_call_back(session: Session, cast: SimpleNamespace, more: dict[str, Any]) -> None:
    make.call(session, AT, **NOBODY | more)
    assert lines(session) == []


def test_taking_settling_and_putting_back(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT, **NOBODY)
    line, = lines(session)
    missed.take(session, line.id, by=cast.ben.id, at=AT)
    assert line.owner_id == cast.ben.id
    with pytest.raises(Invalid):
        missed.close(session, line.id, "  ", by=cast.ben.id, at=AT)
    missed.close(session, line.id, "wrong number", by=cast.ben.id, at=AT)
    with pytest.raises(NotFound):
        missed.take(session, line.id, by=cast.ada.id, at=AT)
    missed.reopen(session, line.id, by=cast.ben.id, at=AT)
    assert lines(session) == [line]


def test_an_order_for_a_missed_caller_settles_them_when_it_is_answered(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT, **NOBODY)
    line, = lines(session)
    order = actions.orders.dial(session, "02162345678", key="k" * 20, by=cast.ben.id, at=later(5), about=actions.About(None, None, "missed_caller", line.id))
    missed.taken(session, line.id, by=cast.ben.id, at=later(5))
    dialled: dict[str, Any] = {"direction": "outbound", "caller_number": "1002", "called": "02162345678", "queue": None, "agent": "1002",
                               "call_key": order.channel_id}
    make.call(session, later(5), **dialled | {"disposition": "no-answer", "answered_by": None, "answered_at": None, "revision": 10**6})
    assert lines(session) == [line]

    answer = make.call(session, later(5), **dialled | {"answered_by": "customer", "revision": 10**7})

    assert lines(session) == []
    assert (line.why, line.closing_call_id, line.closed_by, line.owner_id) == ("called back", answer.id, cast.ben.id, cast.ben.id)


NIGHT = AT - timedelta(hours=4)  # five in the morning in Shanghai


@pytest.fixture
def nine_to_six(session: Session, cast: SimpleNamespace) -> int:
    made = hours.create(session, "Office", zone="Asia/Shanghai", by=cast.root.id, at=AT)
    hours.follow(session, made, by=cast.root.id, at=AT)
    return made


def test_who_called_at_night_stands_behind_and_is_not_dropped(session: Session, cast: SimpleNamespace, nine_to_six: int) -> None:
    make.call(session, NIGHT, **NOBODY)
    make.call(session, later(30), caller_number="02162345678", **NOBODY)

    listed = missed.listed(session, at=later(60))
    assert [(one.caller.number, one.caller.outside, one.waits) for one in listed] == [
        ("+862162345678", False, 1800.0), ("+8613800001001", True, 3600.0)]
    first = listed[0].caller
    assert [one.caller.outside for one in missed.listed(session, at=later(60), before=(first.outside, first.first_at, first.id))] == [True]
    assert [one.caller.outside for one in missed.listed(session, at=later(60), outside=True)] == [True]
    assert missed.waiting(session) == 2


def test_who_tries_again_in_hours_waits_in_hours(session: Session, cast: SimpleNamespace, nine_to_six: int) -> None:
    make.call(session, NIGHT, **NOBODY)
    make.call(session, later(1), **NOBODY)
    assert [(line.outside, line.calls) for line in lines(session)] == [(False, 2)]


def test_new_hours_judge_those_who_wait_anew(session: Session, cast: SimpleNamespace, nine_to_six: int) -> None:
    make.call(session, AT, **NOBODY)
    hours.days_set(session, nine_to_six, date(2026, 11, 23), None, None, "holiday", by=cast.root.id, at=AT)
    actions.judged_anew(session)
    assert [line.outside for line in lines(session)] == [True]
    hours.days_set(session, nine_to_six, date(2026, 11, 23), None, 4, "make-up", by=cast.root.id, at=AT)
    actions.judged_anew(session)
    assert [line.outside for line in lines(session)] == [False]


def test_a_line_goes_before_its_branch_and_a_branch_before_the_firm(session: Session, cast: SimpleNamespace, nine_to_six: int) -> None:
    never = hours.create(session, "Never", zone="Asia/Shanghai", by=cast.root.id, at=AT)
    hours.change(session, never, "Never", [""] * 7, by=cast.root.id, at=AT)
    assert _outside(session, cast) is False
    hours.follow(session, never, by=cast.root.id, at=AT, branch_id=cast.hq.id)  # Pudong lies below
    assert _outside(session, cast) is True
    hours.follow(session, nine_to_six, by=cast.root.id, at=AT, switch="pbx1", line="support")
    assert _outside(session, cast) is False


def _outside(session: Session, cast: SimpleNamespace) -> bool:
    calendar = queries.all_hours(session).of(cast.pudong.id, "pbx1", "support")
    return not queries.is_open(calendar, AT)


def test_figures_list_and_workbook_are_the_same_calls(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT, caller_name="=1+1\x0b")  # a sign that no workbook can carry
    make.call(session, later(61), **NOBODY)
    make.call(session, later(62), direction="outbound", caller_number="1002", called="95588", disposition="busy", agent="1002",
              answered_by=None, answered_at=None, talk_seconds=None, queue=None)
    make.call(session, later(60 * 30), queue="sales", agent="1002", answered_by="1002", live=True, disposition=None)
    for wanted in (Filters(), Filters(direction="inbound"), Filters(outcome="missed"), Filters(staff_id=cast.ada.id), Filters(recorded=True),
                   Filters(since=later(30)), Filters(ticketed=True), Filters(branch_id=cast.pudong.id)):
        listed = session.scalars(finding.listed(wanted)).all()
        total = finding.sums(session, wanted)
        assert total.calls == len(listed)
        for group in finding.GROUPS:
            rows = finding.grouped(session, wanted, group, "Asia/Shanghai")
            assert sum(row.sums.calls for row in rows) == total.calls, group
            assert sum(row.sums.answered for row in rows) == total.answered
    target = io.BytesIO()
    columns = [sheet.Column("Name", "text", lambda call: call.caller_name), sheet.Column("Began", "moment", lambda call: call.started_at)]
    written = sheet.Book(target)
    count = written.sheet("Calls", columns, finding.each(session, Filters(), limit=100))
    written.close()
    book = openpyxl.load_workbook(target)
    assert (count, book.worksheets[0].max_row) == (4, 5)
    assert [cell.data_type for cell in book.worksheets[0]["A"]][-1] == "s"
    assert book.worksheets[0]["A"][-1].value == "=1+1�"
    assert finding.sums(session, Filters()).answer_rate == pytest.approx(100 / 3)


def test_an_agent_says_what_a_call_was_about(session: Session, cast: SimpleNamespace) -> None:
    call = make.call(session, AT)
    actions.reason_given(session, call.id, "complaint", by=cast.ada.id, at=AT)
    assert session.scalars(select(Call.id).where(*finding.conditions(Filters(reason="complaint")))).all() == [call.id]
    with pytest.raises(Invalid):
        actions.reason_given(session, call.id, "weather", by=cast.ada.id, at=AT)


def test_a_call_that_is_told_late_makes_the_wait_longer(session: Session, cast: SimpleNamespace) -> None:
    lost(session, AT, "1.1")
    lost(session, AT - timedelta(minutes=10), "1.2")

    line = session.scalars(select(MissedCaller)).one()
    assert (line.calls, line.first_at, line.last_at) == (2, AT - timedelta(minutes=10), AT)


def test_a_call_that_turns_out_to_be_no_missed_one_is_nobodys_to_call_back(session: Session, cast: SimpleNamespace) -> None:
    lost(session, AT, "1.1")
    fact = make.facts(AT, call_key="1.1", disposition="busy", agent=None, answered_by=None, answered_at=None, legs=(), revision=10**6)
    actions.store_calls(session, [fact], None, at=AT)

    assert session.scalars(select(MissedCaller)).all() == []


@pytest.mark.parametrize("batches", ["one by one", "all at once", "the answer first"])
def test_three_tries_and_an_answer_are_one_line_however_they_are_told(batches: str, session: Session, cast: SimpleNamespace) -> None:
    tries = [make.facts(AT + timedelta(minutes=n), call_key=f"1.{n}", **(NOBODY | {"legs": ()})) for n in range(3)]
    answer = make.facts(AT + timedelta(minutes=9), call_key="1.9")
    told = {"one by one": [[one] for one in (*tries, answer)], "all at once": [[*tries, answer]], "the answer first": [[answer], *([one] for one in tries)]}
    for batch in told[batches]:
        actions.store_calls(session, batch, None, at=AT)

    (line,) = session.scalars(select(MissedCaller)).all()
    assert (line.calls, line.why, line.closed_at is not None) == (3, "called again", True)


def lost(session: Session, at: datetime, key: str) -> None:
    fact = make.facts(at, call_key=key, disposition="abandoned", agent=None, answered_by=None, answered_at=None, legs=())
    actions.store_calls(session, [fact], None, at=AT)
