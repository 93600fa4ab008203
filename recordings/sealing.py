"""Audio of an older installation is sealed, one file after the other, while people go on listening."""

import base64
from collections.abc import Iterator
from contextlib import suppress

from recordings import vault, wav
from recordings.vault import BrokenSeal, Sealed, Vault
from recordings.wave import Wave
from service.calls.shelf import actions, queries
from service.calls.shelf.queries import Row
from service.core import db, scope
from service.core.config import Settings


def seal(settings: Settings) -> Iterator[tuple[int, str]]:
    """Each recording that is not sealed yet, with an empty word once it is, or with why it cannot be."""
    place, refused = vault.of(settings), set[int]()
    while todo := [row for row in _plain(len(refused)) if row.id not in refused]:
        for row in todo:
            word = _sealed(place, row)
            if word:
                refused.add(row.id)
            yield row.id, word


def _plain(besides: int) -> list[Row]:
    with db.begin(scope.ALL) as session:
        return queries.plain(session, 200 + besides)


def _sealed(place: Vault, row: Row) -> str:
    try:
        with place.path(row.path).open("rb") as file:
            header = wav.header(file.read(wav.HEADER), place.size(row.path))
            file.seek(0)
            wave = Wave(header.rate, header.channels) if header else None
            sealed = place.put(file, *([wave.taste] if wave else []))
    except (OSError, BrokenSeal) as error:
        return str(error)
    if sealed.sha256 != row.sha256:
        place.shred(sealed.key)
        return "its audio is not what was collected"
    _moved(place, row, sealed, wave)
    return ""


def _moved(place: Vault, row: Row, sealed: Sealed, wave: Wave | None) -> None:
    """The row names the sealed file; the plain one goes once no other row stands on it."""
    shape = wave.shape() if wave else None
    bars = base64.b64encode(shape.peaks).decode() if shape else None
    silences = [list(span) for span in shape.silences] if shape else None
    with db.begin(scope.ALL) as session:
        took = actions.recording_sealed(session, row.id, row.path, sealed.key, bars, silences)
    if not took:
        place.shred(sealed.key)
        return
    with db.begin(scope.ALL) as session:
        shared = queries.places(session, [row.path])
    if not shared:
        with suppress(FileNotFoundError):
            place.shred(row.path)
