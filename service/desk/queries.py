"""Everything one look at a caller or a customer needs, read in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import queries as calls
from service.calls.queries import AgentPop as AgentPop
from service.core import masking
from service.core.errors import NotFound
from service.core.identity import Identity
from service.devices import queries as devices
from service.devices.queries import Covered
from service.ledger import queries as ledger
from service.maintenance import queries as maintenance
from service.parties import queries as parties
from service.parties.queries import Contact
from service.staff import queries as staff
from service.tickets import queries as tickets


@dataclass(frozen=True)
class Customer:
    """A party with what it has, owes, waits for and what was said lately; `balance` only for those who may see it."""

    card: parties.Card
    balance: ledger.Balance | None
    devices: list[devices.Device]
    covered: dict[int, Covered]
    open_tickets: list[tickets.Ticket]
    past_tickets: list[tickets.Ticket]
    calls: list[calls.Call]
    people: dict[int, str]
    contract: parties.Contract | None = None
    valid: bool = False
    upkeep: Mapping[int, maintenance.Visit] = field(default_factory=dict)


def customer(session: Session, party_id: int, person: Identity, on: date) -> Customer | None:
    """The party as this person may see it; None when it is not there or not in scope."""
    card = parties.card(session, party_id)
    if card is None:
        return None
    party_id, contract = card.party.id, card.contract(on)
    recent = calls.recent_calls(session, limit=6, filters=calls.Filters(party_id=party_id))
    waiting, done = tickets.open_tickets(session, party_id), tickets.past_tickets(session, party_id)
    owned = devices.devices_of(session, party_id)
    ids = {row.assignee_id for row in waiting} | {row.staff_id for row in recent}
    return Customer(
        card=card,
        balance=ledger.balance(session, party_id, on) if person.reads(masking.AMOUNT_READ) else None,
        devices=owned,
        covered=devices.covered(session, owned, on),
        open_tickets=waiting,
        past_tickets=done,
        calls=recent,
        people=staff.names(session, {i for i in ids if i is not None}),
        contract=contract,
        valid=contract is not None and parties.holds(contract, on),
        upkeep=maintenance.last_visits(session, [row.id for row in owned]) if person.may("maintenance.read") else {},
    )


@dataclass(frozen=True)
class Caller:
    """A pop and who it may be: one customer, a choice of several, or nobody yet."""

    pop: AgentPop
    number: str | None
    customer: Customer | None
    elsewhere: bool
    call_id: int | None

    @property
    def choices(self) -> list[dict[str, object]]:
        """Who it may be, best first, while nobody was chosen."""
        return [] if self.pop.party_id else list(self.pop.matches)

    @property
    def places(self) -> list[Mapping[str, object]]:
        """The sites at which the number of the known customer is answered."""
        return [one for one in self.pop.matches if self.pop.party_id and one.get("site")]

    @property
    def people(self) -> list[Mapping[str, object]]:
        """The contacts of the known customer who share the number, while it was not said who of them calls."""
        unsaid = self.pop.party_id and self.pop.contact_id is None
        return [one for one in self.pop.matches if unsaid and one.get("contact_id")]

    @property
    def contact(self) -> Contact | None:
        """The person at the customer who calls, if known."""
        if self.customer is None:
            return None
        return next((c for c in self.customer.card.contacts if c.id == self.pop.contact_id), None)


def own_pop(session: Session, pop_id: int, person: Identity, *, lock: bool = False) -> AgentPop:
    """The pop, if it is this person's own; anybody else's does not exist for them."""
    pop = calls.pop(session, pop_id, lock=lock)
    if pop is None or pop.staff_id != person.staff_id:
        raise NotFound(_("This call is not at your phone. Look for it in the list of calls."))
    return pop


def caller_number(pop: AgentPop) -> str | None:
    """The number outside: who calls us, or whom we call."""
    return calls.customer_number(pop.direction, pop.caller_number, pop.called)


def caller(session: Session, pop_id: int, person: Identity, on: date) -> Caller:
    """The pop with its customer as far as it is known."""
    pop = own_pop(session, pop_id, person)
    found = customer(session, pop.party_id, person, on) if pop.party_id else None
    return Caller(
        pop,
        caller_number(pop),
        found,
        bool(pop.party_id and found is None),
        calls.call_of_pop(session, pop.switch, pop.call_key),
    )
