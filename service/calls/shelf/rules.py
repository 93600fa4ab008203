"""The chain of days: who changes one day's list has to change every day after it. Pure."""

import hashlib
from collections.abc import Iterable
from datetime import date

FIRST = "0" * 64
FORMS = ("flac", "opus")  # in the chain in place of a state: the hash of what is kept instead of the WAV
CONSENTS = ("announced", "given", "refused")


def retention_for(direction: str) -> str:
    """The class of a new recording; a complaint about its call changes it later."""
    return "outbound" if direction == "outbound" else "ordinary"


def listed(rows: Iterable[tuple[int, str, str]]) -> str:
    """A day's list as it is hashed: one line a recording, with its id, its SHA-256 and its state."""
    return "".join(f"{recording_id} {sha256} {state}\n" for recording_id, sha256, state in sorted(rows))


def unlisted(entries: str) -> list[tuple[int, str, str]]:
    """The rows of such a list."""
    rows = (line.split(" ") for line in entries.splitlines())
    return [(int(recording_id), sha256, state) for recording_id, sha256, state in rows]


def linked(previous: str, day: date, entries: str) -> str:
    """SHA-256 over the day before, the day and its list."""
    return hashlib.sha256(f"{previous}\n{day.isoformat()}\n{entries}".encode()).hexdigest()
