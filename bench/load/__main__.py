"""`python -m bench.load [--rates 20 50 100] [--seconds 60] [--asterisk DIR]`: a real switch at so many calls a second through a queue.

Each call in the books is compared with what the switch wrote down of it. Beside our listener, in the same run and signed in as
the same user, a reader that only stores bytes: its lag is the switch's and the machine's, the difference is ours.
`--away MINUTES` plays one rate and takes PostgreSQL away for so long: nothing may be lost or doubled, memory stays bounded, and
how fast the books catch up is printed. The switch is the one of tests/asterisk/install, or the folder that --asterisk names.
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import psutil

from bench.backfill.load import DIDS, until_quiet
from bench.load import truth
from bench.load.lag import lags, percentile
from bench.load.place import Place, place

RATES = (20.0, 50.0, 100.0)
TALK = 1.65  # seconds that a caller of bench/backfill/caller.xml stays, on average
CALLS = "select call_key, caller_number, answered_by, disposition, answered_at, ended_at, live, stored_at from call where started_at >= to_timestamp(:since)"


def phones(rate: float) -> int:
    """So many that a caller finds one that is free."""
    return int(rate * TALK * 1.6) + 20


@dataclass
class Meter:
    """Processor seconds and memory of all who take part, from its making on."""

    made: Place

    def __post_init__(self) -> None:
        self.began, self.who, self.before = time.monotonic(), self.made.who(), {}
        self.before = {name: _spent(them) for name, them in self.who.items()}
        self.memory = {name: _memory(self.who[name]) for name in ("ours", "storing")}
        psutil.cpu_percent()

    def read(self) -> tuple[dict[str, float], dict[str, float], float]:
        """Return cores used by each, MB of memory of the readers now, and how busy the machine was, in percent of all its cores."""
        passed = time.monotonic() - self.began
        used = {name: (_spent(them) - self.before[name]) / passed for name, them in self.who.items()}
        return used, {name: _memory(self.who[name]) for name in self.memory}, psutil.cpu_percent()


def _spent(them: list[psutil.Process]) -> float:
    total = 0.0
    for one in them:
        try:
            spent = one.cpu_times()
            total += spent.user + spent.system
        except psutil.Error:
            continue
    return total


def _memory(them: list[psutil.Process]) -> float:
    return sum(one.memory_info().rss for one in them) / 2**20


def settled(made: Place, calls: int, since: float, patience: float = 180.0) -> float:
    """Seconds until so many calls stand in the books with their end; the patience when that never came."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        if made.rows(f"select count(*) from ({CALLS}) c where not live", since=since)[0][0] >= calls:
            return time.monotonic() - began
        time.sleep(0.5)
    return patience


def told(made: Place, since: float) -> dict[str, list[Any]]:
    """The calls in the books since then, by name."""
    found: dict[str, list[Any]] = {}
    for row in made.rows(CALLS, since=since):
        found.setdefault(row.call_key, []).append(row)
    return found


def finished(calls: "subprocess.Popen[bytes]", patience: float) -> None:
    """No caller is left."""
    try:
        calls.wait(patience)
    except subprocess.TimeoutExpired:
        calls.kill()
        calls.wait()


