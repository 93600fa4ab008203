"""Document numbers: series, date of the firm, running number. Unique, ascending, a rolled-back one is reused."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core import clock

_NEXT = text("""
    insert into document_counter (series, period, last) values (:series, :period, 1)
    on conflict (series, period) do update set last = document_counter.last + 1 returning last
""")


def take(session: Session, series: str, at: datetime) -> str:
    """The next number of the series on that day of the firm, such as SR202611230001; held until commit."""
    period = clock.local(at).strftime("%Y%m%d")
    last = session.execute(_NEXT, {"series": series, "period": period}).scalar_one()
    return f"{series}{period}{last:04d}"
