"""`python -m bench.ear`: wire, step, grouping and floor beside their peers, all in one run; prints ratios.

Floor: a plain split at blank lines. Peer: panoramisk's own protocol and dispatch with one "*" callback that does
nothing. Ours: from bytes to calls; then the same with the journal; then with journal and sink, as the listener runs it, at
2,000 events/s into a PostgreSQL with its usual safety (whose own processor time is not ours and not counted).
Streams: all events of a 300-call load, and those that the product's user is sent. Reads are 1448 bytes, as a network brings
them; the best of five interleaved rounds counts, for the sink one round of new calls.

`--capture FILE` takes another load than the project's own. Last, each stream goes once through the whole path as fast as it can, and
each call in the books is compared with the truth beside the capture.

`python -m bench.ear --soak MINUTES [full]`: the real listener process at 2,000 events/s; prints each minute and a verdict.
"""

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from bench.ear.soak import EXTENSIONS, RATE, soak
from bench.ear.stream import OWN, STREAMS, Laps, stream
from bench.ear.whole import through
from bench.stage import Stage, free_port, stage
from service.core import clock, db
from telephony.feed import Feed
from telephony.floor import Floor
from telephony.journal import Journal, Position
from telephony.sink import Sink

READ, ROUNDS = 1448, 5
AT = datetime(2026, 11, 23, tzinfo=UTC)


def reads(stream: bytes) -> list[bytes]:
    return [stream[at : at + READ] for at in range(0, len(stream), READ)]


def plain_split(chunks: list[bytes]) -> None:
    tail = b""
    for chunk in chunks:
        *_, tail = (tail + chunk).split(b"\r\n\r\n")


def panoramisk(chunks: list[bytes]) -> None:
    manager = Manager(log=logging.getLogger("panoramisk"))
    manager.callbacks.clear()
    manager.patterns.clear()
    manager.register_event("*", lambda _manager, _event: None)
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory, protocol.encoding = manager, "utf8"
    for chunk in chunks:
        protocol.data_received(chunk)


def ours(chunks: list[bytes]) -> None:
    feed, floor = Feed(), Floor()
    for chunk in chunks:
        for event in feed.hear(chunk, AT):
            floor.hear(event)


def with_journal(chunks: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal, feed, floor = Journal(Path(folder) / "pbx"), Feed(), Floor()
        journal.begin(0.0)
        for number, chunk in enumerate(chunks):
            journal.write(chunk, float(number))
            for event in feed.hear(chunk, AT):
                floor.hear(event)
        journal.close()


WAYS: dict[str, Callable[[list[bytes]], None]] = {
    "plain split": plain_split, "panoramisk, one callback": panoramisk, "ours, to calls": ours,
    "ours, with journal": with_journal}


def measure(source: bytes) -> dict[str, float]:
    """CPU seconds per 100,000 events, each way's best; the ways take turns so that the machine's mood is shared."""
    events = source.count(b"Event: ")
    chunks, best = reads(source), dict.fromkeys(WAYS, float("inf"))
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            begin = time.process_time()
            way(chunks)
            best[name] = min(best[name], (time.process_time() - begin) / events * 100_000)
    return best


def with_sink(place: Stage, name: str, capture: Path) -> float:
    """CPU seconds per 100,000 events with journal and sink; the events are made ready beforehand."""
    ready = [sent.data for sent in Laps(stream(name, capture)).next_lap()]
    chunks = reads(b"".join(ready))
    switch, floor, feed = f"bench-{name}", Floor(), Feed()
    journal = Journal(place.settings.journal_dir / switch)
    sink = Sink(switch, db.engine(place.settings.dsn_app, name="bench", pool_size=3))
    sink.start()
    began, busy = time.monotonic(), time.process_time()
    journal.begin(time.time())
    for number, chunk in enumerate(chunks):
        time.sleep(max(0.0, began + number / len(chunks) * len(ready) / RATE - time.monotonic()))
        journal.write(chunk, time.time())
        changes = [change for event in feed.hear(chunk, clock.now()) for change in floor.hear(event)]
        sink.take(changes, Position(journal.position.segment, feed.offset))
    sink.stop(30.0)
    spent = time.process_time() - busy
    journal.close()
    assert sink.failed == sink.pops.late == 0, (sink.failed, sink.pops.late)
    return spent / len(ready) * 100_000


def main(capture: Path) -> None:
    logging.disable(logging.CRITICAL)
    with stage(people=EXTENSIONS, ami_port=free_port()) as place:
        for name in STREAMS:
            source = stream(name, capture)
            events, bare = source.count(b"Event: "), "panoramisk, one callback"
            found = measure(source) | {"ours, with journal and sink": with_sink(place, name, capture)}
            print(f"{name} stream: {events} events, {len(source) // 1000} kB")
            for way, seconds in found.items():
                print(f"  {way:28} {seconds:6.2f} s per 100k events   {seconds / found[bare]:5.2f} x panoramisk")
            went, parse = through(place, f"whole-{name}", reads(source), capture), found[bare] * events / 100_000
            wrong = "no truth beside the capture" if went.wrong is None else f"{went.wrong} of them not as they were"
            print(f"  whole path at once: heard in {went.heard:.2f} s ({events / went.heard:,.0f} events/s), stored after {went.stored:.2f} s; "
                  f"{went.calls} calls, {wrong}\n  its processor time {went.spent:.2f} s, panoramisk's bare parse {parse:.2f} s: {went.spent / parse:.2f} x", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--soak"]:
        sys.exit(not soak(float(sys.argv[2]), source=sys.argv[3] if len(sys.argv) > 3 else "product"))
    main(Path(sys.argv[2]) if sys.argv[1:2] == ["--capture"] else OWN)
