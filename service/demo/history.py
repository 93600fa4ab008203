"""Ninety days of calls and tickets as they could have been, written in bulk."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.calls import missed, rules
from service.calls.model import Call, CallAlias, CallLeg, CallSegment
from service.core import phone as phones
from service.demo import floor, names
from service.demo.bulk import pour
from service.sla import rules as sla
from service.tickets.model import Ticket, TicketCall, TicketEvent

if TYPE_CHECKING:
    from service.demo.seed import Firm

DAYS = 90
HOURS = tuple(range(8, 21))
LOAD = (3, 9, 11, 9, 5, 4, 8, 9, 8, 5, 2, 2, 1)  # callers by hour from eight on
LIMITS = {"urgent": (15, 240), "normal": (60, 1440), "low": (240, 4320)}


def plant(session: Session, firm: "Firm") -> int:
    """Calls with legs, tickets with timelines and links between them exist up to yesterday evening; returns how many ticket numbers are taken."""
    calls = [row for day in range(DAYS, 0, -1) for row in _day(firm, day)]
    calls.sort(key=lambda row: row["started_at"])
    ids = pour(session, Call, calls)
    legs = [leg | {"call_id": call_id} for call_id, row in zip(ids, calls, strict=True) for leg in _legs(firm, row)]
    pour(session, CallLeg, legs)
    pour(
        session,
        CallAlias,
        [
            {"switch": names.SWITCH, "uniqueid": row["call_key"], "call_id": call_id, "branch_id": row["branch_id"]}
            for call_id, row in zip(ids, calls, strict=True)
        ],
    )
    pour(session, CallSegment, [s | {"call_id": i} for i, row in zip(ids, calls, strict=True) for s in _segments(firm, row)])
    floor.plant(session, firm, list(zip(ids, calls, strict=True)))
    _to_call_back(session, firm)
    return _tickets(session, firm, calls)


def _to_call_back(session: Session, firm: "Firm") -> None:
    """Who was missed on the last two days and not spoken with since waits to be called back."""
    since = datetime(firm.today.year, firm.today.month, firm.today.day, tzinfo=firm.zone) - timedelta(days=2)
    recent = session.scalars(select(Call).where(Call.started_at > since).order_by(Call.started_at)).all()
    missed.noted(session, recent, at=since + timedelta(days=2))


def _segments(firm: "Firm", row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Waiting, then talk; one in eight is put on hold for a while."""
    plain = {"branch_id": row["branch_id"], "extension": None, "staff_id": None}
    agent = {"extension": row["agent"], "staff_id": row["staff_id"]}
    pieces: list[tuple[str, datetime, datetime, dict[str, Any]]] = [("queue_wait" if row["queue"] else "ringing", row["started_at"], row["answered_at"] or row["ended_at"], {})]
    if row["answered_at"]:
        pieces += _talk(firm, row, agent)
    for no, (kind, began, ended, who) in enumerate(pieces, 1):
        seconds = Decimal(str(round((ended - began).total_seconds(), 3)))
        yield plain | who | {"no": no, "kind": kind, "began_at": began, "ended_at": ended, "seconds": seconds}


def _talk(firm: "Firm", row: dict[str, Any], who: dict[str, Any]) -> list[tuple[str, datetime, datetime, dict[str, Any]]]:
    began, ended, hold = row["answered_at"], row["ended_at"], float(row["hold_seconds"] or 0)
    if not hold:
        return [("talk", began, ended, who)]
    at = began + (ended - began - timedelta(seconds=hold)) * firm.dice.uniform(0.2, 0.6)
    back = at + timedelta(seconds=hold)
    return [("talk", began, at, who), ("hold", at, back, who), ("talk", back, ended, who)]


def _day(firm: "Firm", ago: int) -> list[dict[str, Any]]:
    on = firm.today - timedelta(days=ago)
    busy = (0.35 if on.weekday() >= 5 else 1.0) * firm.dice.uniform(0.8, 1.25)
    return [
        _call(
            firm,
            datetime(
                on.year, on.month, on.day, hour, firm.dice.randint(0, 59), firm.dice.randint(0, 59), tzinfo=firm.zone
            ),
        )
        for hour, load in zip(HOURS, LOAD, strict=True)
        for _ in range(round(load * busy))
    ]


