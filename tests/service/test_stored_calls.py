"""A stored call belongs to whoever took it, keeps whom somebody chose, and is found by either side's number."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from service.calls import actions, queries
from service.calls.model import Call, CallLeg, CallSegment, CallTransfer
from service.calls.schemas import LegFacts, SegmentFacts, TransferFacts
from service.core import db
from service.staff.model import ExtensionAssignment
from tests import make
from tests.conftest import AT
from tests.floor.test_lists import counted


def test_a_call_is_whose_who_sat_there_when_it_was_answered(session: Session, cast: SimpleNamespace) -> None:
    """Ben takes Dan's place while the caller waits."""
    before, after = AT + timedelta(seconds=5), AT + timedelta(seconds=20)
    session.add(ExtensionAssignment(switch="pbx1", extension="1009", staff_id=cast.dan.id, valid_from=AT - timedelta(days=1), valid_to=before))
    session.add(ExtensionAssignment(switch="pbx1", extension="1009", staff_id=cast.ben.id, valid_from=before))
    session.flush()
    leg = LegFacts(1, "PJSIP/1009-1", "1009", None, after - timedelta(seconds=3), after, None, "answered")
    call = make.call(session, AT, agent="1009", answered_by="1009", answered_at=after, legs=(leg,))

    assert (call.staff_id, call.branch_id) == (cast.ben.id, cast.pudong.id)
    assert session.scalars(select(CallLeg.staff_id).where(CallLeg.call_id == call.id)).all() == [cast.ben.id]


def test_two_rows_that_are_one_call_keep_the_chosen_customer(session: Session, cast: SimpleNamespace) -> None:
    chosen = make.party(session, cast.pudong, "被选中的客户")
    make.call(session, AT, call_key="100.1", caller_number="999", recorded=None, live=True)
    late = make.call(session, AT, call_key="100.2", caller_number="999", recorded=True)
    session.execute(update(Call).where(Call.id == late.id).values(party_id=chosen.id))
    session.expire_all()
    one = make.call(session, AT, call_key="100.1", aliases=("100.2",), caller_number="999", recorded=None)

    assert (one.party_id, one.recorded) == (chosen.id, True)


def test_a_call_is_found_by_the_number_of_either_side(session: Session, cast: SimpleNamespace) -> None:
    out = make.call(session, AT, direction="outbound", caller_number="1001", called="013800001001")
    came = make.call(session, AT, caller_number="+86 138 0000 1001")

    def found(part: str, *, whole: bool = False) -> list[int]:
        return [call.id for call in queries.recent_calls(session, filters=queries.Filters(number=part, whole_number=whole))]

    assert found("13800001001") == [came.id, out.id]
    assert found("00001001") == [came.id, out.id]
    assert found("13800001001", whole=True) == found("8613800001001", whole=True) == [came.id, out.id]
    assert found("00001001", whole=True) == found("3800001001", whole=True) == []
    assert found("4711") == []


def test_talk_is_credited_to_each_agent_who_had_the_caller(session: Session, cast: SimpleNamespace) -> None:
    at = [AT + timedelta(seconds=second) for second in (0, 10, 40, 45, 70)]
    segments = (SegmentFacts("queue_wait", None, at[0], at[1], Decimal(10)), SegmentFacts("talk", "1001", at[1], at[2], Decimal(30)),
                SegmentFacts("ringing", None, at[2], at[3], Decimal(5)), SegmentFacts("talk", "1002", at[3], at[4], Decimal(25)))
    call = make.call(session, AT, disposition="transferred", final_agent="1002", segments=segments,
                     transfers=(TransferFacts("blind", "1001", "1002", True, at[2]),))

    rows = session.execute(select(CallSegment.kind, CallSegment.staff_id, CallSegment.seconds).where(CallSegment.call_id == call.id)
                           .order_by(CallSegment.no)).all()
    assert [(row.kind, row.staff_id, int(row.seconds)) for row in rows] == [
        ("queue_wait", None, 10), ("talk", cast.ada.id, 30), ("ringing", None, 5), ("talk", cast.ben.id, 25)]
    assert [(row.staff_id, row.target, row.answered) for row in session.scalars(select(CallTransfer))] == [(cast.ada.id, "1002", True)]
    assert (call.outcome, call.staff_id, call.final_agent) == ("answered", cast.ada.id, "1002")
    actions.store_calls(session, [make.facts(AT, call_key=call.call_key, segments=segments[:2])], None, at=AT)
    assert len(session.scalars(select(CallSegment).where(CallSegment.call_id == call.id)).all()) == 2
    assert session.scalars(select(CallTransfer)).all() == []


def test_the_number_that_was_used_last_is_proposed_first_however_the_call_was_told(session: Session, cast: SimpleNamespace) -> None:
    one, other = (make.party(session, cast.pudong, name) for name in "甲乙")
    for party in (one, other):
        make.phone(session, party, "13800001001")
    make.phone(session, other, "13900001002")
    live = make.facts(AT, caller_number="13900001002", live=True, answered_by="1001", ended_at=None, disposition=None)
    for fact in (live, replace(live, live=False, ended_at=AT + timedelta(seconds=60), disposition="answered", revision=live.revision + 1)):
        actions.store_calls(session, [fact], None, at=AT)

    used = session.execute(text("select digits, last_call_at from party_phone where last_call_at is not null")).all()
    assert [tuple(row) for row in used] == [("8613900001002", AT)]


def test_a_batch_asks_as_often_for_fifty_calls_as_for_ten(session: Session, cast: SimpleNamespace, database: db.Database) -> None:
    def asked(first: int, count: int) -> int:
        facts = [
            make.facts(AT, call_key=f"1795395{first + n}.1", caller_number=f"1380000{first + n:04d}", disposition="abandoned", agent=None, answered_by=None, answered_at=None, legs=())
            for n in range(count)
        ]
        for n in range(count):
            make.phone(session, make.party(session, cast.pudong, f"客户{first + n}"), f"1380000{first + n:04d}")
        with counted(database) as sent:
            actions.store_calls(session, facts, None, at=AT)
        return len(sent)

    few, many = asked(100, 10), asked(200, 50)
    assert many <= few + 5


def test_what_was_said_of_two_rows_of_one_call_stays_and_counts_once(session: Session, cast: SimpleNamespace) -> None:
    lost = {"disposition": "abandoned", "agent": None, "answered_by": None, "answered_at": None, "legs": ()}
    facts = [make.facts(AT, call_key=f"1.{n}", caller_number="13800001001", **lost) for n in (1, 2)]
    first, second = actions.store_calls(session, facts, None, at=AT)
    session.execute(text("update call set reason = 'fault' where id = :id"), {"id": second})
    session.expire_all()
    both = replace(facts[0], aliases=("1.2",), revision=facts[0].revision + 1)
    kept = actions.store_calls(session, [both], None, at=AT)

    assert kept == [first]
    assert session.execute(text("select reason from call")).all() == [("fault",)]
    assert session.execute(text("select calls from missed_caller")).all() == [(1,)]
