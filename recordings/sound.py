"""Telephone audio as FLAC or Opus, and back as the WAV that it was. Bytes in, bytes out; two channels stay two."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile

from recordings.wav import HEADER, Wav, head

WAV, FLAC, OPUS = "wav", "flac", "opus"
CONTAINER = {FLAC: ("FLAC", "PCM_16"), OPUS: ("OGG", "OPUS")}
CONTENT_TYPE = {WAV: "audio/wav", FLAC: "audio/flac", OPUS: "audio/ogg"}
ENDING = {WAV: "wav", FLAC: "flac", OPUS: "ogg"}
# Opus at 8 kHz: about 20 kbit/s a channel. FLAC: a little smaller than its default, for a second more an hour.
EFFORT = {FLAC: 1.0, OPUS: 0.95}
OPUS_RATES = frozenset({8000, 12000, 16000, 24000, 48000})
FRAMES = 1 << 15  # a piece of decoded audio


class NotSound(Exception):
    """The bytes are no audio of the form that they should have."""


@dataclass(frozen=True)
class Encoded:
    """Audio in its new form, and what was heard on the way: how many frames, and the SHA-256 of their samples."""

    content: bytes
    frames: int
    samples: str


def able(header: Wav, form: str) -> bool:
    """True when that form can hold it."""
    return form == FLAC or (form == OPUS and header.rate in OPUS_RATES)


def encoded(pieces: Iterable[bytes], header: Wav, form: str) -> Encoded:
    """The WAV that comes in pieces, in another form. Only the new form is held in memory."""
    out, digest, count = io.BytesIO(), hashlib.sha256(), 0
    kind, subtype = CONTAINER[form]
    with soundfile.SoundFile(
        out, "w", header.rate, header.channels, subtype, format=kind, compression_level=EFFORT[form]
    ) as file:
        for block in _frames(pieces, header):
            digest.update(block)
            samples = np.frombuffer(block, "<i2").reshape(-1, header.channels)
            count += len(samples)
            file.write(samples)
    return Encoded(out.getvalue(), count, digest.hexdigest())


def _frames(pieces: Iterable[bytes], header: Wav) -> Iterator[bytes]:
    """Whole frames of what follows the header; what is left of a torn last one is no sound."""
    width, skip, rest = header.channels * header.width, HEADER, b""
    for piece in pieces:
        skipped, skip = piece[skip:], max(0, skip - len(piece))
        content = rest + skipped
        whole = len(content) // width * width
        rest = content[whole:]
        if whole:
            yield content[:whole]


def decoded(content: bytes) -> tuple[Wav, Iterator[bytes]]:
    """The header that it would have as WAV, and its samples in pieces. Raises NotSound."""
    file = _opened(content)
    size = file.frames * file.channels * 2
    return Wav(file.samplerate, file.channels, 2, size, size), _samples(file)


def _samples(file: soundfile.SoundFile) -> Iterator[bytes]:
    with file:
        while len(block := file.read(FRAMES, dtype="int16")):
            yield block.astype("<i2").tobytes()


def _opened(content: bytes) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(io.BytesIO(content))
    except soundfile.LibsndfileError as error:
        raise NotSound(str(error)) from error


def as_wav(content: bytes) -> tuple[int, Iterator[bytes]]:
    """The length of the WAV, and its pieces: of FLAC the very bytes that the switch wrote. Raises NotSound."""
    header, samples = decoded(content)

    def pieces() -> Iterator[bytes]:
        yield head(header)
        yield from samples

    return HEADER + header.present, pieces()


def same(content: bytes, was: Encoded, header: Wav, form: str) -> bool:
    """True when the new form holds what the old one did: each sample for FLAC, each moment for Opus."""
    now, samples = decoded(content)
    digest, count = hashlib.sha256(), 0
    for block in samples:
        digest.update(block)
        count += len(block) // (2 * now.channels)
    if (now.rate, now.channels, count) != (header.rate, header.channels, was.frames):
        return False
    return form != FLAC or digest.hexdigest() == was.samples
