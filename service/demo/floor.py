"""What the floor did in those ninety days: agents' states around their calls, transfers, missed callers, and two policies."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from service.calls.agents.model import AgentStateChange
from service.calls.kpi.model import KpiPolicy
from service.calls.model import CallTransfer, MissedCaller
from service.core.kpi import STANDARD
from service.demo import names
from service.demo.bulk import pour

if TYPE_CHECKING:
    from service.demo.seed import Firm

Calls = list[tuple[int, dict[str, Any]]]
Move = tuple[datetime, str, str, str | None]  # when, state, reason of a pause, call
OPENS, LUNCH, CLOSES = (7, 55), (12, 10), (21, 5)  # local time


def plant(session: Session, firm: "Firm", calls: Calls) -> None:
    """The rows exist; they have dice of their own, so that the calls stay the same."""
    dice = random.Random(13)
    moves = [row for extension in sorted(firm.seats) for row in _moves(firm, dice, extension, calls)]
    pour(session, AgentStateChange, moves)
    pour(session, CallTransfer, [row for call_id, call in calls for row in _transfers(firm, dice, call_id, call)])
    pour(session, MissedCaller, [_missed(firm, dice, call) for _id, call in calls if _long_missed(firm, call)])
    _policies(session, firm)


def _policies(session: Session, firm: "Firm") -> None:
    """Since thirty days a caller may wait a little longer; the few customers of the demo ring so often that a day is what a week is elsewhere."""
    since = firm.today - timedelta(days=30)
    session.add(
        KpiPolicy(
            version=2, valid_from=since, within_seconds=25, short_seconds=5, call_target=80, level_formula=STANDARD, occupancy_warning=85,
            fcr_days=1, recovery_hours=24, note="冬季排班：25 秒内接听", set_by_id=firm.staff["manager"], set_at=firm.now - timedelta(days=31),
        )
    )
    session.flush()


def _moves(firm: "Firm", dice: random.Random, extension: str, calls: Calls) -> Iterator[dict[str, Any]]:
    """One agent's history, day by day."""
    mine = [call for _id, call in calls if call["_agent"] == extension and call["agent"]]
    by_day: dict[Any, list[dict[str, Any]]] = {}
    for call in mine:
        by_day.setdefault(call["started_at"].astimezone(firm.zone).date(), []).append(call)
    state = "offline"
    for day in sorted(by_day):
        for at, new, reason, call_key in _day(firm, dice, day, by_day[day]):
            yield {
                "staff_id": firm.seats[extension], "at": at, "old": state, "new": new, "reason": reason, "extension": extension,
                "switch": names.SWITCH, "call_key": call_key, "branch_id": firm.branches["PD" if extension in ("801", "802") else "SZ"],
            }
            state = new


def _day(firm: "Firm", dice: random.Random, day: Any, calls: list[dict[str, Any]]) -> Iterator[Move]:
    """Signed in before the first call, a pause at noon, calls one after the other, signed out in the evening."""
    opens, lunch, closes = (datetime(day.year, day.month, day.day, *at, tzinfo=firm.zone) for at in (OPENS, LUNCH, CLOSES))
    yield opens + timedelta(seconds=dice.randint(0, 240)), "ready", "", None
    free = opens + timedelta(minutes=4)
    pause: datetime | None = lunch + timedelta(minutes=dice.randint(-20, 40))
    for call in calls:
        if pause and free <= pause and call["answered_at"] > pause + timedelta(minutes=35):
            yield pause, "pause", "lunch", None
            free, pause = pause + timedelta(minutes=dice.randint(25, 34)), None
            yield free, "ready", "", None
        if call["answered_at"] - timedelta(seconds=4) < free or call["ended_at"] > closes:
            continue  # the bulk of calls was drawn without looking who was free
        moves = list(_one(dice, call))
        free = moves[-1][0]
        yield from moves
    yield max(closes, free + timedelta(minutes=1)), "offline", "", None


def _one(dice: random.Random, call: dict[str, Any]) -> Iterator[Move]:
    """It rings, they talk, perhaps hold, and write down what a customer said."""
    key, answered, ended = call["call_key"], call["answered_at"], call["ended_at"]
    hold = timedelta(seconds=float(call["hold_seconds"] or 0))
    yield answered - timedelta(seconds=dice.uniform(1.5, 4)), "ringing", "", key
    yield answered, "talking", "", key
    if hold:
        held = answered + (ended - answered - hold) / 2
        yield held, "hold", "", key
        yield held + hold, "talking", "", key
    if call["queue"]:
        yield ended, "acw", "", key
        ended += timedelta(seconds=dice.uniform(8, 55))
    yield ended, "ready", "", None


def _transfers(firm: "Firm", dice: random.Random, call_id: int, call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One answered call in fourteen is passed on."""
    if not call["queue"] or not call["agent"] or dice.random() > 0.07:
        return
    how = dice.choice(("blind", "attended"))
    yield {
        "call_id": call_id, "no": 1, "how": how, "extension": call["agent"], "staff_id": call["staff_id"], "target": dice.choice(("803", "804", "02168880001")),
        "answered": how == "blind" or dice.random() < 0.8, "at": call["answered_at"] + (call["ended_at"] - call["answered_at"]) * 0.7, "branch_id": call["branch_id"],
    }


def _long_missed(firm: "Firm", call: dict[str, Any]) -> bool:
    return bool(call["outcome"] == "missed" and firm.now - call["started_at"] > timedelta(days=4))


def _missed(firm: "Firm", dice: random.Random, call: dict[str, Any]) -> dict[str, Any]:
    """Settled long ago: most were called back within the hour, some too late, a few taken off by hand."""
    at = call["started_at"]
    why = dice.choices(("called back", "called again", "by hand"), (6, 3, 1))[0]
    after = timedelta(minutes=min(dice.lognormvariate(3.6, 1.2), 4000))
    return {
        "number": call["caller_e164"] or call["caller_number"], "switch": names.SWITCH, "queue": call["queue"], "party_id": call["party_id"], "first_at": at,
        "last_at": at, "calls": 1, "closed_at": at + after, "closed_by": firm.seats[call["_agent"]], "why": why,
        "note": "已通过邮件解决" if why == "by hand" else None, "branch_id": call["branch_id"],
    }
