"""Which move a ticket may make. Pure."""

from dataclasses import dataclass

TYPES = ("repair", "consultation", "complaint", "installation", "upkeep")
PRIORITIES = ("urgent", "normal", "low")
OPEN = ("registered", "assigned", "accepted", "processing")
CATEGORY = {
    "registered": "new",
    "assigned": "assigned",
    "accepted": "assigned",
    "processing": "working",
    "to_settle": "resolved",
    "closed": "closed",
}


@dataclass(frozen=True)
class Move:
    """One verb: from which states, to which one, and which permission it takes."""

    verb: str
    sources: tuple[str, ...]
    target: str
    permission: str
    stamp: str


MOVES = {
    move.verb: move
    for move in (
        Move("assign", ("registered", "assigned", "accepted", "processing"), "assigned", "ticket.assign", "assigned_at"),
        Move("accept", ("assigned",), "accepted", "ticket.write", "accepted_at"),
        Move("start", ("accepted",), "processing", "ticket.write", "started_at"),
        Move("finish", ("processing",), "to_settle", "ticket.write", "finished_at"),
        Move("close", ("to_settle",), "closed", "ticket.close", "closed_at"),
    )
}


def possible(state: str) -> list[Move]:
    """The moves that start from this state, in the order of the process."""
    return [move for move in MOVES.values() if state in move.sources]
