"""Devices by the place where they stand and by what can be scanned on them."""

import re
from collections.abc import Collection

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.devices import queries
from service.devices.model import Device as Device
from service.devices.rules import CURRENT

LABEL = re.compile(r"(?:^|/d/)([0-9a-f]{16})/?(?:[?#].*)?$", re.IGNORECASE)


def code_of(scanned: str) -> str:
    """The code of a label, out of its address or alone; empty when this is none."""
    found = LABEL.search(scanned.strip())
    return found[1].lower() if found else ""


def by_code(session: Session, code: str) -> Device | None:
    """The device whose label says so."""
    return session.scalars(select(Device).where(Device.code == code)).first()


def scanned(session: Session, typed: str, limit: int = 10) -> list[Device]:
    """The devices that a label's address, a number, or a serial of theirs or of a part in them means; several when a serial is not unique.

    What is in use goes before what is retired or was taken out.
    """
    words = typed.strip()[:200]
    code = code_of(words)
    if code and (found := by_code(session, code)):
        return [found]
    hits = queries.located(session, words, limit)
    current = [hit for hit in hits if hit.device.state in CURRENT and not (hit.component and hit.component.removed_at)]
    return list({hit.device.id: hit.device for hit in current or hits}.values())


def at_site(session: Session, site_id: int, *, after: int = 0, limit: int = 200) -> list[Device]:
    """What stands there, those out of order first."""
    query = select(Device).where(Device.site_id == site_id, Device.state.in_(CURRENT), Device.id > after)
    return list(session.scalars(query.order_by(Device.state == "normal", Device.name, Device.id).limit(limit)))


def of_project(session: Session, project_id: int, limit: int = 200) -> list[Device]:
    """What belongs to the project and stands at no site yet."""
    query = select(Device).where(Device.project_id == project_id, Device.site_id.is_(None), Device.state.in_(CURRENT))
    return list(session.scalars(query.order_by(Device.name, Device.id).limit(limit)))


def chosen(session: Session, ids: Collection[int]) -> list[Device]:
    """These devices by their numbers, as far as they are in scope."""
    return list(session.scalars(select(Device).where(Device.id.in_(ids)).order_by(Device.number))) if ids else []


def latest(session: Session, *, site_id: int | None = None, party_id: int | None = None, limit: int = 200) -> list[Device]:
    """The devices of a site or a customer, else those that came last."""
    query: Select[tuple[Device]] = select(Device)
    if site_id:
        query = query.where(Device.site_id == site_id)
    if party_id:
        query = query.where(Device.party_id == party_id)
    return list(session.scalars(query.order_by(Device.id.desc()).limit(limit)))
