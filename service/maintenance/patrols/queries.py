"""Rounds with what was visited and what not, and patrols, as screens need them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased

from service.core import attachments, clock
from service.maintenance.patrols.model import PatrolDevice
from service.maintenance.patrols.model import PatrolRound as PatrolRound
from service.maintenance.patrols.model import PatrolStop as PatrolStop
from service.maintenance.patrols.model import PatrolVisit as PatrolVisit
from service.sites import queries as sites
from service.sites.queries import Site
from service.staff import queries as staff
from service.tickets import queries as tickets
from service.tickets.schemas import Origin

ENTITY = "patrol"


def latest() -> Select[*tuple[Any, ...]]:
    """(site_id, faults, visited_at) of the latest patrol of each site, without groups, so that one site costs one look.

    A fault that became a request counts with its ticket and ends with it: by its device where it names one, else here. One of
    which nobody made a request counts until a later patrol finds the site in order.
    """
    later = aliased(PatrolVisit)
    after = (later.at > PatrolVisit.at) | ((later.at == PatrolVisit.at) & (later.id > PatrolVisit.id))
    newer = exists().where(later.site_id == PatrolVisit.site_id, after).correlate(PatrolVisit)
    asked = aliased(PatrolVisit)
    waiting = select(func.count()).where(asked.site_id == PatrolVisit.site_id, asked.ticket_id.is_not(None), tickets.waits_without_device(asked.ticket_id))
    unasked = case((PatrolVisit.faulty & PatrolVisit.ticket_id.is_(None), 1), else_=0)
    faults = unasked + waiting.correlate(PatrolVisit).scalar_subquery()
    return select(PatrolVisit.site_id, faults.label("faults"), PatrolVisit.at.label("visited_at")).where(~newer)


def visit(session: Session, visit_id: int) -> PatrolVisit | None:
    """The patrol, or None when it is not there or not in scope."""
    return session.get(PatrolVisit, visit_id)


def round_(session: Session, round_id: int) -> PatrolRound | None:
    """The round, or None when it is not there or not in scope."""
    return session.get(PatrolRound, round_id)


def visits_of_device(session: Session, device_id: int, *, until: tuple[datetime, int] | None, limit: int) -> list[PatrolVisit]:
    """Patrols that named the device or found it at their site, wherever it is now; newest first, before a moment and id."""
    query = select(PatrolVisit).join(PatrolDevice, PatrolDevice.visit_id == PatrolVisit.id).where(PatrolDevice.device_id == device_id)
    if until:
        at, last = until
        query = query.where((PatrolVisit.at < at) | ((PatrolVisit.at == at) & (PatrolVisit.id < last)))
    return list(session.scalars(query.order_by(PatrolVisit.at.desc(), PatrolVisit.id.desc()).limit(limit)))


# ---- rounds


@dataclass(frozen=True)
class Progress:
    """How many sites a round has, and how many of them were visited."""

    stops: int = 0
    visited: int = 0

    @property
    def missing(self) -> int:
        """Sites that nobody has visited."""
        return self.stops - self.visited


def progress(session: Session, ids: Collection[int]) -> dict[int, Progress]:
    """The progress of each of these rounds, in one query."""
    query = select(PatrolStop.round_id, func.count(), func.count().filter(_visited())).where(PatrolStop.round_id.in_(ids)).group_by(PatrolStop.round_id)
    return {round_id: Progress(stops, done) for round_id, stops, done in session.execute(query)} if ids else {}


def _visited() -> ColumnElement[bool]:
    return exists().where(PatrolVisit.round_id == PatrolStop.round_id, PatrolVisit.site_id == PatrolStop.site_id).correlate(PatrolStop)


def round_names(session: Session, ids: Collection[int]) -> dict[int, str]:
    """Names of rounds by id."""
    rows = select(PatrolRound.id, PatrolRound.name).where(PatrolRound.id.in_(ids))
    return {row.id: row.name for row in session.execute(rows)} if ids else {}


@dataclass(frozen=True)
class Stop:
    """A site of a round with the last visit that was made to it on that round."""

    round_id: int
    site: Site
    visit: PatrolVisit | None


def stops(session: Session, ids: Collection[int]) -> list[Stop]:
    """The sites of these rounds by their numbers, those not visited first."""
    if not ids:
        return []
    made = select(PatrolVisit).where(PatrolVisit.round_id.in_(ids)).order_by(PatrolVisit.at, PatrolVisit.id)
    visits = {(one.round_id, one.site_id): one for one in session.scalars(made)}
    query = select(PatrolStop.round_id, Site).join(Site, Site.id == PatrolStop.site_id).where(PatrolStop.round_id.in_(ids)).order_by(Site.number, Site.id)
    found = [Stop(round_id, site, visits.get((round_id, site.id))) for round_id, site in session.execute(query)]
    return sorted(found, key=lambda stop: stop.visit is not None)


def current(session: Session, inspector_id: int, on: date) -> list[PatrolRound]:
    """The rounds of this person that go on that day, the first to end first."""
    mine = PatrolRound.inspector_id == inspector_id, PatrolRound.starts_on <= on, PatrolRound.ends_on >= on
    return list(session.scalars(select(PatrolRound).where(*mine).order_by(PatrolRound.ends_on, PatrolRound.id)))


def made_by(session: Session, inspector_id: int, limit: int = 10) -> list[PatrolVisit]:
    """What this person sent last."""
    mine = select(PatrolVisit).where(PatrolVisit.inspector_id == inspector_id)
    return list(session.scalars(mine.order_by(PatrolVisit.at.desc(), PatrolVisit.id.desc()).limit(limit)))


def unvisited(since: date, until: date) -> Select[Any]:
    """Sites that were there by then, and that nobody visited between these days, both included."""
    first, end = clock.midnight(since), clock.midnight(until.fromordinal(until.toordinal() + 1))
    made = exists().where(PatrolVisit.site_id == Site.id, PatrolVisit.at >= first, PatrolVisit.at < end).correlate(Site)
    return select(Site).where(~made, Site.created_at < end)


def last_of_sites(session: Session, ids: Collection[int]) -> dict[int, PatrolVisit]:
    """The latest patrol of each of these sites, in one query."""
    if not ids:
        return {}
    query = select(PatrolVisit).where(PatrolVisit.site_id.in_(ids)).ext(distinct_on(PatrolVisit.site_id))
    return {one.site_id: one for one in session.scalars(query.order_by(PatrolVisit.site_id, PatrolVisit.at.desc(), PatrolVisit.id.desc()))}


# ---- what a ticket came from


def origin(session: Session, ticket_id: int) -> Origin | None:
    """The patrol that became this ticket, with where it was and what was photographed."""
    row = session.scalars(select(PatrolVisit).where(PatrolVisit.ticket_id == ticket_id)).first()
    site = sites.site(session, row.site_id) if row else None
    if row is None or site is None:
        return None
    who = staff.names(session, {row.inspector_id}).get(row.inspector_id, "")
    shots = attachments.of(session, ENTITY, row.id)
    place = (row.latitude, row.longitude) if row.latitude is not None and row.longitude is not None else None
    return Origin(f"/maintenance/patrols/{row.id}", row.at, who, f"{site.number} {site.name}", f"/sites/{site.id}", place, row.accuracy, tuple(one.id for one in shots))


def pictures(session: Session, ids: Collection[int]) -> Mapping[int, int]:
    """How many pictures each of these patrols has."""
    return attachments.counts(session, ENTITY, ids)
