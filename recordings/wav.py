"""What a WAV header says of its file. Pure: bytes in, facts out."""

import struct
from dataclasses import dataclass
from decimal import Decimal

HEADER = 44  # as the switch writes it: RIFF, fmt of 16 bytes, data
_PCM = 1


@dataclass(frozen=True)
class Wav:
    """One header beside the size of its file."""

    rate: int
    channels: int
    width: int
    told: int
    present: int

    @property
    def empty(self) -> bool:
        """Only the header was written: nobody was ever connected."""
        return self.present == 0

    @property
    def complete(self) -> bool:
        """The writer has closed the file: the header's length is the length that is there."""
        return self.told == self.present

    @property
    def whole(self) -> bool:
        """The writer has closed the file, and after a whole frame."""
        return self.complete and self.present % (self.channels * self.width) == 0

    @property
    def seconds(self) -> Decimal:
        """Length of the audio that is there, in seconds to the millisecond."""
        per_second = self.rate * self.channels * self.width
        return (Decimal(self.present) / per_second).quantize(Decimal("0.001"))

    @property
    def format(self) -> str:
        """For example `wav/8000/1`."""
        return f"wav/{self.rate}/{self.channels}"


def head(facts: Wav) -> bytes:
    """The header of such a file, as the switch writes it when it closes one."""
    rate, width = facts.rate, facts.channels * facts.width
    form = struct.pack("<IHHIIHH", 16, _PCM, facts.channels, rate, rate * width, width, 8 * facts.width)
    told = struct.pack("<I", facts.present)
    return b"RIFF" + struct.pack("<I", facts.present + HEADER - 8) + b"WAVEfmt " + form + b"data" + told


def header(first: bytes, size: int) -> Wav | None:
    """The header's facts, or None when this is no 16-bit PCM WAV as a switch records it."""
    if len(first) < HEADER or first[:4] != b"RIFF" or first[8:16] != b"WAVEfmt " or first[36:40] != b"data":
        return None
    length, form, channels, rate, _, _, bits = struct.unpack("<IHHIIHH", first[16:36])
    if (length, form, bits) != (16, _PCM, 16) or not 1 <= channels <= 2 or not 8000 <= rate <= 48000:
        return None
    told = int(struct.unpack("<I", first[40:44])[0])
    return Wav(rate, channels, bits // 8, told, size - HEADER)
