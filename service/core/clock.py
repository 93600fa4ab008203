"""Time as the firm sees it: aware UTC inside, local only where people read it."""

from datetime import UTC, datetime, tzinfo


def now() -> datetime:
    """The present moment in UTC; only front doors (views, commands, process loops) ask for it."""
    return datetime.now(UTC)


def local(moment: datetime, zone: tzinfo) -> datetime:
    """The same moment on the wall clock of `zone`; a naive moment is our own fault."""
    assert moment.tzinfo is not None, "a moment without a zone"
    return moment.astimezone(zone)
