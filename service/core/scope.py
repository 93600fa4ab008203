"""What a transaction may see: branches, which PostgreSQL enforces, and inside them own rows or departments, which the ORM does.

This is the one place that tells PostgreSQL the branches. The finer part travels with the session and is applied by `core.seen`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

SETTING = "ringdesk.branches"
_DECLARE = text("select set_config(:name, :value, true)")
_DECLARED = text("select current_setting(:name, true)")


@dataclass(frozen=True)
class Fine:
    """Of some branches only one's own rows are seen, or those of departments; `whole` are the branches seen whole."""

    staff_id: int
    whole: tuple[int, ...] = ()
    departments: tuple[int, ...] = ()
    department_branches: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scope:
    """Branch ids of which something may be read and written, None means every branch; `fine` says where it is not everything."""

    branches: tuple[int, ...] | None
    fine: Fine | None = None

    @property
    def setting(self) -> str:
        """The value PostgreSQL's policies read: '*', or ids with commas, or '' for nothing."""
        return "*" if self.branches is None else ",".join(str(int(branch)) for branch in self.branches)

    @property
    def several(self) -> bool:
        """True when more than one branch may be seen."""
        return self.branches is None or len(self.branches) > 1

    def covers(self, branch_id: int) -> bool:
        """True when rows of that branch are inside, perhaps only some."""
        return self.branches is None or branch_id in self.branches

    @property
    def whole(self) -> "Scope":
        """The branches that are seen whole: for figures, which know of no single row."""
        return Scope(self.fine.whole) if self.fine else self

    def both(self, other: "Scope") -> "Scope":
        """What this shows of what the other shows, as far as branches go; whole only what both see whole."""
        if other == ALL:
            return self
        if self == ALL:
            return other
        fine = self.fine or other.fine
        whole = _common(self.whole.branches, other.whole.branches)
        return Scope(_common(self.branches, other.branches), replace(fine, whole=whole) if fine else None)

    def within(self, other: "Scope") -> bool:
        """True when nothing of this is seen that the other does not show."""
        if other == ALL:
            return True
        if self.branches is None or other.branches is None or not set(self.branches) <= set(other.branches):
            return False
        whole, fine = set(other.whole.branches or ()), self.fine
        if not set(self.whole.branches or ()) <= whole:
            return False
        return other.fine is None or fine is None or set(fine.department_branches) <= whole or set(fine.departments) <= set(other.fine.departments)


ALL = Scope(None)
NONE = Scope(())


def joined(scopes: Iterable[Scope]) -> Scope:
    """What any of them shows."""
    parts = list(scopes)
    if any(part.branches is None for part in parts):
        return ALL
    branches, whole = _ids(part.branches for part in parts), _ids(part.whole.branches for part in parts)
    narrow = [part.fine for part in parts if part.fine]
    if not narrow or set(whole) == set(branches):
        return Scope(branches)
    fine = Fine(
        narrow[0].staff_id, whole, _ids(one.departments for one in narrow), _ids(one.department_branches for one in narrow)
    )
    return Scope(branches, fine)


def _common(one: tuple[int, ...] | None, other: tuple[int, ...] | None) -> tuple[int, ...]:
    return tuple(sorted(set(one or ()) & set(other or ())))


def _ids(groups: Iterable[tuple[int, ...] | None]) -> tuple[int, ...]:
    return tuple(sorted({one for group in groups for one in group or ()}))


def of(session: Session) -> Scope:
    """The scope that the session works under; a session without one leaves it to PostgreSQL."""
    found = session.info.get("scope", ALL)
    assert isinstance(found, Scope)
    return found


def declare(connection: Connection, scope: Scope) -> None:
    """The scope holds until the transaction ends; without this call nothing is visible."""
    connection.execute(_DECLARE, {"name": SETTING, "value": scope.setting})


@contextmanager
def everywhere(session: Session) -> Iterator[None]:
    """Inside, PostgreSQL knows all branches: to ask whether a value is free, or to carry rows along; never for what somebody reads."""
    session.flush()
    connection = session.connection()
    before = connection.execute(_DECLARED, {"name": SETTING}).scalar_one() or ""
    declare(connection, ALL)
    failed = False
    try:
        yield
    except DBAPIError:
        failed = True  # what PostgreSQL refused it also takes back, and this with it
        raise
    finally:
        if not failed:
            connection.execute(_DECLARE, {"name": SETTING, "value": before})
