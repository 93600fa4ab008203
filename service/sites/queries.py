"""Regions, projects and sites as screens need them; what a level holds is one grouped query, however long the list."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, true
from sqlalchemy.orm import Session

from service.core import pages, search
from service.devices.places import queries as places
from service.devices.queries import CURRENT, Device
from service.sites import condition, rules
from service.sites.model import Project as Project
from service.sites.model import Region as Region
from service.sites.model import Site as Site

NOWHERE = -1  # asked for as a region: what lies in none
_REGION = func.coalesce(Site.region_id, Project.region_id)


@dataclass(frozen=True)
class Tally:
    """What a level holds: its devices, open faults, and when somebody was last there."""

    devices: int = 0
    faults: int = 0
    visited_at: datetime | None = None
    sites: int = 0

    @property
    def condition(self) -> str:
        """normal or abnormal."""
        return rules.condition(self.faults)

    def with_(self, other: "Tally") -> "Tally":
        """Both together."""
        last = max(filter(None, (self.visited_at, other.visited_at)), default=None)
        return Tally(self.devices + other.devices, self.faults + other.faults, last, self.sites + other.sites)


EMPTY = Tally()


def regions(session: Session) -> list[Region]:
    """Every region of the firm."""
    return list(session.scalars(select(Region).order_by(Region.id)))


def region_tallies(session: Session) -> dict[int | None, Tally]:
    """What each region holds by itself, without those under it; None is what lies in no region."""
    return _tallied(session, _REGION, true())


def project_tallies(session: Session, ids: Collection[int]) -> dict[int | None, Tally]:
    """What each of these projects holds, at its sites and not yet at any."""
    return _tallied(session, Project.id, Project.id.in_(ids)) if ids else {}


def site_tallies(session: Session, ids: Collection[int]) -> dict[int | None, Tally]:
    """What each of these sites holds."""
    return _tallied(session, Site.id, Site.id.in_(ids)) if ids else {}


def _tallied(session: Session, key: Any, only: ColumnElement[bool]) -> dict[int | None, Tally]:
    """Devices with faults and visits, and sites with patrols, each in one grouped query."""
    fact, patrol = condition.of_devices(), condition.of_sites()
    devices = (
        select(key, func.count(Device.id.distinct()), func.count().filter(fact.c.open), func.max(fact.c.visited_at))
        .select_from(Device)
        .outerjoin(Site, Site.id == Device.site_id)
        .outerjoin(Project, Project.id == func.coalesce(Site.project_id, Device.project_id))
        .outerjoin(fact, fact.c.device_id == Device.id)
        .where(only, Device.site_id.is_not(None) | Device.project_id.is_not(None), Device.state.in_(CURRENT))
        .group_by(key)
    )
    sites = (
        select(key, func.count(), func.max(patrol.c.visited_at), func.coalesce(func.sum(patrol.c.faults), 0))
        .select_from(Site)
        .outerjoin(Project, Project.id == Site.project_id)
        .outerjoin(patrol, patrol.c.site_id == Site.id)
        .where(only)
        .group_by(key)
    )
    found = {level: Tally(count, faults, last) for level, count, faults, last in session.execute(devices)}
    for level, count, last, faults in session.execute(sites):
        found[level] = found.get(level, EMPTY).with_(Tally(0, int(faults), last, count))
    return found


def rolled(nodes: Sequence[rules.Node], own: dict[int | None, Tally]) -> dict[int, Tally]:
    """What each region holds with all regions under it."""
    found: dict[int, Tally] = {}
    for node in nodes:
        whole = EMPTY
        for region_id in node.below:
            whole = whole.with_(own.get(region_id, EMPTY))
        found[node.region.id] = whole
    return found


@dataclass(frozen=True)
class Filters:
    """What a list is narrowed to; empty means everything."""

    regions: tuple[int, ...] = ()
    nowhere: bool = False
    project_id: int | None = None
    party_id: int | None = None
    condition: str = ""
    typed: str = ""


def sites(session: Session, wanted: Filters, *, after: tuple[str, int] | None = None, limit: int = 50) -> list[Site]:
    """Sites by their numbers, paged by the last one seen."""
    query = select(Site).outerjoin(Project, Project.id == Site.project_id)
    if wanted.regions:
        query = query.where(_REGION.in_(wanted.regions))
    if wanted.nowhere:
        query = query.where(_REGION.is_(None))
    if wanted.project_id:
        query = query.where(Site.project_id == wanted.project_id)
    if wanted.party_id:
        query = query.where(Site.party_id == wanted.party_id)
    if wanted.condition in rules.CONDITIONS:
        abnormal = condition.abnormal()
        query = query.where(abnormal if wanted.condition == rules.ABNORMAL else ~abnormal)
    if wanted.typed:
        query = query.where(Site.id.in_(_ids(session, wanted.typed, "site")))
    if after:
        query = query.where((Site.number > after[0]) | ((Site.number == after[0]) & (Site.id > after[1])))
    return list(session.scalars(query.order_by(Site.number, Site.id).limit(limit)))


def projects(session: Session, wanted: Filters, *, after: tuple[str, int] | None = None, limit: int = 50) -> list[Project]:
    """Projects by their numbers, paged by the last one seen."""
    query = select(Project)
    if wanted.regions:
        query = query.where(Project.region_id.in_(wanted.regions))
    if wanted.nowhere:
        query = query.where(Project.region_id.is_(None))
    if wanted.party_id:
        query = query.where(Project.party_id == wanted.party_id)
    if wanted.typed:
        query = query.where(Project.id.in_(_ids(session, wanted.typed, "project")))
    if after:
        query = query.where((Project.number > after[0]) | ((Project.number == after[0]) & (Project.id > after[1])))
    return list(session.scalars(query.order_by(Project.number, Project.id).limit(limit)))


@dataclass(frozen=True)
class Reached:
    """Whoever is reached at a site by a number, and whose site it is."""

    key: str
    site_id: int
    name: str
    contact: str
    party_id: int
    branch_id: int


_OWNER = func.coalesce(Site.party_id, Project.party_id)
_REACHED = (
    select(Site.phone_key, Site.id, Site.name, Site.contact, _OWNER, Site.branch_id)
    .outerjoin(Project, Project.id == Site.project_id)
    .where(Site.phone_key.in_(bindparam("keys", expanding=True)), Site.phone_key != "", _OWNER.is_not(None))
    .order_by(Site.id)
)


def reached(session: Session, keys: Collection[str]) -> list[Reached]:
    """The sites of customers at which one of these numbers is answered; a site's customer is its own, else that of its project."""
    return [Reached(*row) for row in session.execute(_REACHED, {"keys": list(keys)})] if keys else []


