"""Which policies there are, and which stretch of time belongs to each."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calls.kpi.model import KpiPolicy
from service.core import clock, kpi
from service.core.kpi import LAST, Policy, Stretch

NAMES = tuple(one.name for one in fields(Policy))


@dataclass(frozen=True)
class Version:
    """One version as it was written down, and the days on which it is in force; without days another one came before it."""

    policy: Policy
    note: str
    set_by_id: int | None
    set_at: datetime
    stretch: Stretch | None


@dataclass(frozen=True)
class Since:
    """The moment from which calls are measured by this policy."""

    at: datetime
    policy: Policy


def policies(session: Session) -> list[Policy]:
    """Every version, oldest first."""
    rows = session.execute(select(*(getattr(KpiPolicy, name) for name in NAMES)).order_by(KpiPolicy.version))
    return [Policy(*row) for row in rows]


def stretches(session: Session) -> tuple[Stretch, ...]:
    """Who is in force on which days."""
    return kpi.stretches(policies(session))


def versions(session: Session) -> list[Version]:
    """Every version, newest first."""
    rows = list(session.scalars(select(KpiPolicy).order_by(KpiPolicy.version.desc())))
    found = {row.version: Policy(*(getattr(row, name) for name in NAMES)) for row in rows}
    days = {one.policy.version: one for one in kpi.stretches(found.values())}
    return [Version(found[row.version], row.note, row.set_by_id, row.set_at, days.get(row.version)) for row in rows]


def measured_by(found: Sequence[Stretch]) -> tuple[Since, ...]:
    """The same in moments: a policy begins when its first day does, on the firm's own clock."""
    return tuple(Since(clock.midnight(one.first), one.policy) for one in found)


def in_force(found: Sequence[Stretch], since: datetime | None, until: datetime | None) -> tuple[Policy, ...]:
    """The policies of calls that begin in this span; `until` itself is left out."""
    first = clock.local(since).date() if since else date.min
    last = clock.local(until - timedelta(microseconds=1)).date() if until else LAST
    return kpi.in_force(found, first, last)
