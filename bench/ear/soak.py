"""A switch that never rests: the real listener process, its journal, its sink and a real PostgreSQL, minute after minute.

Sustained: the events were sent at the rate that was asked for, no call that ended was stored more than LAG seconds later, and
in the end the database holds every call once, ended. Flat: the listener's memory in the last third of the minutes is no more
than GROWTH times that of the third before. The load's own process takes a part of the machine; it is told beside.
"""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import psutil
from sqlalchemy import text

from bench.ear.stream import Laps, stream
from bench.ear.switch import Switch
from bench.stage import Stage, free_port, stage
from service.core import clock, db, scope

RATE, LAG, GROWTH, SETTLED = 2000.0, 5.0, 1.10, 60.0
EXTENSIONS = 100  # the load's phones are 2001 and the next; each is somebody's, so that its pops are told
_MINUTE = text("""
    select count(*), coalesce(percentile_cont(0.5) within group (order by lag), 0), coalesce(max(lag), 0)
    from (select extract(epoch from stored_at - ended_at)::float as lag from call where not live and stored_at > :since) as c
""")
_ALL = text("select count(*), count(distinct call_key), count(*) filter (where live) from call")


@dataclass(frozen=True)
class Minute:
    """What one minute was like; memory in MB, processors in percent of one core."""

    events: float
    calls: int
    lag: float
    worst: float
    memory: float
    listener: float
    load: float


class Watch:
    """Looks at the listener and the database once a minute."""

    def __init__(self, switch: Switch, listener: psutil.Process) -> None:
        self.minutes: list[Minute] = []
        self._switch, self._listener, self._own = switch, listener, psutil.Process()

    async def look(self) -> None:
        """Notes and prints minutes until cancelled."""
        print(f"{'minute':>6} {'events/s':>9} {'calls/s':>8} {'lag s':>6} {'worst':>6} {'RSS MB':>7} {'CPU %':>6} {'load %':>7}")
        async for passed, since in _ticks():
            found = await asyncio.to_thread(self._minute, since, passed)
            self.minutes.append(found)
            print(f"{len(self.minutes):>6} {found.events:>9,.0f} {found.calls / passed:>8.1f} {found.lag:>6.2f} {found.worst:>6.2f} "
                  f"{found.memory:>7.1f} {found.listener:>6.0f} {found.load:>7.0f}", flush=True)

    def start(self) -> None:
        """From now on is counted."""
        self._events = self._switch.sent
        self._listener.cpu_percent()
        self._own.cpu_percent()

    def _minute(self, since: datetime, passed: float) -> Minute:
        with db.begin(scope.ALL) as session:
            calls, lag, worst = session.execute(_MINUTE, {"since": since}).one()
        events, self._events = self._switch.sent - self._events, self._switch.sent
        return Minute(events / passed, calls, lag, worst, self._listener.memory_info().rss / 2**20,
                      self._listener.cpu_percent(), self._own.cpu_percent())


async def _ticks() -> AsyncIterator[tuple[float, datetime]]:
    """Each minute: how long it was and when it began."""
    while True:
        began, since = time.monotonic(), clock.now()
        await asyncio.sleep(60)
        yield time.monotonic() - began, since


def soak(minutes: float, *, rate: float = RATE, source: str = "product") -> bool:
    """Prints a line a minute and the verdict; True when the rate was sustained and memory flat."""
    port = free_port()
    with stage(people=EXTENSIONS, ami_port=port) as place:
        return asyncio.run(_soaked(place, port, minutes, rate, source))


async def _soaked(place: Stage, port: int, minutes: float, rate: float, source: str) -> bool:
    switch = Switch(Laps(stream(source)))
    await switch.start(port)
    child = place.run("listen", "--switch", "pbx1")
    try:
        await asyncio.wait_for(switch.logged_in.wait(), 60)
        await asyncio.sleep(1.0)
        print(f"{source} stream, {rate:,.0f} events/s wanted, {minutes:g} minutes")
        watch = Watch(switch, psutil.Process(child.pid))
        watch.start()
        looking = asyncio.create_task(watch.look())
        took = await switch.play(rate, minutes * 60)
        looking.cancel()
        settled = await _settled(switch.calls)
        return _verdict(watch.minutes, switch, took, rate, settled)
    finally:
        place.end(child)
        switch.stop()


async def _settled(calls: int) -> float | None:
    """Seconds until every call stood in the database once, ended; None when that never came."""
    began = time.monotonic()
    while time.monotonic() - began < SETTLED:
        with db.begin(scope.ALL) as session:
            rows, different, live = session.execute(_ALL).one()
        if (rows, different, live) == (calls, calls, 0):
            return time.monotonic() - began
        await asyncio.sleep(0.2)
    print(f"sent {calls:,} calls; the database holds {rows:,}, {different:,} different ones, {live:,} without an end")
    return None


def _verdict(minutes: list[Minute], switch: Switch, took: float, rate: float, settled: float | None) -> bool:
    achieved, worst = switch.sent / took, max((minute.worst for minute in minutes), default=0.0)
    sustained = achieved >= rate * 0.995 and worst <= LAG and settled is not None
    grown = growth([minute.memory for minute in minutes])
    print(f"{switch.sent:,} events of {switch.calls:,} calls in {took:.0f} s: {achieved:,.0f} events/s; the wire was at most "
          f"{switch.behind:.1f} s behind its plan, the database at most {worst:.1f} s")
    print("every call is stored once, ended" + (f", {settled:.1f} s after the last event" if settled is not None else ": NO"))
    print(f"memory of the last third of the minutes: {grown:.2f} x the third before")
    print(f"sustained: {'yes' if sustained else 'NO'}   flat: {'yes' if grown <= GROWTH else 'NO'}")
    return sustained and grown <= GROWTH


def growth(memory: list[float]) -> float:
    """The last third's median by that of the third before; not a number when there are too few minutes."""
    third = len(memory) // 3
    if not third:
        return float("nan")
    return statistics.median(memory[-third:]) / statistics.median(memory[-2 * third:-third])
