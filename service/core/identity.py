"""Who is asking. `staff` fills it; every other room only reads it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import g
from flask_babel import gettext as _

from service.core.errors import Forbidden
from service.core.scope import ALL, Scope, joined


@dataclass(frozen=True)
class Grant:
    """What one role lets a person do, and where."""

    permissions: frozenset[str]
    scope: Scope


@dataclass(frozen=True)
class Identity:
    """A signed-in person: what they may do, and what they may see by any of their roles.

    Roles may hold in different places. `require` hands out the person narrowed to where the permission asked for holds, so a page
    that asks for one and works under `person.scope` does in each branch what that branch's role says.
    """

    staff_id: int
    name: str
    username: str
    roles: tuple[str, ...]
    permissions: frozenset[str]
    scope: Scope
    branch_id: int
    locale: str
    theme: str
    session_id: str = ""
    grants: tuple[Grant, ...] = ()
    department_ids: tuple[int, ...] = ()

    def may(self, permission: str, branch_id: int | None = None) -> bool:
        """True when one of the roles carries the permission, in that branch if one is named."""
        if branch_id is None:
            return permission in self.permissions
        return permission in self.permissions and self.scope_for(permission).covers(branch_id)

    def scope_for(self, permission: str) -> Scope:
        """Where the permission holds: what the roles that carry it let the person see."""
        if not self.grants:
            return self.scope
        return joined(grant.scope for grant in self.grants if permission in grant.permissions)

    def reads(self, permission: str, /) -> bool:
        """True when the permission holds wherever this person sees anything: a page of two branches covers what one of them does."""
        if permission not in self.permissions or len(self.grants) < 2:
            return permission in self.permissions
        return self.scope.within(self.scope_for(permission))

    @property
    def place(self) -> int:
        """The branch where something is put down that names none: their own, or the first in which they may do this."""
        known = self.scope.branches
        return self.branch_id if not known or self.branch_id in known else known[0]

    def require_for(self, permission: str, branch_id: int) -> None:
        """Refused in words unless the permission holds in that branch."""
        if not self.may(permission, branch_id):
            raise Forbidden(
                _("Your roles do not include “%(permission)s” in this branch. Ask an administrator to add it.", permission=spoken(permission)),
                permission,
            )


_provider: dict[str, Callable[[], Identity | None]] = {}
_words: dict[str, Callable[[str], str]] = {}


def provide(source: Callable[[], Identity | None]) -> None:
    """From now on `current` asks `source`; called once, by wire()."""
    _provider["source"] = source


def speak(words: Callable[[str], str]) -> None:
    """From now on refusals name a permission by its words; called once, by wire()."""
    _words["words"] = words


def spoken(permission: str) -> str:
    """The permission as the page of roles calls it; its code where nobody has words for it."""
    return _words["words"](permission) if "words" in _words else permission


def nobody() -> None:
    """For the rest of this request nobody is signed in: the page of a fault must not ask again what just failed."""
    g.nobody = True


def current() -> Identity | None:
    """The person of this request, or None when nobody is signed in."""
    if g and g.get("nobody"):
        return None
    source = _provider.get("source")
    return source() if source else None


class SignInNeeded(Exception):
    """Nobody is signed in; pages lead to the sign-in, other requests answer 401."""


def require(*permissions: str) -> Identity:
    """The person of this request, narrowed to where the permissions hold; refused without sign-in or without one of them."""
    person = current()
    if person is None:
        raise SignInNeeded
    scope = person.scope
    for number, permission in enumerate(permissions):
        if not person.may(permission):
            raise Forbidden(
                _("Your roles do not include “%(permission)s”. Ask an administrator to add it.", permission=spoken(permission)),
                permission,
            )
        held = person.scope_for(permission)
        scope = held if number == 0 else scope.both(held)
    return replace(person, scope=scope)


def require_everywhere(permission: str) -> Identity:
    """The person of this request, whose permission holds in all branches: for what is the whole firm's."""
    person = require(permission)
    if person.scope != ALL:
        raise Forbidden(
            _("This is for all branches at once, and your “%(permission)s” holds in some only. Ask an administrator of the firm.",
              permission=spoken(permission)),
            permission,
        )
    return person
