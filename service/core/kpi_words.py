"""How key figures are told: the formula in words, the same with its numbers, and the version of the policy behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.core.kpi import LATE, PERF, PERF2, STANDARD, AgentTime, Figures, Number, Policy, Recovery, once

NAMES: dict[str, LazyString] = {
    STANDARD: _l("Standard: abandoned calls count, short ones do not"),
    PERF: _l("Of the answered (Asterisk ServicelevelPerf)"),
    PERF2: _l("Answered and abandoned in time (Asterisk ServicelevelPerf2)"),
    LATE: _l("Late abandons only (XCALLY)"),
}


@dataclass(frozen=True)
class Told:
    """One figure explained; `numbers` is empty where nothing has been counted."""

    formula: str
    numbers: str = ""
    policy: str = ""


def formula(policy: Policy) -> str:
    """The service level of this policy in words."""
    n, short = policy.within_seconds, policy.short_seconds
    known: dict[str, str] = {
        STANDARD: _("Answered within %(n)s s ÷ (answered + abandoned − abandoned within %(short)s s)", n=n, short=short),
        PERF: _("Answered within %(n)s s ÷ answered", n=n),
        PERF2: _("(Answered within %(n)s s + abandoned within %(n)s s) ÷ (answered + abandoned)", n=n),
        LATE: _("Answered within %(n)s s ÷ (answered + abandoned after more than %(n)s s)", n=n),
    }
    return known[policy.level_formula]


def named(policies: Sequence[Policy]) -> str:
    """Which policies these are."""
    if len(policies) == 1:
        return str(_("Policy %(version)s", version=policies[0].version))
    return str(_("Policies %(versions)s, each call by that of its day", versions=", ".join(str(one.version) for one in policies)))


def level(policies: Sequence[Policy], found: Figures) -> Told:
    """Service level; over a change of policy each formula stands with its version."""
    several = len(policies) > 1
    told = [f"{one.version}: {formula(one)}" if several else formula(one) for one in policies]
    return Told("; ".join(told), _level_numbers(policies, found), named(policies))


def _level_numbers(policies: Sequence[Policy], found: Figures) -> str:
    kinds = once(policies, lambda one: one.level_formula)
    over = f"{found.counted:,}"
    if kinds == (STANDARD,):
        over = f"({found.answered:,} + {found.abandoned:,} − {found.short:,})"
    elif kinds == (PERF2,):
        over = f"({found.answered:,} + {found.abandoned:,})"
    elif kinds == (LATE,):
        over = f"({found.answered:,} + {found.counted - found.answered:,})"
    part = f"({found.within:,} + {found.hits - found.within:,})" if kinds == (PERF2,) else f"{found.hits:,}"
    return share(part, over, found.level)


def share(part: str, over: str, value: float | None) -> str:
    """8 ÷ 10 = 80.0%."""
    return "" if value is None else f"{part} ÷ {over} = {value:.1f}%"


def offered() -> Told:
    """Who came."""
    return Told(_("Inbound calls that entered a queue, each counted once."))


def answer_rate(found: Figures) -> Told:
    """Answer rate."""
    return Told(_("Answered ÷ offered"), share(f"{found.answered:,}", f"{found.offered:,}", found.answer_rate))


def abandonment(policies: Sequence[Policy], found: Figures) -> Told:
    """Abandonment rate."""
    seconds = _or(once(policies, lambda one: one.short_seconds))
    words = _("(Abandoned − abandoned within %(short)s s) ÷ offered", short=seconds)
    return Told(words, share(f"({found.abandoned:,} − {found.short:,})", f"{found.offered:,}", found.abandonment), named(policies))


def speed(found: Figures) -> Told:
    """Average speed of answer, its median and its 90th percentile."""
    numbers = "" if found.speed is None else f"{_whole(found.waited)} s ÷ {found.answered:,} = {found.speed:.1f} s"
    return Told(_("Waits of the answered ÷ answered; half of them waited no longer than p50, nine in ten no longer than p90."), numbers)


def handle_time(found: Figures) -> Told:
    """Average handle time."""
    parts = " + ".join(_whole(one) for one in (found.talked, found.held, found.wrapped))
    numbers = "" if found.handle_time is None else f"({parts}) s ÷ {found.answered:,} = {found.handle_time:.0f} s"
    return Told(_("(Talk + hold + after-call work) ÷ answered; after-call work counts for the call that it followed."), numbers)


def occupancy(policies: Sequence[Policy], time: AgentTime) -> Told:
    """Occupancy."""
    warning = _or(once(policies, lambda one: one.occupancy_warning))
    words = _("(Ringing + talk + hold + after-call work) ÷ (the same + ready); pauses are left out. Above %(n)s%% people tire.", n=warning)
    parts = " + ".join(_hours(one) for one in (time.ringing, time.talking, time.hold, time.acw))
    return Told(words, share(f"({parts}) h", f"({_hours(time.busy)} + {_hours(time.ready)}) h", time.occupancy), named(policies))


def transfer_rate(found: Figures) -> Told:
    """Transfer rate."""
    words = _("Answered calls that an agent passed on, blind or in an attended transfer that was completed ÷ answered")
    return Told(words, share(f"{found.transferred:,}", f"{found.answered:,}", found.transfer_rate))


def first_contact(policies: Sequence[Policy], found: Figures) -> Told:
    """First contact resolution."""
    days = _or(once(policies, lambda one: one.fcr_days))
    words = _(
        "Answered calls of a known customer who neither rang again nor got a new ticket, other than the call's own, within %(days)s days ÷ "
        "answered calls of a known customer; calls younger than that are left out.",
        days=days,
    )
    return Told(words, share(f"{found.kept:,}", f"{found.judged:,}", found.first_contact), named(policies))


def recovery(policies: Sequence[Policy], found: Recovery) -> Told:
    """Callback recovery."""
    hours = _or(once(policies, lambda one: one.recovery_hours))
    words = _(
        "Missed callers who were spoken with within %(hours)s h, called back or calling again ÷ missed callers; who was missed later than "
        "that and still waits is left out. The median is from the first try to the talk.",
        hours=hours,
    )
    return Told(words, share(f"{found.recovered:,}", f"{found.judged:,}", found.rate), named(policies))


def _or(values: Sequence[int]) -> str:
    return " / ".join(map(str, values))


def _whole(seconds: Number) -> str:
    return f"{float(seconds):,.0f}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f}"
