"""What lies on the desks this morning: each branch has tickets to assign, to accept, in work and overdue."""

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from service.demo import history, names
from service.demo.bulk import pour
from service.sla import rules as sla
from service.tickets.model import Ticket, TicketEvent

if TYPE_CHECKING:
    from service.demo.seed import Firm

# branch, priority, registered so many minutes ago, how far it has come, whose it is
HANDS = {"PD": {"technician": "technician", "agent": "agent"}, "SZ": {"technician": "technician3", "agent": "agent3"}}
LAID = (
    ("urgent", 8, "registered", None),
    ("normal", 45, "registered", None),
    ("normal", 190, "registered", None),  # should have been answered two hours ago
    ("normal", 35, "assigned", "technician"),
    ("urgent", 205, "accepted", "technician"),
    ("urgent", 370, "processing", "technician"),  # over its limit
    ("normal", 300, "to_settle", "technician"),
    ("normal", 20, "assigned", "agent"),
    ("low", 320, "accepted", "agent"),
    ("normal", 1560, "processing", "agent"),  # over its limit
)
STEPS = ("registered", "assigned", "accepted", "processing", "to_settle")
STAMPS = ("assigned_at", "accepted_at", "started_at", "finished_at", "closed_at")


def plant(session: Session, firm: "Firm", taken: int) -> None:
    """The open tickets exist with their timelines, numbered on from `taken`."""
    dice = random.Random(11)  # of its own, so that the history stays the same
    laid = sorted(((branch, *one) for branch in HANDS for one in LAID), key=lambda one: -one[2])
    rows = [_row(firm, dice, taken + no, *one) for no, one in enumerate(laid, 1)]
    ids = pour(session, Ticket, rows)
    told = [(i, row, event) for i, row in zip(ids, rows, strict=True) for event in history.events(row)]
    pour(session, TicketEvent, [e | {"ticket_id": i, "branch_id": row["branch_id"]} for i, row, e in told])


def _row(
    firm: "Firm", dice: random.Random, number: int, branch: str, priority: str, ago: int, state: str, whose: str | None
) -> dict[str, Any]:
    at = firm.now - timedelta(minutes=ago)
    party = dice.choice([party for party in firm.parties if party["branch"] == branch])
    response, resolve = sla.due(at, *history.LIMITS[priority])
    return {
        "number": f"SR{at.astimezone(firm.zone):%Y%m%d}{number:04d}",
        "party_id": party["id"],
        "priority": priority,
        "type": "repair",
        "device_id": dice.choice(firm.devices[party["id"]]),
        "phone": party["phone"],
        "channel": "hotline",
        "subject": dice.choice(names.SUBJECTS),
        "description": "",
        "result": dice.choice(names.RESULTS) if state == "to_settle" else "",
        "registered_by_id": firm.staff[HANDS[branch]["agent"]],
        "registered_at": at,
        "response_due_at": response,
        "resolve_due_at": resolve,
        "branch_id": firm.branches[branch],
        "version": 1,
        "assignee_id": firm.staff[HANDS[branch][whose]] if whose else None,
        "state": state,
        **_stamps(firm, ago, state),
    }


def _stamps(firm: "Firm", ago: int, state: str) -> dict[str, Any]:
    """The steps so far, spread over the time since the ticket came; those ahead are empty."""
    done = STEPS.index(state)
    share = timedelta(minutes=ago) / (2 * (done + 1))
    begun = firm.now - timedelta(minutes=ago)
    return {stamp: begun + share * no if no <= done else None for no, stamp in enumerate(STAMPS, 1)}
