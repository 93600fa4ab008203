"""Projects and sites come to be and change; devices are put at sites; pictures are taken there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from psycopg2.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.core import attachments, audit, db, editing, locks, numbers
from service.core import phone as phones
from service.core.errors import Invalid, NotFound
from service.devices import queries as devices
from service.devices.places import actions as places
from service.devices.places import queries as found
from service.parties import actions as parties
from service.parties import queries as party_queries
from service.sites import rules
from service.sites.index import index_projects, index_sites
from service.sites.model import Project, Region, Site
from service.sites.schemas import ProjectForm, SiteForm

# ---- projects


def create_project(session: Session, form: ProjectForm, *, by: int, branch_id: int, at: datetime) -> int:
    """The project exists under its own number or the next one; the same form twice is one project. Returns its id."""
    if (known := _same_request(session, Project, form.request_key)) is not None:
        return known
    values = _project_values(session, form, None)
    values["number"] = values["number"] or numbers.take(session, "P", at, Project)
    project = Project(**values, created_at=at, request_key=form.request_key or None, branch_id=_branch(session, form.party_id, branch_id))
    with _taking_its_number(session):
        session.add(project)
        session.flush()
    index_projects(session, [project.id])
    audit.record(session, at=at, by=by, verb="created", entity="project", entity_id=project.id, new=values, branch_id=project.branch_id)
    return project.id


def change_project(session: Session, project_id: int, form: ProjectForm, *, by: int, at: datetime) -> None:
    """The project is as the form says; an amount that the person may not see stays."""
    project = db.locked(session, Project, project_id)
    if project is None:
        raise no_project()
    editing.fresh(project.version, form.version)
    values = _project_values(session, form, project)
    values["number"] = values["number"] or project.number
    _at_home(session, project, form.party_id)
    if _changed(session, project, "project", values, by=by, at=at):
        index_projects(session, [project.id])


def _project_values(session: Session, form: ProjectForm, known: Project | None) -> dict[str, Any]:
    wrong, values = {}, _plain(form, ("number", "name", "region_id", "party_id", "products", "note"))
    if fault := rules.name_fault(form.name, what=_("Give the project a name.")):
        wrong["name"] = fault
    if len(form.number) > 60:
        wrong["number"] = _("Use at most %(most)s signs.", most=60)
    if form.number and form.number != (known.number if known else "") and numbers.taken(session, Project, [form.number]):
        wrong["number"] = _("Another project has this number.")
    if form.amount is not None:
        try:
            values["amount"] = rules.amount(form.amount)
        except ValueError:
            wrong["amount"] = _("Type an amount such as 12800.00.")
    wrong |= _links(session, region_id=form.region_id, party_id=form.party_id)
    _refuse(wrong)
    return values


# ---- sites


def create_site(session: Session, form: SiteForm, *, by: int, branch_id: int, at: datetime) -> int:
    """The site exists; what it does not say it takes from its project; the same form twice is one site. Returns its id."""
    if (known := _same_request(session, Site, form.request_key)) is not None:
        return known
    values = _site_values(session, form)
    project = session.get(Project, form.project_id) if form.project_id else None
    for name in ("party_id", "region_id"):
        values[name] = values[name] or (getattr(project, name) if project else None)
    site = Site(
        **values, number=numbers.take(session, "S", at), created_at=at, request_key=form.request_key or None,
        branch_id=_branch(session, values["party_id"], project.branch_id if project else branch_id),
    )  # fmt: skip
    session.add(site)
    session.flush()
    index_sites(session, [site.id])
    audit.record(session, at=at, by=by, verb="created", entity="site", entity_id=site.id, new=values, branch_id=site.branch_id)
    _known_caller(session, site, by=by, at=at)
    return site.id


def change_site(session: Session, site_id: int, form: SiteForm, *, by: int, at: datetime) -> None:
    """The site is as the form says, and what stands there belongs to its project."""
    site = _locked(session, site_id)
    editing.fresh(site.version, form.version)
    values = _site_values(session, form)
    _at_home(session, site, form.party_id)
    if not _changed(session, site, "site", values, by=by, at=at):
        return
    places.follow(session, site.id, project_id=site.project_id)
    index_sites(session, [site.id])
    _known_caller(session, site, by=by, at=at)


def locate(session: Session, site_id: int, latitude: str, longitude: str, *, by: int, at: datetime) -> None:
    """The site lies where somebody stands, or where a picture was taken."""
    site = _locked(session, site_id)
    values, wrong = _position(latitude, longitude)
    if values["latitude"] is None and not wrong:
        wrong["latitude"] = _("Take your position first.")
    _refuse(wrong)
    _changed(session, site, "site", values, by=by, at=at)


def _site_values(session: Session, form: SiteForm) -> dict[str, Any]:
    values = _plain(form, ("name", "address", "project_id", "party_id", "region_id", "contact", "phone", "note"))
    position, wrong = _position(form.latitude, form.longitude)
    if fault := rules.name_fault(form.name, what=_("Give the site a name.")):
        wrong["name"] = fault
    for name, most in (("address", 300), ("contact", 100), ("phone", 80)):
        if len(values[name]) > most:
            wrong[name] = _("Use at most %(most)s signs.", most=most)
    if form.phone and not phones.is_written(form.phone):
        wrong["phone"] = _("Type a phone number.")
    wrong |= _links(session, region_id=form.region_id, party_id=form.party_id, project_id=form.project_id)
    _refuse(wrong)
    return values | position


def _position(latitude: str, longitude: str) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {"latitude": None, "longitude": None}
    wrong: dict[str, str] = {}
    limits = {
        "latitude": (latitude, 90, _("A latitude lies between −90 and 90, such as 31.230416.")),
        "longitude": (longitude, 180, _("A longitude lies between −180 and 180, such as 121.473701.")),
    }
    for name, (typed, most, sentence) in limits.items():
        try:
            values[name] = rules.degrees(typed, most)
        except ValueError:
            wrong[name] = sentence
    if not wrong and (values["latitude"] is None) != (values["longitude"] is None):
        missing = "latitude" if values["latitude"] is None else "longitude"
        wrong[missing] = _("A position is two numbers. Type both or none.")
    return values, wrong


def _known_caller(session: Session, site: Site, *, by: int, at: datetime) -> None:
    """Whoever calls from the site's phone is known as its customer."""
    if site.party_id and site.phone:
        parties.attach_phone(session, site.party_id, site.phone, contact_name=site.contact, by=by, at=at)


