"""One round: phones ring while streams, screens, page clients and board people are at work; what arrived, when, and at whose cost."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from sqlalchemy import text

from bench.pop.feeder import Feeder, Order
from bench.pop.furniture import CALLERS, number_of
from bench.pop.machine import Meter
from bench.pop.screen import Screen
from bench.stage import Stage
from service.core import db, scope

PAGES = ("/tickets?view=all", "/calls")
BOARDS = (("/dashboards/calls", "?p=30"), ("/dashboards/sla", "?p=90"), ("/dashboards/calls", "?p=90"))
THINK = 5.0  # seconds between the clicks of a person on the boards
PATIENCE = 5.0  # seconds that a caller lets it ring
SCREEN_EVERY = 0.5  # seconds between two rings at the screen; its callers give up before the next
FLOOR_EVERY = 0.1



@dataclass(frozen=True)
class Load:
    """Who is there in a round."""

    name: str
    seconds: float
    streams: int = 0
    rate: float = 0.0
    pages: int = 0
    boards: int = 0


@dataclass
class Found:
    """Seconds from the switch's bytes to each place, and what went wrong."""

    load: Load
    rate: float = 0.0
    streams: list[float] = field(default_factory=list)
    screen: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)
    rung: int = 0
    lost: int = 0
    astray: int = 0
    resyncs: int = 0
    pages: dict[str, Any] = field(default_factory=dict)
    boards: dict[str, Any] = field(default_factory=dict)
    cores: dict[str, float] = field(default_factory=dict)


@dataclass
class Ground:
    """What stays from round to round."""

    place: Stage
    feeder: Feeder
    screen: Screen
    roots: dict[str, list[int]]


def play(ground: Ground, load: Load) -> Found:
    """The round is over; everything that was asked to arrive has had its time."""
    with ExitStack() as stack:
        bare = _started(stack, ground, "bench.pop.floor", db.raw_dsn(ground.place.settings.dsn_app))
        port = int(_line(bare))
        streams = _streams(stack, ground, load, port)
        pages = _busy(stack, ground, load.pages, _page_requests(), 0.0)
        boards = _busy(stack, ground, load.boards, _board_requests(ground.place), THINK)
        groups = {"streams": streams, "pages": pages, "boards": boards, "floor": bare}
        roots = ground.roots | {f"{name} clients": [child.pid] for name, child in groups.items() if child}
        ground.screen.taken()
        meter, told = Meter(roots), {}
        with _floor(ground.place, told):
            rung = _ring(ground, load)
            cores = meter.read()
        at = sorted(ground.feeder.sent[call] for call in rung if call in ground.feeder.sent)
        found = Found(load, cores=cores, rung=len(rung), rate=len(at) / (at[-1] - at[0]))
        found.pages, found.boards = (_stopped(child) if child else {} for child in (pages, boards))
        _of_streams(found, ground, rung, _stopped(streams), told)
        _of_screen(found, ground, rung)
    return found


def _ring(ground: Ground, load: Load) -> dict[str, int]:
    """All phones ring that should; returns who was rung by which call."""
    crowd = [Order(1 + n % load.streams, number_of(1 + n % CALLERS), PATIENCE) for n in range(int(load.rate * load.seconds))]
    own = [Order(ground.screen.first, number_of(1 + n), SCREEN_EVERY * 0.8) for n in range(int(load.seconds / SCREEN_EVERY))]
    parts = [ground.feeder.play(own, 1 / SCREEN_EVERY)] + ([ground.feeder.play(crowd, load.rate)] if crowd else [])
    return {call: person for part in parts for call, person in part.result().items()}


def _page_requests() -> list[dict[str, Any]]:
    return [{"path": path} for path in PAGES]


def _board_requests(place: Stage) -> list[dict[str, Any]]:
    """What a browser asks when somebody turns to the next board."""
    headers = {"Content-Type": "application/json", "X-CSRFToken": place.token()}
    return [
        {"path": "/dashboards/_dash-update-component", "headers": headers, "body": json.dumps(_drawn(path, search))}
        for path, search in BOARDS
    ]


