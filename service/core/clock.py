"""Time as the firm sees it: aware UTC inside, local only where people read it."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo

_firm: dict[str, tzinfo] = {"zone": ZoneInfo("Asia/Shanghai")}


def use(zone: tzinfo) -> None:
    """The firm of this process lives in `zone`: its days begin there."""
    _firm["zone"] = zone


def now() -> datetime:
    """The present moment in UTC; only front doors (views, commands, process loops) ask for it."""
    return datetime.now(UTC)


def local(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """The same moment on the wall clock of `zone`, the firm's when left out; a naive moment is our own fault."""
    assert moment.tzinfo is not None, "a moment without a zone"
    return moment.astimezone(zone or _firm["zone"])


def midnight(day: date) -> datetime:
    """The moment at which that day of the firm begins; where the clocks change, days are 23 or 25 hours long."""
    return datetime.combine(day, time.min, _firm["zone"]).astimezone(UTC)
