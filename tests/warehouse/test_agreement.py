"""Wallboard, statistics, call list, archive and the rule in Python say the same of every queue and day, to the call."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from etl import nightly
from service.calls import actions as calls
from service.calls import finding
from service.calls.kpi import queries as kpis
from service.calls.kpi.model import KpiPolicy
from service.calls.schemas import CallFacts, TransferFacts
from service.calls.wallboard import queries as wallboard
from service.core import clock, db, kpi, scope
from service.core.config import Settings
from service.core.kpi import Figures, Policy, measured
from telephony import replay
from telephony.journal import Position
from telephony.rows import call_facts
from tests import make
from tests.conftest import AT
from tests.telephony.test_replay import CAPTURES
from warehouse.read import Archive, Generation

Key = tuple[date, str]  # local day, queue
SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
FIELDS = ("offered", "answered", "abandoned", "short", "within", "hits", "counted", "transferred", "waited", "talked", "held")
FIGURES = """sum(offered), sum(answered), sum(abandoned), sum(short_abandoned), sum(within_limit), sum(level_hit), sum(level_counted), sum(transferred),
    coalesce(sum(case when answered = 1 then wait_seconds end), 0), coalesce(sum(case when answered = 1 then talk_seconds end), 0),
    coalesce(sum(case when answered = 1 then hold_seconds end), 0)"""
ENDS = ("answered",) * 5 + ("transferred", "abandoned", "abandoned", "abandoned", "no-answer", "voicemail", "lost")
QUEUES = ("support", "sales", None)


@dataclass(frozen=True)
class World:
    """Where and when: the firm's zone, its days, and the policies with their first days."""

    zone: ZoneInfo
    days: Sequence[date]
    policies: Sequence[Policy]


# One day of each formula; the clocks of Berlin go back on 25 October and forward on 29 March.
AUTUMN = [date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 26), date(2026, 10, 27)]
SPRING = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
WORLDS = {
    "shanghai": World(SHANGHAI, [date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)], (
        Policy(2, date(2026, 11, 23), 15, 4, level_formula=kpi.PERF), Policy(3, date(2026, 11, 24), 30, 0, level_formula=kpi.PERF2),
        Policy(4, date(2026, 11, 25), 20, 10, level_formula=kpi.LATE))),
    "autumn": World(BERLIN, AUTUMN, (Policy(2, AUTUMN[1], 10, 3), Policy(3, AUTUMN[2], 40, 8, level_formula=kpi.PERF2))),
    "spring": World(BERLIN, SPRING, (Policy(2, SPRING[1], 10, 3, level_formula=kpi.LATE), Policy(3, SPRING[1], 12, 6), Policy(4, SPRING[2], 40))),
}


@pytest.fixture
def firms_clock() -> Iterator[None]:
    """The firm lives elsewhere for a while."""
    yield
    clock.use(SHANGHAI)


def day_of_calls(dice: random.Random, world: World, day: date, count: int) -> list[CallFacts]:
    """Calls of that day, the first and the last at its very edges; waits lie on the limits and beside them."""
    begins, ends = clock.midnight(day), clock.midnight(day + timedelta(days=1))
    moments = [begins, ends - timedelta(microseconds=1), *(begins + (ends - begins) * dice.random() for _ in range(count - 2))]
    return [one_call(dice, at) for at in moments]


def one_call(dice: random.Random, at: datetime) -> CallFacts:
    end, wait = dice.choice(ENDS), dice.choice(["0", "2.999", "3", "3.001", "4", "5", "9.999", "10", "15", "20", "20.001", "30", "40", "75.5", None])
    took = end in kpi.ANSWERED
    how, taken = dice.choice(("blind", "attended", "park")), dice.random() < 0.5
    agent = dice.choice(("1001", "1002", "1003")) if took else None  # nobody sits at 1003
    return make.facts(
        at, queue=dice.choice(QUEUES), direction=dice.choice(("inbound",) * 6 + ("outbound", "internal")), disposition=end, agent=agent, answered_by=agent,
        answered_at=at + timedelta(seconds=10) if took else None, wait_seconds=Decimal(wait) if wait else None, caller_number=f"138{dice.randrange(10**8):08d}",
        talk_seconds=Decimal(dice.randrange(1, 400000)) / 1000 if took else None, hold_seconds=Decimal(dice.randrange(0, 9000)) / 1000 if took else None,
        transfers=(TransferFacts(how, agent, "1002", taken, at),) if took and dice.random() < 0.3 else (),
    )


def reckoned(told: Sequence[CallFacts], policies: Sequence[Policy]) -> dict[Key, Figures]:
    """Every queue and day by the pure rule, one call after the other."""
    found, sums = kpi.stretches([Policy(), *policies]), dict[Key, Figures]()
    for call in told:
        if call.direction != "inbound" or call.queue is None or call.started_at is None:
            continue
        day = clock.local(call.started_at).date()
        took, gone = call.disposition in kpi.ANSWERED, call.disposition == "abandoned"
        one = measured(kpi.of_day(found, day), answered=took, abandoned=gone, wait=call.wait_seconds)
        passed = took and any(move.how == "blind" or (move.how == "attended" and move.answered) for move in call.transfers)
        seconds = [value or 0 if took else 0 for value in (call.wait_seconds, call.talk_seconds, call.hold_seconds)]
        figures = Figures(1, took, gone, one.short, one.within, one.hit, one.counted, passed, *seconds)
        sums[day, call.queue] = sums.get((day, call.queue), Figures()) + figures
    return sums


