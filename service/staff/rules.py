"""Which role may do what, and how far a person sees. Pure."""

import unicodedata
from collections.abc import Iterable, Mapping

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask_babel import lazy_gettext as _l

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
    "site.read",
    "site.write",
    "ledger.read",
    "device.read",
    "device.write",
    "maintenance.read",
    "patrol.write",
    "amount.read",
    "phone.reveal",
}
TECHNICIAN = {"call.read", "ticket.read", "ticket.write", "party.read", "device.read", "device.write", "maintenance.read", "patrol.write", "site.read", "site.write", "phone.reveal"}
FLOOR = {"floor.watch", "floor.listen", "floor.control"}  # see the wallboard, listen in, change others' states
RECORDINGS = {"call.download", "recording.read", "recording.hold"}  # take audio along, see what is wrong, stop a deletion
SUPERVISOR = AGENT | FLOOR | RECORDINGS | {"maintenance.write", "call.join", "party.merge", "shift.plan", "ticket.close", "board.calls", "board.sla", "export", "night.read", "list.share", "phone.read"}
FINANCE = {"ticket.read", "call.read", "party.read", "device.read", "site.read", "amount.read", "ledger.read", "cost.read", "board.calls", "board.sla", "export", "night.read"}
MANAGER = SUPERVISOR | {"ledger.read", "amount.read", "kpi.set", "product.write", "party.setup", "import", "cost.read"}
ADMIN = MANAGER | {"night.run", "staff.admin", "recording.keep", "audit.read"}

TAKES = {"ticket.take"}  # tickets are given to them

# The roles that a new firm begins with; from then on a role is what its row says.
PERMISSIONS: Mapping[str, frozenset[str]] = {
    "agent": frozenset(AGENT | TAKES),
    "supervisor": frozenset(SUPERVISOR | TAKES),
    "technician": frozenset(TECHNICIAN | TAKES),
    "finance": frozenset(FINANCE),
    "manager": frozenset(MANAGER),
    "admin": frozenset(ADMIN),
}

REACHES = ("own", "department", "branch", "below", "all")  # each shows what the one before shows, and more
SHORTEST = 10  # letters of a password
COMMON = ("password", "123456", "qwerty", "abc123", "ringdesk", "letmein", "admin")

# How far a role sees where nobody says otherwise: hotline and books serve all branches, hands work in their own.
REACH: Mapping[str, str] = {"agent": "all", "finance": "all", "manager": "all", "admin": "all", "supervisor": "below"}


def scope_of(reach: str, branch_id: int, parents: Mapping[int, int | None]) -> Scope:
    """The branch, the branch and all below it, or everything; `parents` maps each branch to the one above."""
    if reach == "all":
        return ALL
    if reach != "below":
        return Scope((branch_id,))
    return Scope(tuple(sorted(below(branch_id, parents))))


def narrower(one: str, other: str) -> str:
    """The one of two reaches that shows less."""
    return min(one, other, key=REACHES.index)


def below(branch_id: int, parents: Mapping[int, int | None]) -> set[int]:
    """The thing itself and all that hang below it, also when the tree is knotted."""
    found, grew = {branch_id}, True
    while grew:
        more = {child for child, parent in parents.items() if parent in found} - found
        found, grew = found | more, bool(more)
    return found


def hashed(password: str) -> str:
    """The password as it is stored. One letter can be written in two ways (ä, or a and two dots): both are the same word."""
    return PasswordHasher().hash(unicodedata.normalize("NFKD", password))


def is_password(typed: str, stored: str) -> bool:
    """True when what was typed is the stored password."""
    try:
        return PasswordHasher().verify(stored, unicodedata.normalize("NFKD", typed[:1000]))
    except (VerifyMismatchError, InvalidHashError):
        return False


def bad_password(password: str, *known: str) -> object:
    """Why the password is too easy to guess, as a sentence; empty when it is not."""
    small = password.lower()
    if len(password) < SHORTEST:
        return _l("At least %(count)s letters, digits or signs.", count=SHORTEST)
    if len(password) > 200:
        return _l("At most 200 letters.")
    if len(set(small)) < 5 or small.isdigit() or any(small.strip("0123456789!.@#") == word for word in COMMON):
        return _l("Everybody tries this one first. Take several words.")
    if any(word and word.lower() in small for word in known):
        return _l("Your own name must not be in it.")
    return ""


def merged(permissions: Iterable[Iterable[str]]) -> frozenset[str]:
    """All codes that any of the roles carries."""
    return frozenset(code for codes in permissions for code in codes)
