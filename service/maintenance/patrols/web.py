"""The pages of patrols: the inspector's own on a phone, and the office's review."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from service.core import asked, attachments, clock, db, identity, lists, pages
from service.core.config import Settings
from service.core.editing import Stale, differing
from service.core.errors import DeskError, Invalid, NotFound
from service.core.identity import Identity
from service.devices import queries as devices
from service.maintenance.patrols import actions, queries
from service.maintenance.patrols.lists import PATROLS, ROUNDS, UNVISITED, period
from service.maintenance.patrols.model import PatrolRound
from service.maintenance.patrols.schemas import Found, Round, Sent
from service.sites import queries as sites
from service.sites.queries import Filters, Site
from service.staff import queries as staff
from service.tickets import queries as tickets

bp = Blueprint("patrols", __name__, url_prefix="/maintenance")
READ, GO, WRITE = "maintenance.read", "patrol.write", "maintenance.write"
NAMES = {"name": _l("Name"), "inspector_id": _l("Inspector"), "starts_on": _l("From"), "ends_on": _l("Until"), "sites": _l("Sites to visit")}
OFFERED = 60  # sites in a form until words narrow them


# ---- the inspector


@bp.get("/patrols/mine")
def mine() -> ResponseReturnValue:
    """The person's rounds with the sites that wait, and what they sent last."""
    person = identity.require(GO)
    with db.begin(person.scope) as session:
        rounds = queries.current(session, person.staff_id, _today())
        stops = queries.stops(session, [one.id for one in rounds])
        made = queries.made_by(session, person.staff_id)
        names = sites.sites_by_id(session, {one.site_id for one in made})
    return render_template("maintenance/patrols_mine.html", rounds=rounds, stops=stops, made=made, names=names)


@bp.get("/patrols/new")
def new() -> ResponseReturnValue:
    """The form for one site, or the choice of the site."""
    identity.require(GO)
    return _form(_empty())


@bp.post("/patrols")
def record() -> ResponseReturnValue:
    """What was found is with the office; a second sending of the same form is the same patrol."""
    person, found = identity.require(GO), _read()
    wants_words = request.accept_mimetypes.best == "application/json"
    try:
        with db.begin(person.scope) as session:
            visit_id = actions.record(session, _folder(), found, _pictures(), by=person.staff_id, at=clock.now())
    except Invalid as error:
        return (jsonify(message=error.message, fields=error.fields), error.status) if wants_words else _form(found, error)
    said = _asked_for_repair(person, visit_id) if found.faulty and request.form.get("repair") else _("Sent. The office sees it now.")
    flash(said)
    return jsonify(next="/maintenance/patrols/mine") if wants_words else redirect("/maintenance/patrols/mine")


def _asked_for_repair(person: Identity, visit_id: int) -> str:
    """The patrol is kept whatever becomes of its request."""
    try:
        able = identity.require(GO, "ticket.write")
        with db.begin(person.scope) as session:
            row = queries.visit(session, visit_id)
            able.require_for("ticket.write", row.branch_id if row else 0)
        with db.begin(able.scope) as session:
            ticket_id = actions.request_repair(session, visit_id, by=person.staff_id, at=clock.now())
            number = tickets.numbers(session, {ticket_id})[ticket_id]
    except DeskError as error:
        return str(_("Sent, but no repair was requested: %(why)s", why=error.message))
    return str(_("Sent, and the repair is requested as %(number)s.", number=number))


def _read() -> Found:
    form = request.form
    return Found(
        site_id=_number("site_id"), findings=form.get("findings", ""), faulty=form.get("faulty") == "1", request_key=form.get("request_key", "").strip(),
        round_id=_number("round_id") or None, device_id=_number("device_id") or None,
        latitude=form.get("latitude", ""), longitude=form.get("longitude", ""), accuracy=form.get("accuracy", ""),
    )  # fmt: skip


def _empty() -> Found:
    return Found(asked.number("site") or 0, "", False, uuid.uuid4().hex, asked.number("round"), asked.number("device"))


def _pictures() -> list[Sent]:
    sent = [Sent(file.stream.read(attachments.LARGEST + 1), file.filename or "") for file in request.files.getlist("picture") if file.filename]
    return sent[: actions.MOST_PICTURES + 1]


