"""Projects on screen: the list, the page of one, and its form."""

import uuid
from dataclasses import asdict, replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import asked, clock, db, identity
from service.core.editing import Differing, Stale
from service.core.errors import DeskError, Invalid
from service.core.identity import Identity
from service.core.masking import AMOUNT_READ
from service.devices.places import queries as places
from service.parties import queries as parties
from service.sites import actions, forms, queries, rules
from service.sites.queries import Filters, Project
from service.sites.regions.web import named
from service.sites.schemas import ProjectForm, read
from service.sites.web import PAGE, after, again, told, tree, under

bp = Blueprint("projects", __name__)
PLACE = "/sites/projects"


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """The projects, narrowed by region, customer and words; each with what it holds."""
    person, typed = identity.require("site.read"), request.args.get("q", "").strip()[:100]
    with db.begin(person.scope) as session:
        chosen = under(session)
        wanted = replace(chosen.filters, party_id=asked.number("party"), typed=typed)
        rows = queries.projects(session, wanted, after=after(), limit=PAGE + 1)
        shown = rows[:PAGE]
        people = {row.party_id for row in shown if row.party_id} | ({wanted.party_id} if wanted.party_id else set())
        known: dict[str, Any] = {"parties": parties.names(session, people), "regions": {node.region.id: node.region for node in chosen.nodes}}
        known["tallies_of"] = queries.project_tallies(session, [row.id for row in shown])
        left = tree(session, chosen)
    more = again(after=f"{shown[-1].id}_{shown[-1].number}") if len(rows) > PAGE else ""
    first = not request.args.get("after")
    return render_template("sites/projects.html", rows=shown, typed=typed, wanted=wanted, more=more, again=again, first=first, **known, **left)


@bp.get(PLACE + "/<int:project_id>")
def show(project_id: int) -> ResponseReturnValue:
    """One project: its facts, its sites, and what stands at none yet."""
    return _page(project_id)


@bp.post(PLACE + "/<int:project_id>/devices")
def deliver(project_id: int) -> ResponseReturnValue:
    """One more device belongs to the project."""
    person, typed = identity.require("site.write"), rules.line(request.form.get("device", ""))
    try:
        with db.begin(person.scope) as session:
            actions.deliver(session, project_id, typed, by=person.staff_id, at=clock.now())
    except Invalid as error:
        return _page(project_id, error.fields, error.status)
    return redirect(f"{PLACE}/{project_id}")


@bp.post(PLACE + "/<int:project_id>/devices/<int:device_id>/take")
def withdraw(project_id: int, device_id: int) -> ResponseReturnValue:
    """The device belongs to the project no more."""
    person = identity.require("site.write")
    with db.begin(person.scope) as session:
        actions.withdraw(session, project_id, device_id, by=person.staff_id, at=clock.now())
    return redirect(f"{PLACE}/{project_id}")


def _page(project_id: int, fields: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    person = identity.require("site.read")
    with db.begin(person.scope) as session:
        project = _found(session, project_id)
        sites = queries.sites(session, Filters(project_id=project_id), limit=PAGE + 1)
        known = {
            "project": project, "sites": sites[:PAGE], "more": len(sites) > PAGE,
            "tallies_of": queries.site_tallies(session, [site.id for site in sites[:PAGE]]),
            "tally": queries.project_tallies(session, [project_id]).get(project_id, queries.EMPTY),
            "way": queries.way_to_project(session, project), "loose": places.of_project(session, project_id),
            "party": parties.names(session, {project.party_id} if project.party_id else set()).get(project.party_id or 0, ""),
        }  # fmt: skip
    return render_template("sites/project.html", **known, named=named, fields=fields or {}, typed=request.form), status


@bp.get(PLACE + "/new")
def new() -> ResponseReturnValue:
    """The form for a project that begins."""
    person = identity.require("site.write")
    with db.begin(person.scope) as session:
        form = ProjectForm(party_id=asked.number("party"), region_id=asked.number("region"), request_key=uuid.uuid4().hex)
        return _form(session, person, form, None)


@bp.post(PLACE)
def create() -> ResponseReturnValue:
    """The project exists."""
    person = identity.require("site.write")
    form = _read(person)
    try:
        with db.begin(person.scope) as session:
            project_id = actions.create_project(session, form, by=person.staff_id, branch_id=person.place, at=clock.now())
    except Invalid as error:
        with db.begin(person.scope) as session:
            return _form(session, person, form, None, error), error.status
    flash(_("Saved."))
    return redirect(f"{PLACE}/{project_id}")


@bp.get(PLACE + "/<int:project_id>/edit")
def edit(project_id: int) -> ResponseReturnValue:
    """The form of a project as it is now."""
    person = identity.require("site.write")
    with db.begin(person.scope) as session:
        project = _found(session, project_id)
        return _form(session, person, _as_form(project), project)


@bp.post(PLACE + "/<int:project_id>")
def change(project_id: int) -> ResponseReturnValue:
    """The project is as the form says; upon an older version both are shown."""
    person = identity.require("site.write")
    form = _read(person)
    try:
        with db.begin(person.scope) as session:
            actions.change_project(session, project_id, form, by=person.staff_id, at=clock.now())
    except (Invalid, Stale) as error:
        with db.begin(person.scope) as session:
            return _form(session, person, form, _found(session, project_id), error), error.status
    flash(_("Saved."))
    return redirect(f"{PLACE}/{project_id}")


def _found(session: Session, project_id: int) -> Project:
    project = queries.project(session, project_id)
    if project is None:
        raise actions.no_project()
    return project


def _read(person: Identity) -> ProjectForm:
    """What was typed; an amount from somebody who may not see it was none."""
    form = read(ProjectForm, request.form)
    return form if person.reads(AMOUNT_READ) else replace(form, amount=None)


def _as_form(project: Project) -> ProjectForm:
    values = {name: getattr(project, name) for name in asdict(ProjectForm())}
    return ProjectForm(**values | {"amount": "" if project.amount is None else f"{project.amount:.2f}"})


def _form(session: Session, person: Identity, form: ProjectForm, project: Project | None, error: DeskError | None = None) -> str:
    differs: list[Differing] = []
    if project is not None and isinstance(error, Stale):
        differs = forms.differences(_as_form(project), form, lambda field, value: told(session, person, field, value))
        form = replace(form, version=project.version)
    return render_template(
        "sites/project_form.html", values=form, project=project, nodes=rules.tree(queries.regions(session)), named=named,
        parties=parties.names(session, {form.party_id} if form.party_id else set()), sees_amount=person.reads(AMOUNT_READ),
        fields=error.fields if isinstance(error, Invalid) else {}, refusal=error.message if error else "", differs=differs,
    )  # fmt: skip
