"""Document numbers: series, date of the firm, running number. Unique, ascending, a rolled-back one is reused."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.core import clock, scope
from service.core.db import Base

_NEXT = text("""
    insert into document_counter (series, period, last) values (:series, :period, :count)
    on conflict (series, period) do update set last = document_counter.last + :count returning last
""")


def take(session: Session, series: str, at: datetime, of: type[Base] | None = None) -> str:
    """The next number of the series on that day of the firm, such as SR202611230001; held until commit.

    Where numbers may be typed too, `of` says what bears them: one that somebody typed before its turn is passed over.
    """
    return take_many(session, series, 1, at, of)[0]


def take_many(session: Session, series: str, count: int, at: datetime, of: type[Base] | None = None, but: Collection[str] = ()) -> list[str]:
    """The next so many numbers, ascending, as `take` and without those in `but`; held until commit."""
    free: list[str] = []
    while missing := count - len(free):
        drawn = _drawn(session, series, missing, at)
        gone = {*but, *(taken(session, of, drawn) if of else ())}
        free += [number for number in drawn if number not in gone]
    return free


def taken(session: Session, of: type[Base], numbers: Collection[str]) -> set[str]:
    """Which of the numbers are borne already, in whatever branch: numbers are unique in the whole firm."""
    column = of.__table__.c.number
    with scope.everywhere(session):
        return set(session.scalars(select(column).where(column.in_(numbers))))


def _drawn(session: Session, series: str, count: int, at: datetime) -> list[str]:
    period = clock.local(at).strftime("%Y%m%d")
    last = session.execute(_NEXT, {"series": series, "period": period, "count": count}).scalar_one()
    return [f"{series}{period}{number:04d}" for number in range(last - count + 1, last + 1)]
