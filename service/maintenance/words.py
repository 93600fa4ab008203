"""How a plan is said."""

from flask_babel import gettext as _
from flask_babel import ngettext

from service.maintenance.rules import MONTHLY


def rhythm(timing: str, every: int) -> str:
    """Such as “each month on day 15”, or “every 30 days”."""
    if timing != MONTHLY:
        return str(ngettext("every day", "every %(num)s days", every))
    return str(_("each month on its last day") if every == 31 else _("each month on day %(day)s", day=every))
