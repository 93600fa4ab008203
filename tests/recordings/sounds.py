"""WAV files as a switch leaves them."""

import math
import os
import struct
from pathlib import Path

RATE = 8000


def tone(seconds: float) -> bytes:
    """A 440 Hz tone, 16-bit mono."""
    samples = (int(9000 * math.sin(2 * math.pi * 440 * n / RATE)) for n in range(int(seconds * RATE)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


def wav(audio: bytes, told: int | None = None) -> bytes:
    """The header and the audio; `told` is the length the header claims, as while the file is still open."""
    length = len(audio) if told is None else told
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", length + 36) + b"WAVEfmt " + form + b"data" + struct.pack("<I", length) + audio


def leave(folder: Path, relative: str, content: bytes, written_at: float) -> Path:
    """The file lies there as if last written at that moment."""
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (written_at, written_at))
    return path
