"""How figures, times and time limits read on a page. Pure but for the language of the request."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from flask_babel import format_decimal, get_timezone
from flask_babel import gettext as _

NOTHING = "—"


def money(amount: Decimal | None) -> str:
    """1,280.00 with two places and a true minus; nothing is a dash."""
    if amount is None:
        return NOTHING
    return str(format_decimal(amount, format="#,##0.00")).replace("-", "−")


def quantity(value: Decimal | None) -> str:
    """A reading or a quantity without idle noughts: 1,204.5."""
    return NOTHING if value is None else str(format_decimal(value, format="#,##0.######")).replace("-", "−")


def local(moment: datetime) -> datetime:
    """The moment on the wall clock of the firm."""
    return moment.astimezone(get_timezone())


def clock(moment: datetime | None) -> str:
    """10:21:04."""
    return local(moment).strftime("%H:%M:%S") if moment else NOTHING


def stamp(moment: datetime | None) -> str:
    """The whole moment, for a title: 2026-11-22 10:21:04."""
    return local(moment).strftime("%Y-%m-%d %H:%M:%S") if moment else NOTHING


def when(moment: datetime | None, now: datetime) -> str:
    """10:21 today, 11-20 16:40 this year, else with the year."""
    if moment is None:
        return NOTHING
    here, today = local(moment), local(now)
    if here.date() == today.date():
        return here.strftime("%H:%M")
    return here.strftime("%m-%d %H:%M" if here.year == today.year else "%Y-%m-%d %H:%M")


def day(value: date | None) -> str:
    """2027-03-31."""
    return value.isoformat() if value else NOTHING


def span(seconds: Decimal | float | None) -> str:
    """mm:ss, h:mm:ss past the hour."""
    if seconds is None:
        return NOTHING
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    short = f"{rest // 60:02d}:{rest % 60:02d}"
    return f"{hours}:{short}" if hours else short


def wait(seconds: float) -> str:
    """12 min, 3 h 05 min; of long waits the hours alone."""
    hours, rest = divmod(int(seconds), 3600)
    if hours >= 100:
        return str(_("%(hours)s h", hours=hours))
    return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=f"{rest // 60:02d}") if hours else _("%(minutes)s min", minutes=rest // 60))


def took(seconds: float | None) -> str:
    """0.4 s under a minute, then as `span`."""
    if seconds is None or seconds >= 60:
        return span(seconds)
    return str(_("%(n)s s", n=f"{seconds:.1f}"))


@dataclass(frozen=True)
class TimeLeft:
    """A limit as a row shows it: `kind` is over, now (under 15 minutes), soon (under 2 hours), calm or met."""

    kind: str
    words: str
    share: int


def time_left(due: datetime, since: datetime, done: datetime | None, now: datetime) -> TimeLeft:
    """What is left until the limit; `share` is the percentage of the whole time that is left."""
    if done is not None:
        if done <= due:
            return TimeLeft("met", _("Met"), 0)
        return TimeLeft("missed", _("%(time)s late", time=_length(done - due)), 0)
    left = (due - now).total_seconds()
    if left < 0:
        return TimeLeft("over", _("%(time)s over", time=_length(now - due)), 0)
    kind = "now" if left < 900 else "soon" if left < 7200 else "calm"
    whole = max((due - since).total_seconds(), 1)
    return TimeLeft(kind, _("%(time)s left", time=_length(due - now)), round(100 * left / whole))


def _length(delta: timedelta) -> str:
    minutes = int(delta.total_seconds()) // 60
    if minutes < 60:
        return str(_("%(m)s m", m=max(minutes, 0)))
    if minutes < 2880:
        return str(_("%(h)s h %(m)s m", h=minutes // 60, m=f"{minutes % 60:02d}"))
    return str(_("%(d)s d %(h)s h", d=minutes // 1440, h=minutes % 1440 // 60))


def initials(name: str) -> str:
    """What a round face shows: the surname of 陈思远, the initials of Kai Zhou."""
    words = name.split()
    if not words:
        return "?"
    if any("\u4e00" <= letter <= "\u9fff" for letter in name):
        return name.strip()[0]
    return "".join(word[0] for word in (words[0], words[-1]) if word).upper()[: 2 if len(words) > 1 else 1]
