"""Rows of a switch's files become calls, through the same steps as what is heard. Pure: the same rows, the same calls."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telephony import retelling
from telephony.book import Book
from telephony.livecall import LiveCall
from telephony.logfile import written
from telephony.records import Row
from telephony.replay import Played
from telephony.switch import Switch

SETTLED = timedelta(seconds=15)    # so long after a call's end its last record is written
LONGEST = timedelta(hours=6)       # a call that is open for longer was never seen to end
SLICE, ROWS = timedelta(hours=1), 50_000


@dataclass(frozen=True)
class Derived:
    """The calls that a slice of rows tells of and that are over, and from when on rows are needed again."""

    calls: tuple[LiveCall, ...]
    low: datetime
    until: datetime
    proven: frozenset[str] = frozenset()  # the calls of which the files tell all


def derive(rows: Sequence[Row], holds: Iterable[retelling.Held], switch: Switch, until: datetime) -> Derived:
    """Return what came of the calls in these rows; one that may still go on is left for the next slice.

    A call of which the rows lack the beginning is none: whoever wants it reads from further back.
    """
    played, book = Played(switch), Book(rows)
    for event in retelling.events(book, holds):
        played.keep(played.floor.hear(event))
    calls = played.in_order()
    over = [call for call in calls if call.ended and call.ended_at is not None and call.ended_at < until - SETTLED]
    whole = tuple(call for call in over if book.torn.isdisjoint(call.ids))
    names = {call.key for call in over}
    begun = [call.began_at for call in calls if call.key not in names and call.began_at]
    proven = frozenset(call.key for call in whole if _proven(book, call))
    return Derived(whole, max(min([*begun, until - SETTLED]), until - LONGEST), until, proven)


def _proven(book: Book, call: LiveCall) -> bool:
    """True when CEL has each channel from its start to its end, and the queue, if there was one, its own lines."""
    channels = [book.channels.get(name) for name in call.legs]
    if call.lost is not None or not all(channel is not None and channel.whole for channel in channels):
        return False
    return call.queue is None or any(book.queued.get(name) for name in call.legs)


def slices(files: Sequence[Iterator[Row]], until: datetime) -> Iterator[tuple[list[Row], datetime]]:
    """Yield the rows in order of time, an hour or so at once, each with the time until which they are whole."""
    held: list[Row] = []
    end: datetime | None = None
    for row in heapq.merge(*files, key=written):
        at = written(row)
        if end is None:
            end = at + SLICE
        if at >= end or (len(held) >= ROWS and at > written(held[-1])):
            yield held, at
            held, end = [], at + SLICE
        held.append(row)
    yield held, until
