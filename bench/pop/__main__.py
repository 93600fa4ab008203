"""`python -m bench.pop`: from the switch's bytes to a page and to a thousand streams, each beside its floor, in one run.

Clock: the ringing frame's write on the AMI socket (switch, listener, PostgreSQL, web, browser all on this machine) to the
moment when the bytes are read by a stream's client, or a MutationObserver sees the card. Floor: a NOTIFY that a plain
process writes to a bare socket, read by the same client in the same seconds. The clients share the machine: their cores
are printed beside the servers'.
"""

import argparse
import statistics
from contextlib import ExitStack
from dataclasses import replace

from bench.pop.feeder import Feeder
from bench.pop.furniture import furnish
from bench.pop.rounds import THINK, Found, Ground, Load, play
from bench.pop.screen import Screen
from bench.stage import FIRST_EXTENSION, Stage, free_port, stage

DOM_LIMIT, STREAM_LIMIT = 0.030, 0.250  # p50 to the page alone; p99 to the streams under load


def options() -> argparse.Namespace:
    """How much of everything."""
    parser = argparse.ArgumentParser("python -m bench.pop", description="How fast is a pop?")
    parser.add_argument("--small", action="store_true", help="100 streams, 10 pages, 4 on the boards, 5 s: under a minute")
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=50.0, help="pops a second")
    parser.add_argument("--pages", type=int, default=50, help="page clients, busy without a pause")
    parser.add_argument("--boards", type=int, default=20, help=f"people on the boards, a click every {THINK:g} s")
    parser.add_argument("--boards-inside", action="store_true", help="let the web processes draw the boards themselves")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each round")
    parser.add_argument("--workers", type=int, default=2, help="web processes")
    chosen = parser.parse_args()
    if chosen.small:
        chosen.streams, chosen.pages, chosen.boards, chosen.rate, chosen.seconds = 100, 10, 4, 20.0, 4.0
    return chosen


def rounds(chosen: argparse.Namespace) -> list[Load]:
    """First a quiet desk, then the crowd, then the crowd on a busy day, then with the boards."""
    crowd = {"streams": chosen.streams, "rate": chosen.rate}
    return [
        Load("one desk", chosen.seconds),
        Load("streams", chosen.seconds, **crowd),
        Load("+ pages", chosen.seconds, **crowd, pages=chosen.pages),
        Load("+ boards", chosen.seconds, **crowd, pages=chosen.pages, boards=chosen.boards),
    ]


def main() -> None:
    """Prints a line a round and what the aims make of them."""
    chosen = options()
    feeder = Feeder(chosen.streams + 2)
    try:
        with stage(people=chosen.streams + 2, ami_port=feeder.port, workers=chosen.workers) as place, ExitStack() as stack:
            ground = _ground(stack, place, feeder, chosen)
            play(ground, Load("warm-up", 3.0, streams=10, rate=10))
            _heading(chosen)
            found = [_shown(play(ground, load)) for load in rounds(chosen)]
            _verdict(found)
    finally:
        feeder.stop()


def _ground(stack: ExitStack, place: Stage, feeder: Feeder, chosen: argparse.Namespace) -> Ground:
    furnish(place, FIRST_EXTENSION)
    place.settings = replace(place.settings, boards_port=0 if chosen.boards_inside else free_port())
    web, listener = place.run("web"), place.run("listen")
    boards = [] if chosen.boards_inside else [place.run("boards").pid]
    place.healthy()
    feeder.connected()
    screen = Screen(place, [chosen.streams + 1, chosen.streams + 2])
    stack.callback(screen.close)
    postmaster = place.server.pid()
    assert postmaster is not None
    roots = {"web": [web.pid], "listener": [listener.pid], "postgres": [postmaster], "boards": boards}
    return Ground(place, feeder, screen, roots | {"browser": screen.processes()})


def quantile(values: list[float], share: float) -> float:
    """The value that this share of all does not pass."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def _ms(values: list[float]) -> str:
    return " ".join(f"{quantile(values, share) * 1000:6.1f}" for share in (0.5, 0.95, 0.99, 1.0))


def _heading(chosen: argparse.Namespace) -> None:
    print(f"{chosen.streams} streams, {chosen.rate:g} pops/s, {chosen.pages} page clients, {chosen.boards} on the boards, "
          f"{chosen.workers} web processes, {chosen.seconds:g} s a round")
    four = "   p50    p95    p99    max"
    print(f"{'':10} {'to the page, ms':^27} | {'to the streams, ms':^27} | {'floor, ms':^27} |")
    print(f"{'':10} {four} | {four} | {four} | {'x floor':>8} {'pops/s':>7} {'lost':>5} {'astray':>6} {'resync':>6}")


def _shown(found: Found) -> Found:
    ratio = statistics.median(found.streams or found.screen) / statistics.median(found.floor)
    print(f"{found.load.name:10} {_ms(found.screen)} | {_ms(found.streams)} | {_ms(found.floor)} | {ratio:8.1f} {found.rate:7.1f} "
          f"{found.lost:5} {found.astray:6} {found.resyncs:6}")
    for name, told in (("pages", found.pages), ("boards", found.boards)):
        if told:
            took = told["took"]
            print(f"{'':10} {name}: {len(took) / told['seconds']:.0f}/s, p50 {quantile(took, 0.5) * 1000:.0f} ms, "
                  f"p95 {quantile(took, 0.95) * 1000:.0f} ms, refused {told['refused'] or 0}, broken {told['broken'] or 0}")
    print(f"{'':10} cores: " + ", ".join(f"{name} {cores:.2f}" for name, cores in found.cores.items()), flush=True)
    return found


def _verdict(found: list[Found]) -> None:
    alone, busiest = found[0], found[-1]
    lost = sum(one.lost for one in found)
    print(f"to the page alone: p50 {quantile(alone.screen, 0.5) / DOM_LIMIT:.2f} x the limit of {DOM_LIMIT * 1000:.0f} ms")
    for one in found[1:]:
        print(f"{one.load.name}: p99 to the streams {quantile(one.streams, 0.99) / STREAM_LIMIT:.2f} x the limit of "
              f"{STREAM_LIMIT * 1000:.0f} ms")
    pages, boards = (quantile(one.streams, 0.99) for one in found[2:4])
    print(f"the boards make it {boards / pages:.2f} x as long as the pages alone do (p99)")
    print(f"lost {lost} of {sum(one.rung for one in found)}")
    strangers = max(one.cores["others"] for one in found)
    print(f"other programs on this machine took up to {strangers:.2f} cores" + ("; run it alone" if strangers > 0.2 else ""))
    clients = sum(cores for name, cores in busiest.cores.items() if name.endswith("clients") or name in ("bench", "browser"))
    ours = busiest.cores["all"] - busiest.cores["others"]
    print(f"in the last round the measuring itself took {clients:.2f} of our {ours:.2f} cores")


if __name__ == "__main__":
    main()
