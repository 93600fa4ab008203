"""What the key figures of calls mean, in the field's own terms. Pure: the one place that the wallboard, the statistics and the archive follow.

A call is measured by the policy in force on the local day on which it began, and by no other: a new policy never rewrites the past.
Sums alone are added up; a ratio is taken when it is shown.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

V = TypeVar("V")
Number = int | float | Decimal
STANDARD, PERF, PERF2, LATE = "standard", "servicelevel_perf", "servicelevel_perf2", "late_abandons"
FORMULAS = (STANDARD, PERF, PERF2, LATE)
ANSWERED = ("answered", "transferred", "conference")  # how a call ended, or goes on, that somebody took
LAST = date(9999, 12, 31)


@dataclass(frozen=True)
class Policy:
    """What the firm measures its calls by; seconds, percents, days and hours."""

    version: int = 1
    valid_from: date = date(1970, 1, 1)
    within_seconds: int = 20
    short_seconds: int = 5
    call_target: int = 80
    level_formula: str = STANDARD
    occupancy_warning: int = 85
    fcr_days: int = 7
    recovery_hours: int = 24


@dataclass(frozen=True)
class Stretch:
    """The local days, both included, on which a policy is in force."""

    first: date
    last: date
    policy: Policy


def stretches(policies: Iterable[Policy]) -> tuple[Stretch, ...]:
    """Who is in force when, in order; of two policies that begin on one day the later version is, the other never was."""
    by_day = {policy.valid_from: policy for policy in sorted(policies, key=lambda one: one.version)}
    begun = [by_day[day] for day in sorted(by_day)]
    ends = [policy.valid_from - timedelta(days=1) for policy in begun[1:]] + [LAST]
    return tuple(Stretch(policy.valid_from, last, policy) for policy, last in zip(begun, ends, strict=False))


def in_force(found: Sequence[Stretch], first: date, last: date) -> tuple[Policy, ...]:
    """The policies by which the calls of these local days are measured, in the order in which they came."""
    return tuple(one.policy for one in found if one.first <= last and one.last >= first)


def of_day(found: Sequence[Stretch], day: date) -> Policy:
    """The policy of one local day; before the first policy its own rules hold."""
    return next((one.policy for one in found if one.first <= day <= one.last), found[0].policy if found else Policy())


@dataclass(frozen=True)
class Measured:
    """One call as the service level sees it; `hit` of `counted` is the level, the others tell why."""

    short: bool
    within: bool
    hit: bool
    counted: bool


def measured(policy: Policy, *, answered: bool, abandoned: bool, wait: Number | None) -> Measured:
    """The call under this policy; a wait that nobody knows is neither short nor in time."""
    on_time = wait is not None and wait <= policy.within_seconds
    short = abandoned and wait is not None and wait < policy.short_seconds
    within = answered and on_time
    counts: dict[str, bool] = {
        STANDARD: abandoned and not short,
        PERF: False,
        PERF2: abandoned,
        LATE: abandoned and wait is not None and not on_time,
    }
    hit = within or (policy.level_formula == PERF2 and abandoned and on_time)
    return Measured(short, within, hit, answered or counts[policy.level_formula])


@dataclass(frozen=True)
class Figures:
    """Calls of queues by what became of them, and the seconds of those that were answered; all of it can be added up."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    short: int = 0
    within: int = 0
    hits: int = 0
    counted: int = 0
    transferred: int = 0
    waited: Number = 0
    talked: Number = 0
    held: Number = 0
    wrapped: Number = 0
    judged: int = 0
    kept: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Figures)))

    @property
    def level(self) -> float | None:
        """Service level in percent, by the formula of each call's own policy; None when nothing counts yet."""
        return percent(self.hits, self.counted)

    @property
    def answer_rate(self) -> float | None:
        """Answered of the offered, in percent."""
        return percent(self.answered, self.offered)

    @property
    def lost(self) -> int:
        """Who gave up, short abandons left out."""
        return self.abandoned - self.short

    @property
    def abandonment(self) -> float | None:
        """Abandonment rate: who gave up of the offered, short abandons left out, in percent."""
        return percent(self.lost, self.offered)

    @property
    def speed(self) -> float | None:
        """Average speed of answer (ASA): the mean wait of the answered, in seconds."""
        return mean(self.waited, self.answered)

    @property
    def talk_mean(self) -> float | None:
        """The mean talk of the answered, holds left out, in seconds."""
        return mean(self.talked, self.answered)

    @property
    def wrap_mean(self) -> float | None:
        """The mean after-call work of the answered, in seconds."""
        return mean(self.wrapped, self.answered)

    @property
    def handled_seconds(self) -> float:
        """Talk, hold and after-call work together."""
        return float(self.talked) + float(self.held) + float(self.wrapped)

    @property
    def handle_time(self) -> float | None:
        """Average handle time (AHT): talk, hold and after-call work of the answered, in seconds."""
        return mean(self.handled_seconds, self.answered)

    @property
    def transfer_rate(self) -> float | None:
        """Of the answered calls those that were passed on, blind or in an attended transfer that was completed, in percent."""
        return percent(self.transferred, self.answered)

    @property
    def first_contact(self) -> float | None:
        """First contact resolution (FCR): of the judged calls those after which nothing more came, in percent."""
        return percent(self.kept, self.judged)


@dataclass(frozen=True)
class AgentTime:
    """Seconds that agents spent signed in, by state."""

    ringing: float = 0
    talking: float = 0
    hold: float = 0
    acw: float = 0
    ready: float = 0
    pause: float = 0

    @property
    def busy(self) -> float:
        """At a call or after one."""
        return self.ringing + self.talking + self.hold + self.acw

    @property
    def occupancy(self) -> float | None:
        """(ring + talk + hold + ACW) / (that + ready), in percent; pauses are in neither."""
        return percent(self.busy, self.busy + self.ready)


@dataclass(frozen=True)
class Recovery:
    """Missed callers whose time to be spoken with has passed or who were spoken with, and how long it took."""

    judged: int = 0
    recovered: int = 0
    median_seconds: float | None = None

    @property
    def rate(self) -> float | None:
        """Of the judged those who were spoken with in time, in percent."""
        return percent(self.recovered, self.judged)


def percent(part: Number, whole: Number) -> float | None:
    """The share in percent; None when there is nothing to take a share of."""
    return 100 * float(part) / float(whole) if whole else None


def mean(total: Number, count: int) -> float | None:
    """The mean; None when there is nothing to average."""
    return float(total) / count if count else None


def once(policies: Sequence[Policy], value: Callable[[Policy], V]) -> tuple[V, ...]:
    """The different values that these policies give, in their order."""
    return tuple(dict.fromkeys(map(value, policies)))
