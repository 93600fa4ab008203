"""Document numbers: series, date of the firm, running number. Unique, ascending, a rolled-back one is reused."""

import re
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.core import clock

_NEXT = text("""
    insert into document_counter (series, period, last) values (:series, :period, :count)
    on conflict (series, period) do update set last = document_counter.last + :count returning last
""")


def is_coming(series: str, number: str, at: datetime) -> bool:
    """True for a number that the series itself gives today or later: brought by somebody, it would stop the series when its turn comes."""
    given = re.fullmatch(rf"{re.escape(series)}(\d{{8}})\d{{4,}}", number.strip())
    return given is not None and given[1] >= clock.local(at).strftime("%Y%m%d")


def take(session: Session, series: str, at: datetime) -> str:
    """The next number of the series on that day of the firm, such as SR202611230001; held until commit."""
    return take_many(session, series, 1, at)[0]


def take_many(session: Session, series: str, count: int, at: datetime) -> list[str]:
    """The next so many numbers, ascending; held until commit."""
    if not count:
        return []
    period = clock.local(at).strftime("%Y%m%d")
    last = session.execute(_NEXT, {"series": series, "period": period, "count": count}).scalar_one()
    return [f"{series}{period}{number:04d}" for number in range(last - count + 1, last + 1)]
