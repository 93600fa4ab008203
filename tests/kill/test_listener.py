"""A listener that dies in the midst of calls: each is one record afterwards, honest about what was not heard."""

from bench.kill.firm import until
from bench.kill.proof import LOOK
from tests.kill.conftest import Ear


def test_a_call_that_outlives_the_listener_is_one_record_with_its_true_end(ear: Ear) -> None:
    listener = ear.listen()
    truth = ear.board.ring(1)
    until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
    killed = ear.kill(listener)
    ear.listen()
    ear.board.hang_up(truth)
    call, = ear.ended(1)

    assert (call.disposition, call.hangup_by, call.end_certain) == (truth.disposition, truth.hangup_by, True)
    assert truth.ended_at is not None
    assert abs(call.ended_at.timestamp() - truth.ended_at) < 0.1
    gap, = ear.gaps()
    assert gap.reason == "the listener was stopped"
    assert gap.began_at.timestamp() <= killed
    assert gap.ended_at.timestamp() >= ear.board.heard[1][0] - LOOK
    assert [pop.state for pop in ear.pops()] == ["ended"]


def test_a_call_that_ends_while_nobody_listens_is_one_record_with_an_unknown_end(ear: Ear) -> None:
    listener = ear.listen()
    truth = ear.board.ring(1)
    until(lambda: [call for call in ear.calls() if call.answered_at], "the answered call", 30)
    ear.kill(listener)
    ear.board.hang_up(truth)
    ear.listen()
    call, = ear.ended(1)

    assert (call.disposition, call.hangup_by, call.end_certain, call.provenance) == ("answered", None, False, "repaired")
    until(lambda: ear.gaps() and ear.gaps()[0].ended_at, "the end of the gap", 30)
    gap, = ear.gaps()
    assert call.ended_at <= gap.ended_at
    until(lambda: [pop.state for pop in ear.pops()] == ["ended"], "the pop to end", 30)


def test_a_call_that_was_told_whole_is_not_told_again_in_part(ear: Ear) -> None:
    listener = ear.listen()
    first = ear.board.ring(1, after=2.0)
    until(ear.calls, "the first call", 30)
    second = ear.board.ring(2)  # the restart re-reads from here, where the first is not answered yet
    until(lambda: sum(bool(call.answered_at) for call in ear.calls()) == 2, "two answered calls", 30)
    ear.board.hang_up(first)
    ear.ended(1)
    before = [tuple(call) for call in ear.calls() if call.call_key == first.linkedid]
    ear.kill(listener)
    ear.listen()
    ear.board.hang_up(second)
    calls = ear.ended(2)

    assert [tuple(call) for call in calls if call.call_key == first.linkedid] == before
    assert [call.call_key for call in calls] == [first.linkedid, second.linkedid]
