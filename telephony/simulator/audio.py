"""Speech that nobody said: two voices taking turns, voiced pulses through formants, hissing consonants, pauses."""

import wave
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000                            # samples a second, 16 bit, one channel: what a telephone switch writes
Samples = NDArray[np.float64]

# First three formants of a few vowels, Hz.
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (490, 1350, 1690))
VOICES = (118.0, 205.0)                # pitch of the agent and of the caller, Hz
LOUDNESS = 0.28


def write_wav(path: Path, seconds: float, seed: str, silent: Iterable[tuple[float, float]] = ()) -> None:
    """The file exists whole or not at all: so many seconds of talk, or only a header when nobody talked.

    Between the seconds of `silent` nothing is heard.
    """
    samples = speech(seconds, seed)
    for begin, end in silent:
        samples[max(0, round(begin * RATE)) : max(0, round(end * RATE))] = 0.0
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.part")
    with wave.open(str(hidden), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm(samples))
    hidden.replace(path)


def pcm(samples: Samples) -> bytes:
    """Little-endian 16-bit samples, clipped."""
    return (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def speech(seconds: float, seed: str) -> Samples:
    """So many seconds of conversation between -1 and 1; the same seed says the same."""
    rng = np.random.default_rng(np.frombuffer(seed.encode(), dtype=np.uint8).astype(np.uint32))
    wanted, parts, length, voice = round(seconds * RATE), [np.zeros(0)], 0, 0
    while length < wanted:
        turn = _turn(rng, VOICES[voice])
        parts.append(turn)
        length, voice = length + len(turn), 1 - voice
    return np.concatenate(parts)[:wanted]


def _turn(rng: np.random.Generator, pitch: float) -> Samples:
    words = [_word(rng, pitch * rng.uniform(0.94, 1.06)) for _ in range(int(rng.integers(4, 12)))]
    return np.concatenate([*words, np.zeros(int(RATE * rng.uniform(0.25, 0.7)))])


def _word(rng: np.random.Generator, pitch: float) -> Samples:
    syllables = [part for _ in range(int(rng.integers(1, 4))) for part in (_consonant(rng), _vowel(rng, pitch))]
    return np.concatenate([*syllables, np.zeros(int(RATE * rng.uniform(0.03, 0.12)))])


def _vowel(rng: np.random.Generator, pitch: float) -> Samples:
    count = int(RATE * rng.uniform(0.09, 0.22))
    glide = pitch * np.linspace(rng.uniform(0.95, 1.1), rng.uniform(0.85, 1.0), count)
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    formants = VOWELS[int(rng.integers(len(VOWELS)))]
    sound = np.zeros(count)
    for harmonic in range(1, int(3400 / pitch)):
        sound += _gain(harmonic * pitch, formants) * np.sin(harmonic * phase)
    return _shaped(sound, LOUDNESS)


def _gain(frequency: float, formants: tuple[int, int, int]) -> float:
    peaks = sum(weight / (1 + ((frequency - f) / 90.0) ** 2) for f, weight in zip(formants, (1.0, 0.6, 0.3), strict=True))
    return float(peaks) + 0.01


def _consonant(rng: np.random.Generator) -> Samples:
    noise = rng.standard_normal(int(RATE * rng.uniform(0.03, 0.09)) + 1)
    return _shaped(np.diff(noise), LOUDNESS * rng.uniform(0.1, 0.35))


def _shaped(sound: Samples, loudness: float) -> Samples:
    """Fades in and out within 12 ms, so that nothing clicks."""
    edge = min(len(sound) // 2, int(RATE * 0.012))
    ramp = np.ones(len(sound))
    ramp[:edge] = np.linspace(0.0, 1.0, edge)
    ramp[len(sound) - edge:] = np.linspace(1.0, 0.0, edge)
    peak = float(np.max(np.abs(sound), initial=1e-9))
    return np.asarray(sound / peak * ramp * loudness, dtype=np.float64)
