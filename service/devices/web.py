"""The archive on screen: lists, counts, the form of a device, and what the intake asks by serial."""

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import asked, clock, db, identity, lists
from service.core.editing import Stale, differing
from service.core.errors import DeskError, Invalid, NotFound
from service.core.identity import Identity
from service.devices import actions, forms, queries
from service.devices.lists import DEVICES, RETIRED
from service.devices.queries import CURRENT, Device
from service.devices.schemas import DeviceFacts, NewDevice
from service.parties import queries as parties

bp = Blueprint("devices", __name__)
NAMES = {
    "name": _l("Name"), "model": _l("Model"), "serial": _l("Serial"), "product_id": _l("Product"), "produced_on": _l("Produced on"),
    "installed_on": _l("Installed on"), "warranty_from": _l("Warranty from"), "warranty_until": _l("Warranty until"), "state": _l("State"),
}  # fmt: skip


@bp.get("/devices")
def index() -> ResponseReturnValue:
    """The devices in use, newest first; of one customer also counted per department and holder."""
    return _listed(DEVICES)


@bp.get("/devices/retired")
def retired() -> ResponseReturnValue:
    """The register of retired devices: why, since when, where to."""
    return _listed(RETIRED)


def _listed(spec: lists.ListSpec) -> ResponseReturnValue:
    person, party_id = identity.require("device.read"), asked.number("party")
    with db.begin(person.scope) as session:
        page = lists.page(session, spec, person, request.args)
        held = queries.held(session, party_id) if party_id and spec is DEVICES else []
    return render_template("devices/list.html", page=page, held=held, party_id=party_id)


@bp.get("/devices/locate")
def locate() -> ResponseReturnValue:
    """The device with this serial or number; several are listed, and one that is not on file can be put there at once."""
    person, typed = identity.require("device.read"), request.args.get("serial", "").strip()[:100]
    with db.begin(person.scope) as session:
        found = {one.device.id for one in queries.located(session, typed)}
    if len(found) == 1:
        return redirect(f"/devices/{found.pop()}")
    if found or not person.may("device.write"):
        return redirect("/devices?" + urlencode({"q": typed}))
    return redirect("/devices/new?" + urlencode({"serial": typed}))


@bp.get("/devices/found")
def found() -> ResponseReturnValue:
    """Devices by exact serial or number, for the intake; an unknown serial can be put on file right there."""
    return _found(identity.require("device.read"))


def _found(person: Identity, made: int | None = None, error: DeskError | None = None) -> ResponseReturnValue:
    typed = forms.text("serial", 100)
    with db.begin(person.scope) as session:
        rows = queries.located(session, typed) if typed else []
        names = parties.names(session, {one.device.party_id for one in rows})
        fresh = not rows and bool(typed) and person.may("device.write")
        products = catalogue.choices(session) if fresh else []
    page = render_template(
        "devices/found.html",
        **{"rows": rows, "names": names, "typed": typed, "fresh": fresh, "products": products, "made": made, "key": uuid.uuid4().hex},
        **{"party_id": forms.number("party_id"), "fields": error.fields if isinstance(error, Invalid) else {}},
        refusal=error.message if error else "",
    )
    return page, error.status if error and "HX-Request" not in request.headers else 200


@bp.post("/devices/here")
def create_here() -> ResponseReturnValue:
    """The device is on file with the serial that the intake typed, and chosen there."""
    person = identity.require("device.write")
    try:
        with db.begin(person.scope) as session:
            holder = forms.holder({})
            facts = DeviceFacts(name=forms.text("device_name"), serial=forms.text("serial"), product_id=forms.number("product_id"))
            new = NewDevice(facts, type(holder)(holder.party_id), forms.text("device_key", 64) or None)
            made = actions.create(session, new, by=person.staff_id, at=clock.now())
    except Invalid as error:
        return _found(person, error=error)
    return _found(person, made)


@bp.get("/devices/new")
def new() -> ResponseReturnValue:
    """The form for another device, with the customer and the serial that are known already."""
    person = identity.require("device.write")
    with db.begin(person.scope) as session:
        return _form(session, Form(forms.device_facts(), key=uuid.uuid4().hex))


@bp.post("/devices")
def create() -> ResponseReturnValue:
    """The device is on file; the same form twice is one device."""
    person, key = identity.require("device.write"), forms.text("request_key", 64)
    try:
        with db.begin(person.scope) as session:
            made = NewDevice(forms.device_facts(), forms.holder(contacts(session)), key or None, forms.text("number", 60))
            device_id = actions.create(session, made, by=person.staff_id, at=clock.now())
    except Invalid as error:
        with db.begin(person.scope) as session:
            return _form(session, Form(_as_typed(), key=key, error=error)), error.status
    flash(_("Saved."))
    return redirect(f"/devices/{device_id}")


def contacts(session: Session) -> dict[str, int]:
    """The people of the customer in the form, by name."""
    card = parties.card(session, forms.number("party_id") or 0)
    return {contact.name: contact.id for contact in card.contacts} if card else {}


@bp.get("/devices/<int:device_id>/edit")
def edit(device_id: int) -> ResponseReturnValue:
    """The device as it is now, ready to be corrected."""
    person = identity.require("device.write")
    with db.begin(person.scope) as session:
        row = the_device(session, device_id)
        return _form(session, Form(row, row))


@bp.post("/devices/<int:device_id>/edit")
def change(device_id: int) -> ResponseReturnValue:
    """The device is as the form says; who typed over an older one sees both."""
    person = identity.require("device.write")
    try:
        with db.begin(person.scope) as session:
            version = forms.number("version") or 0
            actions.change(session, device_id, forms.device_facts(), version=version, by=person.staff_id, at=clock.now())
    except (Invalid, Stale) as error:
        with db.begin(person.scope) as session:
            return _form(session, Form(_as_typed(), the_device(session, device_id), error=error)), error.status
    flash(_("Saved."))
    return redirect(f"/devices/{device_id}")


@dataclass(frozen=True)
class Form:
    """What the form shows: the device as saved or as typed, the row it is about, and what was wrong."""

    facts: Any
    row: Device | None = None
    key: str = ""
    error: DeskError | None = None


def _as_typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in NAMES}


def _form(session: Session, form: Form) -> str:
    party_id = form.row.party_id if form.row else forms.number("party_id") or forms.number("party")
    card = parties.card(session, party_id) if party_id else None
    values = form.facts if isinstance(form.facts, dict) else vars(form.facts)
    stale = isinstance(form.error, Stale) and form.row is not None
    return render_template(
        "devices/form.html",
        **{"values": values, "row": form.row, "card": card, "products": catalogue.choices(session), "states": CURRENT, "key": form.key},
        **{"departments": queries.departments(session, card.party.id) if card and not form.row else [], "typed": request.values},
        fields=form.error.fields if isinstance(form.error, Invalid) else {},
        refusal=form.error.message if form.error else "",
        differs=differing(vars(form.row), values, NAMES) if stale else [],
    )


def the_device(session: Session, device_id: int) -> Device:
    """The device, when its branch is in scope."""
    row = queries.device(session, device_id)
    if row is None:
        raise NotFound(_("There is no such device in your branches. Look for its serial or number."))
    return row


