"""The speech nobody said sounds enough like speech for a player and a meter."""

import wave
from pathlib import Path

import numpy as np

from telephony.simulator.audio import RATE, speech, write_wav


def test_it_is_as_long_as_the_call_and_loud_enough_and_never_clips() -> None:
    sound = speech(7.5, "seed")

    assert len(sound) == 7.5 * RATE
    assert np.sqrt(np.mean(sound**2)) > 0.03
    assert np.max(np.abs(sound)) < 0.9


def test_it_has_pauses_and_two_voices() -> None:
    frames = speech(30, "seed").reshape(-1, RATE // 50)
    loud = np.sqrt(np.mean(frames**2, axis=1))

    assert 0.1 < np.mean(loud < 0.005) < 0.6
    pitches = {_pitch(frame) for frame in speech(30, "seed").reshape(-1, RATE // 20) if np.std(frame) > 0.05}
    assert any(95 <= p <= 140 for p in pitches)
    assert any(175 <= p <= 235 for p in pitches)


def test_the_same_call_always_sounds_the_same() -> None:
    assert np.array_equal(speech(3, "1/1795478400.0"), speech(3, "1/1795478400.0"))
    assert not np.array_equal(speech(3, "1/1795478400.0"), speech(3, "1/1795478400.1"))


def test_a_call_nobody_answered_leaves_a_bare_header(tmp_path: Path) -> None:
    path = tmp_path / "pbx1" / "a.1.wav"
    write_wav(path, 0.0, "seed")

    assert path.stat().st_size == 44
    assert list(path.parent.iterdir()) == [path]


def test_the_file_is_what_a_switch_writes(tmp_path: Path) -> None:
    write_wav(tmp_path / "b.wav", 2.0, "seed")

    with wave.open(str(tmp_path / "b.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate(), file.getnframes()) == (1, 2, 8000, 16000)


def _pitch(frame: np.ndarray) -> float:
    correlation = np.correlate(frame, frame, "full")[len(frame) - 1:]
    low, high = RATE // 260, RATE // 80
    return RATE / (low + int(np.argmax(correlation[low:high])))
