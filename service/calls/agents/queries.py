"""Agents as screens need them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls.agents.actions import told
from service.calls.agents.model import AgentQueue, AgentState, AgentStateChange

MOST = 500  # changes of one day on one page: a busy one has two hundred


def now(session: Session, staff_id: int) -> dict[str, object] | None:
    """What the person's own browsers show of their state; None for who has never sat anywhere."""
    row = session.scalars(select(AgentState).where(AgentState.staff_id == staff_id)).first()
    return told(row) if row else None


def row(session: Session, staff_id: int) -> AgentState | None:
    """The agent, when their branch is in scope."""
    return session.scalars(select(AgentState).where(AgentState.staff_id == staff_id)).first()


def queues_of(session: Session, staff_id: int, switch: str) -> set[str]:
    """The queues that the person serves at this switch."""
    return set(session.scalars(select(AgentQueue.queue).where(AgentQueue.staff_id == staff_id, AgentQueue.switch == switch)))


def history(session: Session, staff_id: int, since: datetime, limit: int = MOST) -> list[AgentStateChange]:
    """What the agent did since then, newest first."""
    moves = select(AgentStateChange).where(AgentStateChange.staff_id == staff_id, AgentStateChange.at >= since)
    return list(session.scalars(moves.order_by(AgentStateChange.at.desc(), AgentStateChange.id.desc()).limit(limit)))