# ---- what stands and what is seen there


def put_device(session: Session, site_id: int, typed: str, *, by: int, at: datetime) -> int:
    """The device that number, serial or label means stands at the site and belongs to its project; returns its id."""
    site, device = _locked(session, site_id), _meant(session, typed)
    if site.party_id and device.party_id != site.party_id:
        sentence = _("%(device)s belongs to another customer than this site.", device=device.number)
        raise Invalid(sentence, {"device": sentence})
    places.place(session, device.id, site_id=site.id, project_id=site.project_id or device.project_id, was=_said(session, device.site_id), now=site.name, by=by, at=at)
    return device.id


def deliver(session: Session, project_id: int, typed: str, *, by: int, at: datetime) -> int:
    """The device that number, serial or label means belongs to the project, at no site yet; returns its id."""
    project = session.get(Project, project_id)
    if project is None:
        raise no_project()
    device, fault = _meant(session, typed), ""
    if project.party_id and device.party_id != project.party_id:
        fault = _("%(device)s belongs to another customer than this project.", device=device.number)
    elif device.site_id and device.project_id != project_id:
        fault = _("%(device)s stands at a site. Name the project on the page of the site.", device=device.number)
    if fault:
        raise Invalid(fault, {"device": fault})
    was = session.get(Project, device.project_id) if device.project_id else None
    places.place(
        session, device.id, site_id=device.site_id, project_id=project_id, was=was.name if was else None, now=project.name, by=by, at=at, kind="delivered"
    )
    return device.id


def withdraw(session: Session, project_id: int, device_id: int, *, by: int, at: datetime) -> None:
    """The device, which stands at no site, belongs to the project no more."""
    project, device = session.get(Project, project_id), devices.device(session, device_id)
    if project is None:
        raise no_project()
    if device is None:
        raise NotFound(_("There is no such device in your branches. Look for its serial or number."))
    if device.project_id == project_id and device.site_id is None:
        places.place(session, device_id, site_id=None, project_id=None, was=project.name, now=None, by=by, at=at, kind="delivered")


def _meant(session: Session, typed: str) -> devices.Device:
    """The one device that was typed or scanned."""
    hits = found.scanned(session, typed)
    if len(hits) != 1:
        sentence = _("Several devices have this serial. Use the device number.") if hits else _("No device has this number, serial or label.")
        raise Invalid(sentence, {"device": sentence})
    return hits[0]


