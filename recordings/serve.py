"""The HTTP answer to somebody who listens: whole, a part (206), or a range that lies outside (416)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from recordings import player
from recordings.player import Audio, Span
from recordings.vault import Vault
from service.core.identity import Identity


@dataclass(frozen=True)
class Asked:
    """What matters of the request."""

    recording_id: int
    method: str = "GET"
    range: str | None = None
    if_range: str | None = None


@dataclass(frozen=True)
class Reply:
    """Status, headers and the bytes, still on the disk."""

    status: int
    headers: dict[str, str]
    pieces: Iterator[bytes]


def reply(session: Session, vault: Vault, asked: Asked, person: Identity, *, at: datetime) -> Reply:
    """The audio for a person who may listen; the play is logged in the same transaction."""
    audio = player.audio(session, vault, asked.recording_id, person)
    headers = _headers(audio)
    changed = asked.if_range is not None and asked.if_range != headers["etag"]
    try:
        part = player.span(None if changed else asked.range, audio.size)
    except player.Unsatisfiable:
        return Reply(416, headers | {"content-range": f"bytes */{audio.size}", "content-length": "0"}, iter(()))
    answer = _part(vault, audio, part, headers)
    if asked.method == "HEAD":
        return Reply(answer.status, answer.headers, iter(()))
    player.listened(session, audio.recording_id, part.start if part else 0, by=person.staff_id, at=at)
    return answer


def _headers(audio: Audio) -> dict[str, str]:
    return {
        "content-type": "audio/wav",
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
        "etag": f'"{audio.sha256}"',
        "content-disposition": f'inline; filename="recording-{audio.recording_id}.wav"',
    }


def _part(vault: Vault, audio: Audio, part: Span | None, headers: dict[str, str]) -> Reply:
    span = part or Span(0, audio.size, audio.size)
    told = headers | {"content-length": str(span.stop - span.start)}
    if part is not None:
        told |= {"content-range": span.content_range}
    return Reply(206 if part else 200, told, audio.read(vault, span))
