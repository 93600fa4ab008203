"""The ticket on which a device is worked at, asked of the room above that knows tickets; filled by wire()."""

from collections.abc import Callable, Collection

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core.errors import Invalid
from service.devices.schemas import Occasion

Source = Callable[[Session, int], Occasion | None]
_known: list[Source] = []


def known_by(source: Source) -> None:
    """From now on this source says which tickets there are."""
    _known[:] = [source]


def of(session: Session, ticket_id: int) -> Occasion | None:
    """The ticket as far as devices need it; None when it is not there or not in scope."""
    return next((found for source in _known if (found := source(session, ticket_id)) is not None), None)


def check(session: Session, ticket_id: int | None, customers: Collection[int]) -> None:
    """Refused unless the ticket is there, goes on, and is of one of these customers."""
    if ticket_id is None or not _known:
        return
    found = of(session, ticket_id)
    if found is None:
        raise _wrong(_("There is no such ticket in your branches. Open this page from the ticket again, or from the device."))
    if found.closed:
        raise _wrong(_("Ticket %(number)s is closed and can no longer be changed. Open this page from the device.", number=found.number))
    if found.party_id not in customers:
        raise _wrong(_("Ticket %(number)s is of another customer than the device. Open this page from the right ticket.", number=found.number))


def _wrong(words: str) -> Invalid:
    return Invalid(words, {"ticket": words})
