"""What a file on the switch says of itself, by name and by header."""

import struct
from decimal import Decimal

import pytest

from recordings import names, wav


def header(told: int, *, rate: int = 8000, form: int = 1, bits: int = 16) -> bytes:
    return (
        b"RIFF"
        + struct.pack("<I", told + 36)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, form, 1, rate, rate * 2, 2, bits)
        + b"data"
        + struct.pack("<I", told)
    )


def test_a_closed_file_knows_its_length() -> None:
    facts = wav.header(header(80_000), 80_044)

    assert facts is not None
    assert facts.complete and not facts.empty
    assert facts.seconds == Decimal("5.000")
    assert facts.format == "wav/8000/1"


def test_a_file_still_open_has_more_bytes_than_its_header_says() -> None:
    facts = wav.header(header(0), 16_044)

    assert facts is not None
    assert not facts.complete and not facts.empty


def test_a_caller_who_gave_up_leaves_a_header_alone() -> None:
    facts = wav.header(header(0), 44)

    assert facts is not None
    assert facts.empty


@pytest.mark.parametrize(
    "bad", [b"", b"RIFF", b"\x00" * 44, header(10, form=49), header(10, bits=8), header(10, rate=0)]
)
def test_other_audio_is_not_taken_for_a_recording(bad: bytes) -> None:
    assert wav.header(bad, 1000) is None


def test_our_own_name_tells_channel_and_segment() -> None:
    name = names.name_of("2026/11/23/1795331986.155.2.wav")

    assert name is not None
    assert (name.uniqueid, name.segment) == ("1795331986.155", 2)


def test_a_switch_may_put_its_name_before_the_channel() -> None:
    name = names.name_of("2026/11/23/pbx1-1795331986.155.1.wav")

    assert name is not None
    assert name.uniqueid == "pbx1-1795331986.155"


@pytest.mark.parametrize(
    "path",
    [
        "2026/11/23/../../../etc/passwd.1.wav",
        "2026/11/23/1795331986.155.wav",
        "2026/13/23/1795331986.155.1.wav",
        "1795331986.155.1.wav",
        "2026/11/23/1795331986.155.1.wav\n",
        "2026/11/23/1795331986.155.1.WAV",
        "2026/11/23/$(reboot)-1795331986.155.1.wav",
        "2026/11/23/x/1795331986.155.1.wav",
        "2026/11/23/=cmd|'x'!A1-1795331986.155.1.wav",
        "2026/11/23/1795331986.155.0001.wav",
    ],
)
def test_any_other_name_is_not_ours(path: str) -> None:
    assert names.name_of(path) is None
