"""One at a time: a lock that the transaction holds until its end, for what no row of its own can be locked for."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_HOLD = text("select pg_advisory_xact_lock(hashtext(:family), hashtext(:name))")


def hold(session: Session, family: str, name: str) -> None:
    """Nobody else holds this name now; what others committed under it is visible to the next statement."""
    session.execute(_HOLD, {"family": family, "name": name})
