"""Regions are added, renamed, moved and removed."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import audit, db, editing, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.sites import rules
from service.sites.model import Project, Region, Site
from service.sites.schemas import RegionForm


class InUse(DeskError):
    """Something lies in the region."""


def add(session: Session, form: RegionForm, *, by: int, at: datetime) -> int:
    """The region exists; returns its id."""
    values = _values(session, form, None)
    region = Region(**values)
    session.add(region)
    session.flush()
    audit.record(session, at=at, by=by, verb="created", entity="region", entity_id=region.id, new=values)
    return region.id


def change(session: Session, region_id: int, form: RegionForm, *, by: int, at: datetime) -> None:
    """The region has this name and lies there in the tree."""
    locks.hold(session, "regions", "tree")  # two moves at once could make a ring
    region = _region(session, region_id)
    editing.fresh(region.version, form.version)
    values = _values(session, form, region)
    new = {name: value for name, value in values.items() if getattr(region, name) != value}
    old = {name: getattr(region, name) for name in new}
    for name, value in new.items():
        setattr(region, name, value)
    if new:
        audit.record(session, at=at, by=by, verb="changed", entity="region", entity_id=region_id, old=old, new=new)


def remove(session: Session, region_id: int, *, by: int, at: datetime) -> None:
    """The region is gone, unless something lies in it, seen or unseen."""
    locks.hold(session, "regions", "tree")
    region = _region(session, region_id)
    under = session.scalars(select(Region.id).where(Region.parent_id == region_id)).first()
    used = session.execute(select(Project.id).where(Project.region_id == region_id).union_all(select(Site.id).where(Site.region_id == region_id))).first()
    if under or used:
        raise InUse(_("“%(name)s” still holds regions, projects or sites. Move them first.", name=region.name))
    session.delete(region)
    audit.record(session, at=at, by=by, verb="deleted", entity="region", entity_id=region_id, old={"name": region.name})


def _region(session: Session, region_id: int) -> Region:
    region = db.locked(session, Region, region_id)
    if region is None:
        raise NotFound(_("This region is gone. Load the page again."))
    return region


def _values(session: Session, form: RegionForm, known: Region | None) -> dict[str, Any]:
    wrong = {}
    if fault := rules.name_fault(form.name, what=_("Give the region a name.")):
        wrong["name"] = fault
    if len(form.name_en) > rules.LONGEST_NAME:
        wrong["name_en"] = _("Use at most %(most)s signs.", most=rules.LONGEST_NAME)
    regions = list(session.scalars(select(Region)))
    above = rules.path(regions, form.parent_id)
    if form.parent_id and not above:
        wrong["parent_id"] = _("This region is gone. Choose another.")
    if known is not None and known.id in {region.id for region in above}:
        wrong["parent_id"] = _("A region cannot lie in itself or in one of its own.")
    if any((one.name, one.parent_id) == (form.name, form.parent_id) and one is not known for one in regions):
        wrong["name"] = _("There is a region of this name beside it.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)
    return {"name": form.name, "name_en": form.name_en, "parent_id": form.parent_id}
