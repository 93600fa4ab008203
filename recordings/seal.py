"""How audio is encrypted: AES-256-GCM in chunks of one size, so that any part is read without the rest.

A file is a short head and its chunks. The nonce is the number of the chunk, which is safe because each file has a data
key of its own. Number, last-flag and the name of the blob are authenticated: no chunk can be moved, dropped or cut off.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 1 << 16
TAG = 16
AT_ONCE = 4  # chunks that are handed on as one piece
MAGIC = b"RDV2"
HEAD = MAGIC + CHUNK.to_bytes(4, "big")
Taster = Callable[[bytes], None]


class BrokenSeal(Exception):
    """What is on the disk is not what was put there."""


def write(source: BinaryIO, out: BinaryIO, data_key: bytes, blob: str, *tasters: Taster) -> tuple[str, int]:
    """`out` holds the bytes of `source`, sealed; returns SHA-256 and length of what was read. Tasters see it pass by."""
    cipher, digest, size = AESGCM(data_key), hashlib.sha256(), 0
    out.write(HEAD)
    for number, piece, last in _chunks(source):
        digest.update(piece)
        size += len(piece)
        for taste in tasters:
            taste(piece)
        out.write(cipher.encrypt(_nonce(number), piece, _bound(blob, number, last)))
    return digest.hexdigest(), size


def size_of(length: int) -> int:
    """Bytes of audio in a sealed file of that length; raises BrokenSeal when no sealed file is so long."""
    body = length - len(HEAD)
    count = -(-body // (CHUNK + TAG))
    if body < TAG or body - (count - 1) * (CHUNK + TAG) < TAG:
        raise BrokenSeal("the sealed file was cut off")
    return body - count * TAG


def read(file: BinaryIO, data_key: bytes, blob: str, start: int, stop: int) -> Iterator[bytes]:
    """Bytes from `start` up to `stop` in pieces; only the chunks that hold them are read. Raises BrokenSeal."""
    if file.read(len(HEAD)) != HEAD:
        raise BrokenSeal("the sealed file has another beginning")
    size = size_of(os.fstat(file.fileno()).st_size)
    start, stop = min(start, size), min(stop, size)
    final, cipher = max(0, size - 1) // CHUNK, AESGCM(data_key)
    first, end = start // CHUNK, max(0, stop - 1) // CHUNK + 1
    file.seek(len(HEAD) + first * (CHUNK + TAG))
    for group in range(first, end, AT_ONCE):
        numbers = range(group, min(group + AT_ONCE, end))
        sealed = memoryview(file.read(len(numbers) * (CHUNK + TAG)))
        opened = b"".join(
            _opened(cipher, sealed[i * (CHUNK + TAG) : (i + 1) * (CHUNK + TAG)], blob, number, number == final)
            for i, number in enumerate(numbers)
        )
        at = group * CHUNK
        if piece := opened[max(0, start - at) : stop - at]:
            yield piece


def _opened(cipher: AESGCM, sealed: memoryview, blob: str, number: int, last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(number), sealed, _bound(blob, number, last))
    except InvalidTag as error:
        raise BrokenSeal(f"chunk {number} of the sealed file was changed") from error


def _chunks(source: BinaryIO) -> Iterator[tuple[int, bytes, bool]]:
    number, piece = 0, _full(source)
    while len(piece) == CHUNK:
        following = _full(source)
        if not following:
            break
        yield number, piece, False
        number, piece = number + 1, following
    yield number, piece, True


def _full(source: BinaryIO) -> bytes:
    """A whole chunk, or what is left; a raw file may give less at once."""
    piece = source.read(CHUNK)
    while 0 < len(piece) < CHUNK and (more := source.read(CHUNK - len(piece))):
        piece += more
    return piece


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(blob: str, number: int, last: bool) -> bytes:
    return MAGIC + blob.encode() + number.to_bytes(8, "big") + (b"\1" if last else b"\0")
