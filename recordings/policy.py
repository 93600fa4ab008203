"""Who may listen."""

from flask_babel import gettext as _

from service.core.errors import Forbidden
from service.core.identity import Identity

LISTEN = "call.listen"


def may_listen(person: Identity, branch_id: int) -> bool:
    """True for a person who holds the permission and sees the branch of the call."""
    return person.may(LISTEN) and person.scope.covers(branch_id)


def check(person: Identity, branch_id: int) -> None:
    """Nothing happens to a person who may listen; another is told whom to ask."""
    if not may_listen(person, branch_id):
        raise Forbidden(_("You may not listen to this call. Ask a supervisor of its branch."), LISTEN)
