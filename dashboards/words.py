"""How boards speak: figures, days and names in the language of the reader."""

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

NOTHING = "—"
MINUS = "−"


def chinese() -> bool:
    """True when the reader reads Chinese."""
    return not str(get_locale() or "").startswith("en")


def count(value: Any) -> str:
    """7,122; nothing is a dash."""
    return NOTHING if value is None else f"{int(value):,}".replace("-", MINUS)


def ratio(part: Any, whole: Any) -> float | None:
    """The share as a percentage, or None when there is nothing to take a share of."""
    return 100.0 * float(part or 0) / float(whole) if whole else None


def percent(value: float | None) -> str:
    """66.0%; nothing is a dash."""
    return NOTHING if value is None else f"{value:.1f}%".replace("-", MINUS)


def seconds(value: Any) -> str:
    """10 s; a dash when unknown."""
    return NOTHING if value is None else str(_("%(n)s s", n=f"{float(value):.0f}"))


def money(value: Decimal | None) -> str:
    """1,280.00 to the cent."""
    return NOTHING if value is None else f"{value:,.2f}".replace("-", MINUS)


def length(value: Any) -> str:
    """Seconds as 45 s, 12 min, 3.5 h or 2.1 d."""
    if value is None:
        return NOTHING
    found = float(value)
    if found < 90:
        return seconds(found)
    if found < 5400:
        return str(_("%(n)s min", n=f"{found / 60:.0f}"))
    if found < 172800:
        return str(_("%(n)s h", n=f"{found / 3600:.1f}"))
    return str(_("%(n)s d", n=f"{found / 86400:.1f}"))


def day(value: date) -> str:
    """11-16 in Chinese, Nov 16 in English."""
    return f"{value.month}-{value.day}" if chinese() else value.strftime("%b %-d")


def month(value: date, *, with_year: bool = False) -> str:
    """10月 in Chinese, Oct in English; with the year where it changes."""
    if chinese():
        return f"{value.year}年{value.month}月" if with_year else f"{value.month}月"
    return value.strftime("%b %Y" if with_year else "%b")


def weekday(number: int) -> str:
    """Monday is 0."""
    return (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))[number]


def half_hour(number: int) -> str:
    """The 20th half hour of a day begins at 10:00."""
    return f"{number // 2:02d}:{'30' if number % 2 else '00'}"


def decimal(value: float | None, places: int = 1) -> str:
    """7.2; nothing is a dash."""
    return NOTHING if value is None else f"{value:,.{places}f}".replace("-", MINUS)


def branch(name: str, name_en: str) -> str:
    """The branch's name in the reader's language, if it has one."""
    return name if chinese() or not name_en else name_en


def priority(code: str) -> str:
    """The priority in words."""
    return {"urgent": _("Urgent"), "normal": _("Normal"), "low": _("Low")}.get(code, code)


def ticket_type(code: str) -> str:
    """The kind of ticket in words."""
    return {
        "repair": _("Repair"), "consultation": _("Consultation"), "complaint": _("Complaint"), "installation": _("Installation"),
        "upkeep": _("Upkeep"), "recheck": _("Re-check"), "removal": _("Removal"), "swap": _("Swap"),
    }.get(code, code)


def state(code: str) -> str:
    """The state of a ticket in words."""
    return {
        "registered": _("To assign"), "assigned": _("To accept"), "accepted": _("Accepted"), "processing": _("In progress"),
        "to_settle": _("To settle"), "closed": _("Closed"),
    }.get(code, code)


def promise(code: str) -> str:
    """Whether a promise was kept, in words."""
    return {"met": _("Met"), "missed": _("Missed"), "pending": _("Still open")}[code]


def outcome(code: str | None) -> str:
    """How a call ended, in words."""
    return {
        "within": _("In time"), "late": _("Answered late"), "answered": _("Answered"), "abandoned": _("Abandoned"),
        "short": _("Short abandon"), "no-answer": _("No answer"), "busy": _("Busy"), "rejected": _("Rejected"),
        "failed": _("Failed"), "lost": _("End not heard"),
    }.get(code or "", NOTHING)
