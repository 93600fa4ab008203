"""One at a time: a lock that the transaction holds until its end, for what no row of its own can be locked for."""

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.orm import Session

_HOLD = text("select pg_advisory_xact_lock(hashtext(:family), hashtext(:name))")

_HOLD_MANY = text("select count(pg_advisory_xact_lock(hashtext(:family), hashtext(name))) from unnest(cast(:names as text[])) as name")


def hold(session: Session, family: str, name: str) -> None:
    """Nobody else holds this name now; what others committed under it is visible to the next statement."""
    session.execute(_HOLD, {"family": family, "name": name})


def hold_many(session: Session, family: str, names: Collection[str]) -> None:
    """Nobody else holds any of these names now; they are taken in one order, so that two who want several never wait for each other."""
    if names:
        session.execute(_HOLD_MANY, {"family": family, "names": sorted(names)})
