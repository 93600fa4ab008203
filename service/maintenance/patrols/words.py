"""Words that other rooms show for patrols."""

from flask_babel import lazy_gettext as _l

PATROL = _l("Patrol")
