"""A journal is heard again: from a place in it on, with a floor of its own, in the order in which it came."""

from collections.abc import Iterator
from pathlib import Path

from telephony import journal
from telephony.feed import Feed
from telephony.floor import Change, Floor
from telephony.journal import Piece, Position
from telephony.switch import Switch


def pieces(folder: Path, since: Position, feed: Feed, floor: Floor) -> Iterator[Piece]:
    """Yield each read of the journal from there on; feed and floor know where one connection ends and another begins."""
    segment = -1
    for piece in journal.pieces(folder, since):
        if piece.position.segment != segment:
            segment = piece.position.segment
            feed.reconnected(piece.position.offset)
        if piece.connected:
            floor.alive(feed.alive_at)
        yield piece


def ended(folder: Path, since: Position, to: Position, switch: Switch) -> Iterator[tuple[Change, Position]]:
    """Yield the end of each call that ended between the two places, and where it stands."""
    feed, floor = Feed(), Floor(switch)
    for piece in pieces(folder, since, feed, floor):
        if piece.position >= to:
            return
        for event in feed.hear(piece.data, piece.at):
            for change in floor.hear(event):
                if change.new.ended:
                    yield change, Position(piece.position.segment, change.offset)
