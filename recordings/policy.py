"""Who may listen, and who may take the audio along: two permissions, both within the branches that a person sees."""

from flask_babel import gettext as _

from service.core.errors import Forbidden
from service.core.identity import Identity

LISTEN, DOWNLOADS = "call.listen", "call.download"
PLAY, DOWNLOAD = "play", "download"


def may(person: Identity, branch_id: int, kind: str = PLAY) -> bool:
    """True for a person who holds the permission in the branch of the call."""
    return person.may(DOWNLOADS if kind == DOWNLOAD else LISTEN, branch_id)


def check(person: Identity, branch_id: int, kind: str = PLAY) -> None:
    """Nothing happens to a person who may; another is told whom to ask."""
    if may(person, branch_id, kind):
        return
    if kind == DOWNLOAD:
        raise Forbidden(
            _("You may not download this call. Listen to it here, or ask a supervisor of its branch."), DOWNLOADS
        )
    raise Forbidden(_("You may not listen to this call. Ask a supervisor of its branch."), LISTEN)
