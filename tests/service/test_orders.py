"""An order is asked for once, taken once, sent never twice; and who may not, or sits nowhere, is refused in words."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.agents.model import AgentState, AgentStateChange
from service.calls.model import AgentPop
from service.calls.orders import rules
from service.calls.orders.model import PhoneOrder
from service.core.errors import DeskError, Invalid
from service.staff import queries as staff
from service.tickets import actions as tickets
from service.tickets.model import TicketCall
from tests import make
from tests.conftest import AT

SECOND = timedelta(seconds=1)


def dial(session: Session, person: Any, number: str = "138 0000 1001", key: str = "key-of-one-click", **more: Any) -> PhoneOrder:
    return actions.orders.dial(session, number, key=key, by=person.id, at=AT, **more)


@pytest.mark.parametrize(("raw", "sent"), [
    ("138 0000 1001", "+8613800001001"), ("021-6234 5678", "+862162345678"), ("+44 1632 960123", "+441632960123"), ("802", "802"),
    ("95588", "95588"), ("*97", "*97"), ("138\r\nAction: Hangup", None), ("1" * 30, None), ("", None), ("abc", None),
    ("802&PJSIP/trunk", None), ("802,Set(x)", None),
])
def test_what_is_dialled_for_a_number(raw: str, sent: str | None) -> None:
    assert rules.dialled(raw) == sent


def test_a_double_click_is_one_order(session: Session, cast: SimpleNamespace) -> None:
    first, second = dial(session, cast.ada), dial(session, cast.ada)

    assert first.id == second.id
    assert [order.id for order in actions.orders.take(session, "pbx1", at=AT, act=True)] == [first.id]
    assert actions.orders.take(session, "pbx1", at=AT, act=True) == []


def test_a_key_of_somebody_else_gives_away_nothing(session: Session, cast: SimpleNamespace) -> None:
    dial(session, cast.ada)

    with pytest.raises(Invalid):
        dial(session, cast.ben)


def test_who_sits_nowhere_dials_nothing(session: Session, cast: SimpleNamespace) -> None:
    with pytest.raises(DeskError, match="sit at no phone"):
        dial(session, cast.cleo)


@pytest.mark.parametrize(("late", "act", "error"), [(0, False, "no-actor"), (11, True, "too-late"), (11, False, "no-actor")])
def test_what_makes_no_sense_any_more_is_not_sent(session: Session, cast: SimpleNamespace, late: int, act: bool, error: str) -> None:
    order = dial(session, cast.ada)

    assert actions.orders.take(session, "pbx1", at=AT + late * SECOND, act=act) == []
    assert (order.state, order.error) == ("failed", error)


def test_who_has_changed_the_seat_meanwhile_dials_from_no_other_phone(session: Session, cast: SimpleNamespace) -> None:
    order = dial(session, cast.ada)
    actions.agents.sign_in(session, cast.ada.id, "pbx1", "1007", by=cast.ada.id, at=AT + SECOND)

    assert [taken for taken in actions.orders.take(session, "pbx1", at=AT + 2 * SECOND, act=True) if taken.kind == "dial"] == []
    assert (order.state, order.error) == ("failed", "seat-changed")


def test_what_a_cut_leaves_open_is_unknown_for_good(session: Session, cast: SimpleNamespace) -> None:
    order = dial(session, cast.ada)
    actions.orders.take(session, "pbx1", at=AT, act=True)

    actions.orders.tidy(session, "pbx1", at=AT + SECOND, cut=True)
    actions.orders.settle(session, [actions.OrderOutcome(order.id, "confirmed")], at=AT + 2 * SECOND)

    assert (order.state, order.error) == ("unknown", "cut")
    assert actions.orders.take(session, "pbx1", at=AT + SECOND, act=True) == []


def test_an_order_goes_from_requested_to_accepted_to_confirmed(session: Session, cast: SimpleNamespace) -> None:
    order = dial(session, cast.ada)
    states = [order.state]
    actions.orders.take(session, "pbx1", at=AT, act=True)
    for state in ("accepted", "confirmed", "failed"):
        actions.orders.settle(session, [actions.OrderOutcome(order.id, state)], at=AT)  # type: ignore[arg-type]
        states.append(order.state)

    assert states == ["requested", "accepted", "confirmed", "confirmed"]
    news = session.execute(text("select payload->>'state' as state from live_event where kind = 'order' order by id")).scalars().all()
    assert news == ["accepted", "confirmed"]


def test_a_call_that_was_dialled_is_its_customers_although_the_number_is_anothers_too(session: Session, cast: SimpleNamespace) -> None:
    one, other = make.party(session, cast.pudong, "甲"), make.party(session, cast.pudong, "乙")
    for party in (one, other):
        make.phone(session, party, "13800001001")
    order = dial(session, cast.ada, about=actions.About(other.id))
    ring = actions.Ring("pbx1", order.channel_id or "", "1001", "1001", None, "+8613800001001", None, "outbound")
    actions.phone_rings(session, ring, at=AT)

    pop = session.scalars(select(AgentPop)).one()
    facts = make.facts(AT, call_key=order.channel_id, direction="outbound", caller_number="1001", called="+8613800001001", queue=None)
    call = actions.store_calls(session, [facts], None, at=AT)[0]

    assert (pop.party_id, order.call_id) == (other.id, call)
    assert session.execute(text(f"select party_id from call where id = {call}")).scalar() == other.id


def test_a_ticket_has_the_call_that_was_begun_from_it(session: Session, cast: SimpleNamespace) -> None:
    ticket = make.ticket(session, make.party(session, cast.pudong), cast.ada, AT)

    order = tickets.dial(session, ticket.id, "13800001001", key="key-of-the-ticket", by=cast.ada.id, at=AT)

    assert session.scalars(select(TicketCall.call_key).where(TicketCall.ticket_id == ticket.id)).one() == order.channel_id
    assert (order.about_kind, order.about_id) == ("ticket", ticket.id)


def test_who_takes_a_seat_is_ready_and_whoever_sat_there_is_offline(session: Session, cast: SimpleNamespace) -> None:
    actions.agents.sign_in(session, cast.cleo.id, "pbx1", "1001", by=cast.cleo.id, at=AT)

    states = {row.staff_id: row.state for row in session.scalars(select(AgentState))}
    assert (states[cast.cleo.id], states[cast.ada.id]) == ("ready", "offline")
    seat = staff.seat(session, "pbx1", "1001", AT + SECOND)
    assert seat is not None and seat.staff_id == cast.cleo.id


def test_who_talks_does_not_sign_out_but_a_supervisor_may_make_them(session: Session, cast: SimpleNamespace) -> None:
    talk = [actions.PhoneState("1001", "talking", AT, True, "1.1")]
    actions.agents.phones_did(session, "pbx1", talk, acw=60 * SECOND)

    with pytest.raises(DeskError, match="Hang up first"):
        actions.agents.sign_out(session, cast.ada.id, by=cast.ada.id, at=AT)
    actions.agents.force(session, cast.ada.id, "offline", by=cast.cleo.id, at=AT)
    actions.agents.phones_are(session, "pbx1", [], at=AT + SECOND, acw=60 * SECOND)

    moves = session.scalars(select(AgentStateChange).where(AgentStateChange.staff_id == cast.ada.id).order_by(AgentStateChange.id))
    assert [move.new for move in moves] == ["talking", "offline"]  # the seat is free: its phone is nobody's state any more
    ada = session.scalars(select(AgentState).where(AgentState.staff_id == cast.ada.id)).one()
    assert (ada.state, ada.phase, ada.call_key) == ("offline", "idle", None)
    assert session.execute(text("select by_id from audit_entry where verb = 'set agent'")).scalar() == cast.cleo.id


def test_after_call_work_ends_by_itself_and_who_signed_out_of_the_last_browser_is_sent_home(session: Session, cast: SimpleNamespace) -> None:
    for phase, at in (("talking", AT), ("idle", AT + SECOND)):
        actions.agents.phones_did(session, "pbx1", [actions.PhoneState("1001", phase, at, phase == "talking")], acw=60 * SECOND)
    ada = session.scalars(select(AgentState).where(AgentState.staff_id == cast.ada.id)).one()
    assert (ada.state, ada.wants_paused, ada.wants_reason) == ("acw", True, "ACW")

    assert actions.agents.tend(session, "pbx1", at=AT + 62 * SECOND, act=True)
    assert (ada.state, ada.since) == ("ready", AT + 61 * SECOND)
    from service.staff import actions as people

    sid = people.begin_session(session, cast.ada.id, at=AT, address="", browser="")
    assert actions.agents.send_home(session, at=AT + 70 * SECOND) == 0
    people.end_session(session, sid, at=AT + 80 * SECOND)
    assert actions.agents.send_home(session, at=AT + 90 * SECOND) == 1
    assert (ada.state, staff.extension_of(session, cast.ada.id, AT + 91 * SECOND)) == ("offline", None)


def test_whose_phone_rings_is_offline_once_somebody_else_sits_there(session: Session, cast: SimpleNamespace) -> None:
    actions.agents.phones_did(session, "pbx1", [actions.PhoneState("1001", "ringing", AT, False, "1.1")], acw=60 * SECOND)
    member = actions.MemberNews("vip", "PJSIP/1001", "1001", 1, False, "", dynamic=True)
    actions.agents.members_did(session, "pbx1", [member], at=AT)
    actions.agents.sign_in(session, cast.cleo.id, "pbx1", "1001", by=cast.cleo.id, at=AT + SECOND)
    actions.agents.phones_did(session, "pbx1", [actions.PhoneState("1001", "idle", AT + 2 * SECOND)], acw=60 * SECOND)

    states = {row.staff_id: (row.state, row.phase) for row in session.scalars(select(AgentState))}
    assert (states[cast.ada.id], states[cast.cleo.id]) == (("offline", "idle"), ("ready", "idle"))
    removed = session.scalars(select(PhoneOrder).where(PhoneOrder.kind == "queue_remove")).one()
    assert (removed.staff_id, removed.args) == (cast.ada.id, {"queue": "vip"})  # the next person is in their own queues alone


def test_who_closed_the_last_browser_in_a_call_is_sent_home_after_it(session: Session, cast: SimpleNamespace) -> None:
    from service.staff import actions as people

    sid = people.begin_session(session, cast.ada.id, at=AT, address="", browser="")
    actions.agents.phones_did(session, "pbx1", [actions.PhoneState("1001", "talking", AT + SECOND, True)], acw=60 * SECOND)
    people.end_session(session, sid, at=AT + 2 * SECOND)
    assert actions.agents.send_home(session, at=AT + 3 * SECOND) == 0

    actions.agents.phones_did(session, "pbx1", [actions.PhoneState("1001", "idle", AT + 9 * SECOND)], acw=60 * SECOND)
    assert actions.agents.send_home(session, at=AT + 10 * SECOND) == 1
    assert staff.extension_of(session, cast.ada.id, AT + 11 * SECOND) is None


def test_a_queue_that_has_lost_a_phone_gets_it_back(session: Session, cast: SimpleNamespace) -> None:
    actions.agents.serve(session, cast.ada.id, "pbx1", ["support"], by=cast.cleo.id, at=AT)
    actions.orders.take(session, "pbx1", at=AT + 11 * SECOND, act=True)  # the line to the switch was away for too long
    for seconds in (12, 29, 31, 32):
        actions.agents.tend(session, "pbx1", at=AT + seconds * SECOND, act=True)

    orders = session.scalars(select(PhoneOrder).where(PhoneOrder.kind == "queue_add").order_by(PhoneOrder.id)).all()
    assert [(order.error, order.requested_at) for order in orders] == [("too-late", AT), ("", AT + 31 * SECOND)]
    member = actions.MemberNews("support", "PJSIP/1001", "1001", 1, False, "", dynamic=True)
    actions.agents.members_did(session, "pbx1", [member], at=AT + 33 * SECOND)
    assert not actions.agents.tend(session, "pbx1", at=AT + 99 * SECOND, act=True)


def test_a_queue_that_refuses_a_phone_is_not_asked_twice_a_minute(session: Session, cast: SimpleNamespace) -> None:
    actions.agents.serve(session, cast.ada.id, "pbx1", ["no-such"], by=cast.cleo.id, at=AT)
    (taken,) = actions.orders.take(session, "pbx1", at=AT, act=True)
    actions.orders.settle(session, [actions.OrderOutcome(taken.id, "failed", "no-queue")], at=AT)
    for minutes in (1, 5, 9, 11):
        actions.agents.tend(session, "pbx1", at=AT + minutes * 60 * SECOND, act=True)

    asked = session.scalars(select(PhoneOrder.requested_at).where(PhoneOrder.kind == "queue_add").order_by(PhoneOrder.id))
    assert list(asked) == [AT, AT + 11 * 60 * SECOND]


def test_nobody_listens_to_the_same_number_at_another_switch(session: Session, cast: SimpleNamespace) -> None:
    actions.agents.sign_in(session, cast.cleo.id, "pbx2", "1009", by=cast.cleo.id, at=AT)

    with pytest.raises(Invalid, match="sits at the switch pbx1"):
        actions.orders.listen_in(session, "listen", cast.ada.id, ("pbx1", "1001"), key="key-of-the-ear", by=cast.cleo.id, at=AT)


def test_a_double_click_to_listen_is_one_order_and_one_line(session: Session, cast: SimpleNamespace) -> None:
    actions.agents.sign_in(session, cast.cleo.id, "pbx1", "1009", by=cast.cleo.id, at=AT)
    orders = [
        actions.orders.listen_in(session, "listen", cast.ada.id, ("pbx1", "1001"), key="key-of-the-ear", by=cast.cleo.id, at=AT + n * SECOND)
        for n in range(2)
    ]

    assert orders[0].id == orders[1].id
    assert session.execute(text("select count(*) from audit_entry where verb = 'listen'")).scalar() == 1


def test_a_phone_that_its_queues_show_otherwise_gets_one_order_in_half_a_minute(session: Session, cast: SimpleNamespace) -> None:
    member = actions.MemberNews("support", "PJSIP/1001", "1001", 1, True, "by hand")
    actions.agents.members_did(session, "pbx1", [member], at=AT)

    for seconds in (0, 1, 29, 31):
        actions.agents.tend(session, "pbx1", at=AT + seconds * SECOND, act=True)

    orders = session.scalars(select(PhoneOrder).order_by(PhoneOrder.id)).all()
    assert [(order.kind, order.requested_at) for order in orders] == [("unpause", AT), ("unpause", AT + 31 * SECOND)]


def test_many_moves_at_once_are_all_on_record_and_told_once(session: Session, cast: SimpleNamespace) -> None:
    phases = ("ringing", "talking", "hold", "talking", "idle")
    news = [actions.PhoneState("1001", phase, AT + n * SECOND, phase != "ringing") for n, phase in enumerate(phases * 20)]
    actions.agents.phones_did(session, "pbx1", news, acw=timedelta(0))

    moves = session.scalars(select(AgentStateChange.new).where(AgentStateChange.staff_id == cast.ada.id).order_by(AgentStateChange.id))
    assert list(moves)[:5] == ["ringing", "talking", "hold", "talking", "ready"]
    told = session.execute(text("select payload->>'state' from live_event where kind = 'agent'")).scalars().all()
    assert told == ["ready"]
