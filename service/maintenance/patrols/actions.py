"""Rounds are planned and changed; what an inspector found is kept once, and a fault becomes a repair request once."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from service.core import attachments, audit, clock, db, editing, live, locks
from service.core.errors import DeskError, Invalid, NotFound
from service.devices import queries as devices
from service.maintenance.patrols.model import PatrolDevice, PatrolRound, PatrolStop, PatrolVisit
from service.maintenance.patrols.schemas import Found, Round, Sent
from service.sites import queries as sites
from service.staff import queries as staff
from service.tickets import actions as tickets
from service.tickets.schemas import NewTicket

ENTITY = "patrol"  # what its pictures belong to
LONGEST_NAME, LONGEST_FINDINGS = 100, 5000
MOST_SITES, LONGEST_ROUND = 300, timedelta(days=400)
MOST_PICTURES = 12  # sent together
MOST_DEVICES = 5000  # at one site
FARTHEST = 100_000  # metres that a position may be wrong by


class NoFault(DeskError):
    """Only a patrol that found a fault becomes a repair request."""


# ---- rounds


def plan(session: Session, new: Round, *, by: int, at: datetime, request_key: str | None = None) -> int:
    """The inspector has a round over these sites; the same form twice is one round. Returns its id."""
    if request_key:
        locks.hold(session, "round request", request_key)
        known = session.scalars(select(PatrolRound.id).where(PatrolRound.request_key == request_key)).first()
        if known is not None:
            return known
    branch_id = _check(session, new)
    row = PatrolRound(**_plain(new), created_at=at, request_key=request_key, branch_id=branch_id)
    session.add(row)
    session.flush()
    _stop_at(session, row, set(new.sites))
    audit.record(session, at=at, by=by, verb="created", entity="patrol_round", entity_id=row.id, new=_told(new), branch_id=branch_id)
    return row.id


def change(session: Session, round_id: int, new: Round, *, version: int, by: int, at: datetime) -> None:
    """The round is as described; visits that were made stay made."""
    row = db.locked(session, PatrolRound, round_id)
    if row is None:
        raise no_round()
    editing.fresh(row.version, version)
    branch_id = _check(session, new)
    stops = set(session.scalars(select(PatrolStop.site_id).where(PatrolStop.round_id == round_id)))
    old = {name: getattr(row, name) for name in _plain(new)} | {"sites": sorted(stops)}
    for name, value in (_plain(new) | {"branch_id": branch_id}).items():
        setattr(row, name, value)
    if stops != set(new.sites):
        flag_modified(row, "name")  # other sites are another version too, so that whoever has the older form is told
    session.execute(delete(PatrolStop).where(PatrolStop.round_id == round_id, PatrolStop.site_id.in_(stops - set(new.sites))))
    _stop_at(session, row, set(new.sites) - stops)
    session.flush()
    told = _told(new)
    changed = {name for name in told if told[name] != old[name]}
    if changed:
        was, now = {name: old[name] for name in changed}, {name: told[name] for name in changed}
        audit.record(session, at=at, by=by, verb="changed", entity="patrol_round", entity_id=row.id, old=was, new=now, branch_id=branch_id)


def no_round() -> NotFound:
    """The refusal for a round that is not there."""
    return NotFound(_("There is no such round in your branches. Look for it in the list of rounds."))


def _stop_at(session: Session, row: PatrolRound, ids: Collection[int]) -> None:
    session.add_all(PatrolStop(round_id=row.id, site_id=site_id, branch_id=row.branch_id) for site_id in sorted(ids))
    session.flush()


def _plain(new: Round) -> dict[str, Any]:
    values = asdict(new) | {"name": new.name.strip()}
    del values["sites"]
    return values


def _told(new: Round) -> dict[str, Any]:
    return _plain(new) | {"sites": sorted(set(new.sites))}


def _check(session: Session, new: Round) -> int:
    """The branch in which the round lies; refused with every field that is wrong."""
    wrong: dict[str, str] = {}
    stops = sites.sites_by_id(session, set(new.sites[: MOST_SITES + 1]))
    branches = {site.branch_id for site in stops.values()}
    if not new.name.strip() or len(new.name.strip()) > LONGEST_NAME:
        wrong["name"] = _("Name the round, in at most %(count)s letters.", count=LONGEST_NAME)
    if not date(2000, 1, 1) <= new.starts_on <= date(2100, 1, 1):
        wrong["starts_on"] = _("Choose a day of this century.")
    elif not new.starts_on <= new.ends_on <= new.starts_on + LONGEST_ROUND:
        wrong["ends_on"] = _("Choose a day after the first one, within a year.")
    if not new.sites or len(stops) != len(set(new.sites)) or len(stops) > MOST_SITES:
        wrong["sites"] = _("Tick the sites of the round, at most %(count)s.", count=MOST_SITES)
    elif len(branches) > 1:
        wrong["sites"] = _("These sites are of several branches. Make a round for each branch.")
    elif new.inspector_id not in {person.id for person in staff.assignees(session, next(iter(branches)))}:
        wrong["inspector_id"] = _("Choose somebody who works on tickets of this branch.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)
    return branches.pop()


# ---- what was found


def record(session: Session, folder: Path, found: Found, pictures: Sequence[Sent] = (), *, by: int, at: datetime) -> int:
    """What was found at the site is kept with its pictures; the same form sent again is the same visit."""
    locks.hold(session, "patrol request", found.request_key)
    known = session.scalars(select(PatrolVisit.id).where(PatrolVisit.request_key == found.request_key)).first()
    if known is not None:
        return known
    site = sites.site(session, found.site_id)
    if site is None:
        raise NotFound(_("There is no such site in your branches. Look for it in the list of sites."))
    where = _position(session, found, pictures)
    row = PatrolVisit(
        site_id=site.id, round_id=_round(session, found, by, at), device_id=found.device_id, inspector_id=by, at=at, **where,
        findings=found.findings.strip(), faulty=found.faulty, request_key=found.request_key, branch_id=site.branch_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    _seen(session, row)
    for sent in pictures:
        attachments.keep(session, folder, sent.content, sent.name, entity=ENTITY, entity_id=row.id, by=by, branch_id=row.branch_id, at=at)
    audit.record(session, at=at, by=by, verb="patrolled", entity="patrol_visit", entity_id=row.id, new={"site_id": site.id, "faulty": row.faulty}, branch_id=row.branch_id)
    live.publish(session, "all", "patrol", {}, at=at)
    return row.id


def _seen(session: Session, row: PatrolVisit) -> None:
    """Whatever stands there was seen, unless the patrol was of one device: that is its own."""
    there = [row.device_id] if row.device_id else [device.id for device in sites.devices_at(session, row.site_id, limit=MOST_DEVICES)]
    session.add_all(PatrolDevice(visit_id=row.id, device_id=device_id, branch_id=row.branch_id) for device_id in there)
    session.flush()


def _position(session: Session, found: Found, pictures: Sequence[Sent]) -> dict[str, Any]:
    """Where the inspector stood, both numbers or none; refused with every field that is wrong."""
    wrong: dict[str, str] = {}
    words = found.findings.strip()
    if not words or len(words) > LONGEST_FINDINGS:
        wrong["findings"] = _("Say what was found, even if all was well.")
    if not found.request_key or len(found.request_key) > 80:
        wrong["findings"] = _("Load the page again before you send it.")
    if len(pictures) > MOST_PICTURES:
        wrong["picture"] = _("At most %(count)s pictures at once.", count=MOST_PICTURES)
    device = devices.device(session, found.device_id) if found.device_id else None
    if found.device_id and (device is None or device.site_id != found.site_id):
        wrong["device_id"] = _("This device does not stand here. Choose one from the list.")
    where = {"latitude": _angle(found.latitude, 90), "longitude": _angle(found.longitude, 180)}
    if (where["latitude"] is None) != (where["longitude"] is None) or (found.latitude.strip() and where["latitude"] is None):
        wrong["latitude"] = _("A position has two numbers, such as 31.203500 and 121.590800. Take it again, or leave both out.")
    if wrong:
        raise Invalid(next(iter(wrong.values())), wrong)
    near = _angle(found.accuracy, FARTHEST)
    return where | {"accuracy": round(abs(near)) if near is not None and where["latitude"] is not None else None}


def _angle(typed: str, most: int) -> Decimal | None:
    try:
        number = Decimal(typed.strip())
    except InvalidOperation:
        return None
    return round(number, 6) if number.is_finite() and abs(number) <= most else None


def _round(session: Session, found: Found, by: int, at: datetime) -> int | None:
    """The round that this visit is part of: the one named, else the inspector's own that goes on. What was seen is kept even without one."""
    today = clock.local(at).date()
    stop = exists().where(PatrolStop.round_id == PatrolRound.id, PatrolStop.site_id == found.site_id)
    query = select(PatrolRound.id).where(stop, PatrolRound.starts_on <= today, PatrolRound.ends_on >= today)
    query = query.where(PatrolRound.id == found.round_id) if found.round_id else query.where(PatrolRound.inspector_id == by)
    return session.scalars(query.order_by(PatrolRound.ends_on, PatrolRound.id).limit(1)).first()