def take_device(session: Session, site_id: int, device_id: int, *, by: int, at: datetime) -> None:
    """The device no longer stands at the site; it stays with its project."""
    _locked(session, site_id)
    device = devices.device(session, device_id)
    if session.get(Site, site_id) is None:
        raise no_site()
    if device is None:
        raise NotFound(_("There is no such device in your branches. Look for its serial or number."))
    if device.site_id == site_id:
        places.place(session, device_id, site_id=None, project_id=device.project_id, was=_said(session, site_id), now=None, by=by, at=at)


def _said(session: Session, site_id: int | None) -> str | None:
    site = session.get(Site, site_id) if site_id else None
    return site.name if site else None


def add_picture(session: Session, folder: Path, site_id: int, sent: bytes, name: str, *, by: int, at: datetime) -> int:
    """The site has one more picture; returns its id."""
    site = _locked(session, site_id)
    row = attachments.keep(session, folder, sent, name, entity="site", entity_id=site.id, by=by, branch_id=site.branch_id, at=at)
    audit.record(session, at=at, by=by, verb="added picture", entity="site", entity_id=site.id, new={"picture": row.id}, branch_id=site.branch_id)
    return row.id


def drop_picture(session: Session, site_id: int, picture_id: int, *, by: int, at: datetime) -> None:
    """The site has that picture no more."""
    site = _locked(session, site_id)
    row = attachments.drop(session, picture_id, entity="site", entity_id=site.id)
    audit.record(session, at=at, by=by, verb="removed picture", entity="site", entity_id=site.id, old={"picture": row.id, "name": row.name}, branch_id=site.branch_id)


# ---- what all of them share


def no_project() -> NotFound:
    """The sentence for a project that is not there."""
    return NotFound(_("There is no such project in your branches. Look for it by name or number."))


def no_site() -> NotFound:
    """The sentence for a site that is not there."""
    return NotFound(_("There is no such site in your branches. Look for it by name, number or address."))


def _locked(session: Session, site_id: int) -> Site:
    site = db.locked(session, Site, site_id)
    if site is None:
        raise no_site()
    return site


def _plain(form: ProjectForm | SiteForm, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(form, name) for name in names}


def _links(session: Session, **ids: int | None) -> dict[str, str]:
    """What the form points at is there, and in the person's branches."""
    wrong = {}
    if ids.get("region_id") and session.get(Region, ids["region_id"]) is None:
        wrong["region_id"] = _("This region is gone. Choose another.")
    if (party := ids.get("party_id")) and not party_queries.names(session, {party}):
        wrong["party_id"] = _("This customer is not in your branches. Search again or ask the branch that owns it.")
    if ids.get("project_id") and session.get(Project, ids["project_id"]) is None:
        wrong["project_id"] = _("This project is not in your branches. Choose another.")
    return wrong


def _same_request(session: Session, model: type[Project] | type[Site], request_key: str) -> int | None:
    """What the same form made, if it was sent before."""
    if not request_key:
        return None
    locks.hold(session, f"{model.__tablename__} request", request_key)
    return session.scalars(select(model.id).where(model.request_key == request_key)).first()


def _refuse(wrong: dict[str, str]) -> None:
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)


def _branch(session: Session, party_id: int | None, otherwise: int) -> int:
    """What is a customer's is its customer's branch's."""
    card = party_queries.card(session, party_id) if party_id else None
    return card.party.branch_id if card else otherwise


@contextmanager
def _taking_its_number(session: Session) -> Iterator[None]:
    """A number is there once in the firm: taken by something that the person does not see, it is refused in words too."""
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        taken = {"number": _("This number is taken in another branch. Choose another.")}
        raise Invalid(taken["number"], taken) from error


def _at_home(session: Session, row: Project | Site, party_id: int | None) -> None:
    """Pictures, patrols and devices lie in the branch, so whoever takes the place over is of it too."""
    if party_id != row.party_id and _branch(session, party_id, row.branch_id) != row.branch_id:
        _refuse({"party_id": _("This customer belongs to another branch. Put it on file anew for that customer.")})


def _changed(session: Session, row: Project | Site, entity: str, values: dict[str, Any], *, by: int, at: datetime) -> bool:
    """The row holds the values, and the audit the difference; False when there was none."""
    new = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not new:
        return False
    old = {name: getattr(row, name) for name in new}
    with _taking_its_number(session):
        for name, value in new.items():
            setattr(row, name, value)
        session.flush()
    audit.record(session, at=at, by=by, verb="changed", entity=entity, entity_id=row.id, old=old, new=new, branch_id=row.branch_id)
    return True