def _folder() -> Path:
    settings: Settings = current_app.config["RINGDESK"]
    return settings.attachments_dir


def _form(found: Found, error: Invalid | None = None) -> ResponseReturnValue:
    person = identity.require(GO)
    pages.allow("geolocation")
    with db.begin(person.scope) as session:
        device = devices.device(session, found.device_id) if found.device_id else None
        site = sites.site(session, found.site_id or (device.site_id if device else None) or 0)
        typed = request.args.get("q", "").strip()[:100]
        here = sites.devices_at(session, site.id) if site else []
        choice = [] if site else sites.sites(session, Filters(typed=typed), limit=OFFERED)
    page = render_template(
        "maintenance/patrol_form.html", found=found, site=site, device=device, devices=here, choice=choice, typed=typed, most=actions.MOST_PICTURES,
        fields=error.fields if error else {}, refusal=error.message if error else "",
    )  # fmt: skip
    return page, error.status if error else 200


# ---- the office


@bp.get("/patrols")
def review() -> ResponseReturnValue:
    """What inspectors found, the latest first; new ones come by themselves."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        page = lists.page(session, PATROLS, person, request.args)
    return render_template("maintenance/patrols.html", page=page)


@bp.get("/patrols/missing")
def missing() -> ResponseReturnValue:
    """Sites that nobody visited in a period."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        page = lists.page(session, UNVISITED, person, request.args)
    return render_template("maintenance/missing.html", page=page, period=period(page.asked.wanted))


@bp.get("/patrols/<int:patrol_id>")
def show(patrol_id: int) -> ResponseReturnValue:
    """One patrol with its pictures, and the request that its fault became."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        row = queries.visit(session, patrol_id)
        site = sites.site(session, row.site_id) if row else None
        if row is None or site is None:
            raise NotFound(_("There is no such patrol in your branches. Load the list again."))
        known = {
            "site": site, "device": devices.device(session, row.device_id) if row.device_id else None,
            "round": queries.round_(session, row.round_id) if row.round_id else None, "shots": attachments.of(session, queries.ENTITY, row.id),
            "who": staff.names(session, {row.inspector_id}).get(row.inspector_id, ""),
            "number": tickets.numbers(session, {row.ticket_id}).get(row.ticket_id, "") if row.ticket_id else "",
        }  # fmt: skip
    return render_template("maintenance/patrol.html", row=row, **known)


@bp.post("/patrols/<int:patrol_id>/repair")
def repair(patrol_id: int) -> ResponseReturnValue:
    """The fault is a repair request, once."""
    person = identity.require("ticket.write", READ)
    with db.begin(person.scope) as session:
        ticket_id = actions.request_repair(session, patrol_id, by=person.staff_id, at=clock.now())
    return redirect(f"/tickets/{ticket_id}")


# ---- rounds


@bp.get("/rounds")
def rounds() -> ResponseReturnValue:
    """All rounds with what is visited and what not."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        page = lists.page(session, ROUNDS, person, request.args)
    return render_template("maintenance/rounds.html", page=page)


@bp.get("/rounds/new")
def new_round() -> ResponseReturnValue:
    """The form for a round."""
    identity.require(WRITE)
    return _round(None, Round("", 0, _today(), _today() + timedelta(days=6)), key=uuid.uuid4().hex)


@bp.post("/rounds")
def plan() -> ResponseReturnValue:
    """The inspector has a round."""
    person, typed, key = identity.require(WRITE), _read_round(), request.form.get("request_key", "").strip()[:64]
    try:
        with db.begin(person.scope) as session:
            round_id = actions.plan(session, typed, by=person.staff_id, at=clock.now(), request_key=key or None)
    except Invalid as error:
        return _round(None, typed, error, key)
    flash(_("The round is planned. It stands on the inspector's page."))
    return redirect(f"/maintenance/rounds/{round_id}")


@bp.get("/rounds/<int:round_id>")
def show_round(round_id: int) -> ResponseReturnValue:
    """One round: which of its sites were visited, and which not."""
    return _round(round_id, None)


