"""The HTTP answer to somebody who listens: whole, a part (206), or a range that lies outside (416)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from recordings import player, sound
from recordings.player import Audio, Span
from recordings.vault import BrokenSeal, Vault
from service.core.errors import Invalid, NotFound
from service.core.identity import Identity

LONGEST_WAV = 4 * 3600.0  # seconds; what is longer would hold too much memory while it is made
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What matters of the request."""

    recording_id: int
    method: str = "GET"
    range: str | None = None
    if_range: str | None = None
    kind: str = player.PLAY
    reason: str = ""
    as_wav: bool = False  # of what is kept in another form; made anew, so whole only


@dataclass(frozen=True)
class Reply:
    """Status, headers and the bytes, still on the disk."""

    status: int
    headers: dict[str, str]
    pieces: Iterator[bytes]


def reply(session: Session, vault: Vault, asked: Asked, person: Identity, *, at: datetime) -> Reply:
    """The audio for a person who may listen; the play is logged in the same transaction."""
    audio = player.audio(session, vault, asked.recording_id, person, asked.kind)
    if asked.as_wav and audio.form != sound.WAV:
        return _wav(session, vault, audio, asked, person, at)
    headers = _headers(audio, asked.kind)
    changed = asked.if_range is not None and asked.if_range != headers["etag"]
    try:
        part = player.span(None if changed else asked.range, audio.size)
    except player.Unsatisfiable:
        return Reply(416, headers | {"content-range": f"bytes */{audio.size}", "content-length": "0"}, iter(()))
    try:
        answer = _part(vault, audio, part, headers)
    except (BrokenSeal, FileNotFoundError) as error:
        log.error("recordings: %s of recording %s: %s", asked.kind, audio.recording_id, error)
        raise NotFound(player.lost()) from error
    if asked.method == "HEAD":
        return Reply(answer.status, answer.headers, iter(()))
    start = part.start if part else 0
    player.listened(session, audio.recording_id, start, by=person.staff_id, at=at, kind=asked.kind, reason=asked.reason)
    return answer


def _wav(session: Session, vault: Vault, audio: Audio, asked: Asked, person: Identity, at: datetime) -> Reply:
    """The recording as the switch wrote it, sample for sample where its form allows."""
    if audio.seconds > LONGEST_WAV:
        raise Invalid(_("This recording is too long to be made into WAV here. Take it in the form in which it is kept."))
    try:
        length, pieces = sound.as_wav(b"".join(audio.read(vault, Span(0, audio.size, audio.size))))
    except (BrokenSeal, FileNotFoundError, sound.NotSound) as error:
        log.error("recordings: WAV of recording %s: %s", audio.recording_id, error)
        raise NotFound(player.lost()) from error
    name = f"recording-{audio.recording_id}.wav"
    headers = {
        "content-type": sound.CONTENT_TYPE[sound.WAV],
        "content-length": str(length),
        "cache-control": "private, no-store",
        "content-disposition": f'attachment; filename="{name}"',
    }
    if asked.method == "HEAD":
        return Reply(200, headers, iter(()))
    player.listened(session, audio.recording_id, 0, by=person.staff_id, at=at, kind=asked.kind, reason=asked.reason)
    return Reply(200, headers, pieces)


def _headers(audio: Audio, kind: str) -> dict[str, str]:
    shown = "attachment" if kind == player.DOWNLOAD else "inline"
    return {
        "content-type": sound.CONTENT_TYPE[audio.form],
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
        "etag": f'"{audio.sha256}"',
        "content-disposition": f'{shown}; filename="recording-{audio.recording_id}.{sound.ENDING[audio.form]}"',
    }


def _part(vault: Vault, audio: Audio, part: Span | None, headers: dict[str, str]) -> Reply:
    span = part or Span(0, audio.size, audio.size)
    told = headers | {"content-length": str(span.stop - span.start)}
    if part is not None:
        told |= {"content-range": span.content_range}
    return Reply(206 if part else 200, told, audio.read(vault, span))
