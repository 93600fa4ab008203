"""Document numbers: series, local date, running number. Unique, ascending, a rolled-back one is reused."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

_NEXT = text("""
    insert into document_counter (series, period, last) values (:series, :period, 1)
    on conflict (series, period) do update set last = document_counter.last + 1 returning last
""")


def take(session: Session, series: str, at: datetime, zone: ZoneInfo = ZoneInfo("Asia/Shanghai")) -> str:
    """The next number of the series on that local day, such as SR202611230001; held until commit."""
    period = at.astimezone(zone).strftime("%Y%m%d")
    last = session.execute(_NEXT, {"series": series, "period": period}).scalar_one()
    return f"{series}{period}{last:04d}"
