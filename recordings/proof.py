"""That nothing was changed, lost or put in since: every file against its hash, every day against the chain."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from recordings import vault
from recordings.keys import NoKey
from recordings.vault import BrokenSeal, Vault
from service.calls.shelf import actions, queries
from service.calls.shelf.queries import Row, rules
from service.core import clock, db, scope
from service.core.config import Settings


@dataclass(frozen=True)
class Listed:
    """What the chain knows last, by recording: SHA-256 and state, and the hash of the form that it is kept in."""

    states: dict[int, tuple[str, str]] = field(default_factory=dict)
    forms: dict[int, tuple[str, str]] = field(default_factory=dict)

    def take(self, entries: str) -> None:
        """A day's list is read."""
        for recording_id, sha256, word in rules.unlisted(entries):
            (self.forms if word in rules.FORMS else self.states)[recording_id] = sha256, word



def chain(settings: Settings, at: datetime) -> list[str]:
    """Every day that is over has its link; returns the hashes of the new ones."""
    made = []
    while day := _next_day(settings, at):
        since, until = (_midnight(settings, moment) for moment in (day, day + timedelta(days=1)))
        with db.begin(scope.ALL) as session:
            made.append(actions.chained(session, day, since, until, at=at))
    return made


def _next_day(settings: Settings, at: datetime) -> date | None:
    """The first day of the firm's calendar without a link; None when the next one is not over yet."""
    with db.begin(scope.ALL) as session:
        last, first = queries.last_link(session), queries.first_change(session)
    if last is None and first is None:
        return None
    day = last.day + timedelta(days=1) if last else clock.local(first or at, settings.timezone).date()
    return day if day < clock.local(at, settings.timezone).date() else None


def _midnight(settings: Settings, day: date) -> datetime:
    return datetime.combine(day, time.min, settings.timezone)


def verify(settings: Settings) -> Iterator[str]:
    """One sentence for each thing that is broken; nothing when all is as it was."""
    place, listed = vault.of(settings), Listed()
    try:
        place.ring()
    except NoKey as error:
        yield error.message
        return
    yield from _links(listed)
    until = _chained_until(settings)
    with db.begin(scope.ALL) as session:
        for row in queries.rows(session):
            yield from _row(place, row, listed.states.pop(row.id, None), until, queries.logged(session, row.id))
            yield from _form(row, listed.forms.get(row.id), until)
    for recording_id in sorted(listed.states):
        yield f"Recording {recording_id} is in the chain and no longer in the database."


def _links(listed: Listed) -> Iterator[str]:
    before: tuple[date, str] | None = None
    with db.begin(scope.ALL) as session:
        for link in queries.chain(session):
            if link.previous != (before[1] if before else rules.FIRST):
                yield f"The chain is broken before {link.day}: that day does not follow the one before."
            elif before and link.day != before[0] + timedelta(days=1):
                yield f"The chain is broken before {link.day}: a day is missing."
            if rules.linked(link.previous, link.day, link.entries) != link.hash:
                yield f"The chain is broken at {link.day}: its list was changed."
            listed.take(link.entries)
            before = link.day, link.hash


def _chained_until(settings: Settings) -> datetime | None:
    with db.begin(scope.ALL) as session:
        last = queries.last_link(session)
    return _midnight(settings, last.day + timedelta(days=1)) if last else None


def _row(
    place: Vault, row: Row, chained: tuple[str, str] | None, until: datetime | None, logged: bool
) -> Iterator[str]:
    if chained is None and until and row.at < until:
        yield f"Recording {row.id} is older than the chain and not in it."
    if chained and chained[0] != row.sha256 and (until is None or row.at < until):
        yield f"Recording {row.id} has another hash than in the chain."
    if chained and chained[1] == "destroyed" and row.state != "destroyed":
        yield f"Recording {row.id} was destroyed and is there again."
    if row.state == "kept":
        yield from _audio(place, row)
    elif not logged:
        yield f"Recording {row.id} was destroyed without a line in the log of deletions."


def _form(row: Row, chained: tuple[str, str] | None, until: datetime | None) -> Iterator[str]:
    """What is kept instead of the switch's file is in the chain too."""
    if row.transcoded_at is None or until is None or row.transcoded_at >= until:
        return
    if chained != (row.kept_sha256, row.kept_as):
        yield f"Recording {row.id} is kept as {row.kept_as} with another hash than in the chain."


def _audio(place: Vault, row: Row) -> Iterator[str]:
    try:
        if place.hash_of(row.path) != (row.kept_sha256 or row.sha256):
            since = "its form was changed" if row.kept_sha256 else "it was collected"
            yield f"Recording {row.id} has other audio than when {since}."
    except FileNotFoundError:
        yield f"Recording {row.id} has lost its audio: {row.path} is not in the vault."
    except (BrokenSeal, NoKey, OSError) as error:
        yield f"Recording {row.id} cannot be opened: {error}."
