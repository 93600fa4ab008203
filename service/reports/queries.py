"""The last nights, and what the feed missed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core.model import DoctorReport, NightRun


def nights(session: Session, limit: int = 30) -> list[NightRun]:
    """The last runs of the night, newest first."""
    return list(session.scalars(select(NightRun).order_by(NightRun.id.desc()).limit(limit)))


def examinations(session: Session) -> list[DoctorReport]:
    """What the doctor last found, switch by switch."""
    return list(session.scalars(select(DoctorReport).order_by(DoctorReport.switch)))
