"""How an agent's state follows from what they chose, what their phone does, and the clock. Pure: values in, values out.

The phone comes first: who talks is talking, whatever was chosen. After a talk with a customer there is time to write things
down, for as long as the firm allows, and then what was chosen holds again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ACW = "ACW"  # the reason that a switch and its queue_log show for after-call work
OFFLINE = "offline"  # a phone that stays in a queue while nobody sits there
CHOICES = ("ready", "pause", "offline")
AT_WORK = ("ready", "ringing", "talking", "hold", "acw", "pause")
ON_CALL = ("talking", "hold")
EXTENSION = timedelta(seconds=60)  # what one "extend" adds
REASON_LENGTH = 40


@dataclass(frozen=True)
class Agent:
    """One agent: the choice, the phone, the time to write things down; `state` and `since` follow from them."""

    chosen: str = "offline"
    reason: str = ""
    phase: str = "idle"
    customer: bool = False
    call_key: str | None = None
    acw_until: datetime | None = None
    state: str = "offline"
    since: datetime | None = None


def state_of(agent: Agent) -> str:
    """offline, ready, ringing, talking, hold, acw or pause."""
    if agent.phase != "idle":
        return agent.phase
    if agent.chosen == "offline":
        return "offline"
    if agent.acw_until is not None:
        return "acw"
    return agent.chosen


def reason_of(agent: Agent) -> str:
    """Why they pause; empty in any other state."""
    return agent.reason if agent.state == "pause" else ""


def chose(agent: Agent, what: str, at: datetime, *, reason: str = "") -> Agent:
    """From now on this is what they want; writing things down is over."""
    return _moved(agent, at, chosen=what, reason=reason if what == "pause" else "", acw_until=None)


def left(agent: Agent, at: datetime) -> Agent:
    """They sit there no longer: whatever the phone does is not theirs any more."""
    return _moved(agent, at, chosen="offline", reason="", phase="idle", customer=False, call_key=None, acw_until=None)


def phone(
    agent: Agent, phase: str, at: datetime, *, acw: timedelta, customer: bool = False, call_key: str | None = None
) -> Agent:
    """The phone does something else; where a talk with a customer ends, after-call work begins, capped by `acw`."""
    talked = agent.phase in ON_CALL and agent.customer
    ends = phase in ("idle", "ringing") and talked and agent.chosen != "offline" and acw > timedelta(0)
    until = at + acw if ends else None if phase in ON_CALL else agent.acw_until
    whose = {"customer": customer, "call_key": call_key}
    if phase in ("idle", "ringing"):
        whose = {"customer": False, "call_key": call_key if phase == "ringing" else agent.call_key}
    return _moved(agent, at, phase=phase, acw_until=until, **whose)


def extended(agent: Agent, at: datetime, *, by: timedelta = EXTENSION) -> Agent:
    """There is more time to write things down; nothing changes for who does not."""
    if agent.state != "acw" or agent.acw_until is None:
        return agent
    return replace(agent, acw_until=max(agent.acw_until, at) + by)


def ran_out(agent: Agent, at: datetime) -> Agent:
    """Once the time to write things down is over, what was chosen holds again; the moment is the limit itself."""
    if agent.acw_until is None or agent.acw_until > at:
        return agent
    return _moved(agent, agent.acw_until, acw_until=None)


def _moved(agent: Agent, at: datetime, **changes: object) -> Agent:
    changed = replace(agent, **changes)  # type: ignore[arg-type]
    state = state_of(changed)
    same = state == agent.state and changed.reason == agent.reason and agent.since is not None
    return replace(changed, state=state, since=agent.since if same else at)


def wanted(agent: Agent) -> tuple[bool, str]:
    """Whether the switch's queues must leave this phone alone, and the reason that they show.

    A talk with a customer pauses the phone already: between the end of a talk and an order that comes after it, a queue
    would ring it again.
    """
    if agent.chosen == "offline":
        return True, OFFLINE
    if agent.acw_until is not None or (agent.customer and agent.phase in ON_CALL):
        return True, ACW
    return (True, agent.reason) if agent.chosen == "pause" else (False, "")


def good_reason(reason: str, known: Sequence[str]) -> bool:
    """True for a reason of the firm's list that can stand in an AMI header."""
    return reason in known and len(reason) <= REASON_LENGTH and reason.isprintable()