def one_rate(rate: float, seconds: float) -> int:
    """Plays one rate and prints what came of it; returns how much is wrong."""
    with place(phones(rate), rate) as made:
        mark, since = made.cel.stat().st_size if made.cel.exists() else 0, time.time()
        calls = made.load.calls(seconds, DIDS[0])
        time.sleep(1.0)
        meter = Meter(made)
        time.sleep(seconds - 2.0)
        used, memory, busy = meter.read()
        until = time.time()
        finished(calls, 60)
        until_quiet(made.lab)
        true = truth.calls(made.cel, mark)
        late, found = settled(made, len(true), since), told(made, since)
        wrong = truth.wrong(true, found)
        ours = [lag for path in made.journal() for lag in lags(path, since, until)]
        peer = lags(made.stored, since, until)
        stored = [(row.stored_at - row.ended_at).total_seconds() for rows in found.values() for row in rows if row.ended_at]
        cuts = made.rows("select count(*) from feed_gap where reason = 'connection lost'")[0][0]
        apart = truth.apart(true, found)
        answered = sum(call.connected is not None for call in true.values())
    print(f"{rate:.0f} calls/s for {seconds:.0f} s: {len(true)} calls, {answered} answered; {len(ours) / (until - since):,.0f} events/s; "
          f"wrong: {', '.join(f'{name} {count}' for name, count in wrong.items() if count) or 'none'}; {cuts} disconnections")
    print(f"  a call's answer and end, as heard and as written: p50 {1000 * percentile(apart, 0.5):.1f} ms, p99 {1000 * percentile(apart, 0.99):.1f} ms apart")
    print(f"  {'':22}{'ours':>10}{'storing':>10}{'ratio':>8}")
    rows = [("lag p50, ms", 1000 * percentile(ours, 0.5), 1000 * percentile(peer, 0.5)),
            ("lag p99, ms", 1000 * percentile(ours, 0.99), 1000 * percentile(peer, 0.99)),
            ("processor, cores", used["ours"], used["storing"]),
            ("memory at start, MB", meter.memory["ours"], meter.memory["storing"]),
            ("memory at end, MB", memory["ours"], memory["storing"])]
    for name, one, other in rows:
        print(f"  {name:22}{one:10.2f}{other:10.2f}{one / other if other else float('nan'):8.2f}")
    print(f"  in the books after the end: p50 {percentile(stored, 0.5):.2f} s, p99 {percentile(stored, 0.99):.2f} s; all {late:.1f} s after the last hang-up")
    shares = ", ".join(f"{name} {used[name]:.2f}" for name in ("Asterisk", "SIPp", "PostgreSQL"))
    print(f"  cores used by others: {shares}; the machine's {psutil.cpu_count()} cores were {busy:.0f} % busy", flush=True)
    return sum(wrong.values()) + cuts


def away(rate: float, minutes: float) -> int:
    """PostgreSQL is away for so long while calls come in; returns how much is wrong."""
    seconds = minutes * 60 + 30
    with place(phones(rate), rate) as made:
        mark, since = made.cel.stat().st_size if made.cel.exists() else 0, time.time()
        calls = made.load.calls(seconds, DIDS[0])
        time.sleep(10)
        memory = [_memory([made.listener])]
        made.server.stop()
        gone = time.monotonic()
        while time.monotonic() - gone < minutes * 60:
            time.sleep(5)
            memory.append(_memory([made.listener]))
        made.server.start()
        back = time.time()
        waiting = len(truth.calls(made.cel, mark))
        caught = _caught_up(made, since, back, memory)
        finished(calls, 90)
        until_quiet(made.lab)
        true = truth.calls(made.cel, mark)
        settled(made, len(true), since)
        found = told(made, since)
        wrong = truth.wrong(true, found)
    print(f"PostgreSQL away for {minutes:g} minutes at {rate:.0f} calls/s: {len(true)} calls, {waiting} of them when it came back")
    print(f"  wrong: {', '.join(f'{name} {count}' for name, count in wrong.items() if count) or 'none'}")
    print(f"  memory of the listener: {memory[0]:.0f} MB before, {max(memory):.0f} MB at most, {memory[-1]:.0f} MB in the end")
    print(f"  caught up in {caught:.1f} s: {waiting / caught:.0f} calls/s beside the {rate:.0f} that came in", flush=True)
    return sum(wrong.values())


def _caught_up(made: Place, since: float, back: float, memory: list[float], patience: float = 600.0) -> float:
    """Seconds from the return until every call that had ended by then was stored."""
    ended = [key for key, call in truth.calls(made.cel).items() if call.ended and since <= call.ended.timestamp() <= back]
    while time.time() - back < patience:
        memory.append(_memory([made.listener]))
        rows = made.rows("select count(*) from call where call_key = any(:names) and not live", names=ended)
        if rows[0][0] == len(ended):
            return time.time() - back
        time.sleep(0.5)
    return patience


def main() -> int:
    """The exit code is 0 when every call was told as it was and nobody was cut off."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--away", type=float, metavar="MINUTES")
    parser.add_argument("--asterisk", metavar="DIR", help="the folder that holds an Asterisk; also RINGDESK_ASTERISK_ROOT")
    given = parser.parse_args()
    if given.asterisk:
        os.environ["RINGDESK_ASTERISK_ROOT"] = given.asterisk
    if given.away:
        return int(away(given.rates[0] if given.rates != RATES else 20.0, given.away) > 0)
    return int(sum(one_rate(rate, given.seconds) for rate in given.rates) > 0)


if __name__ == "__main__":
    sys.exit(main())
