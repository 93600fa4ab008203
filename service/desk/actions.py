"""Who the caller is: chosen, attached or made new, while the phone is at the ear."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import actions as calls
from service.core.errors import NotFound
from service.core.identity import Identity
from service.desk import queries
from service.parties import actions as parties
from service.parties import queries as party_queries


def choose(session: Session, pop_id: int, party_id: int, contact_id: int | None, *, by: Identity) -> None:
    """The call is that customer's; the number stays as it was on file."""
    pop = queries.own_pop(session, pop_id, by)
    card = party_queries.card(session, party_id)
    if card is None:
        raise NotFound(_("This customer is not in your branches. Search again or ask the branch that owns it."))
    known = {contact.id for contact in card.contacts}
    _settle(session, pop, party_id, contact_id if contact_id in known else None)


def attach(session: Session, pop_id: int, party_id: int, contact_name: str, *, by: Identity, at: datetime) -> None:
    """The caller's number is on file with that customer, and the call is theirs."""
    pop = queries.own_pop(session, pop_id, by)
    number = queries.caller_number(pop)
    contact_id = None
    if number:
        parties.attach_phone(session, party_id, number, contact_name=contact_name, by=by.staff_id, at=at)
        contact_id = _contact_named(session, party_id, contact_name)
    _settle(session, pop, party_id, contact_id)


def create(session: Session, pop_id: int, new: parties.NewParty, *, by: Identity, at: datetime) -> int:
    """A new customer exists with the caller's number, and the call is theirs; returns the customer's id."""
    pop = queries.own_pop(session, pop_id, by)
    party_id = parties.create_party(session, new, by=by.staff_id, branch_id=by.branch_id, at=at)
    _settle(session, pop, party_id, _contact_named(session, party_id, new.contact_name))
    return party_id


def _contact_named(session: Session, party_id: int, name: str) -> int | None:
    card = party_queries.card(session, party_id)
    return next((c.id for c in card.contacts if c.name == name.strip()), None) if card else None


def _settle(session: Session, pop: queries.AgentPop, party_id: int, contact_id: int | None) -> None:
    calls.pops.belongs_to(session, pop.id, party_id, contact_id)
    calls.party_chosen(session, pop.switch, pop.call_key, party_id, contact_id)
    session.refresh(pop)