def archived(generation: Generation, by: str = "started_on, queue") -> dict[Any, Figures]:
    rows = generation.rows(f"select {by}, {FIGURES} from mart.fact_call where offered = 1 group by {by}").rows
    return {(row[0], row[1].partition("/")[2]): Figures(*row[2:]) for row in rows}


def same(one: Figures, other: Figures) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in FIELDS) and one.level == other.level


def published(settings: Settings, folder: Path, world: World) -> Generation:
    own = replace(settings, data=folder, timezone=world.zone)
    assert nightly.run(own, slot="kpi", at=clock.midnight(world.days[-1] + timedelta(days=1))).refused is None
    return Archive(own.warehouse_dir).generation()


def posed(clean: db.Database, world: World) -> None:
    """The firm lives there, with these policies."""
    clock.use(world.zone)
    with db.begin(scope.ALL, clean.app) as work:
        for one in world.policies:
            work.add(KpiPolicy(**vars(one), set_at=AT))


@pytest.mark.parametrize("name", WORLDS)
def test_every_screen_says_the_same_of_a_random_day(
    name: str, settings: Settings, committed_cast: SimpleNamespace, clean: db.Database, tmp_path: Path, firms_clock: None
) -> None:
    world, dice, told = WORLDS[name], random.Random(name), list[CallFacts]()
    posed(clean, world)
    boards: dict[Key, Figures] = {}
    for day in world.days:
        told += (today := day_of_calls(dice, world, day, 70))
        with db.begin(scope.ALL, clean.app) as work:
            calls.store_calls(work, today, None, at=clock.midnight(day + timedelta(days=1)))
            shown = wallboard.board(work, ["pbx1"], at=clock.midnight(day + timedelta(days=1)), midnight=clock.midnight(day), reach=scope.ALL)
        boards |= {(day, line.name): line.day for line in shown.lines if line.day.offered}
        assert shown.policy == kpi.of_day(kpi.stretches([Policy(), *world.policies]), day)
    truth, archive = reckoned(told, world.policies), archived(published(settings, tmp_path, world))

    assert set(truth) == set(boards) == set(archive) and len(truth) == 2 * len(world.days)
    with db.begin(scope.ALL, clean.app) as work:
        rules = kpis.measured_by(kpis.stretches(work))
        for (day, queue), true in truth.items():
            wanted = finding.Filters(since=clock.midnight(day), until=clock.midnight(day + timedelta(days=1)), queue=queue, switch="pbx1", measured_by=rules)
            assert same(true, finding.sums(work, wanted).queued), (day, queue)
            assert same(true, archive[day, queue]), (day, queue)
            assert same(true, replace(boards[day, queue], transferred=true.transferred)), (day, queue)  # the wallboard counts no transfers
            for figure in ("offered", "answered", "abandoned", "short", "within", "hits", "counted", "transferred"):
                listed = finding.sums(work, replace(wanted, figure=figure)).calls
                assert listed == getattr(true, figure), (day, queue, figure)
        whole = finding.sums(work, finding.Filters(measured_by=rules)).queued
        groups = finding.grouped(work, finding.Filters(measured_by=rules), "day", str(world.zone))
    assert same(whole, sum(truth.values(), Figures())) and same(whole, sum(archive.values(), Figures()))
    assert same(whole, sum((one.sums.queued for one in groups), Figures()))


def test_three_hundred_calls_of_a_real_switch_are_the_same_everywhere(
    settings: Settings, committed_cast: SimpleNamespace, clean: db.Database, tmp_path: Path, firms_clock: None
) -> None:
    told = [call_facts("pbx1", call, Position(1, number)) for number, call in enumerate(replay.replay([CAPTURES / "load-300-queue.ami.gz"]).in_order(), 1)]
    days = sorted({clock.local(call.started_at).date() for call in told if call.started_at})
    world = World(SHANGHAI, days, (Policy(2, days[0], 8, 2),))
    posed(clean, world)
    with db.begin(scope.ALL, clean.app) as work:
        calls.store_calls(work, told, None, at=clock.midnight(days[-1] + timedelta(days=1)))
        shown = wallboard.board(work, ["pbx1"], at=clock.midnight(days[-1] + timedelta(days=1)), midnight=clock.midnight(days[0]), reach=scope.ALL)
        stated = finding.sums(work, finding.Filters(measured_by=kpis.measured_by(kpis.stretches(work)))).queued
    truth = sum(reckoned(told, world.policies).values(), Figures())
    archive = sum(archived(published(settings, tmp_path, world)).values(), Figures())

    assert truth.offered == 300
    assert 0 < truth.answered < 300 and truth.hits > 0
    assert same(truth, stated) and same(truth, archive) and same(truth, replace(shown.day, transferred=truth.transferred))
