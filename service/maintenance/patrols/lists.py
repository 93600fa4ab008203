"""The lists of patrols, of rounds, and of sites that nobody visited."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from service.core import asked, clock, lists
from service.core.identity import Identity
from service.core.lists import Action, Column, Empty, Filter, ListSpec, Told
from service.devices import queries as devices
from service.maintenance.patrols import actions, queries
from service.maintenance.patrols.model import PatrolRound, PatrolStop, PatrolVisit
from service.sites import queries as sites
from service.sites.queries import Site
from service.staff import queries as staff
from service.tickets import queries as tickets

FAULT = (("1", _l("Fault")), ("0", _l("In order")))


def _people(session: Session) -> Sequence[tuple[str, Any]]:
    return [(str(person.id), person.name) for person in staff.assignees(session)]


def _site_fits(typed: str) -> Any:
    return exists().where(Site.id == PatrolVisit.site_id, Site.name.icontains(typed, autoescape=True) | Site.number.icontains(typed, autoescape=True))


def _patrols(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    query = select(PatrolVisit)
    if region := _region(wanted):
        query = query.where(exists().where(Site.id == PatrolVisit.site_id, sites.lies_in(session, region)))
    return query


def _region(wanted: Mapping[str, Any]) -> int:
    chosen = str(wanted.get("region", ""))
    return asked.whole(chosen) or 0


def _told(session: Session, rows: Sequence[PatrolVisit], _wanted: Mapping[str, Any]) -> dict[str, Mapping[Any, Any]]:
    """Sites, regions, inspectors, devices, pictures and tickets: one query each."""
    known = sites.sites_by_id(session, {row.site_id for row in rows})
    named = devices.by_ids(session, {row.device_id for row in rows if row.device_id})
    return {
        "sites": {id_: f"{site.number} {site.name}" for id_, site in known.items()},
        "regions": sites.region_names(session, list(known.values())),
        "people": staff.names(session, {row.inspector_id for row in rows}),
        "devices": {id_: f"{device.name} {device.model}".strip() for id_, device in named.items()},
        "pictures": queries.pictures(session, {row.id for row in rows}),
        "tickets": tickets.numbers(session, {row.ticket_id for row in rows if row.ticket_id}),
        "rounds": queries.round_names(session, {row.round_id for row in rows if row.round_id}),
    }


def _place(row: PatrolVisit, _told: Told) -> str:
    return f"{row.latitude:.6f}, {row.longitude:.6f}" if row.latitude is not None and row.longitude is not None else ""


def _repair(session: Session, visit_id: int, _choice: str, person: Identity, at: datetime) -> None:
    actions.request_repair(session, visit_id, by=person.staff_id, at=at)


PATROLS = lists.know(
    ListSpec(
        name="patrols",
        title=_l("Patrols"),
        address="/maintenance/patrols",
        permission="maintenance.read",
        rows=_patrols,
        key=PatrolVisit.id,
        link=lambda row: f"/maintenance/patrols/{row.id}",
        cells="maintenance/patrol_cells.html",
        columns=(
            Column("at", _l("When"), lambda row, _told: row.at, "moment", PatrolVisit.at, width=116, card="labelled"),
            Column("site", _l("Site"), lambda row, told: told.name("sites", row.site_id), width=220, card="title"),
            Column("findings", _l("Findings"), lambda row, _told: row.findings, width=0, card="quiet"),
            Column("fault", _l("Result"), lambda row, _told: str(FAULT[0 if row.faulty else 1][1]), "state", PatrolVisit.faulty, width=104),
            Column("inspector", _l("Inspector"), lambda row, told: told.name("people", row.inspector_id), width=110, card="quiet"),
            Column("pictures", _l("Pictures"), lambda row, told: told.labels["pictures"].get(row.id, 0), "number", width=84, card="off"),
            Column("position", _l("Coordinates"), _place, width=170, card="off"),
            Column("ticket", _l("Ticket"), lambda row, told: told.name("tickets", row.ticket_id), width=160, card="labelled"),
            Column("region", _l("Region"), lambda row, told: told.name("regions", row.site_id), width=110, shown=False, card="off"),
            Column("device", _l("Device"), lambda row, told: told.name("devices", row.device_id), width=200, shown=False, card="off"),
            Column("round", _l("Round"), lambda row, told: told.name("rounds", row.round_id), width=160, shown=False, card="off"),
        ),
        filters=(
            Filter("q", _l("Site"), clause=_site_fits, placeholder=_l("Number or name")),
            Filter("inspector", _l("Inspector"), "choice", lambda text: PatrolVisit.inspector_id == int(text), options=_people),
            Filter("fault", _l("Result"), "choice", lambda text: PatrolVisit.faulty == (text == "1"), options=lambda _session: FAULT),
            *lists.days("at", _l("Patrol day"), PatrolVisit.at, since="from", until="to"),
            Filter("region", _l("Region"), "choice", options=sites.region_choices, more=True),
            Filter("site", _l("Site"), "number", lambda id_: PatrolVisit.site_id == id_, form=False, names="sites"),
            Filter("device", _l("Device"), "number", lambda id_: PatrolVisit.device_id == id_, form=False, names="devices"),
            Filter("round", _l("Round"), "number", lambda id_: PatrolVisit.round_id == id_, form=False, names="rounds"),
        ),
        sort="-at",
        labels=_told,
        actions=(Action("repair", _l("Request repair"), "ticket", "ticket.write", _repair),),
        empty=Empty("route", _l("No patrol yet"), _l("What inspectors send from their rounds stands here at once."), "/maintenance/rounds", _l("See the rounds")),
    )
)  # fmt: skip


def _progress(session: Session, rows: Sequence[PatrolRound], _wanted: Mapping[str, Any]) -> dict[str, Mapping[Any, Any]]:
    return {
        "people": staff.names(session, {row.inspector_id for row in rows}),
        "progress": queries.progress(session, {row.id for row in rows}),
    }


def _of(row: PatrolRound, told: Told) -> queries.Progress:
    found: queries.Progress = told.labels["progress"].get(row.id, queries.Progress())
    return found


def _goes_on(state: str) -> Any:
    today = clock.local(clock.now()).date()
    return {"over": PatrolRound.ends_on < today, "ahead": PatrolRound.starts_on > today}.get(state, (PatrolRound.starts_on <= today) & (PatrolRound.ends_on >= today))


ROUNDS = lists.know(
    ListSpec(
        name="rounds",
        title=_l("Rounds"),
        address="/maintenance/rounds",
        permission="maintenance.read",
        rows=lambda _session, _wanted: select(PatrolRound),
        key=PatrolRound.id,
        link=lambda row: f"/maintenance/rounds/{row.id}",
        cells="maintenance/patrol_cells.html",
        columns=(
            Column("name", _l("Round"), lambda row, _told: row.name, sort=PatrolRound.name, width=0, card="title"),
            Column("inspector", _l("Inspector"), lambda row, told: told.name("people", row.inspector_id), width=130, card="quiet"),
            Column("from", _l("From"), lambda row, _told: row.starts_on, "date", PatrolRound.starts_on, width=120, card="labelled"),
            Column("to", _l("Until"), lambda row, _told: row.ends_on, "date", PatrolRound.ends_on, width=120, card="labelled"),
            Column("stops", _l("Sites"), lambda row, told: _of(row, told).stops, "number", width=84, card="off"),
            Column("visited", _l("Visited"), lambda row, told: _of(row, told).visited, "number", width=96, card="labelled"),
            Column("missing", _l("Not visited"), lambda row, told: _of(row, told).missing, "number", width=110, card="labelled"),
        ),
        filters=(
            Filter("q", _l("Name contains"), clause=lambda text: PatrolRound.name.icontains(text, autoescape=True)),
            Filter("inspector", _l("Inspector"), "choice", lambda text: PatrolRound.inspector_id == int(text), options=_people),
            Filter("state", _l("State"), "choice", _goes_on, options=lambda _session: (("now", _l("Goes on")), ("ahead", _l("Ahead")), ("over", _l("Over")))),
            Filter("from", _l("Ends from"), "day", lambda day: PatrolRound.ends_on >= day),
            Filter("to", _l("Begins until"), "day", lambda day: PatrolRound.starts_on <= day),
            Filter("site", _l("Site"), "number", lambda id_: exists().where(PatrolStop.round_id == PatrolRound.id, PatrolStop.site_id == id_), form=False),
        ),
        sort="-to",
        labels=_progress,
        empty=Empty("route", _l("No round yet"), _l("A round names an inspector, a period and the sites to visit. Make one with the button at the top right."), permission="maintenance.write"),
    )
)  # fmt: skip


def period(wanted: Mapping[str, Any]) -> tuple[date, date]:
    """The days asked for; this month until today where nothing is said."""
    today = clock.local(clock.now()).date()
    until = wanted.get("to") or today
    return wanted.get("from") or until.replace(day=1), until


def _unvisited(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    query = queries.unvisited(*period(wanted))
    return query.where(sites.lies_in(session, region)) if (region := _region(wanted)) else query


def _last(session: Session, rows: Sequence[Site], _wanted: Mapping[str, Any]) -> dict[str, Mapping[Any, Any]]:
    last = queries.last_of_sites(session, {row.id for row in rows})
    return {"regions": sites.region_names(session, rows), "last": last, "people": staff.names(session, {one.inspector_id for one in last.values()})}


def _last_of(row: Site, told: Told) -> PatrolVisit | None:
    found: PatrolVisit | None = told.labels["last"].get(row.id)
    return found


UNVISITED = lists.know(
    ListSpec(
        name="unvisited-sites",
        title=_l("Sites not visited"),
        address="/maintenance/patrols/missing",
        permission="maintenance.read",
        rows=_unvisited,
        key=Site.id,
        link=lambda site: f"/sites/{site.id}",
        columns=(
            Column("number", _l("Site number"), lambda site, _told: site.number, "ref", Site.number, width=130),
            Column("name", _l("Site"), lambda site, _told: site.name, sort=Site.name, width=220, card="title"),
            Column("region", _l("Region"), lambda site, told: told.name("regions", site.id), width=120, card="quiet"),
            Column("address", _l("Address"), lambda site, _told: site.address, width=0, card="quiet"),
            Column("last", _l("Last patrol"), lambda site, told: one.at if (one := _last_of(site, told)) else None, "moment", width=130, card="labelled"),
            Column("inspector", _l("Inspector"), lambda site, told: told.name("people", one.inspector_id) if (one := _last_of(site, told)) else "", width=120, card="off"),
        ),
        filters=(
            Filter("region", _l("Region"), "choice", options=sites.region_choices),
            Filter("from", _l("Not visited from"), "day"),
            Filter("to", _l("Not visited until"), "day"),
            Filter("q", _l("Site"), clause=lambda text: Site.name.icontains(text, autoescape=True) | Site.number.icontains(text, autoescape=True), placeholder=_l("Number or name")),
        ),
        sort="number",
        labels=_last,
        empty=Empty("map-pin", _l("Every site was visited"), _l("In this period somebody was at each of these sites.")),
    )
)  # fmt: skip
