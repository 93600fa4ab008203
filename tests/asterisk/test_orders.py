"""What the desk asks for happens on a real Asterisk: phones ring, calls are passed on, members pause; and nobody else's are touched."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.calls import actions
from service.calls.orders.model import PhoneOrder
from service.core import clock, db, scope
from service.core.config import Settings, SwitchSettings
from telephony.listener import Listener
from tests import make
from tests.asterisk.lab import STAFF, Lab
from tests.asterisk.phone import RINGS
from tests.telephony.ami import until
from tests.telephony.test_listener import running

pytestmark = pytest.mark.asterisk
NUMBER = "+8613800001001"
REASONS = ("break", "lunch")


@pytest.fixture
def floor(settings: Settings, clean: db.Database, committed_cast: SimpleNamespace, asterisk: Lab, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A listener of the real switch that may act, Ada at 1001 and Ben at 1002, and a customer on file; after-call work is short."""
    for phone in (*map(asterisk.phone, STAFF), asterisk.customers):
        phone.behaviour = RINGS
    with db.begin(scope.ALL) as work:
        customer = make.party(work, committed_cast.pudong)
        make.phone(work, customer, NUMBER)
    switch = SwitchSettings(name="pbx1", host=asterisk.host, port=asterisk.ami_port, username="listener", secret=asterisk.secret,
                            actor_username="actor", actor_secret=asterisk.secret)
    real = replace(settings, data=tmp_path, switches=(switch,), acw_seconds=3)
    listener = Listener(real, switch)
    with ExitStack() as life:
        life.enter_context(running(listener))
        assert listener.orders.actor is not None
        until(lambda: listener.orders.actor.link.authenticated, what="the actor's log-in")  # type: ignore[union-attr]
        until(lambda: one("select 1 from queue_member where extension = '1001'"), what="the members")
        yield SimpleNamespace(**vars(committed_cast), customer=customer, listener=listener, lab=asterisk,
                              settings=real, switch=switch, stop=life.close)
        for phone in (*map(asterisk.phone, STAFF), asterisk.customers):
            for call in list(phone.calls.values()):
                call.hang_up()
        time.sleep(0.3)


def one(statement: str) -> Any:
    with db.begin(scope.ALL) as work:
        return work.execute(text(statement)).first()


def asked(do: Callable[[Session], PhoneOrder]) -> int:
    """The order's id, once it is committed."""
    with db.begin(scope.ALL) as work:
        return do(work).id


def state(order_id: int) -> tuple[str, str]:
    row = one(f"select state, error from phone_order where id = {order_id}")
    return row.state, row.error


def becomes(order_id: int, wanted: str, error: str = "", seconds: float = 10.0) -> None:
    until(lambda: state(order_id)[0] not in ("requested", "accepted"), seconds, f"the end of order {order_id}")
    assert state(order_id) == (wanted, error)


def agent(staff_id: int) -> Any:
    return one(f"select * from agent_state where staff_id = {staff_id}")


def dialled(floor: SimpleNamespace, number: str = NUMBER) -> int:
    about = actions.About(party_id=floor.customer.id)
    return asked(lambda work: actions.orders.dial(work, number, key=f"key-{time.time_ns()}", by=floor.ada.id, at=clock.now(), about=about))


def talks(floor: SimpleNamespace) -> str:
    """A customer talks with Ada; returns the call's key."""
    floor.customer_call = floor.lab.call_in(NUMBER, "Wang").wait("up")
    floor.lab.phone("1001").ringing().answer()
    until(lambda: agent(floor.ada.id).state == "talking", what="Ada talking")
    return str(agent(floor.ada.id).call_key)


def on_call(floor: SimpleNamespace, kind: str, key: str, to: str = "", by: int | None = None) -> int:
    return asked(lambda work: actions.orders.on_call(work, kind, key, key=f"key-{time.time_ns()}", by=by or floor.ada.id, at=clock.now(), to=to))


