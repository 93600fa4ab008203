"""Seals an hour of telephone audio and reads it by Range, beside the same with plain files: python -m bench.recordings [--json FILE].

The peer writes the same bytes with the same SHA-256, fsync and read-back, so that what differs is the cipher. Each figure
is the median of several rounds; ratios are sealed over plain.
"""

import argparse
import hashlib
import io
import json
import os
import random
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from recordings.vault import Vault
from recordings.wave import Wave

HOUR, RATE = 3600, 8000
PIECE = 1 << 18
SEEKS = 200
SEEK = 1 << 16  # bytes a browser is given at least when somebody jumps


def hour() -> bytes:
    """An hour of noise, mono, 16 bit."""
    size = HOUR * RATE * 2
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16)
    head = b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)
    return head + random.Random(1).randbytes(size)


def median(work: Callable[[], object], rounds: int) -> float:
    """Seconds that the work takes."""
    taken = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


class Plain:
    """Files as they are."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "plain.wav"

    def put(self, sound: bytes) -> None:
        """Written, synced, read back and compared."""
        digest = hashlib.sha256()
        with self.path.open("wb") as file:
            for start in range(0, len(sound), PIECE):
                digest.update(sound[start : start + PIECE])
                file.write(sound[start : start + PIECE])
            file.flush()
            os.fsync(file.fileno())
        with self.path.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").digest() == digest.digest()

    def read(self, start: int, stop: int) -> Iterator[bytes]:
        """The part, in pieces."""
        with self.path.open("rb") as file:
            file.seek(start)
            while start < stop and (piece := file.read(min(PIECE, stop - start))):
                start += len(piece)
                yield piece


def drained(pieces: Iterator[bytes]) -> int:
    """All of it was read."""
    return sum(map(len, pieces))


def main() -> None:
    """Prints the table, and writes it where --json says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = measured(Path(folder), given.rounds)
    for name, row in told.items():
        print(f"{name:<34}{row['sealed_ms']:>10.2f} ms sealed{row['plain_ms']:>10.2f} ms plain{row['ratio']:>8.2f} x")
    if given.json:
        given.json.write_text(json.dumps(told, indent=1))


def measured(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds and ratio by question."""
    sound, vault, plain = hour(), Vault(folder / "vault", folder / "keys" / "recordings.key"), Plain(folder)
    kept = vault.put(io.BytesIO(sound))
    plain.put(sound)
    dice = random.Random(2)
    places = [dice.randrange(0, len(sound) - SEEK) for _seek in range(SEEKS)]

    def drawn() -> None:
        vault.put(io.BytesIO(sound), Wave(RATE, 1).taste)

    def sought(read: Callable[[int, int], Iterator[bytes]]) -> Callable[[], object]:
        return lambda: [drained(read(place, place + SEEK)) for place in places]

    def of_key(start: int, stop: int) -> Iterator[bytes]:
        return vault.read(kept.key, start, stop)

    pairs: dict[str, tuple[Callable[[], object], Callable[[], object], int]] = {
        "store an hour (57.6 MB)": (lambda: vault.put(io.BytesIO(sound)), lambda: plain.put(sound), 1),
        "store it and draw its waveform": (drawn, lambda: plain.put(sound), 1),
        "read all of it": (lambda: drained(of_key(0, len(sound))), lambda: drained(plain.read(0, len(sound))), 1),
        "one jump, 64 KiB from anywhere": (sought(of_key), sought(plain.read), SEEKS),
    }
    told = {}
    for name, (ours, peer, count) in pairs.items():
        sealed_s, plain_s = median(ours, rounds) / count, median(peer, rounds) / count
        told[name] = {"sealed_ms": sealed_s * 1000, "plain_ms": plain_s * 1000, "ratio": sealed_s / plain_s}
    return told


if __name__ == "__main__":
    main()
