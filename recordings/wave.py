"""What a recording looks like: the loudest moment of each slice, and where it is silent. Pure; fed while bytes pass by."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recordings import wav

BARS = 800
SLICE = 20  # slices a second
QUIET = 33  # of 32768: what a muted recording and a dead line have, and no room with people in it
SILENCE = 1.0  # seconds; a shorter one is a breath
MOST = 200
Samples = NDArray[np.int32]


@dataclass(frozen=True)
class Shape:
    """`peaks` has one byte a bar against the loudest; `silences` are (begin, length) in seconds."""

    peaks: bytes
    silences: tuple[tuple[float, float], ...]


@dataclass
class Wave:
    """Takes 16-bit PCM as it is copied, header first, and keeps a few bytes a second."""

    rate: int
    channels: int
    _rest: bytes = b""
    _skip: int = wav.HEADER
    _loud: list[Samples] = field(default_factory=list)

    def taste(self, piece: bytes) -> None:
        """The piece is heard; it may begin and end anywhere."""
        skipped, self._skip = piece[self._skip :], max(0, self._skip - len(piece))
        content, width = self._rest + skipped, 2 * self._samples
        whole = len(content) // width * width
        self._rest = content[whole:]
        if whole:
            self._loud.append(_loudest(content[:whole], self._samples))

    def shape(self) -> Shape:
        """How all of it looks."""
        tail = self._rest[: len(self._rest) // 2 * 2]
        last = [_loudest(tail, len(tail) // 2)] if tail else []
        loud = np.concatenate([*self._loud, *last]) if self._loud or last else np.zeros(0, np.int32)
        return Shape(_bars(loud), _silences(loud))

    @property
    def _samples(self) -> int:
        return self.rate // SLICE * self.channels


def _loudest(content: bytes, samples: int) -> Samples:
    loud: Samples = np.abs(np.frombuffer(content, "<i2").astype(np.int32)).reshape(-1, samples).max(axis=1)
    return loud


def _bars(loud: Samples) -> bytes:
    if not loud.size:
        return b""
    starts = np.unique(np.linspace(0, loud.size, min(BARS, loud.size), endpoint=False).astype(int))
    peaks = np.maximum.reduceat(loud, starts)
    return bytes((peaks * 255 // max(1, int(peaks.max()))).astype(np.uint8).tobytes())


def _silences(loud: Samples) -> tuple[tuple[float, float], ...]:
    quiet = np.concatenate(([0], (loud <= QUIET).astype(np.int8), [0]))
    edges = np.diff(quiet)
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    spans = [(int(a), int(b - a)) for a, b in zip(begins, ends, strict=True) if b - a >= SILENCE * SLICE]
    longest = sorted(sorted(spans, key=lambda span: -span[1])[:MOST])
    return tuple((begin / SLICE, length / SLICE) for begin, length in longest)
