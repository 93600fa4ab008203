"""Who is asking. `staff` fills it; every other room only reads it."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import g
from flask_babel import gettext as _

from service.core.errors import Forbidden
from service.core.scope import Scope


@dataclass(frozen=True)
class Identity:
    """A signed-in person: what they may do and which branches they may see."""

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

    def may(self, permission: str) -> bool:
        """True when one of the roles carries the permission."""
        return permission in self.permissions


_provider: dict[str, Callable[[], Identity | None]] = {}


def provide(source: Callable[[], Identity | None]) -> None:
    """From now on `current` asks `source`; called once, by wire()."""
    _provider["source"] = source


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


def require(permission: str | None = None) -> Identity:
    """The person of this request; refused without sign-in or without the permission."""
    person = current()
    if person is None:
        raise SignInNeeded
    if permission and not person.may(permission):
        raise Forbidden(
            _("Your roles do not include “%(permission)s”. Ask an administrator to add it.", permission=permission),
            permission,
        )
    return person