def test_a_number_is_dialled_from_ones_own_phone_and_the_call_belongs_to_its_customer(floor: SimpleNamespace) -> None:
    floor.lab.phone("1001").answers_after(0.3)
    floor.lab.customers.answers_after(0.5)

    order = dialled(floor)

    becomes(order, "confirmed")
    until(lambda: agent(floor.ada.id).state == "talking", what="Ada talking")
    time.sleep(0.8)
    floor.lab.phone("1001").calls.copy().popitem()[1].hang_up()
    until(lambda: one("select 1 from call where not live"), what="the stored call")
    call = one("select direction, disposition, party_id, staff_id, called from call")
    assert tuple(call) == ("outbound", "answered", floor.customer.id, floor.ada.id, NUMBER)
    assert one(f"select call_id from phone_order where id = {order}").call_id == one("select id from call").id


def test_a_phone_that_nobody_picks_up_is_told_as_such(floor: SimpleNamespace) -> None:
    from tests.asterisk.phone import BUSY

    floor.lab.phone("1001").behaviour = BUSY

    becomes(dialled(floor), "failed", "phone-busy")


def test_a_talk_is_followed_by_after_call_work_which_the_switch_shows_and_which_ends(floor: SimpleNamespace) -> None:
    talks(floor)
    floor.customer_call.hang_up()

    until(lambda: agent(floor.ada.id).state == "acw", what="after-call work")
    until(lambda: agent(floor.ada.id).paused_reason == "ACW", what="the switch's pause")
    assert "ACW" in floor.lab.cli("queue show support")
    until(lambda: agent(floor.ada.id).state == "ready", 8, "ready again")
    until(lambda: agent(floor.ada.id).is_paused is False, 8, "no pause at the switch")
    moves = one(f"select string_agg(new, ' ' order by id) as all from agent_state_change where staff_id = {floor.ada.id}")
    assert moves.all == "ringing talking acw ready"


