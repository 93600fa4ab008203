"""A real Asterisk writes silence for exactly as long as a secret is spoken, whatever dies meanwhile."""

import time
import wave
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text

from service.calls import actions
from service.calls.model import AgentPop, Call, CallAlias, CallSegment
from service.calls.pauses import queries, rules
from service.core import clock, db, scope
from telephony.listener import Listener
from tests.asterisk.test_orders import asked, becomes, floor, on_call, one, talks
from tests.asterisk.test_real_switch import settled
from tests.telephony.ami import until
from tests.telephony.test_listener import running

pytestmark = pytest.mark.asterisk
__all__ = ["floor"]
NEAR = 0.2  # seconds by which a silence may begin late or end early
QUIET = 33 / 32768


def pops(key: str) -> int:
    where = f"from agent_pop where call_key = '{key}' and state = 'talking'"
    until(lambda: one(f"select 1 {where}"), what="the pop")
    return int(one(f"select max(id) as id {where}").id)


def pauses(key: str, by: Any, token: str = "") -> str:
    """Somebody is in a field; returns its key."""
    token = token or f"field-{time.time_ns()}"
    with db.begin(scope.ALL) as work:
        pop = work.get_one(AgentPop, pops(key))
        actions.pauses.pause(work, pop, "password", key=token, by=by.id, at=clock.now())
    return token


def resumes(token: str, by: Any, why: str = "left") -> None:
    with db.begin(scope.ALL) as work:
        actions.pauses.resume(work, token, why, by=by.id, at=clock.now())


def row(token: str) -> Any:
    return one(f"select * from recording_pause where request_key = '{token}'")


def silent(token: str) -> None:
    until(lambda: row(token).began_at, what="the silence")


def over(token: str, why: str) -> None:
    until(lambda: row(token).ended_at, what="the end of the silence")
    assert row(token).why == why


def ends(floor: SimpleNamespace, key: str) -> tuple[Any, Path]:
    """The stored call and its file, once the customer has hung up."""
    floor.customer_call.hang_up()
    until(lambda: one("select 1 from call where not live"), what="the stored call")
    name = one("select recording_name from call where not live").recording_name
    return one("select * from call where not live"), settled(floor.lab, name)


def audio(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path)) as file:
        return np.abs(np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768), file.getframerate()


def drawn(seconds: float) -> list[rules.Span]:
    """Where the page of the call shows the pauses."""
    with db.begin(scope.ALL) as work:
        call = work.scalars(select(Call).where(~Call.live)).one()
        segments = work.scalars(select(CallSegment).where(CallSegment.call_id == call.id).order_by(CallSegment.no)).all()
        assert work.scalars(select(CallAlias.id)).first()
        return queries.of_call(work, call, segments).spans(seconds)


def assert_silent(path: Path, spans: list[rules.Span]) -> None:
    """Nothing is heard within each span, and something just outside of it."""
    sound, rate = audio(path)

    def loudest(begin: float, end: float) -> float:
        return float(sound[max(0, int(begin * rate)) : int(end * rate)].max(initial=0.0))

    for begin, length in spans:
        assert loudest(begin + NEAR, begin + length - NEAR) <= QUIET
        assert loudest(begin - 0.8, begin - NEAR) > 0.01
        assert loudest(begin + length + NEAR, begin + length + 0.8) > 0.01


def test_audio_is_silent_for_exactly_as_long_as_the_field_was_open(floor: SimpleNamespace) -> None:
    key = talks(floor)
    time.sleep(1.5)
    asked_at = clock.now()
    token = pauses(key, floor.ada)
    silent(token)
    assert row(token).began_at - asked_at < timedelta(seconds=1)
    time.sleep(2.5)
    resumes(token, floor.ada, "sent")
    over(token, "sent")
    time.sleep(1.5)

    _, path = ends(floor, key)
    sound, rate = audio(path)
    span, = drawn(len(sound) / rate)
    assert span.length == pytest.approx(2.7, abs=0.5)
    assert_silent(path, [span])
    assert [tuple(one) for one in db_audit()] == [("record-pause", floor.ada.id), ("record-resume", floor.ada.id)]


def db_audit() -> list[Any]:
    with db.begin(scope.ALL) as work:
        told = text("select verb, by_id from audit_entry where entity = 'recording_pause' order by id")
        return list(work.execute(told))


def test_two_fields_are_silent_until_the_last_is_left(floor: SimpleNamespace) -> None:
    key = talks(floor)
    time.sleep(1.0)
    first = pauses(key, floor.ada)
    silent(first)
    second = pauses(key, floor.ada)
    silent(second)
    resumes(first, floor.ada)
    time.sleep(1.5)
    resumes(second, floor.ada)
    over(second, "left")
    time.sleep(1.0)

    _, path = ends(floor, key)
    sound, rate = audio(path)
    span, = drawn(len(sound) / rate)
    assert span.length > 1.5
    assert_silent(path, [span])


def test_a_browser_that_dies_silences_no_longer_than_the_limit(floor: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "LONGEST", timedelta(seconds=3))
    key = talks(floor)
    time.sleep(1.0)
    token = pauses(key, floor.ada)
    over(token, "time")
    time.sleep(1.0)

    _, path = ends(floor, key)
    sound, rate = audio(path)
    span, = drawn(len(sound) / rate)
    assert span.length == pytest.approx(3.0, abs=1.5)
    assert_silent(path, [span])


def test_who_passes_the_call_on_silences_nothing_of_the_next_talk(floor: SimpleNamespace) -> None:
    key = talks(floor)
    floor.lab.phone("1003").answers_after(0.3)
    time.sleep(1.0)
    token = pauses(key, floor.ada)
    silent(token)

    becomes(on_call(floor, "blind", key, "1003"), "confirmed")

    over(token, "agent-left")
    until(lambda: any(call.state == "up" for call in floor.lab.phone("1003").calls.values()), what="1003 talking")
    time.sleep(2.0)
    _, path = ends(floor, key)
    sound, rate = audio(path)
    assert sound[-int(1.2 * rate) :].max() > 0.01


def test_a_listener_that_starts_anew_lets_the_recording_go_on(floor: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    key = talks(floor)
    time.sleep(1.0)
    token = pauses(key, floor.ada)
    silent(token)
    floor.stop()
    monkeypatch.setattr(rules, "LONGEST", timedelta(seconds=3))
    time.sleep(3.0)

    with running(Listener(floor.settings, floor.switch)):
        over(token, "time")
        time.sleep(1.0)
        _, path = ends(floor, key)
    sound, rate = audio(path)
    span, = drawn(len(sound) / rate)
    assert_silent(path, [span])


def test_nobody_silences_a_call_at_another_phone_or_one_that_is_not_recorded(floor: SimpleNamespace) -> None:
    key = talks(floor)
    order = asked(lambda work: actions.orders.ask(work, "record_pause", floor.ben.id, "pbx1", "1002", {"call_key": key},
                                                  by=floor.ben.id, at=clock.now()))
    becomes(order, "failed", "not-yours")

    floor.customer_call.hang_up()
    floor.customer_call = floor.lab.phone("1002").dial("1001").wait("ringing")
    floor.lab.phone("1001").ringing().answer()
    until(lambda: one(f"select 1 from agent_pop where state = 'talking' and call_key <> '{key}'"), what="a talk that is not recorded")
    other = one(f"select call_key from agent_pop where state = 'talking' and call_key <> '{key}'").call_key
    token = pauses(other, floor.ada)
    over(token, "failed")
    assert row(token).error == "not-recorded"
