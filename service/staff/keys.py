"""What somebody who administers some branches may hand out, and whose keys they may take: never more than they hold there themselves."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core.errors import Forbidden
from service.core.identity import Grant, Identity
from service.core.scope import ALL, Scope
from service.staff import queries, rules
from service.staff.model import Staff


@dataclass(frozen=True)
class Keys:
    """Somebody who gives roles and passwords to others; `within` is how far they came. None: who administers all branches."""

    me: Identity | None
    within: Scope

    @classmethod
    def of(cls, session: Session, by: int, within: Scope) -> "Keys":
        """The keys that the person holds now."""
        return cls(None if within == ALL else queries.identity_of(session, session.get_one(Staff, by)), within)

    def fit(self, grants: Iterable[Grant]) -> bool:
        """True when the person holds all of these themselves, as far as each reaches."""
        return self.me is None or all(self._fits(grant, self.me) for grant in grants)

    def _fits(self, grant: Grant, me: Identity) -> bool:
        # To be given tickets is no right over anything.
        codes = (grant.permissions - rules.TAKES) | {queries.ADMINISTERS}
        return grant.scope.within(self.within) and all(grant.scope.within(me.scope_for(code)) for code in codes)


def refuse_stronger(session: Session, staff_id: int, *, by: int, within: Scope) -> None:
    """Raises Forbidden when the person sees or does more than whoever would take over, or shut, their sign-in."""
    if staff_id == by or within == ALL:
        return
    held = queries.identity_of(session, session.get_one(Staff, staff_id)).grants
    if not Keys.of(session, by, within).fit(held):
        raise too_strong()


def too_strong() -> Forbidden:
    """What is said of somebody who holds more than whoever would take over their sign-in."""
    return Forbidden(_("This person sees or does more than you do. Ask an administrator of the firm."), queries.ADMINISTERS)
