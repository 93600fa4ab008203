"""WAV in the vault becomes FLAC or Opus, one after the other; the old key goes only when the new one was opened and heard.

A crash before the row is changed leaves a new file that nobody claims, one after it an old one: the daily work destroys
either, so that there is always one good copy and never two for long.
"""

import io
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recordings import sound, vault, wav
from recordings.keys import NoKey
from recordings.sound import Encoded, NotSound
from recordings.vault import BrokenSeal, Sealed, Vault
from recordings.wav import Wav
from service.calls.shelf import actions, queries
from service.calls.shelf.queries import Row
from service.core import clock, db, scope
from service.core.config import Settings

log = logging.getLogger(__name__)
JOB = "recordings.transcode"
AT_ONCE = 100


@dataclass
class Done:
    """How many recordings have their new form, and which stay as they are, with the reason."""

    changed: int = 0
    stayed: dict[int, str] | None = None


def job(settings: Settings, args: dict[str, Any]) -> None:
    """Whatever was collected since has the form that the settings name."""
    transcode(settings, clock.now())


def transcode(settings: Settings, at: datetime) -> Done:
    """Each recording that is kept as WAV has the settings' form, but for those on hold and those that cannot have it."""
    done, form = Done(0, {}), settings.recording_format
    place, after = vault.of(settings), 0
    if form == sound.WAV:
        return done
    while rows := _next(after):
        after = rows[-1].id
        for row in rows:
            word = _changed(place, row, form, at)
            done.changed += not word
            if word and done.stayed is not None:
                done.stayed[row.id] = word
                log.warning("recordings: %s stays WAV: %s", row.id, word)
    return done


def _next(after: int) -> list[Row]:
    with db.begin(scope.ALL) as session:
        return queries.wavs(session, after, AT_ONCE)


def _changed(place: Vault, row: Row, form: str, at: datetime) -> str:
    """Why it stays as it is; empty when it is in its new form."""
    try:
        first = b"".join(place.read(row.path, 0, wav.HEADER))
        header = wav.header(first, place.size(row.path))
        if header is None or not sound.able(header, form):
            return f"{form} cannot hold this audio"
        if not header.whole or first != wav.head(header):  # no new form could give this file back
            return "the switch has not closed this file"
        new = sound.encoded(place.read(row.path, 0, place.size(row.path)), header, form)
        sealed = _sealed(place, new, header, form)
    except (OSError, BrokenSeal, NotSound, NoKey) as error:
        return str(error)
    return _moved(place, row, sealed, form, at)


def _sealed(place: Vault, new: Encoded, header: Wav, form: str) -> Sealed:
    """The new form is in the vault, and was opened there and heard; raises BrokenSeal when it does not sound the same."""
    sealed = place.put(io.BytesIO(new.content))
    good = False
    try:
        good = sound.same(b"".join(place.read(sealed.key, 0, sealed.size)), new, header, form)
    finally:
        if not good:
            place.shred(sealed.key)
    if not good:
        raise BrokenSeal(f"its {form} does not hold the same sound")
    return sealed


def _moved(place: Vault, row: Row, sealed: Sealed, form: str, at: datetime) -> str:
    with db.begin(scope.ALL) as session:
        took = actions.recording_transcoded(
            session, row.id, row.path, sealed.key, kept_as=form, sha256=sealed.sha256, size=sealed.size, at=at
        )
    if not took:
        place.shred(sealed.key)
        return "it was held, destroyed, sealed or collected anew meanwhile"
    with db.begin(scope.ALL) as session:
        shared = queries.places(session, [row.path])  # older audio that was collected twice is one file
    if not shared:
        place.shred(row.path)
    return ""
