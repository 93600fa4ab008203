"""Bytes of the manager interface: frames out of a stream, text out of bytes, actions into bytes."""

import re
from collections.abc import Iterable

BANNER = b"Asterisk Call Manager/"
FRAME_LIMIT = 256 * 1024  # no real message is near it; without a limit a peer could fill the memory
_SLOPPY_END = re.compile(rb"\r?\n\r?\n[\r\n]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")


class WireError(ValueError):
    """The value cannot be written to the switch; the message says which and why."""


class Framer:
    """Cuts a byte stream into frames, whatever the reads were; each frame comes with its byte offset."""

    def __init__(self, offset: int = 0) -> None:
        self._tail = b""
        self._start = offset
        self.endless = 0  # bytes in which no frame ended: whoever sends them is no switch

    @property
    def offset(self) -> int:
        """Where the next frame begins: everything before it has been handed out."""
        return self._start

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the frames that `data` completes, the torn rest is kept for the next read."""
        pieces = (self._tail + data).split(b"\r\n\r\n")
        self._tail = pieces.pop()
        frames: list[tuple[int, bytes]] = []
        at = self._start
        for piece in pieces:
            if b"\n\n" in piece or b"\n\r\n" in piece or piece.startswith((b"\r", b"\n", BANNER)):
                frames += _sloppy(at, piece)
            elif piece:
                frames.append((at, piece))
            at += len(piece) + 4
        self._start = at
        if b"\n\n" in self._tail or b"\n\r\n" in self._tail or len(self._tail) > FRAME_LIMIT:
            frames += self._cut_tail()
        return frames

    def _cut_tail(self) -> list[tuple[int, bytes]]:
        """Frames that ended in something like a blank line, and a frame no honest peer would send."""
        ends = [match.end() for match in _SLOPPY_END.finditer(self._tail)]
        if len(self._tail) > FRAME_LIMIT and not ends:
            self.endless += len(self._tail)
        cut = len(self._tail) if len(self._tail) > FRAME_LIMIT else ends[-1] if ends else 0
        whole, self._tail = self._tail[:cut], self._tail[cut:]
        frames = _sloppy(self._start, whole)
        self._start += cut
        return frames


def _sloppy(at: int, piece: bytes) -> list[tuple[int, bytes]]:
    """Cut at anything that means a blank line, drop extra blanks, and part the banner from its answer."""
    frames = []
    begin = 0
    for end in [match.span() for match in _SLOPPY_END.finditer(piece)] + [(len(piece), len(piece))]:
        frames += _without_banner(at + begin, piece[begin : end[0]])
        begin = end[1]
    return frames


def _without_banner(at: int, frame: bytes) -> list[tuple[int, bytes]]:
    bare = frame.lstrip(b"\r\n")
    at += len(frame) - len(bare)
    bare = bare.rstrip(b"\r\n")
    if not bare.startswith(BANNER):
        return [(at, bare)] if bare else []
    banner, newline, rest = bare.partition(b"\n")
    return [(at, banner.rstrip(b"\r"))] + ([(at + len(banner) + 1, rest)] if newline and rest else [])


def event_name(frame: bytes) -> bytes:
    """Return the name in `Event:`, empty when the frame is no event."""
    if not frame.startswith(b"Event:"):
        return b""
    end = frame.find(b"\n")
    return frame[6 : end if end > 0 else len(frame)].strip()


def text(value: bytes) -> tuple[str, bool]:
    """Decode as UTF-8, else GB18030, else Latin-1; True when the bytes were none of the first two."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return value.decode(encoding), False
        except UnicodeDecodeError:
            continue
    return value.decode("latin-1"), True


class _Lower(dict[str, str]):
    """Header names as they are asked for: a switch has a few hundred, a forger as many as are forgotten again."""

    def __missing__(self, name: str) -> str:
        if len(self) > 2000:
            self.clear()
        self[name] = low = name.lower()
        return low


_LOWER = _Lower()


def headers(frame: bytes) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the headers by lower-case name, first value first, and the repeated or strange lines beside them."""
    lines = _lines(frame.replace(b"\r\n", b"\n"))
    parts = [line.partition(": ") for line in lines]
    plain = {_LOWER[name]: value for name, _, value in parts}
    names = "".join(plain)
    if len(plain) == len(lines) and ":" not in names and " " not in names:
        return plain, []
    return _liberal(lines)


def _liberal(lines: list[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The same for a frame with repeated headers or sloppy lines, line by line."""
    found: dict[str, str] = {}
    odd: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if name in found or not colon:
            odd.append((name, value))
        else:
            found[name] = value[1:] if value[:1] == " " else value
    return found, odd


def _lines(frame: bytes) -> list[str]:
    try:
        return frame.decode().split("\n")
    except UnicodeDecodeError:
        return [text(line)[0] for line in frame.split(b"\n")]


def action(name: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Encode an action; raises WireError for a control character, which could smuggle a second action."""
    lines = []
    for key, value in [("Action", name), *fields]:
        if not _NAME.match(key):
            raise WireError(f"The header name {key!r} cannot be sent. Use letters and digits only.")
        if _CONTROL.search(value):
            raise WireError(f"The value of {key} holds a control character and was not sent. Remove it and try again.")
        lines.append(f"{key}: {value}\r\n")
    return ("".join(lines) + "\r\n").encode()