def _drawn(path: str, search: str) -> dict[str, Any]:
    where = [("pathname", path), ("search", search)]
    return {
        "output": "board.children",
        "outputs": {"id": "board", "property": "children"},
        "inputs": [{"id": "url", "property": name, "value": value} for name, value in where],
        "changedPropIds": [f"url.{name}" for name, _ in where],
    }


# ---- helper processes


def _started(stack: ExitStack, ground: Ground, module: str, *words: str) -> Any:
    child = ground.place.python(module, *words)
    stack.callback(ground.place.end, child)
    return child


def _line(child: Any) -> str:
    said = str(child.stdout.readline()).strip()
    if not said:
        raise RuntimeError(f"a helper of the bench ended: {child.args}")
    return said


def _streams(stack: ExitStack, ground: Ground, load: Load, bare: int) -> Any:
    cookies = {str(person): ground.place.cookie(person) for person in range(1, load.streams + 1)}
    child = _started(stack, ground, "bench.pop.streams")
    _told(child, {"port": ground.place.settings.port, "cookies": cookies, "bare": bare})
    return child


def _busy(stack: ExitStack, ground: Ground, people: int, requests: list[dict[str, Any]], think: float) -> Any:
    if not people:
        return None
    cookies = [f"ringdesk={ground.place.cookie(person)}" for person in range(1, people + 1)]
    child = _started(stack, ground, "bench.pop.pages")
    _told(child, {"port": ground.place.settings.port, "cookies": cookies, "requests": requests, "think": think})
    return child


def _told(child: Any, order: dict[str, Any]) -> None:
    child.stdin.write(json.dumps(order) + "\n")
    child.stdin.flush()
    assert _line(child) == "ready"


def _stopped(child: Any) -> Any:
    child.stdin.write("stop\n")
    child.stdin.flush()
    return json.loads(_line(child))


@contextmanager
def _floor(place: Stage, told: dict[str, float]) -> Iterator[None]:
    """Ten times a second a bare NOTIFY leaves; `told` says when."""
    over = threading.Event()

    def run() -> None:
        connection = psycopg2.connect(db.raw_dsn(place.settings.dsn_app))
        connection.autocommit = True
        cursor = connection.cursor()
        while not over.wait(FLOOR_EVERY):
            key = str(len(told))
            told[key] = time.monotonic()
            cursor.execute("select pg_notify('bench_floor', %s)", (key,))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# ---- what arrived


def _of_streams(found: Found, ground: Ground, rung: dict[str, int], heard: dict[str, Any], told: dict[str, float]) -> None:
    first: dict[str, float] = {}
    for call, person, at in heard["pops"]:
        if rung.get(call) != person:
            found.astray += 1
        first[call] = min(at, first.get(call, at))
    sent = {call: ground.feeder.sent.get(call) for call, person in rung.items() if person != ground.screen.first}
    arrived = {call: first[call] - at for call, at in sent.items() if at is not None and call in first}
    found.streams = list(arrived.values())
    found.lost += len(sent) - len(arrived)
    found.resyncs, found.astray = heard["resyncs"], found.astray + heard["closed"]
    found.floor = [at - told[key] for key, at in heard["bare"] if key in told]


def _of_screen(found: Found, ground: Ground, rung: dict[str, int]) -> None:
    seen = ground.screen.taken()
    mine = seen.pop(ground.screen.first)
    keys = _calls_of({pop for pop, _at in mine})
    first = {keys[pop]: at for pop, at in reversed(mine)}
    sent = {call: ground.feeder.sent.get(call) for call, person in rung.items() if person == ground.screen.first}
    arrived = {call: first[call] - at for call, at in sent.items() if at is not None and call in first}
    found.screen = list(arrived.values())
    found.lost += len(sent) - len(arrived)
    found.astray += sum(len(others) for others in seen.values()) + len(set(first) - set(sent))


def _calls_of(pops: set[int]) -> dict[int, str]:
    with db.begin(scope.ALL) as session:
        rows = session.execute(text("select id, call_key from agent_pop where id = any(:ids)"), {"ids": list(pops)})
        return {row.id: row.call_key for row in rows}