def _ids(session: Session, typed: str, kind: str) -> list[int]:
    return [hit.ref_id for hit in search.find(session, typed, kinds=[kind], most=search.IN_LIST)]


def site(session: Session, site_id: int) -> Site | None:
    """The site, or None when it is not there or not in scope."""
    return session.get(Site, site_id)


def project(session: Session, project_id: int) -> Project | None:
    """The project, or None when it is not there or not in scope."""
    return session.get(Project, project_id)


def project_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names of projects by id."""
    rows = select(Project.id, Project.name).where(Project.id.in_(ids))
    return {row.id: row.name for row in session.execute(rows)} if ids else {}


@dataclass(frozen=True)
class Way:
    """The levels above a thing, the widest first: regions, then project, then site."""

    regions: list[Region]
    project: Project | None = None
    site: Site | None = None


def way_to_project(session: Session, found: Project) -> Way:
    """What lies above the project."""
    return Way(rules.path(regions(session), found.region_id))


def way_to_site(session: Session, found: Site) -> Way:
    """What lies above the site."""
    project_of = project(session, found.project_id) if found.project_id else None
    region_id = found.region_id or (project_of.region_id if project_of else None)
    return Way(rules.path(regions(session), region_id), project_of)


def way_to_device(session: Session, device: Device) -> Way:
    """From a device up: its site, that one's project and region; or the project alone."""
    at = site(session, device.site_id) if device.site_id else None
    if at is not None:
        return replace(way_to_site(session, at), site=at)
    project_of = project(session, device.project_id) if device.project_id else None
    return replace(way_to_project(session, project_of), project=project_of) if project_of else Way([])


def device_tallies(session: Session, ids: Collection[int]) -> dict[int, Tally]:
    """Open faults of each of these devices, and when somebody last saw to it."""
    fact = condition.of_devices()
    rows = (
        select(fact.c.device_id, func.count().filter(fact.c.open), func.max(fact.c.visited_at))
        .where(fact.c.device_id.in_(ids))
        .group_by(fact.c.device_id)
    )
    return {row[0]: Tally(1, row[1], row[2]) for row in session.execute(rows)} if ids else {}


def devices_at(session: Session, site_id: int, limit: int = 200) -> list[Device]:
    """What stands at the site."""
    return places.at_site(session, site_id, limit=limit)


# ---- for lists of other rooms


def region_choices(session: Session) -> list[tuple[str, str]]:
    """Every region to choose from, deeper ones indented under theirs."""
    nodes = rules.tree(regions(session))
    return [(str(node.region.id), "\u2003" * node.depth + _named(node.region)) for node in nodes]


def region_names(session: Session, found: Collection[Site]) -> dict[int, str]:
    """The name of the region of each of these sites, its own or its project's, by site."""
    by_id = {region.id: _named(region) for region in regions(session)}
    rows = select(Site.id, _REGION).outerjoin(Project, Project.id == Site.project_id).where(Site.id.in_([one.id for one in found]))
    return {site_id: by_id.get(region_id, "") for site_id, region_id in session.execute(rows)} if found else {}


def lies_in(session: Session, region_id: int) -> ColumnElement[bool]:
    """The site of the row lies in the region or in one under it, by itself or by its project."""
    under = below(session, region_id)
    projects_there = select(Project.id).where(Project.region_id.in_(under))
    return Site.region_id.in_(under) | (Site.region_id.is_(None) & Site.project_id.in_(projects_there))


def below(session: Session, region_id: int) -> tuple[int, ...]:
    """The region and all under it."""
    node = next((one for one in rules.tree(regions(session)) if one.region.id == region_id), None)
    return node.below if node else (0,)


def sites_by_id(session: Session, ids: Collection[int]) -> dict[int, Site]:
    """These sites by id; what is not in scope is not among them."""
    return {row.id: row for row in session.scalars(select(Site).where(Site.id.in_(ids)))} if ids else {}


def _named(region: Region) -> str:
    return pages.called(region)
