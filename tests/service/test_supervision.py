"""Calls that listen in stand in no list, figure or missed list unless they are asked for; who did it is on record."""

from types import SimpleNamespace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.calls import actions, finding, missed
from service.calls.finding import Filters
from service.calls.model import Call
from service.core.model import AuditEntry
from tests import make
from tests.conftest import AT


def test_they_are_shown_to_those_who_ask(session: Session, cast: SimpleNamespace) -> None:
    make.call(session, AT)
    spy = make.call(session, AT, direction="internal", role="supervision", caller_number="1002", called="1001", agent="1002",
                    answered_by=None, answered_at=None, queue=None)
    assert finding.sums(session, Filters()).calls == 1
    assert spy not in session.scalars(finding.listed(Filters())).all()
    assert session.scalars(finding.listed(Filters(direction="supervision"))).all() == [spy]
    assert finding.sums(session, Filters(direction="internal")).calls == 0
    assert missed.waiting(session) == 0


def test_a_code_that_was_dialled_is_on_record_once(session: Session, cast: SimpleNamespace) -> None:
    spy = {"direction": "internal", "role": "supervision", "called": "1001", "agent": "1002", "call_key": "1795395600.9"}
    call = make.call(session, AT, **spy)
    make.call(session, AT, **spy, revision=10**6)
    found = session.execute(select(AuditEntry.by_id, AuditEntry.entity_id).where(AuditEntry.verb == "listen")).all()
    assert [tuple(row) for row in found] == [(cast.ben.id, call.id)]


def test_an_order_makes_its_call_one_even_when_the_ear_did_not_know(session: Session, cast: SimpleNamespace) -> None:
    order = actions.orders.listen_in(session, "listen", cast.ada.id, ("pbx1", "1001"), key="k" * 20, by=cast.ben.id, at=AT)
    assert order.channel_id
    call = make.call(session, AT, direction="outbound", call_key=order.channel_id, called="1001")
    assert (call.role, call.direction) == ("supervision", "internal")
    assert session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.verb == "listen")) == 1
    assert session.scalars(select(Call.id).where(*finding.conditions(Filters()))).all() == []
