"""What a person's roles let them do, and where: the narrower of how far the role and how far the person reaches. Pure.

A role given in a branch holds there whatever the person's own reach is; it goes below that branch only if the role itself reaches so far.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.core.identity import Grant
from service.core.scope import ALL, Fine, Scope
from service.staff import rules


@dataclass(frozen=True)
class Holder:
    """A person as far as it matters for what they see."""

    staff_id: int
    branch_id: int
    reach: str
    department_id: int | None = None


@dataclass(frozen=True)
class Held:
    """A role of a person; `branch_id` is where it was given, None for wherever the person reaches."""

    permissions: frozenset[str]
    reach: str = "all"
    branch_id: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Firm:
    """How branches and departments lie: each with the one above it; departments with their branch and head."""

    parents: Mapping[int, int | None]
    departments: Mapping[int, "Unit"]

    def units_of(self, holder: Holder) -> tuple[int, ...]:
        """The person's department, those of which they are the head, and all below."""
        above = {number: unit.parent_id for number, unit in self.departments.items()}
        first = [number for number, unit in self.departments.items() if unit.head_id == holder.staff_id or number == holder.department_id]
        return tuple(sorted({number for one in first for number in rules.below(one, above)}))


@dataclass(frozen=True)
class Unit:
    """A department."""

    branch_id: int
    parent_id: int | None
    head_id: int | None


def grants(holder: Holder, roles: Iterable[Held], firm: Firm) -> tuple[Grant, ...]:
    """One grant for each role."""
    return tuple(Grant(role.permissions, reached(holder, role, firm)) for role in roles)


def reached(holder: Holder, role: Held, firm: Firm) -> Scope:
    """Where the role holds for this person."""
    if role.branch_id is None:
        return _scope(holder, rules.narrower(holder.reach, role.reach), holder.branch_id, firm)
    return _scope(holder, rules.narrower("below", role.reach), role.branch_id, firm)


def _scope(holder: Holder, reach: str, branch_id: int, firm: Firm) -> Scope:
    if reach == "all":
        return ALL
    if reach in ("branch", "below"):
        return rules.scope_of(reach, branch_id, firm.parents)
    units = [one for one in firm.units_of(holder) if firm.departments[one].branch_id == branch_id] if reach == "department" else []
    return Scope((branch_id,), Fine(holder.staff_id, departments=tuple(units), department_branches=(branch_id,) if units else ()))


def own(holder: Holder) -> Scope:
    """What somebody without any role sees: nothing but what bears their name, in their own branch."""
    return Scope((holder.branch_id,), Fine(holder.staff_id))


def permissions(roles: Sequence[Held]) -> frozenset[str]:
    """All codes that any of the roles carries."""
    return rules.merged(role.permissions for role in roles)
