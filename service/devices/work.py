"""What is done with one device, a page each: moved, fitted, swapped, taken away, put in, retired, brought back."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import clock, db, identity
from service.core.editing import Stale, differing
from service.core.errors import DeskError, Invalid
from service.devices import actions, forms, occasion, queries
from service.devices.queries import Device, DeviceComponent
from service.devices.web import contacts, the_device
from service.parties import queries as parties

bp = Blueprint("device_work", __name__)


@dataclass(frozen=True)
class Who:
    """Who does it, when, and upon which version of the device."""

    by: int
    at: datetime
    version: int


@dataclass(frozen=True)
class Act:
    """One thing that is done: its name, the word on its button, and the action."""

    title: Any
    button: Any
    do: Callable[[Session, int, Who], object]


def _moved(session: Session, device_id: int, who: Who) -> None:
    actions.move(session, device_id, forms.holder(contacts(session)), forms.text("reason"), **vars(who))


def _fitted(session: Session, device_id: int, who: Who) -> object:
    ticket, key = forms.number("ticket"), forms.text("request_key", 64) or None
    return actions.fit(session, device_id, forms.component_facts(), by=who.by, at=who.at, ticket_id=ticket, request_key=key)


def _replaced(session: Session, device_id: int, who: Who) -> object:
    old, ticket, key = _component(session, device_id), forms.number("ticket"), forms.text("request_key", 64) or None
    return actions.replace(
        session, old.id, forms.component_facts(), forms.text("reason"), by=who.by, at=who.at, ticket_id=ticket, request_key=key
    )


def _taken_out(session: Session, device_id: int, who: Who) -> None:
    actions.take_out(session, _component(session, device_id).id, forms.text("reason"), by=who.by, at=who.at, ticket_id=forms.number("ticket"))


def _swapped(session: Session, device_id: int, who: Who) -> object:
    return actions.swap_for_serial(session, device_id, forms.text("serial"), forms.work(), forms.fate(), **vars(who))


def _removed(session: Session, device_id: int, who: Who) -> object:
    return actions.remove(session, device_id, forms.work(), forms.fate(), **vars(who))


def _installed(session: Session, device_id: int, who: Who) -> object:
    return actions.install(session, device_id, forms.holder(contacts(session)), forms.work(), **vars(who))


def _retired(session: Session, device_id: int, who: Who) -> None:
    actions.retire(session, device_id, forms.retirement(), **vars(who))


def _back(session: Session, device_id: int, who: Who) -> None:
    actions.bring_back(session, device_id, forms.text("reason"), **vars(who))


ACTS: Mapping[str, Act] = {
    "move": Act(_l("Move to another holder"), _l("Move"), _moved),
    "component": Act(_l("Add a component"), _l("Add"), _fitted),
    "replace": Act(_l("Replace a component"), _l("Replace"), _replaced),
    "take-out": Act(_l("Take a component out"), _l("Take out"), _taken_out),
    "swap": Act(_l("Swap the device"), _l("Swap"), _swapped),
    "removal": Act(_l("Take the device away"), _l("Take away"), _removed),
    "installation": Act(_l("Put the device in"), _l("Put in"), _installed),
    "retire": Act(_l("Retire the device"), _l("Retire"), _retired),
    "return": Act(_l("Bring the device back"), _l("Bring back"), _back),
}
RULE = f"/devices/<int:device_id>/<any({', '.join(repr(name) for name in ACTS)}):act>"
MOVED = {"party": _l("Customer"), "department": _l("Department"), "holder": _l("Person using it"), "place": _l("Place")}


def _component(session: Session, device_id: int) -> DeviceComponent:
    found = queries.component(session, forms.number("component") or 0)
    if found is None or found.device_id != device_id:
        raise Invalid(_("Choose the component first."))
    return found


@bp.get(RULE)
def ask(device_id: int, act: str) -> ResponseReturnValue:
    """The page of one act, with what is known already."""
    person = identity.require("device.write")
    with db.begin(person.scope) as session:
        return _page(session, device_id, act, uuid.uuid4().hex, _not_of(session, device_id))


def _not_of(session: Session, device_id: int) -> DeskError | None:
    """Why the ticket in the address is not one of this work; a device that is put in may still be another customer's."""
    ticket, row = forms.number("ticket"), the_device(session, device_id)
    found = occasion.of(session, ticket) if ticket else None
    try:
        occasion.check(session, ticket, [row.party_id, *([found.party_id] if found else [])])
    except Invalid as error:
        return error
    return None


@bp.post(RULE)
def act(device_id: int, act: str) -> ResponseReturnValue:
    """It is done, and both the device and its ticket know it; a double click does it once."""
    person = identity.require("device.write")
    try:
        with db.begin(person.scope) as session:
            the_device(session, device_id)
            ticket = forms.number("ticket")
            ACTS[act].do(session, device_id, Who(person.staff_id, clock.now(), forms.number("version") or 0))
    except DeskError as error:
        if error.status == 404:
            raise
        with db.begin(person.scope) as session:
            return _page(session, device_id, act, forms.text("request_key", 64), error), error.status
    flash(_("Saved."))
    return redirect(f"/tickets/{ticket}" if ticket else f"/devices/{device_id}")


def _page(session: Session, device_id: int, act: str, key: str, error: DeskError | None = None) -> str:
    row = the_device(session, device_id)
    card = parties.card(session, (forms.number("party_id") or forms.number("party") or row.party_id))
    fitted = queries.covered(session, [row], forms.today())[row.id].parts
    return render_template(
        "devices/act.html",
        **{"act": act, "what": ACTS[act], "row": row, "card": card, "key": key, "typed": request.form, "ticket": None if isinstance(error, Invalid) and "ticket" in error.fields else forms.number("ticket")},
        **{"parts_in": fitted, "component_id": forms.number("component"), "products": catalogue.choices(session), "today": forms.today()},
        departments=queries.departments(session, card.party.id) if card else [],
        names=parties.names(session, {row.party_id}),
        fields=error.fields if isinstance(error, Invalid) else {},
        refusal=error.message if error else "",
        differs=_differs(session, row) if isinstance(error, Stale) and act == "move" else [],
    )


def _differs(session: Session, row: Device) -> list[Any]:
    chosen = forms.number("party_id") or row.party_id
    names = parties.names(session, {row.party_id, chosen})
    saved = vars(row) | {"party": names.get(row.party_id)}
    return differing(saved, dict(request.form) | {"party": names.get(chosen)}, MOVED)
