"""How a stored call counts, in SQL: each condition by the policy of the local day on which the call began.

`service.core.kpi.measured` says the same of one call in Python, and warehouse/marts/fact_call.sql in the archive.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, select
from sqlalchemy import true as yes
from sqlalchemy.orm import Session

from service.calls.kpi.queries import Since
from service.calls.model import Call, CallTransfer
from service.core import kpi
from service.core.kpi import Figures, Policy

Condition = ColumnElement[bool]
BEGINNING = datetime.min.replace(tzinfo=UTC)
NAMES = ("offered", "answered", "abandoned", "short", "within", "late", "lost", "hits", "counted", "transferred")
OFFERED: Condition = and_(Call.direction == "inbound", Call.queue.is_not(None), Call.joined_to_id.is_(None))
ANSWERED: Condition = and_(OFFERED, Call.disposition.in_(kpi.ANSWERED))
ABANDONED: Condition = and_(OFFERED, Call.disposition == "abandoned")
PASSED_ON: Condition = (
    select(CallTransfer.id)
    .where(CallTransfer.call_id == Call.id, or_(CallTransfer.how == "blind", (CallTransfer.how == "attended") & CallTransfer.answered))
    .exists()
)


class Measures:
    """Conditions on a call and the sums that they add up to; `found` is who is in force from when, oldest first."""

    def __init__(self, found: Sequence[Since]) -> None:
        self._found = found or (Since(BEGINNING, Policy()),)

    def condition(self, name: str) -> Condition:
        """The condition of that name, one of NAMES."""
        return {
            "offered": OFFERED,
            "answered": ANSWERED,
            "abandoned": ABANDONED,
            "transferred": and_(ANSWERED, PASSED_ON),
            "short": self.short,
            "within": self.within,
            "late": and_(ANSWERED, ~func.coalesce(self.within, False)),
            "lost": and_(ABANDONED, ~func.coalesce(self.short, False)),
            "hits": self.hits,
            "counted": self.counted,
        }[name]

    @cached_property
    def short(self) -> Condition:
        """Gave up before anybody could have taken the call."""
        return self._each(_short)

    @cached_property
    def within(self) -> Condition:
        """Answered in time."""
        return self._each(_within)

    @cached_property
    def hits(self) -> Condition:
        """What the service level counts as good."""
        return self._each(_hit)

    @cached_property
    def counted(self) -> Condition:
        """What the service level is a share of."""
        return self._each(_counted)

    def sums(self, *, passed_on: bool = True) -> list[ColumnElement[Any]]:
        """The columns of `Figures` up to the seconds; after-call work and what came later only the archive knows.

        Without `passed_on` transfers are not counted, for a screen that is asked again every second.
        """
        counts = ("offered", "answered", "abandoned", "short", "within", "hits", "counted")
        seconds = (Call.wait_seconds, Call.talk_seconds, Call.hold_seconds)
        return [
            *(func.count().filter(self.condition(name)) for name in counts),
            func.count().filter(self.condition("transferred")) if passed_on else literal(0),
            *(func.coalesce(func.sum(one).filter(ANSWERED), 0) for one in seconds),
        ]

    def _each(self, rule: Callable[[Policy], Condition]) -> Condition:
        """The rule of each policy on the calls of its time."""
        first, *later = self._found
        if not later:
            return rule(first.policy)
        return case(*((Call.started_at >= one.at, rule(one.policy)) for one in reversed(later)), else_=rule(first.policy))


def _short(policy: Policy) -> Condition:
    return and_(ABANDONED, Call.wait_seconds < policy.short_seconds)


def _within(policy: Policy) -> Condition:
    return and_(ANSWERED, Call.wait_seconds <= policy.within_seconds)


def _hit(policy: Policy) -> Condition:
    if policy.level_formula == kpi.PERF2:
        return or_(_within(policy), and_(ABANDONED, Call.wait_seconds <= policy.within_seconds))
    return _within(policy)


def _counted(policy: Policy) -> Condition:
    counts: dict[str, Condition] = {
        kpi.STANDARD: func.coalesce(Call.wait_seconds >= policy.short_seconds, True),
        kpi.PERF: false(),
        kpi.PERF2: yes(),
        kpi.LATE: Call.wait_seconds > policy.within_seconds,
    }
    return or_(ANSWERED, and_(ABANDONED, counts[policy.level_formula]))


def figures(session: Session, measures: Measures, *, since: datetime, until: datetime) -> Figures:
    """What the calls of this span add up to, `until` left out, by these measures."""
    span = OFFERED, Call.started_at >= since, Call.started_at < until
    return Figures(*session.execute(select(*measures.sums(passed_on=False)).where(*span)).one())
