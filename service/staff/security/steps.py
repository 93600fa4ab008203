"""The steps between a right password and an open sign-in, each kept on the server and short-lived."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from service.core import audit
from service.staff.model import Staff
from service.staff.security import policy, rules, second_factor
from service.staff.security.model import Step

PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True)
class Waiting:
    """Who has given the right password and what is still asked of them."""

    staff_id: int
    username: str
    name: str
    awaits: str
    factor: bool
    locale: str


def next_of(session: Session, person: Staff, *, factor: bool, at: datetime) -> str:
    """What the person has to do now: code, enrol, password, or nothing."""
    days = policy.of(session).password_days
    return rules.next_step(
        has_factor=second_factor.has_any(session, person.id),
        needs_factor=second_factor.needed(session, person.id),
        given_factor=factor,
        needs_password=person.must_change or rules.too_old(person.password_at, days, at),
    )


def begin(session: Session, staff_id: int, awaits: str, *, factor: bool, at: datetime) -> str:
    """The browser that holds this id is asked for one thing and gets nothing else."""
    session.execute(delete(Step).where(Step.began_at < at - PATIENCE))
    row = Step(id=secrets.token_urlsafe(32), staff_id=staff_id, awaits=awaits, factor=factor, began_at=at)
    session.add(row)
    if awaits == "code":  # a right password that opens nothing yet is told too
        branch_id = session.get_one(Staff, staff_id).branch_id
        audit.record(session, at=at, by=staff_id, verb="code asked", entity="staff", entity_id=staff_id, branch_id=branch_id, kind="signin")
    session.flush()
    return row.id


def waiting(session: Session, step_id: str, *, at: datetime) -> Waiting | None:
    """Who waits behind that id; None once it was too long or the person was switched off."""
    row = session.get(Step, step_id)
    if row is None or row.began_at < at - PATIENCE:
        return None
    person = session.get_one(Staff, row.staff_id)
    if not person.active:
        return None
    return Waiting(person.id, person.username, person.name, row.awaits, row.factor, person.locale)


def end(session: Session, step_id: str) -> None:
    """The id is worth nothing any more."""
    session.execute(delete(Step).where(Step.id == step_id))


def end_all(session: Session, staff_id: int) -> None:
    """No browser waits for a step of this person."""
    session.execute(delete(Step).where(Step.staff_id == staff_id))
