"""Sites and projects by their numbers, for tables that name them."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.sites.model import Project, Site


def ids(session: Session, sites: Collection[str], projects: Collection[str]) -> tuple[dict[str, tuple[int, int | None, int | None]], dict[str, int]]:
    """By number: each site with its project and customer, and each project."""
    places = select(Site.number, Site.id, Site.project_id, Site.party_id).where(Site.number.in_(sites))
    works = select(Project.number, Project.id).where(Project.number.in_(projects))
    found = {number: (site_id, project_id, party_id) for number, site_id, project_id, party_id in session.execute(places)} if sites else {}
    return found, {row.number: row.id for row in session.execute(works)} if projects else {}


def numbers(session: Session, sites: Collection[int], projects: Collection[int]) -> tuple[dict[int, str], dict[int, str]]:
    """By id the number of each site and of each project."""
    places, works = select(Site.id, Site.number).where(Site.id.in_(sites)), select(Project.id, Project.number).where(Project.id.in_(projects))
    found = {row.id: row.number for row in session.execute(places)} if sites else {}
    return found, {row.id: row.number for row in session.execute(works)} if projects else {}
