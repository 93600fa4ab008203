"""Sites on screen: the list under its tree of regions, the page of one, and its form."""

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import asked, attachments, clock, db, identity, masking, pages
from service.core.config import Settings
from service.core.editing import Differing, Stale
from service.core.errors import DeskError, Invalid
from service.core.identity import Identity
from service.devices import queries as devices
from service.parties import queries as parties
from service.sites import actions, forms, queries, rules
from service.sites.queries import NOWHERE, Filters, Site
from service.sites.regions.web import named
from service.sites.schemas import SiteForm, number, read

bp = Blueprint("sites", __name__)
PAGE = 50
CONDITIONS = ("region", "project", "party", "condition", "q")


@dataclass(frozen=True)
class Under:
    """The regions that an address asks for, as filters know them."""

    region_id: int | None
    nodes: list[rules.Node]

    @property
    def filters(self) -> Filters:
        """The region with all under it; nothing chosen is everything."""
        if self.region_id == NOWHERE:
            return Filters(nowhere=True)
        node = next((one for one in self.nodes if one.region.id == self.region_id), None)
        return Filters(regions=node.below) if node else Filters()


def under(session: Session) -> Under:
    """What the address of this page asks for, in the tree as it is."""
    nowhere = request.args.get("region") == "none"
    return Under(NOWHERE if nowhere else asked.number("region"), rules.tree(queries.regions(session)))


def tree(session: Session, chosen: Under) -> dict[str, Any]:
    """The tree beside a list: every region with what lies in and under it, and the projects of the one that is chosen."""
    own = queries.region_tallies(session)
    inside = queries.projects(session, Filters(regions=(chosen.region_id,))) if chosen.region_id and chosen.region_id > 0 else []
    whole = queries.EMPTY
    for tally in own.values():
        whole = whole.with_(tally)
    return {
        "nodes": chosen.nodes, "tallies": queries.rolled(chosen.nodes, own), "whole": whole,
        "nowhere": own.get(None, queries.EMPTY), "inside": inside, "region_id": chosen.region_id, "named": named,
    }  # fmt: skip


def after() -> tuple[str, int] | None:
    """The (number, id) of the last row seen."""
    last, _mark, written = request.args.get("after", "").partition("_")
    return (written[:80], int(last)) if written and number(last) else None


@bp.get("/sites")
def index() -> ResponseReturnValue:
    """The sites, narrowed by region, project, condition and words; each level with what it holds."""
    person, typed = identity.require("site.read"), request.args.get("q", "").strip()[:100]
    with db.begin(person.scope) as session:
        chosen = under(session)
        wanted = replace(
            chosen.filters, project_id=asked.number("project"), party_id=asked.number("party"),
            condition=request.args.get("condition", ""), typed=typed,
        )  # fmt: skip
        rows = queries.sites(session, wanted, after=after(), limit=PAGE + 1)
        shown = rows[:PAGE]
        known = {"tallies_of": queries.site_tallies(session, [row.id for row in shown]), **_around(session, shown, wanted)}
        left = tree(session, chosen)
    more = asked.again(CONDITIONS, after=f"{shown[-1].id}_{shown[-1].number}") if len(rows) > PAGE else ""
    return render_template(
        "sites/sites.html", rows=shown, typed=typed, wanted=wanted, more=more, again=again, first=not request.args.get("after"), **known, **left
    )


def again(**changed: str) -> str:
    """The address of this list, narrowed differently."""
    return asked.again(CONDITIONS, **changed)


def _around(session: Session, rows: list[Site], wanted: Filters) -> dict[str, Any]:
    projects = {row.project_id for row in rows if row.project_id} | ({wanted.project_id} if wanted.project_id else set())
    people = {row.party_id for row in rows if row.party_id} | ({wanted.party_id} if wanted.party_id else set())
    return {"projects": queries.project_names(session, projects), "parties": parties.names(session, people)}


@bp.get("/sites/<int:site_id>")
def show(site_id: int) -> ResponseReturnValue:
    """One site: where it is, whether it is in order, what stands there and how it looks."""
    return _page(site_id)


