"""A stored call belongs to whoever took it, keeps whom somebody chose, and is found by either side's number."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.calls import actions, queries
from service.calls.model import Call, CallLeg, CallSegment, CallTransfer
from service.calls.schemas import LegFacts, SegmentFacts, TransferFacts
from service.staff.model import ExtensionAssignment
from tests import make
from tests.conftest import AT


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

    def found(part: str) -> list[int]:
        return [call.id for call in queries.recent_calls(session, filters=queries.Filters(number=part))]

    assert found("13800001001") == [came.id, out.id]
    assert found("00001001") == [came.id, out.id]
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
