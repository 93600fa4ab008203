"""Labels are printed, and what is scanned leads to its device."""

from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.core import asked, clock, db, identity, pages
from service.core.config import Settings
from service.core.errors import Invalid, NotFound
from service.core.identity import Identity
from service.devices import queries as devices
from service.devices.places import queries as places
from service.devices.queries import Device
from service.parties import queries as parties
from service.sites import labels, queries, rules
from service.sites.regions.web import named
from service.sites.schemas import number

bp = Blueprint("labels", __name__)
# What somebody may want who has just scanned a device: words, drawing, address, permission. Rooms above add their own acts.
ACTS: list[tuple[Any, str, str, str]] = [(_l("Repair request"), "ticket", "/tickets/new?party={party}&device={device}", "ticket.write")]


def act(words: Any, icon: str, address: str, permission: str) -> None:
    """The page of a scanned device offers this too; `{device}`, `{party}` and `{site}` in the address are its ids."""
    one = (words, icon, address, permission)
    if one not in ACTS:
        ACTS.append(one)


# ---- labels


@bp.get("/labels")
def sheet() -> ResponseReturnValue:
    """Devices to print labels for, of a site or a customer or the newest, and the paper."""
    person = identity.require("device.read")
    with db.begin(person.scope) as session:
        site = queries.site(session, asked.number("site") or 0)
        rows = places.latest(session, site_id=asked.number("site"), party_id=asked.number("party"))
        ids = [found for typed in request.args.getlist("device") if (found := number(typed))][: labels.MOST]
        rows = places.chosen(session, ids) if ids else rows
        people = parties.names(session, {row.party_id for row in rows})
    settings: Settings = current_app.config["RINGDESK"]
    return render_template("sites/labels.html", rows=rows, parties=people, sheets=labels.SHEETS, site=site, chosen=bool(ids), hotline=settings.hotline)


@bp.get("/labels.pdf")
def pdf() -> ResponseReturnValue:
    """The sheet of the chosen devices."""
    person = identity.require("device.read")
    ids = [found for typed in request.args.getlist("device") if (found := number(typed))][: labels.MOST]
    paper = labels.SHEETS.get(request.args.get("sheet", ""))
    if not ids or paper is None:
        raise Invalid(_("Tick the devices to print labels for, and choose the paper."))
    with db.begin(person.scope) as session:
        rows = places.chosen(session, ids)
    if not rows:
        raise NotFound(_("None of these devices is in your branches. Choose others."))
    hotline = rules.line(request.args.get("hotline", ""))[:40]
    made = labels.pdf([_label(row, hotline) for row in rows], paper, skip=min(asked.number("skip") or 0, paper.count - 1), title=_("Device labels"))
    return Response(made, mimetype="application/pdf", headers={"Content-Disposition": 'inline; filename="labels.pdf"', "Cache-Control": "no-store"})


def _label(device: Device, hotline: str) -> labels.Label:
    settings: Settings = current_app.config["RINGDESK"]
    root = settings.address or request.url_root.rstrip("/")
    said = _("Hotline %(number)s", number=hotline) if hotline else ""
    return labels.Label(f"{root}/d/{device.code}", f"{device.name} {device.model}".strip(), device.number, device.serial, said, hotline)


# ---- scans


@bp.get("/scan")
def scan() -> ResponseReturnValue:
    """Camera, photo or field; what is scanned leads to its device, and what nobody knows can become one."""
    person, typed = identity.require("device.read"), rules.line(request.args.get("code", ""))[:200]
    pages.allow("camera")
    with db.begin(person.scope) as session:
        found = places.scanned(session, typed)
        people = parties.names(session, {row.party_id for row in found})
    if len(found) == 1:
        return redirect(f"/d/{found[0].code}")
    is_label = bool(places.code_of(typed))
    return render_template("sites/scan.html", typed=typed, found=found, parties=people, is_label=is_label, serial="" if "/" in typed else typed)


@bp.get("/d/<code>")
def scanned(code: str) -> ResponseReturnValue:
    """The device of a label, for whoever is signed in and may see it: what it is, where it stands, and what can be done."""
    person = identity.require("device.read")
    with db.begin(person.scope) as session:
        device = places.by_code(session, places.code_of(code))
        if device is None:
            raise NotFound(_("No device in your branches has this label. Scan it again, or ask the branch whose label it is."))
        way = queries.way_to_device(session, device)
        tally = queries.device_tallies(session, [device.id]).get(device.id, queries.EMPTY)
        party = parties.names(session, {device.party_id}).get(device.party_id, "")
        cover = devices.covered(session, [device], clock.local(clock.now()).date())[device.id].decision
    return render_template("sites/scanned.html", device=device, cover=cover, way=way, tally=tally, party=party, acts=_acts(person, device), named=named)


def _acts(person: Identity, device: Device) -> list[tuple[Any, str, str]]:
    """What this person may do at this device; a device without a site is collected first, and a retired one has its history alone."""
    ids = {"device": device.id, "party": device.party_id, "site": device.site_id or ""}
    history = (_("Its history"), "history", f"/devices/{device.id}")
    if device.state not in devices.CURRENT:
        return [history]
    acts = [(words, icon, address.format(**ids)) for words, icon, address, permission in ACTS if person.may(permission)]
    if person.may("site.write"):
        place = f"/sites/{device.site_id}" if device.site_id else f"/sites/new?device={device.id}"
        acts.append((_("Site: position and pictures") if device.site_id else _("Enter its site"), "map-pin", place))
    return [*acts, history]
