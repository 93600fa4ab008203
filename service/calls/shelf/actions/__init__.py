"""Verbs of the shelf: found, linked, played, consented, held, doomed, destroyed, chained."""

from service.calls.shelf.actions.arriving import (
    link_orphans,
    recording_found,
    recording_sealed,
    recording_transcoded,
    source_deleted,
)
from service.calls.shelf.actions.chain import chained
from service.calls.shelf.actions.ending import DESTROY, destroyed, doom
from service.calls.shelf.actions.findings import found, look_for_missing, mended, sweep
from service.calls.shelf.actions.hearing import consent, consented, doom_refused, recording_played
from service.calls.shelf.actions.keeping import Held, complained_of, hold, keep_for, lift

__all__ = [
    "DESTROY",
    "Held",
    "chained",
    "complained_of",
    "consent",
    "consented",
    "destroyed",
    "doom",
    "doom_refused",
    "found",
    "hold",
    "keep_for",
    "lift",
    "link_orphans",
    "look_for_missing",
    "mended",
    "recording_found",
    "recording_played",
    "recording_sealed",
    "recording_transcoded",
    "source_deleted",
    "sweep",
]
