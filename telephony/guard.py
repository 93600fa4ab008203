"""What a caller wrote into the stream is not what the switch said.

A SIP user part may carry percent-encoded line ends, and the switch writes them out unescaped in the caller's number.
A single one adds headers to a true event; two of them end it, add whole events, and leave its rest without a head.
Only the number does so (names are escaped by the switch), so a true event never ends in a number, and what stands
between a number and the last matching name was written by the caller.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

FORGERY_LIMIT = 4096  # a SIP packet that Asterisk takes is no longer; what follows is the switch's own again
SHOWN = 400
KEPT = 4096  # bytes of a frame in quarantine: enough to see what it was
_NUMBER = (b"CallerIDNum:", b"ConnectedLineNum:", b"DestCallerIDNum:", b"DestConnectedLineNum:", b"CallerIDnum:",
           b"SpyerCallerIDNum:", b"SpyerConnectedLineNum:", b"SpyeeCallerIDNum:", b"SpyeeConnectedLineNum:",
           b"CallerIDani:", b"CallerIDdnid:", b"CallerIDrdnis:", b"TransfererCallerIDNum:", b"TransfereeCallerIDNum:")
_CDR_NUMBER = (b"Source:", b"CallerID:", b"Destination:")
_NUMBER_LINE = re.compile(rb"([A-Za-z0-9]*(?:CallerID|ConnectedLine))Num:")
_PARTED = re.compile(rb"\n([A-Za-z0-9]*(?:CallerID|ConnectedLine))Num:[^\n]*\n(?!\1Name:)")
_HEAD = (b"Event:", b"Response:", b"Asterisk Call Manager/")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A frame that was not believed, or not wholly: why, where and its bytes."""

    offset: int
    reason: str
    frame: bytes

    @property
    def shown(self) -> str:
        """The bytes as text without a sign that a terminal or a page could take for its own."""
        return self.frame[:SHOWN].decode("utf-8", "replace").encode("unicode_escape").decode()


class Guard:
    """Passes the switch's frames on and keeps back what a caller forged among them."""

    def __init__(self) -> None:
        self.doubts: list[Doubt] = []
        self.lost_sight = False
        self._head: tuple[int, bytes] | None = None
        self._held: list[tuple[int, bytes]] = []

    def sift(self, offset: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield what the switch said; a head cut off at a number waits for its rest."""
        if self._head is not None:
            yield from self._rest(offset, frame)
        elif _broken_off(frame):
            self._head = (offset, frame)
        elif frame.startswith(_HEAD):
            yield offset, frame
        else:
            # The rest of a user event whose own last header was forged: what came just before may be false too.
            self.lost_sight = True
            self.doubts.append(Doubt(offset, "a frame without a head", frame))

    def _rest(self, offset: int, frame: bytes) -> Iterator[tuple[int, bytes]]:
        assert self._head is not None
        begin, head = self._head
        self._held.append((offset, frame))
        if not frame.startswith(_HEAD) and _broken_off(frame):
            self._head = (begin, head + b"\r\n" + frame)  # the event shows the number a second time
        elif not frame.startswith(_HEAD):
            self._release("events inside a caller's number")
            yield begin, mended(head + b"\r\n" + frame)
        elif offset - begin > FORGERY_LIMIT:
            # The caller gave the rest a head of its own: nothing here can be told apart, a fresh snapshot can.
            self.lost_sight = True
            self._release("events after a number that broke its event")

    def _release(self, reason: str) -> None:
        assert self._head is not None
        self.doubts += [Doubt(at, reason, frame) for at, frame in [self._head, *self._held]]
        self._head, self._held = None, []

    def taken(self) -> list[Doubt]:
        """Return the doubts since the last call and forget them."""
        doubts, self.doubts = self.doubts, []
        return doubts


def _broken_off(frame: bytes) -> bool:
    last = frame[frame.rfind(b"\n") + 1 :]
    if last.startswith(_NUMBER):
        return not frame.startswith(b"Event: UserEvent")  # a dialplan may well put the number last
    return last.startswith(_CDR_NUMBER) and frame.startswith(b"Event: Cdr")


def parted(frame: bytes) -> bool:
    """True when a number is not followed by its name, as it is in all that a switch writes of a channel."""
    return _PARTED.search(frame) is not None


def mended(frame: bytes) -> bytes:
    """Return the frame without the lines between each number and the last name that belongs to it."""
    lines = frame.split(b"\n")
    own = _own_headers(lines)
    lines, rest = lines[:own], lines[own:]
    for at in range(len(lines) - 1, -1, -1):  # from the end, so that a later number's forged names are gone already
        name_at = _name_after(lines, at)
        if name_at is not None:
            del lines[at + 1 : name_at]
    return b"\n".join(lines + rest)


def _own_headers(lines: list[bytes]) -> int:
    """Where the dialplan's own headers of a user event begin, which may be named like the channel's before them."""
    if not lines[0].startswith(b"Event: UserEvent"):
        return len(lines)
    return next((at for at in range(len(lines) - 1, 0, -1) if lines[at].startswith(b"UserEvent:")), len(lines))


def _name_after(lines: list[bytes], at: int) -> int | None:
    """Where the name stands that belongs to the number in line `at`; None when that line is no number."""
    number = _NUMBER_LINE.match(lines[at])
    if not number:
        return None
    name = number.group(1) + b"Name:"
    return next((i for i in range(len(lines) - 1, at, -1) if lines[i].startswith(name)), None)
