"""When an answer and a solution are due. Pure; a clock runs through until calendars come."""

from datetime import datetime, timedelta

PRIORITIES = ("urgent", "normal", "low")


def due(registered_at: datetime, response_minutes: int, resolve_minutes: int) -> tuple[datetime, datetime]:
    """(response due, solution due): reaching the limit exactly is met."""
    return registered_at + timedelta(minutes=response_minutes), registered_at + timedelta(minutes=resolve_minutes)


def proposed(grade: str) -> str:
    """The priority proposed for a customer of that grade."""
    return "urgent" if grade in ("vip", "gold") else "normal"
