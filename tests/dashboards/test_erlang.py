"""The staffing formula against published examples, its own laws, the textbook sum, and a simulated line of callers."""

import heapq
import random
import statistics
import time
from fractions import Fraction
from math import exp, factorial, inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import erlang

LOADS = st.floats(0.01, 400, allow_nan=False)
HANDLED = st.floats(10, 1200)
WITHIN = st.floats(0, 120)


def test_the_example_of_pyworkforce() -> None:
    """README of rodrigo-arenas/pyworkforce: ErlangC(transactions=100, aht=3, asa=20/60, interval=30, shrinkage=0.3)."""
    load = erlang.offered(100, 180)
    agents = erlang.needed(load, 180, target=0.8, within=20, most=0.85)
    found = erlang.expected(load, agents, 180, 20)

    assert (load, agents, erlang.on_rota(agents, 0.3)) == (10.0, 14, 20)
    assert found.level == pytest.approx(0.8883500191794669, rel=1e-12)
    assert found.waiting == pytest.approx(0.1741319335950498, rel=1e-12)
    assert found.occupancy == pytest.approx(0.7142857142857143, rel=1e-12)
    assert found.asa == pytest.approx(7.83593701177724, rel=1e-12)  # the same example in R's ErlangC 0.1.0


def test_the_example_of_call_center_tools() -> None:
    """README of call_center_tools: calc_staffing(calls_per_hour=1000, aht=120, max_occupancy=0.85, target 0.8 in 20 s, shrinkage=0.3)."""
    load = erlang.offered(1000, 120, 3600)
    agents = erlang.needed(load, 120, target=0.8, within=20, most=0.85)
    found = erlang.expected(load, agents, 120, 20)

    assert (round(load, 3), agents, erlang.on_rota(agents, 0.3)) == (33.333, 40, 58)
    assert (round(found.level, 4), round(found.asa, 2), round(found.waiting, 4), round(found.occupancy, 4)) == (0.9372, 3.43, 0.1907, 0.8333)


@given(st.floats(0.01, 20), st.integers(1, 40))
def test_the_recurrence_is_the_direct_sum(load: float, agents: int) -> None:
    terms = [load**count / factorial(count) for count in range(agents + 1)]
    assert erlang.blocking(load, agents) == pytest.approx(terms[-1] / sum(terms), rel=1e-9)
    if agents > load:
        last = terms[-1] * agents / (agents - load)
        assert erlang.waiting(load, agents) == pytest.approx(last / (sum(terms[:-1]) + last), rel=1e-9)


@given(LOADS, HANDLED, WITHIN, st.integers(1, 500))
def test_one_more_agent_never_makes_it_worse(load: float, aht: float, within: float, agents: int) -> None:
    few, more = (erlang.expected(load, count, aht, within) for count in (agents, agents + 1))

    assert 0 <= few.level <= more.level <= 1 and 0 <= more.waiting <= few.waiting <= 1
    assert more.asa <= few.asa and more.occupancy <= few.occupancy <= 1


@given(LOADS, HANDLED, WITHIN, st.floats(0.01, 0.995), st.one_of(st.none(), st.floats(0.3, 1)))
def test_the_least_number_keeps_the_target_and_one_fewer_does_not(
        load: float, aht: float, within: float, target: float, most: float | None) -> None:
    agents = erlang.needed(load, aht, target=target, within=within, most=most)
    found = erlang.expected(load, agents, aht, within)
    assert found.level >= target - 1e-12 and (most is None or found.occupancy <= most + 1e-9)
    if agents > 1:
        fewer = erlang.expected(load, agents - 1, aht, within)
        assert fewer.level < target or (most is not None and fewer.occupancy > most)


@given(st.floats(0.01, 200), st.floats(1.01, 3), HANDLED, WITHIN)
def test_more_calls_never_need_fewer_agents(load: float, growth: float, aht: float, within: float) -> None:
    now, then = (erlang.needed(size, aht, target=0.8, within=within) for size in (load, load * growth))
    assert now <= then


