"""Who was missed stands on the list once, until somebody has spoken with them; list, figures and workbook agree."""

import io
from datetime import timedelta
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
from tests import make
from tests.conftest import AT

NOBODY: dict[str, Any] = {"agent": None, "answered_by": None, "answered_at": None, "talk_seconds": None, "disposition": "abandoned"}


def later(minutes: int) -> Any:
    return AT + timedelta(minutes=minutes)


def lines(session: Session, state: str = "open") -> list[MissedCaller]:
    return [line.caller for line in missed.listed(session, state=state)]


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


def test_figures_list_and_workbook_are_the_same_calls(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT, caller_name="=1+1")
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
    count = sheet.write(target, "Calls", [sheet.Column("Name", "text", lambda call: call.caller_name),
                                          sheet.Column("Began", "moment", lambda call: call.started_at)], finding.each(session, Filters(), limit=100))
    book = openpyxl.load_workbook(target)
    assert (count, book.worksheets[0].max_row) == (4, 5)
    assert [cell.data_type for cell in book.worksheets[0]["A"]][-1] == "s"
    assert finding.sums(session, Filters()).answer_rate == pytest.approx(100 / 3)


def test_an_agent_says_what_a_call_was_about(session: Session, cast: SimpleNamespace) -> None:
    call = make.call(session, AT)
    actions.reason_given(session, call.id, "complaint", by=cast.ada.id, at=AT)
    assert session.scalars(select(Call.id).where(*finding.conditions(Filters(reason="complaint")))).all() == [call.id]
    with pytest.raises(Invalid):
        actions.reason_given(session, call.id, "weather", by=cast.ada.id, at=AT)
