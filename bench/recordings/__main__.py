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

import numpy as np

from recordings import sound
from recordings.vault import Vault
from recordings.wav import Wav, head
from recordings.wave import Wave
from telephony.simulator.audio import Samples, pcm, speech

HOUR, RATE = 3600, 8000
TALK = 120.0  # seconds of invented speech that stand for an hour
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

    def put(self, content: bytes) -> None:
        """Written, synced, read back and compared."""
        digest = hashlib.sha256()
        with self.path.open("wb") as file:
            for start in range(0, len(content), PIECE):
                digest.update(content[start : start + PIECE])
                file.write(content[start : start + PIECE])
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
    forms = transcoded(speech(TALK, "bench"))
    print(f"\n{'an hour of talk as':<34}{'of the WAV':>12}{'CPU to make':>14}{'CPU to play':>14}")
    for name, row in forms.items():
        print(f"{name:<34}{row['ratio']:>11.1%}{row['encode_cpu_s']:>12.1f} s{row['decode_cpu_s']:>12.1f} s")
    if given.json:
        given.json.write_text(json.dumps(told | forms, indent=1))


def measured(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds and ratio by question."""
    audio, vault, plain = hour(), Vault(folder / "vault", folder / "keys" / "recordings.key"), Plain(folder)
    kept = vault.put(io.BytesIO(audio))
    plain.put(audio)
    dice = random.Random(2)
    places = [dice.randrange(0, len(audio) - SEEK) for _seek in range(SEEKS)]

    def drawn() -> None:
        vault.put(io.BytesIO(audio), Wave(RATE, 1).taste)

    def sought(read: Callable[[int, int], Iterator[bytes]]) -> Callable[[], object]:
        return lambda: [drained(read(place, place + SEEK)) for place in places]

    def of_key(start: int, stop: int) -> Iterator[bytes]:
        return vault.read(kept.key, start, stop)

    pairs: dict[str, tuple[Callable[[], object], Callable[[], object], int]] = {
        "store an hour (57.6 MB)": (lambda: vault.put(io.BytesIO(audio)), lambda: plain.put(audio), 1),
        "store it and draw its waveform": (drawn, lambda: plain.put(audio), 1),
        "read all of it": (lambda: drained(of_key(0, len(audio))), lambda: drained(plain.read(0, len(audio))), 1),
        "one jump, 64 KiB from anywhere": (sought(of_key), sought(plain.read), SEEKS),
    }
    told = {}
    for name, (ours, peer, count) in pairs.items():
        sealed_s, plain_s = median(ours, rounds) / count, median(peer, rounds) / count
        told[name] = {"sealed_ms": sealed_s * 1000, "plain_ms": plain_s * 1000, "ratio": sealed_s / plain_s}
    return told


def transcoded(said: Samples) -> dict[str, dict[str, float]]:
    """Size beside the WAV, and seconds of processor for an hour of audio, by form and channels."""
    told = {}
    for channels in (1, 2):
        both = np.stack([np.roll(said, RATE * 3 * side) for side in range(channels)], axis=1)
        header = Wav(RATE, channels, 2, both.size * 2, both.size * 2)
        content = head(header) + pcm(both)
        for form in sound.CONTAINER:
            began = time.process_time()
            made = sound.encoded([content], header, form)
            middle = time.process_time()
            drained(sound.as_wav(made.content)[1])
            hours = len(said) / RATE / HOUR
            told[f"{form}, {channels} channel{'s' * (channels > 1)}"] = {
                "ratio": len(made.content) / len(content),
                "encode_cpu_s": (middle - began) / hours,
                "decode_cpu_s": (time.process_time() - middle) / hours,
            }
    return told


if __name__ == "__main__":
    main()