@bp.post("/rounds/<int:round_id>")
def change_round(round_id: int) -> ResponseReturnValue:
    """The round is as the form says."""
    person, typed = identity.require(WRITE), _read_round()
    try:
        with db.begin(person.scope) as session:
            actions.change(session, round_id, typed, version=_number("version"), by=person.staff_id, at=clock.now())
    except (Invalid, Stale) as error:
        return _round(round_id, typed, error)
    flash(_("Saved."))
    return redirect(f"/maintenance/rounds/{round_id}")


@bp.get("/rounds/sites")
def offered() -> ResponseReturnValue:
    """The sites that are ticked, and those that fit the region and the words, as a part of the form."""
    person = identity.require(WRITE)
    ticked = tuple(int(text) for text in request.args.getlist("site")[: actions.MOST_SITES] if text.isascii() and text.isdigit() and len(text) < 19)
    with db.begin(person.scope) as session:
        choice = _choice(session, ticked, request.args.get("q", "").strip()[:100], asked.number("region"))
    return render_template("maintenance/round_sites.html", choice=choice)


@dataclass(frozen=True)
class Choice:
    """Sites that are in the round, and others that could be."""

    ticked: list[Site]
    others: list[Site]


def _choice(session: Session, ticked: tuple[int, ...], typed: str = "", region: int | None = None) -> Choice:
    chosen = sorted(sites.sites_by_id(session, set(ticked)).values(), key=lambda site: site.number)
    under = sites.below(session, region) if region else ()
    found = sites.sites(session, Filters(typed=typed, regions=under), limit=OFFERED)
    return Choice(chosen, [site for site in found if site.id not in set(ticked)])


def _read_round() -> Round:
    form = request.form
    ticked = tuple(int(text) for text in form.getlist("site") if text.isascii() and text.isdigit() and len(text) < 19)
    return Round(form.get("name", ""), _number("inspector_id"), _day("starts_on"), _day("ends_on"), tuple(dict.fromkeys(ticked)))


def _told(session: Session, round_: PatrolRound | Round, ids: Iterable[int]) -> dict[str, object]:
    """The round's fields in words."""
    chosen = sites.sites_by_id(session, set(ids)).values()
    return {name: getattr(round_, name, "") for name in NAMES} | {
        "inspector_id": staff.names(session, {round_.inspector_id}).get(round_.inspector_id),
        "sites": ", ".join(sorted(f"{site.number} {site.name}" for site in chosen)),
    }


def _round(round_id: int | None, typed: Round | None, error: DeskError | None = None, key: str = "") -> ResponseReturnValue:
    """The round as it stands, or as it was typed beside what stands."""
    person = identity.require(READ)
    with db.begin(person.scope) as session:
        row = queries.round_(session, round_id) if round_id is not None else None
        if round_id is not None and row is None:
            raise actions.no_round()
        stops = queries.stops(session, [round_id]) if round_id is not None else []
        ticked = typed.sites if typed else tuple(stop.site.id for stop in stops)
        writes = person.may(WRITE)
        known: dict[str, Any] = {
            "choice": _choice(session, ticked) if writes else None, "people": staff.assignees(session, row.branch_id if row else None),
            "regions": sites.region_choices(session) if writes else [], "names": staff.names(session, {row.inspector_id} if row else set()),
        }  # fmt: skip
        saved = [stop.site.id for stop in stops]
        differs = differing(_told(session, row, saved), _told(session, typed, typed.sites), NAMES) if isinstance(error, Stale) and row and typed else []
    page = render_template(
        "maintenance/round.html", row=row, round=typed or row, key=key, stops=stops, may_write=writes, differs=differs, today=_today(),
        fields=error.fields if isinstance(error, Invalid) else {}, refusal=error.message if error else "", open_form=bool(typed), **known,
    )  # fmt: skip
    return page, error.status if error else 200


# ---- inside


def _number(name: str) -> int:
    typed = request.form.get(name, "")
    return asked.whole(typed) or 0


def _day(name: str) -> date:
    """The day as typed; what is none becomes one that is refused with its field."""
    try:
        return date.fromisoformat(request.form.get(name, ""))
    except ValueError:
        return date.min


def _today() -> date:
    return clock.local(clock.now()).date()