def simulated(load: float, agents: int, aht: float, within: float, calls: int, seed: int) -> tuple[list[float], list[float]]:
    """The service level and the mean wait of each of 25 stretches of one long day: first come, first served."""
    chance, free, clock, waits = random.Random(seed), [0.0] * agents, 0.0, []
    for _number in range(calls):
        clock += chance.expovariate(load / aht)
        begins = max(clock, heapq.heappop(free))
        heapq.heappush(free, begins + chance.expovariate(1 / aht))
        waits.append(begins - clock)
    size = calls // 26
    stretches = [waits[size * part: size * (part + 1)] for part in range(1, 26)]  # the first fills the empty house and is left out
    return [sum(wait <= within for wait in part) / size for part in stretches], [statistics.fmean(part) for part in stretches]


@pytest.mark.parametrize(("load", "agents"), [(0.7, 2), (4.2, 6), (10.0, 14), (33.3, 37)])
def test_a_simulated_line_agrees_within_its_own_error(load: float, agents: int) -> None:
    levels, waits = simulated(load, agents, 180.0, 20.0, 104_000, seed=1917)
    for found, said in ((levels, erlang.service_level(load, agents, 180, 20)), (waits, erlang.asa(load, agents, 180))):
        error = statistics.stdev(found) / len(found) ** 0.5
        assert abs(statistics.fmean(found) - said) < 4 * error, (statistics.fmean(found), said, error)
        assert error < 0.12 * said  # an error so large that it proves nothing would be none


def test_a_large_load_is_exact_and_fast() -> None:
    began = time.perf_counter()
    agents = erlang.needed(500, 240, target=0.8, within=20)
    took = time.perf_counter() - began

    assert took < 0.05
    for count in (agents, agents - 1):
        blocked = exact_blocking(500, count)
        queued = blocked / (1 - Fraction(500, count) * (1 - blocked))
        assert erlang.blocking(500, count) == pytest.approx(float(blocked), rel=1e-12)
        assert erlang.waiting(500, count) == pytest.approx(float(queued), rel=1e-10)
        assert (1 - float(queued) * exp(-(count - 500) * 20 / 240) >= 0.8) == (count == agents)


def exact_blocking(load: int, agents: int) -> Fraction:
    """Erlang B in whole numbers, upside down: 1 / B(n) = 1 + n / a / B(n - 1)."""
    turned = Fraction(1)
    for count in range(1, agents + 1):
        turned = 1 + Fraction(count, load) * turned
    return 1 / turned


def test_nobody_calls_and_nobody_is_needed() -> None:
    assert erlang.needed(0, 180, target=0.8, within=20, most=0.85) == 0
    assert erlang.expected(0, 0, 180, 20) == erlang.Staffed(0, 0.0, 1.0, 0.0, 0.0)
    assert erlang.occupancy(0, 0) == 0.0


def test_a_team_as_small_as_its_load_never_gets_through() -> None:
    found = erlang.expected(5, 5, 180, 20)
    assert (found.waiting, found.level, found.asa, found.occupancy) == (1.0, 0.0, inf, 1.0)
    assert erlang.occupancy(9, 5) == 1.0


def test_without_time_to_answer_the_level_is_who_need_not_wait() -> None:
    assert erlang.service_level(10, 14, 180, 0) == pytest.approx(1 - erlang.waiting(10, 14))


@pytest.mark.parametrize("wrong", [
    lambda: erlang.offered(-1, 180), lambda: erlang.offered(nan, 180), lambda: erlang.offered(10, -5), lambda: erlang.offered(10, 180, 0),
    lambda: erlang.offered(1e9, 86400), lambda: erlang.blocking(-0.1, 3), lambda: erlang.blocking(inf, 3), lambda: erlang.blocking(5, -1),
    lambda: erlang.waiting(5, 2_000_000), lambda: erlang.service_level(5, 7, 0, 20), lambda: erlang.service_level(5, 7, 180, -1),
    lambda: erlang.needed(5, 180, target=0, within=20), lambda: erlang.needed(5, 180, target=1, within=20),
    lambda: erlang.needed(5, 180, target=0.8, within=20, most=0), lambda: erlang.needed(5, 180, target=0.8, within=20, most=1.2),
    lambda: erlang.needed(5, nan, target=0.8, within=20), lambda: erlang.on_rota(5, 1), lambda: erlang.on_rota(5, -0.1),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_a_sentence(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"^(The|Shrinkage) .+ is not\.( .+\.)?$"):
        wrong()  # type: ignore[operator]
