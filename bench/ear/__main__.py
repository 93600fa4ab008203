"""`python -m bench.ear`: wire, step, grouping and floor beside their peers, all in one run; prints ratios.

Floor: a plain split at blank lines. Peer: panoramisk's own protocol and dispatch with one "*" callback that does
nothing. Ours: from bytes to calls; then the same with the journal. Streams: all events of a 300-call load, and those that
the product's user is sent. Reads are 1448 bytes, as a network brings them; the best of five interleaved rounds counts.
"""

import gzip
import logging
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from telephony.feed import Feed
from telephony.floor import Floor
from telephony.journal import Journal

CAPTURES = Path(__file__).parents[2] / "tests" / "telephony" / "captures"
READ, ROUNDS = 1448, 5
# What read=system,call,agent,user,cdr leaves of a stream.
PRODUCT = (b"system,", b"call,", b"agent,", b"user,", b"cdr,")
AT = datetime(2026, 11, 23, tzinfo=UTC)


def full_stream() -> bytes:
    """Every event of the load."""
    return gzip.decompress((CAPTURES / "load-300-queue.ami.gz").read_bytes())


def product_stream() -> bytes:
    """The load as a user with the product's classes is sent it."""
    kept = [frame for frame in full_stream().split(b"\r\n\r\n")
            if frame.partition(b"Privilege: ")[2].startswith(PRODUCT) or not frame.startswith(b"Event:")]
    return b"\r\n\r\n".join(kept)


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


def measure(stream: bytes) -> dict[str, float]:
    """CPU seconds per 100,000 events, each way's best; the ways take turns so that the machine's mood is shared."""
    events = stream.count(b"Event: ")
    chunks, best = reads(stream), dict.fromkeys(WAYS, float("inf"))
    for _ in range(ROUNDS):
        for name, way in WAYS.items():
            begin = time.process_time()
            way(chunks)
            best[name] = min(best[name], (time.process_time() - begin) / events * 100_000)
    return best


def main() -> None:
    logging.disable(logging.CRITICAL)
    for title, stream in (("all events", full_stream()), ("the product's events", product_stream())):
        found = measure(stream)
        peer = found["panoramisk, one callback"]
        print(f"{title}: {stream.count(b'Event: ')} events, {len(stream) // 1000} kB")
        for name, seconds in found.items():
            print(f"  {name:26} {seconds:6.2f} s per 100k events   {seconds / peer:5.2f} x panoramisk")


if __name__ == "__main__":
    main()
