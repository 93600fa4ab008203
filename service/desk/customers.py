"""The customer's page: everything that contexts know of one party, each row opening its document."""

from datetime import date

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from service.core import audit, clock, db, identity
from service.core.errors import Invalid, NotFound
from service.core.identity import Identity
from service.core.model import AuditEntry
from service.desk import figures, queries
from service.parties import actions
from service.staff import queries as staff

bp = Blueprint("customers", __name__)
HISTORY = 30


@bp.get("/customers/<int:party_id>")
def show(party_id: int) -> ResponseReturnValue:
    """A party with contacts, devices, tickets, calls, contracts, what is open and what was changed."""
    return _page(party_id)


def _page(party_id: int, fields: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    person = identity.require("party.read")
    with db.begin(person.scope) as session:
        found = _customer(session, party_id, person)
        if found.card.party.id != party_id:
            return redirect(f"/customers/{found.card.party.id}")
        history = audit.of(session, "party", party_id, HISTORY) if person.may("party.write") else []
        branches = staff.branch_names(session)
        people = staff.names(session, {line.by_id for line in history if line.by_id})
    told = [(line, people.get(line.by_id or 0, ""), list(_told(line))) for line in history]
    return render_template("parties/customer.html", customer=found, today=_today(), history=told, branches=branches, fields=fields or {}), status


def _customer(session: Session, party_id: int, person: Identity) -> queries.Customer:
    found = queries.customer(session, party_id, person, _today())
    if found is None:
        raise NotFound(_("There is no such customer in your branches. Search by name or number."))
    return found


def _today() -> date:
    return figures.local(clock.now()).date()


def _told(line: AuditEntry) -> list[tuple[str, str, str]]:
    """Each field of the line: its kind, and what was before and after, as words."""
    old, new = line.old or {}, line.new or {}
    return [(name.split(" ")[0], str(old.get(name) or ""), str(new.get(name) or "")) for name in {**old, **new}]


@bp.post("/customers/<int:party_id>/disable")
def disable(party_id: int) -> ResponseReturnValue:
    """The party is out of use; what is still open is named, and then a reason is needed."""
    person = identity.require("party.write")
    try:
        with db.begin(person.scope) as session:
            pending = _pending(_customer(session, party_id, person))
            actions.disable(session, party_id, request.form.get("reason", ""), pending=pending, by=person.staff_id, at=clock.now())
    except Invalid as error:
        return _page(party_id, error.fields, 422)
    flash(_("Out of use."))
    return redirect(f"/customers/{party_id}")


def _pending(customer: queries.Customer) -> list[str]:
    """What still waits, in words."""
    tickets, found = len(customer.open_tickets), []
    if tickets:
        found.append(ngettext("%(num)s open ticket", "%(num)s open tickets", tickets))
    if customer.balance is not None and customer.balance.total:
        found.append(_("%(amount)s receivable", amount=figures.money(customer.balance.total)))
    return found


@bp.post("/customers/<int:party_id>/enable")
def enable(party_id: int) -> ResponseReturnValue:
    """The party is in use again."""
    person = identity.require("party.write")
    with db.begin(person.scope) as session:
        actions.enable(session, party_id, by=person.staff_id, at=clock.now())
    flash(_("In use again."))
    return redirect(f"/customers/{party_id}")