def _call(firm: "Firm", at: datetime) -> dict[str, Any]:
    dice, party = firm.dice, firm.dice.choice(firm.parties)
    outbound = dice.random() < 0.12
    queue = None if outbound else ("support" if dice.random() < 0.75 else "sales")
    rush = LOAD[at.hour - 8] / 11
    wait = round(dice.expovariate(1 / (6 + 26 * rush * dice.random() ** 2)), 1)
    gave_up = not outbound and dice.random() < 0.03 + 0.12 * rush
    agent = dice.choice(("801", "802") if queue == "support" else ("803", "804"))
    known, talk = dice.random() < 0.8, 0 if gave_up else round(dice.lognormvariate(5.0, 0.6), 1)
    number = str(party["phone"]) if known else f"137{dice.randrange(10**8):08d}"
    hold = round(dice.uniform(8, 60), 1) if talk and dice.random() < 0.12 else 0
    ended = at + timedelta(seconds=wait + talk + hold)
    branch = firm.branches["PD" if agent in ("801", "802") else "SZ"]
    return {
        "switch": names.SWITCH,
        "call_key": f"{int(at.timestamp())}.{dice.randrange(10**6)}",
        "direction": "outbound" if outbound else "inbound",
        "caller_number": agent if outbound else number,
        "caller_e164": None if outbound else phones.parse(number).e164,
        "caller_name": None,
        "called": number if outbound else ("02150800100" if queue == "support" else "02150800101"),
        "queue": queue,
        "agent": None if gave_up else agent,
        "answered_by": None if gave_up else ("customer" if outbound else agent),
        "staff_id": None if gave_up else firm.seats[agent],
        "party_id": party["id"] if known else None,
        "disposition": "abandoned" if gave_up else "answered",
        "hangup_by": "caller" if gave_up else dice.choice(("caller", "agent")),
        "started_at": at,
        "queued_at": None if outbound else at,
        "answered_at": None if gave_up else at + timedelta(seconds=wait),
        "ended_at": ended,
        "wait_seconds": None if outbound else Decimal(str(wait)),
        "talk_seconds": None if gave_up else Decimal(str(talk)),
        "total_seconds": Decimal(str(round(wait + talk + hold, 1))),
        "hold_seconds": None if gave_up else Decimal(str(hold)),
        "ring_seconds": Decimal(str(wait)),
        "final_agent": None if gave_up else agent,
        "called_e164": phones.parse(number).e164 if outbound else None,
        "outcome": "missed" if gave_up else "answered",
        "reason": None if gave_up or dice.random() < 0.4 else dice.choices(rules.REASONS, (4, 8, 1, 2, 1))[0],
        "ticketed": False,
        "recorded": False,
        "live": False,
        "provenance": "live",
        "end_certain": True,
        "revision": 0,
        "stored_at": ended,
        "branch_id": branch,
        "_agent": agent,
    }


def _legs(firm: "Firm", row: dict[str, Any]) -> list[dict[str, Any]]:
    agent = row["agent"] or row["_agent"]
    return [
        {
            "no": 1,
            "channel": f"{row['call_key']}-1",
            "extension": agent,
            "staff_id": firm.seats[agent],
            "rang_at": row["started_at"],
            "answered_at": row["answered_at"],
            "ended_at": row["ended_at"],
            "outcome": "answered" if row["agent"] else "cancelled",
            "branch_id": row["branch_id"],
        }
    ]


def _tickets(session: Session, firm: "Firm", calls: list[dict[str, Any]]) -> int:
    """Tickets of the calls exist; returns how many numbers are taken."""
    asked = [
        c for c in calls if c["direction"] == "inbound" and c["party_id"] and c["agent"] and firm.dice.random() < 0.28
    ]
    branch_of = {p["id"]: p for p in firm.parties}
    rows = [_ticket(firm, number, call, branch_of[call["party_id"]]) for number, call in enumerate(asked, 1)]
    ids = pour(session, Ticket, rows)
    lines = [
        e | {"ticket_id": i, "branch_id": row["branch_id"]}
        for i, row in zip(ids, rows, strict=True)
        for e in events(row)
    ]
    pour(session, TicketEvent, lines)
    pour(
        session,
        TicketCall,
        [
            {
                "ticket_id": i,
                "switch": call["switch"],
                "call_key": call["call_key"],
                "linked_at": call["answered_at"],
                "branch_id": row["branch_id"],
            }
            for i, row, call in zip(ids, rows, asked, strict=True)
        ],
    )
    return len(rows)


