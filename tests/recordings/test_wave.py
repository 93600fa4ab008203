"""What a recording looks like, whatever pieces it comes in."""

import random

from recordings.wave import BARS, Wave
from tests.recordings.sounds import tone, wav


def shape(content: bytes, *, seed: int = 1):
    wave, dice, at = Wave(8000, 1), random.Random(seed), 0
    while at < len(content):
        step = dice.randrange(1, 9000)
        wave.taste(content[at : at + step])
        at += step
    return wave.shape()


def test_loud_is_tall_and_silence_is_found_where_it_is() -> None:
    found = shape(wav(tone(2.0) + bytes(2 * 8000 * 3) + tone(1.0)))

    assert found.silences == ((2.0, 3.0),)
    assert len(found.peaks) == 120
    assert max(found.peaks) == 255 and set(found.peaks[40:100]) == {0}


def test_the_pieces_make_no_difference() -> None:
    content = wav(tone(3.3))

    assert shape(content, seed=1) == shape(content, seed=2)


def test_a_long_call_has_no_more_bars_than_a_screen() -> None:
    assert len(shape(wav(bytes(2 * 8000 * 600))).peaks) == BARS


def test_no_audio_is_no_shape() -> None:
    assert shape(wav(b"")) == shape(wav(b"")).__class__(b"", ())
