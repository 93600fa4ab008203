"""What is served when somebody listens: which bytes, to whom, and that it is written down."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recordings import policy
from recordings.vault import BrokenSeal, Vault
from service.calls.shelf import actions, queries
from service.core.errors import DeskError, NotFound
from service.core.identity import Identity

SAME_START = timedelta(seconds=10)  # a player asks for the first bytes several times while it opens a file
SAME_PLAY = timedelta(hours=4)  # seeking, pausing and going on belong to the play that began with the first byte
PLAY, DOWNLOAD = policy.PLAY, policy.DOWNLOAD
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Gone(DeskError):
    """There was a recording, and it was destroyed (HTTP 410)."""

    status = 410


class Unsatisfiable(Exception):
    """The range lies outside the audio (HTTP 416)."""


@dataclass(frozen=True)
class Span:
    """Bytes from `start` up to, not including, `stop` of `size`."""

    start: int
    stop: int
    size: int

    @property
    def whole(self) -> bool:
        """Everything from the first to the last byte."""
        return self.start == 0 and self.stop == self.size

    @property
    def content_range(self) -> str:
        """As the Content-Range header says it."""
        return f"bytes {self.start}-{self.stop - 1}/{self.size}"


def span(asked: str | None, size: int) -> Span | None:
    """The part that a Range header asks for; None means all, as does a header of another shape (RFC 9110, 14.2)."""
    match = _RANGE.fullmatch(asked.replace(" ", "")) if asked else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= stop:
        raise Unsatisfiable
    return Span(start, stop, size)


@dataclass(frozen=True)
class Audio:
    """A recording that this person may hear."""

    recording_id: int
    key: str
    sha256: str
    size: int
    form: str = "wav"
    seconds: float = 0.0

    def read(self, vault: Vault, part: Span) -> Iterator[bytes]:
        """The bytes of that part, in pieces."""
        return vault.read(self.key, part.start, part.stop)


def audio(session: Session, vault: Vault, recording_id: int, person: Identity, kind: str = PLAY) -> Audio:
    """The recording, for a person who may play (or download) it; the file itself says how long it is."""
    row = queries.recording_for(session, recording_id)
    if row is None:
        raise NotFound(_("There is no such recording. Look for its call in the call list."))
    policy.check(person, row.branch_id, kind)
    if row.state != "kept":
        raise Gone(_("This audio was destroyed. The page of its call says when and why."))
    try:
        size = vault.size(row.path)
    except (FileNotFoundError, BrokenSeal) as error:
        raise NotFound(lost()) from error
    return Audio(row.id, row.path, row.kept_sha256 or row.sha256, size, row.kept_as, float(row.seconds))


def lost() -> str:
    """What is said when the disk no longer has, or no longer gives, what the vault should hold."""
    return str(_("The audio of this call is not in the vault. Tell your administrator its call number."))


def listened(
    session: Session, recording_id: int, start: int, *, by: int, at: datetime, kind: str = PLAY, reason: str = ""
) -> bool:
    """The play or download is logged once, at its first bytes; True when this request began it."""
    window = SAME_START if start == 0 else SAME_PLAY
    last = queries.last_play(session, recording_id, by, kind)
    if last is not None and at - last < window:
        return False
    actions.recording_played(session, recording_id, by=by, at=at, kind=kind, reason=reason)
    return True