def count_on(session: Session) -> None:
    """The next ticket of a day takes the number after its last."""
    session.execute(
        text("""
        insert into document_counter (series, period, last)
        select 'SR', substr(number, 3, 8), max(substr(number, 11)::int) from ticket group by 2 on conflict do nothing""")
    )


def _ticket(firm: "Firm", number: int, call: dict[str, Any], party: dict[str, Any]) -> dict[str, Any]:
    dice, at = firm.dice, call["answered_at"] + timedelta(seconds=90)
    priority = (
        "urgent"
        if party["grade"] == "vip" and dice.random() < 0.5
        else dice.choices(("urgent", "normal", "low"), (1, 6, 2))[0]
    )
    response, resolve = sla.due(at, *LIMITS[priority])
    branch = party["branch"]
    row = {
        "number": f"SR{at.astimezone(firm.zone):%Y%m%d}{number:04d}",
        "party_id": party["id"],
        "priority": priority,
        "type": "repair",
        "device_id": dice.choice(firm.devices[party["id"]]),
        "phone": party["phone"],
        "channel": "hotline",
        "subject": dice.choice(names.SUBJECTS),
        "description": "",
        "result": "",
        "registered_by_id": call["staff_id"],
        "registered_at": at,
        "response_due_at": response,
        "resolve_due_at": resolve,
        "branch_id": firm.branches[branch],
        "version": 1,
        "assignee_id": firm.staff[
            dice.choice(("technician", "technician2") if branch == "PD" else ("technician3", "technician4"))
        ],
    }
    return row | _progress(firm, dice, row)


def _progress(firm: "Firm", dice: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """How far the ticket has come by now: moments after the present have not happened."""
    at, reply, limit = (
        row["registered_at"],
        row["response_due_at"] - row["registered_at"],
        row["resolve_due_at"] - row["registered_at"],
    )
    plan = {"assigned_at": at + timedelta(minutes=2), "accepted_at": at + reply * dice.lognormvariate(-1.0, 0.7)}
    plan["started_at"] = plan["accepted_at"] + timedelta(minutes=dice.randint(5, 60))
    plan["finished_at"] = plan["started_at"] + limit * dice.lognormvariate(-1.1, 0.75)
    plan["closed_at"] = plan["finished_at"] + timedelta(hours=dice.randint(2, 40))
    for key in _ahead(dice, firm.now - at):
        plan[key] = firm.now + timedelta(days=1)
    past = {k: v if v <= firm.now else None for k, v in plan.items()}
    steps = (
        ("closed_at", "closed"),
        ("finished_at", "to_settle"),
        ("started_at", "processing"),
        ("accepted_at", "accepted"),
        ("assigned_at", "assigned"),
    )
    state = next((name for key, name in steps if past[key]), "registered")
    return past | {"state": state, "result": dice.choice(names.RESULTS) if past["finished_at"] else ""}


def _ahead(dice: random.Random, age: timedelta) -> tuple[str, ...]:
    """The steps of a ticket of this age that are still to come, so that the desk has something open."""
    steps = ("accepted_at", "started_at", "finished_at", "closed_at")
    if age < timedelta(hours=14):
        return steps[dice.choice((0, 1, 2, 2, 2)) :] if dice.random() < 0.7 else ()
    return steps[2:] if age < timedelta(days=5) and dice.random() < 0.06 else ()


def events(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The timeline that leads to the ticket's present state."""
    steps = (
        ("registered", "registered_at", None, "registered"),
        ("assign", "assigned_at", "registered", "assigned"),
        ("accept", "accepted_at", "assigned", "accepted"),
        ("start", "started_at", "accepted", "processing"),
        ("finish", "finished_at", "processing", "to_settle"),
        ("close", "closed_at", "to_settle", "closed"),
    )
    return [
        {
            "at": row[key],
            "by_id": row["registered_by_id"] if key == "registered_at" else row["assignee_id"],
            "verb": verb,
            "field": "state",
            "old": old,
            "new": new,
            "note": row["subject"] if verb == "registered" else "",
        }
        for verb, key, old, new in steps
        if row[key]
    ]
