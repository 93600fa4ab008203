"""Listener, web, PostgreSQL and a night are killed at random moments while calls ring: nothing is lost, doubled or torn."""

import pytest

from bench.kill.rounds import ENOUGH, VICTIMS, rounds

SEED = 20


@pytest.mark.slow
def test_two_rounds_in_which_everybody_dies() -> None:
    with rounds(SEED) as played:
        told = [played.play(number) for number in (1, 2)]
        second = played.second_night()
        reads, pops = played.reader.reads, set().union(*(browser.seen for browser in played.browsers))

    assert [round_.wrong for round_ in told] == [[], []]
    assert {name for round_ in told for name, _ in round_.deaths} == set(VICTIMS)
    assert all(round_.calls >= ENOUGH for round_ in told)
    assert reads > 50
    assert pops
    assert second == "Error: A night is already running on this database. Wait until it has ended; the page “Nights” shows it."
