"""Who the caller is: chosen, attached or made new, while the phone is at the ear."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.core.errors import DeskError, NotFound
from service.core.identity import Identity
from service.desk import queries
from service.parties import actions as parties
from service.parties import queries as party_queries


class CallerKnown(DeskError):
    """It was said already whose call this is."""


def choose(
    session: Session, pop_id: int, party_id: int, contact_id: int | None, *, by: Identity, at: datetime
) -> None:
    """The call is that customer's; the number stays as it was on file."""
    pop = queries.own_pop(session, pop_id, by)
    card = party_queries.card(session, party_id)
    if card is None:
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    _settle(session, pop, card, next((contact for contact in card.contacts if contact.id == contact_id), None), at)


def attach(session: Session, pop_id: int, party_id: int, contact_name: str, *, by: Identity, at: datetime) -> None:
    """The caller's number is on file with that customer, and the call is theirs."""
    pop = queries.own_pop(session, pop_id, by)
    number = queries.caller_number(pop)
    if number is None:
        return choose(session, pop_id, party_id, None, by=by, at=at)
    party_id = party_queries.survivor(session, party_id)
    parties.attach_phone(session, party_id, number, contact_name=contact_name, by=by.staff_id, at=at)
    _settle_named(session, pop, party_id, contact_name, at)


def create(session: Session, pop_id: int, new: parties.NewParty, *, by: Identity, at: datetime, anyway: bool = True) -> int:
    """A new customer exists with the caller's number, and the call is theirs; returns its id. Raises LooksAlike unless `anyway`."""
    pop = queries.own_pop(session, pop_id, by, lock=True)
    if pop.party_id:
        raise CallerKnown(_("This call has its customer already; nothing was created. Load the page again to see who it is."))
    party_id = parties.create_party(session, new, by=by.staff_id, branch_id=by.place, at=at, anyway=anyway)
    _settle_named(session, pop, party_id, new.contact_name, at)
    return party_id


def _settle_named(session: Session, pop: queries.AgentPop, party_id: int, name: str, at: datetime) -> None:
    card = party_queries.card(session, party_id)
    assert card is not None, "a customer who was just written"
    _settle(session, pop, card, next((c for c in card.contacts if c.name == name.strip()), None), at)


def _settle(
    session: Session, pop: queries.AgentPop, card: party_queries.Card, contact: party_queries.Contact | None, at: datetime
) -> None:
    party, (contact_id, contact_name) = card.party, (contact.id, contact.name) if contact else (None, None)
    chosen = party_queries.Match(party.id, contact_id, party.name, contact_name, party.grade, "chosen", 100)
    calls.pops.belongs_to(session, pop.id, chosen, at=at)
    calls.party_chosen(session, pop.switch, pop.call_key, party.id, contact_id)
    session.refresh(pop)
