"""How sites and projects are found: by name and its pinyin, number, address, contact and phone."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.core import search
from service.core.search import Entry
from service.sites.model import Project, Site


def index_sites(session: Session, ids: Collection[int]) -> None:
    """These sites are found as they are now."""
    search.put(session, [_site(one) for one in session.scalars(select(Site).where(Site.id.in_(ids)))])


def index_projects(session: Session, ids: Collection[int]) -> None:
    """These projects are found as they are now."""
    search.put(session, [_project(one) for one in session.scalars(select(Project).where(Project.id.in_(ids)))])


def rebuild_sites(session: Session, after: int, most: int) -> int | None:
    """The next sites by id are indexed; returns the last of them, None when there is none left."""
    ids = session.scalars(select(Site.id).where(Site.id > after).order_by(Site.id).limit(most)).all()
    index_sites(session, ids)
    return ids[-1] if ids else None


def rebuild_projects(session: Session, after: int, most: int) -> int | None:
    """The next projects by id are indexed; returns the last of them, None when there is none left."""
    ids = session.scalars(select(Project.id).where(Project.id > after).order_by(Project.id).limit(most)).all()
    index_projects(session, ids)
    return ids[-1] if ids else None


def _site(one: Site) -> Entry:
    phones = [one.phone] if one.phone else []
    return Entry("site", one.id, one.branch_id, one.name, one.number, one.number, names=[one.address, one.contact], phones=phones)


def _project(one: Project) -> Entry:
    return Entry("project", one.id, one.branch_id, one.name, one.number, one.number)