def _page(site_id: int, fields: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    person = identity.require("site.read")
    pages.allow("geolocation")
    with db.begin(person.scope) as session:
        site = queries.site(session, site_id)
        if site is None:
            raise actions.no_site()
        rows = queries.devices_at(session, site_id)
        known = {
            "site": site, "devices": rows, "tallies": queries.device_tallies(session, [row.id for row in rows]),
            "tally": queries.site_tallies(session, [site_id]).get(site_id, queries.EMPTY),
            "way": queries.way_to_site(session, site), "pictures": attachments.of(session, "site", site_id),
            "party": next(iter(parties.names(session, {site.party_id} if site.party_id else set()).values()), ""),
        }  # fmt: skip
    return render_template("sites/site.html", **known, named=named, fields=fields or {}, typed=request.form), status


@bp.get("/sites/new")
def new() -> ResponseReturnValue:
    """The form for a place; what the address names is filled in already."""
    person = identity.require("site.write")
    form = SiteForm(project_id=asked.number("project"), party_id=asked.number("party"), region_id=asked.number("region"), request_key=uuid.uuid4().hex)
    with db.begin(person.scope) as session:
        device = devices.device(session, asked.number("device") or 0)
        if device is not None:
            form = replace(form, party_id=device.party_id, project_id=form.project_id or device.project_id)
        elif (project := queries.project(session, form.project_id or 0)) is not None:
            form = replace(form, party_id=form.party_id or project.party_id, region_id=form.region_id or project.region_id)
        return _form(session, person, form, None)


@bp.post("/sites")
def create() -> ResponseReturnValue:
    """The site exists, with the device for which it was entered if there is one."""
    person, form = identity.require("site.write"), read(SiteForm, request.form)
    try:
        with db.begin(person.scope) as session:
            form = replace(form, phone=masking.typed_phone(person, form.phone))
            now, device = clock.now(), devices.device(session, number(request.form.get("device")) or 0)
            site_id = actions.create_site(session, form, by=person.staff_id, branch_id=person.place, at=now)
            if device is not None:
                actions.put_device(session, site_id, device.code, by=person.staff_id, at=now)
    except Invalid as error:
        with db.begin(person.scope) as session:
            return _form(session, person, form, None, error), error.status
    flash(_("Saved."))
    return redirect(f"/sites/{site_id}")


@bp.get("/sites/<int:site_id>/edit")
def edit(site_id: int) -> ResponseReturnValue:
    """The form of a site as it is now."""
    person = identity.require("site.write")
    with db.begin(person.scope) as session:
        site = queries.site(session, site_id)
        if site is None:
            raise actions.no_site()
        return _form(session, person, _as_form(site), site)


@bp.post("/sites/<int:site_id>")
def change(site_id: int) -> ResponseReturnValue:
    """The site is as the form says; upon an older version both are shown."""
    person, form = identity.require("site.write"), read(SiteForm, request.form)
    try:
        with db.begin(person.scope) as session:
            site = queries.site(session, site_id)
            form = replace(form, phone=masking.typed_phone(person, form.phone, site.phone if site else None))
            actions.change_site(session, site_id, form, by=person.staff_id, at=clock.now())
    except (Invalid, Stale) as error:
        with db.begin(person.scope) as session:
            return _form(session, person, form, queries.site(session, site_id), error), error.status
    flash(_("Saved."))
    return redirect(f"/sites/{site_id}")


def _as_form(site: Site) -> SiteForm:
    values = {name: getattr(site, name) for name in asdict(SiteForm())}
    return SiteForm(**values | {name: _angle(values[name]) for name in ("latitude", "longitude")})


def _angle(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _form(session: Session, person: Identity, form: SiteForm, site: Site | None, error: DeskError | None = None) -> str:
    pages.allow("geolocation")
    nodes = rules.tree(queries.regions(session))
    projects = queries.project_names(session, {form.project_id} if form.project_id else set())
    people = parties.names(session, {form.party_id} if form.party_id else set())
    differs: list[Differing] = []
    if site is not None and isinstance(error, Stale):
        differs = forms.differences(_as_form(site), form, lambda field, value: told(session, person, field, value))
        form = replace(form, version=site.version)
    return render_template(
        "sites/site_form.html", values=form, site=site, nodes=nodes, named=named, projects=projects, parties=people,
        fields=error.fields if isinstance(error, Invalid) else {}, refusal=error.message if error else "", differs=differs,
        phone=masking.shown_phone(person, form.phone) if site else form.phone, device=number(request.values.get("device")),
    )  # fmt: skip


def told(session: Session, person: Identity, field: str, value: Any) -> str:
    """A value of a form in words."""
    if field == "region_id":
        return next((named(one) for one in queries.regions(session) if one.id == value), "")
    if field == "party_id":
        return parties.names(session, {value} if value else set()).get(value, "")
    if field == "project_id":
        return queries.project_names(session, {value} if value else set()).get(value, "")
    return masking.shown_phone(person, value) if field == "phone" else str(value or "")


# ---- one act each


@bp.post("/sites/<int:site_id>/position")
def locate(site_id: int) -> ResponseReturnValue:
    """The site lies where the person stands now."""
    person, form = identity.require("site.write"), request.form
    return _act(site_id, lambda session: actions.locate(
        session, site_id, form.get("latitude", ""), form.get("longitude", ""), by=person.staff_id, at=clock.now()))  # fmt: skip


@bp.post("/sites/<int:site_id>/devices")
def put_device(site_id: int) -> ResponseReturnValue:
    """One more device stands here."""
    person, typed = identity.require("site.write"), rules.line(request.form.get("device", ""))
    return _act(site_id, lambda session: actions.put_device(session, site_id, typed, by=person.staff_id, at=clock.now()))


@bp.post("/sites/<int:site_id>/devices/<int:device_id>/take")
def take_device(site_id: int, device_id: int) -> ResponseReturnValue:
    """The device stands here no longer."""
    person = identity.require("site.write")
    return _act(site_id, lambda session: actions.take_device(session, site_id, device_id, by=person.staff_id, at=clock.now()))


@bp.post("/sites/<int:site_id>/pictures")
def add_picture(site_id: int) -> ResponseReturnValue:
    """One more picture of the place."""
    person, file = identity.require("site.write"), request.files.get("picture")
    sent = file.stream.read(attachments.LARGEST + 1) if file else b""
    name = (file.filename or "") if file else ""
    return _act(site_id, lambda session: actions.add_picture(
        session, _folder(), site_id, sent, name, by=person.staff_id, at=clock.now()))  # fmt: skip


@bp.post("/sites/<int:site_id>/pictures/<int:picture_id>/drop")
def drop_picture(site_id: int, picture_id: int) -> ResponseReturnValue:
    """One picture less."""
    person = identity.require("site.write")
    return _act(site_id, lambda session: actions.drop_picture(session, site_id, picture_id, by=person.staff_id, at=clock.now()))


def _folder() -> Path:
    settings: Settings = current_app.config["RINGDESK"]
    return settings.attachments_dir


def _act(site_id: int, act: Callable[[Session], object]) -> ResponseReturnValue:
    person = identity.require("site.write")
    try:
        with db.begin(person.scope) as session:
            act(session)
    except Invalid as error:
        return _page(site_id, error.fields or {"device": error.message}, error.status)
    return redirect(f"/sites/{site_id}")


# ---- parts for other pages


@bp.get("/sites/of-device/<int:device_id>")
def of_device(device_id: int) -> ResponseReturnValue:
    """From a device up: its site, that one's project and region, as a part of a page."""
    person = identity.require("site.read")
    with db.begin(person.scope) as session:
        device = devices.device(session, device_id)
        way = queries.way_to_device(session, device) if device else queries.Way([])
    return render_template("sites/way.html", way=way, named=named, device=device)


@bp.get("/sites/choose")
def choose() -> ResponseReturnValue:
    """Customers or projects that fit what was typed, as choices of a form."""
    person, wanted = identity.require("site.write"), request.args.get("as", "party_id")
    typed = request.args.get("q", "").strip()[:100]
    with db.begin(person.scope) as session:
        if wanted == "project_id":
            hits = [(row.id, row.name, row.number) for row in queries.projects(session, Filters(typed=typed), limit=8)] if typed else []
        else:
            wanted, hits = "party_id", [(row.id, row.name, row.number) for row in parties.search(session, typed, 8, reader=person)] if typed else []
    return render_template("sites/choices.html", wanted=wanted, hits=hits, typed=typed)
