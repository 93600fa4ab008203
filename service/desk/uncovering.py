"""A covered number is shown whole to whoever may uncover it, one at a time, and each time is on record."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls import queries as calls
from service.core import audit, masking, phone
from service.core.errors import NotFound
from service.core.identity import Identity
from service.desk import queries
from service.parties import queries as parties
from service.tickets import queries as tickets


class Covered(NamedTuple):
    """A number or mail address, and whose it is; the audit names the thing and never the number."""

    entity: str
    entity_id: int
    branch_id: int
    whole: str | None
    told: Mapping[str, object]


def uncover(session: Session, kind: str, thing_id: int, *, by: Identity, at: datetime) -> str:
    """The whole number as it is written here; who saw it is on record. Raises NotFound for what is not in scope."""
    found = KINDS[kind](session, thing_id, by) if kind in KINDS else None
    if found is None or not found.whole:
        raise NotFound(_("There is no number to show any more. Load the page again."))
    told = {"shown": masking.masked_mail(found.whole) if kind == "mail" else masking.masked_phone(found.whole), **found.told}
    audit.record(session, at=at, by=by.staff_id, verb="revealed phone", entity=found.entity, entity_id=found.entity_id, new=told, branch_id=found.branch_id)
    return found.whole if kind == "mail" else phone.display(found.whole)


def _of_phone(session: Session, phone_id: int, _by: Identity) -> Covered | None:
    found = parties.phone(session, phone_id)
    if found is None:
        return None
    return Covered("party", found.party_id, found.branch_id, found.raw, {"phone_id": found.id, "contact_id": found.contact_id})


def _of_mail(session: Session, party_id: int, _by: Identity) -> Covered | None:
    card = parties.card(session, party_id)
    return Covered("party", party_id, card.party.branch_id, card.party.email, {}) if card else None


def _of_call(session: Session, call_id: int, by: Identity) -> Covered | None:
    call = calls.call(session, call_id) if by.may("call.read") else None
    if call is None:
        return None
    return Covered("call", call_id, call.branch_id, calls.customer_number(call.direction, call.caller_number, call.called), {"party_id": call.party_id})


def _of_missed(session: Session, line_id: int, by: Identity) -> Covered | None:
    line = calls.missed_caller(session, line_id) if by.may("call.read") else None
    return Covered("missed_caller", line_id, line.branch_id, line.number, {"party_id": line.party_id}) if line else None


def _of_ticket(session: Session, ticket_id: int, by: Identity) -> Covered | None:
    page = tickets.ticket_page(session, ticket_id) if by.may("ticket.read") else None
    return Covered("ticket", ticket_id, page.ticket.branch_id, page.ticket.phone, {"party_id": page.ticket.party_id}) if page else None


def _of_pop(session: Session, pop_id: int, by: Identity) -> Covered | None:
    pop = queries.own_pop(session, pop_id, by)
    return Covered("pop", pop_id, pop.branch_id, queries.caller_number(pop), {"call": f"{pop.switch} {pop.call_key}", "party_id": pop.party_id})


KINDS: Mapping[str, Callable[[Session, int, Identity], Covered | None]] = {
    "phone": _of_phone,
    "mail": _of_mail,
    "call": _of_call,
    "missed": _of_missed,
    "ticket": _of_ticket,
    "pop": _of_pop,
}
