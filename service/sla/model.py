"""Limits by priority."""

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.core.db import Base
from service.core.seen import OPEN


class SlaPolicy(Base):
    """Minutes allowed until the first acceptance and until the solution; one policy for the whole firm."""

    __tablename__ = "sla_policy"
    __scope__ = OPEN
    priority: Mapped[str] = mapped_column(Text, primary_key=True)
    response_minutes: Mapped[int] = mapped_column(Integer)
    resolve_minutes: Mapped[int] = mapped_column(Integer)
