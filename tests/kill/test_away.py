"""PostgreSQL dies while calls come in: the journal keeps them, the books catch up, nothing is told twice."""

from bench.kill.firm import until
from bench.kill.proof import LOOK
from tests.kill.conftest import Ear


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


def test_a_listener_that_lives_and_dies_without_the_books_leaves_its_calls_and_both_gaps(ear: Ear) -> None:
    first = ear.listen()
    whole = ear.board.ring(1)
    until(ear.calls, "the first call", 30)
    ear.place.kill_postgresql()
    ear.kill(first)
    second = ear.listen()
    ear.board.hang_up(whole)
    within = ear.board.ring(2)
    until(lambda: within.linkedid.encode() in ear.raw(), "the journal to have the second call", 30)
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
