"""Why the database did not take something: because of what was written, or because it could take nothing just now."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# Classes of SQLSTATE that say nothing of what was written: the line, the server's state, rights to sign in, a race, room.
_SERVER = frozenset({"08", "25", "28", "40", "53", "55", "57", "58"})


def is_away(error: Exception) -> bool:
    """True when a refusal is not about what was written: no answer, no room, no right to write, or another was first."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    state = getattr(error.orig, "pgcode", None)
    return state[:2] in _SERVER if state else isinstance(error, (OperationalError, InterfaceError))


def short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