def test_a_pause_with_its_reason_is_in_every_queue_of_the_phone(floor: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        actions.agents.choose(work, floor.ben.id, "pause", reason="lunch", reasons=REASONS, by=floor.ben.id, at=clock.now())

    until(lambda: agent(floor.ben.id).paused_reason == "lunch", what="the pause")
    assert agent(floor.ben.id).queues == 2
    assert "lunch" in floor.lab.cli("queue show sales")
    becomes(one("select max(id) as id from phone_order where kind = 'pause'").id, "confirmed")
    with db.begin(scope.ALL) as work:
        actions.agents.choose(work, floor.ben.id, "ready", by=floor.ben.id, at=clock.now())
    until(lambda: agent(floor.ben.id).is_paused is False, what="the end of the pause")


def test_a_pause_that_somebody_undoes_at_the_switch_is_put_right(floor: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        actions.agents.choose(work, floor.ben.id, "pause", reason="lunch", reasons=REASONS, by=floor.ben.id, at=clock.now())
    until(lambda: agent(floor.ben.id).is_paused is True, what="the pause")
    with db.begin(scope.ALL) as work:
        work.execute(text("update phone_order set requested_at = requested_at - interval '31 seconds'"))

    floor.lab.cli("queue unpause member PJSIP/1002")

    until(lambda: one("select count(*) as n from phone_order where kind = 'pause' and state = 'confirmed'").n == 2, what="a second order")
    assert agent(floor.ben.id).is_paused is True
    with db.begin(scope.ALL) as work:
        actions.agents.choose(work, floor.ben.id, "ready", by=floor.ben.id, at=clock.now())
    until(lambda: agent(floor.ben.id).is_paused is False, what="the end of the pause")


def test_who_signs_in_is_in_the_queues_set_for_them_and_out_again_when_they_leave(floor: SimpleNamespace) -> None:
    with db.begin(scope.ALL) as work:
        actions.agents.serve(work, floor.cleo.id, "pbx1", ["support"], by=floor.cleo.id, at=clock.now())
        actions.agents.sign_in(work, floor.cleo.id, "pbx1", "1003", by=floor.cleo.id, at=clock.now())

    until(lambda: one("select 1 from queue_member where extension = '1003' and queue = 'support' and dynamic"), what="the new member")
    assert "PJSIP/1003" in floor.lab.cli("queue show support")
    with db.begin(scope.ALL) as work:
        actions.agents.sign_out(work, floor.cleo.id, by=floor.cleo.id, at=clock.now())
    until(lambda: not one("select 1 from queue_member where extension = '1003' and queue = 'support'"), what="no member")
    assert "PJSIP/1003" not in floor.lab.cli("queue show support")
    floor.lab.cli("queue unpause member PJSIP/1003")


def test_a_call_is_passed_on_blind(floor: SimpleNamespace) -> None:
    key = talks(floor)
    floor.lab.phone("1003").answers_after(0.3)

    order = on_call(floor, "blind", key, "1003")

    becomes(order, "confirmed")
    until(lambda: any(call.state == "up" for call in floor.lab.phone("1003").calls.values()), what="1003 talking")
    time.sleep(0.5)
    floor.customer_call.hang_up()
    until(lambda: one("select 1 from call where not live"), what="the stored call")
    assert tuple(one("select extension, how, target, answered from call_transfer")) == ("1001", "blind", "1003", True)


def test_a_call_is_passed_on_after_asking(floor: SimpleNamespace) -> None:
    key = talks(floor)
    floor.lab.phone("1003").answers_after(0.3)

    order = on_call(floor, "atxfer", key, "1003")

    until(lambda: any(call.state == "up" for call in floor.lab.phone("1003").calls.values()), 15, "the consultation")
    assert state(order)[0] == "accepted"
    time.sleep(1.0)
    becomes(on_call(floor, "hangup", key), "confirmed")
    becomes(order, "confirmed")
    time.sleep(0.5)
    floor.customer_call.hang_up()
    until(lambda: one("select 1 from call where not live and disposition = 'transferred'"), what="the stored call")


def test_a_call_is_parked(floor: SimpleNamespace) -> None:
    becomes(on_call(floor, "park", talks(floor)), "confirmed")
    floor.customer_call.hang_up()


def test_a_call_at_another_phone_is_not_touched(floor: SimpleNamespace) -> None:
    key = talks(floor)

    for kind, to in (("hangup", ""), ("blind", "1003"), ("park", "")):
        becomes(on_call(floor, kind, key, to, by=floor.ben.id), "failed", "not-yours")
    becomes(on_call(floor, "hangup", "1.1"), "failed", "call-over")
    assert floor.customer_call.state == "up"
    becomes(on_call(floor, "hangup", key), "confirmed")
    floor.customer_call.wait("ended")


@pytest.mark.parametrize("kind", ["listen", "whisper", "barge"])
def test_a_supervisor_hears_a_talk_at_their_own_phone(floor: SimpleNamespace, kind: str) -> None:
    with db.begin(scope.ALL) as work:
        actions.agents.sign_in(work, floor.cleo.id, "pbx1", "1003", by=floor.cleo.id, at=clock.now())
    talks(floor)
    floor.lab.phone("1003").answers_after(0.2)

    order = asked(lambda work: actions.orders.listen_in(work, kind, floor.ada.id, ("pbx1", "1001"), key=f"key-{time.time_ns()}", by=floor.cleo.id, at=clock.now()))

    becomes(order, "confirmed")
    time.sleep(1.5)
    heard = next(iter(floor.lab.phone("1003").calls.values()))
    assert heard.stream.loudness > 0.01
    assert one(f"select 1 from audit_entry where verb = '{kind}' and by_id = {floor.cleo.id}")
    floor.customer_call.hang_up()
    heard.wait("ended")
    until(lambda: one("select 1 from call where role = 'supervision' and direction = 'internal' and not live"), what="the spying call")
    assert one("select count(*) as n from call where direction = 'outbound'").n == 0


def test_an_order_that_waited_too_long_is_not_sent(floor: SimpleNamespace) -> None:
    from datetime import timedelta

    early = clock.now() - timedelta(seconds=11)
    order = asked(lambda work: actions.orders.dial(work, NUMBER, key="key-too-late", by=floor.ada.id, at=early))

    becomes(order, "failed", "too-late")
    assert not floor.lab.phone("1001").calls