# ---- a fault becomes a repair request


def request_repair(session: Session, visit_id: int, *, by: int, at: datetime) -> int:
    """The fault is a registered ticket for whoever reviews requests, once however often this is asked; returns its id."""
    row = session.get(PatrolVisit, visit_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such patrol in your branches. Load the list again."))
    if row.ticket_id is not None:
        return row.ticket_id
    if not row.faulty:
        raise NoFault(_("This patrol found no fault. Register a ticket by hand if one is needed."))
    row.ticket_id = tickets.register(session, _request(session, row), by=by, at=at)
    session.flush()
    audit.record(session, at=at, by=by, verb="repair requested", entity="patrol_visit", entity_id=row.id, new={"ticket_id": row.ticket_id}, branch_id=row.branch_id)
    return row.ticket_id


def _request(session: Session, row: PatrolVisit) -> NewTicket:
    site = sites.site(session, row.site_id)
    assert site is not None, "a patrol of a site in scope"
    at_site = sites.devices_at(session, site.id, limit=2)
    named = devices.device(session, row.device_id) if row.device_id else None
    device = named or (at_site[0] if len(at_site) == 1 else None)
    party_id = device.party_id if device else site.party_id or _owner(session, site)
    if not party_id:
        raise NoFault(_("Nobody is known for whom site %(number)s is kept. Name its customer on its page, then ask again.", number=site.number))
    return NewTicket(
        party_id=party_id, device_id=device.id if device else None, subject=f"{site.name}: {row.findings.splitlines()[0]}"[:200],
        description=_described(site, row), priority="normal", type="repair", channel="patrol", request_key=f"patrol-{row.id}",
    )  # fmt: skip


def _owner(session: Session, site: sites.Site) -> int | None:
    project = sites.project(session, site.project_id) if site.project_id else None
    return project.party_id if project else None


def _described(site: sites.Site, row: PatrolVisit) -> str:
    where = f"{site.number} {site.name}" + (f" · {site.address}" if site.address else "")
    return f"{row.findings}\n\n{where}"

