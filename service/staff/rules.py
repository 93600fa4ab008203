"""Which role may do what, and how far a person sees. Pure."""

from collections.abc import Iterable, Mapping

from service.core.scope import ALL, Scope

AGENT = {
    "desk.use",
    "call.read",
    "call.listen",
    "call.dial",
    "call.consent",
    "ticket.read",
    "ticket.write",
    "ticket.assign",
    "party.read",
    "party.write",
    "ledger.read",
}
TECHNICIAN = {"call.read", "ticket.read", "ticket.write", "party.read"}
FLOOR = {"floor.watch", "floor.listen", "floor.control"}  # see the wallboard, listen in, change others' states
RECORDINGS = {"call.download", "recording.read", "recording.hold"}  # take audio along, see what is wrong, stop a deletion
SUPERVISOR = AGENT | FLOOR | RECORDINGS | {"call.join", "ticket.close", "board.calls", "board.sla", "export", "night.read"}
FINANCE = {"ticket.read", "call.read", "party.read", "ledger.read", "board.calls", "board.sla", "export", "night.read"}
MANAGER = SUPERVISOR | {"ledger.read", "kpi.set"}
ADMIN = MANAGER | {"night.run", "staff.admin", "recording.keep", "audit.read"}

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "agent": frozenset(AGENT),
    "supervisor": frozenset(SUPERVISOR),
    "technician": frozenset(TECHNICIAN),
    "finance": frozenset(FINANCE),
    "manager": frozenset(MANAGER),
    "admin": frozenset(ADMIN),
}

# How far a role sees where nobody says otherwise: hotline and books serve all branches, hands work in their own.
REACH: Mapping[str, str] = {"agent": "all", "finance": "all", "manager": "all", "admin": "all", "supervisor": "below"}


def scope_of(reach: str, branch_id: int, parents: Mapping[int, int | None]) -> Scope:
    """Own branch, the branch and all below it, or everything; `parents` maps each branch to the one above."""
    if reach == "all":
        return ALL
    if reach != "below":
        return Scope((branch_id,))
    return Scope(tuple(sorted(_below(branch_id, parents))))


def _below(branch_id: int, parents: Mapping[int, int | None]) -> set[int]:
    found, grew = {branch_id}, True
    while grew:
        more = {child for child, parent in parents.items() if parent in found} - found
        found, grew = found | more, bool(more)
    return found


def merged(permissions: Iterable[Iterable[str]]) -> frozenset[str]:
    """All codes that any of the roles carries."""
    return frozenset(code for codes in permissions for code in codes)
