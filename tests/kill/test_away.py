"""PostgreSQL dies while calls come in: the journal keeps them, the books catch up, nothing is told twice."""

import time

import pytest

from bench.kill.firm import until
from bench.kill.proof import LOOK
from telephony import sink
from telephony.listener import Listener
from tests.kill.conftest import Ear
from tests.telephony.test_listener import running


def test_calls_that_came_while_the_books_were_closed_are_entered_once(ear: Ear) -> None:
    ear.listen()
    before = ear.board.ring(1)
    until(lambda: [pop for pop in ear.pops() if pop.state == "talking"], "the pop that talks", 30)
    ear.place.kill_postgresql()
    within = ear.board.ring(2)
    ear.board.hang_up(before)
    after = ear.board.ring(3)
    ear.board.hang_up(within)
    ear.place.server.start()

    until(lambda: [pop for pop in ear.pops() if pop.staff_id == 3 and pop.state == "talking"], "the pop that was missed", 60)
    ear.board.hang_up(after)
    calls = ear.ended(3)
    assert [(call.call_key, call.disposition, call.hangup_by, call.end_certain) for call in calls] == [
        (truth.linkedid, truth.disposition, truth.hangup_by, True) for truth in (before, within, after)]
    assert [call["linkedid"] for call in ear.replayed()] == [call.call_key for call in calls]
    until(lambda: {pop.state for pop in ear.pops()} == {"ended"}, "the pops to end", 30)
    assert [pop.staff_id for pop in ear.pops()] == [1, 3]  # nobody is startled by a call that is over
    assert ear.gaps() == []


def entered(ear: Ear, linkedid: str) -> int:
    """How many channels of the call the journal has seen enter a bridge."""
    return sum(frame.startswith(b"Event: BridgeEnter") and linkedid.encode() in frame for frame in ear.raw().split(b"\r\n\r\n"))


def test_a_listener_that_lives_and_dies_without_the_books_leaves_its_calls_and_both_gaps(ear: Ear) -> None:
    first = ear.listen()
    whole = ear.board.ring(1)
    until(lambda: [call for call in ear.calls() if call.answered_at], "the first call's answer", 30)
    ear.place.kill_postgresql()
    ear.kill(first)
    second = ear.listen()
    ear.board.hang_up(whole)
    within = ear.board.ring(2)
    until(lambda: entered(ear, within.linkedid) == 2, "the journal to have the second call's answer", 30)
    ear.kill(second)
    ear.listen()
    ear.board.hang_up(within)
    ear.place.server.start()

    calls = ear.ended(2)
    assert [(call.call_key, call.disposition, call.hangup_by, call.end_certain) for call in calls] == [
        (truth.linkedid, "answered", "caller", True) for truth in (whole, within)]
    until(lambda: len(ear.gaps()) == 2 and all(gap.ended_at for gap in ear.gaps()), "both gaps", 30)
    cuts = [(one[1], other[0]) for one, other in zip(ear.board.heard, ear.board.heard[1:], strict=False)]
    found = [(gap.began_at.timestamp(), gap.ended_at.timestamp()) for gap in ear.gaps()]
    assert all(a <= began and ended <= b + LOOK for (a, b), (began, ended) in zip(found, cuts, strict=True))
    assert found[0][1] < found[1][0]


def test_more_calls_than_memory_may_hold_are_stored_from_the_journal(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "BACKLOG", 3)
    listener = Listener(ear.settings, ear.settings.switches[0])
    with running(listener):
        before = ear.board.ring(1)
        until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
        ear.place.kill_postgresql()
        truths = [before]
        for number in range(12):
            truths.append(ear.board.ring(2 + number % 3))
            time.sleep(0.2)
            ear.board.hang_up(truths[-1])
        ear.board.hang_up(before)
        until(lambda: not listener.floor.calls, "the end of all calls", 30)
        waiting, low = len(listener.sink._pending), listener.sink.low()
        ear.place.server.start()
        calls = ear.ended(13)
        until(lambda: listener.sink.low() > low, "the mark to move on", 30)

    assert waiting <= 4  # what was known before, and three
    assert [(call.call_key, call.disposition, call.hangup_by, call.end_certain) for call in calls] == [
        (truth.linkedid, truth.disposition, truth.hangup_by, True) for truth in sorted(truths, key=lambda one: one.linkedid)]
    assert sorted(call["linkedid"] for call in ear.replayed()) == [call.call_key for call in calls]


def test_a_listener_that_ends_before_it_has_caught_up_goes_on_at_its_next_start(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink, "BACKLOG", 0)
    listener = Listener(ear.settings, ear.settings.switches[0])
    with running(listener):
        until(lambda: listener.sink.low().offset, "the first mark", 30)
        ear.place.kill_postgresql()
        truth = ear.board.ring(1)
        time.sleep(0.2)
        ear.board.hang_up(truth)
        until(lambda: not listener.floor.calls, "the end of the call", 30)
    ear.place.server.start()
    assert ear.calls() == []

    with running(Listener(ear.settings, ear.settings.switches[0])):
        call, = ear.ended(1)
    assert (call.call_key, call.disposition, call.end_certain) == (truth.linkedid, "answered", True)
