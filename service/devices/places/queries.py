"""Devices by the place where they stand and by what can be scanned on them."""

import re
from collections.abc import Collection

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from service.devices.model import Device as Device

LABEL = re.compile(r"(?:^|/d/)([0-9a-f]{16})/?(?:[?#].*)?$", re.IGNORECASE)


def code_of(scanned: str) -> str:
    """The code of a label, out of its address or alone; empty when this is none."""
    found = LABEL.search(scanned.strip())
    return found[1].lower() if found else ""


def by_code(session: Session, code: str) -> Device | None:
    """The device whose label says so."""
    return session.scalars(select(Device).where(Device.code == code)).first()


def scanned(session: Session, typed: str, limit: int = 10) -> list[Device]:
    """The devices that a label's address, a device number or a serial means; several when a serial is not unique."""
    words = typed.strip()[:200]
    code, same = code_of(words), {words, words.upper()}
    if not words:
        return []
    if code and (found := by_code(session, code)):
        return [found]
    fits = or_(Device.number.in_(same), Device.serial.in_(same))
    return list(session.scalars(select(Device).where(fits).order_by(Device.id).limit(limit)))


def at_site(session: Session, site_id: int, *, after: int = 0, limit: int = 200) -> list[Device]:
    """What stands there, those out of order first."""
    query = select(Device).where(Device.site_id == site_id, Device.id > after)
    return list(session.scalars(query.order_by(Device.state == "normal", Device.name, Device.id).limit(limit)))


def of_project(session: Session, project_id: int, limit: int = 200) -> list[Device]:
    """What belongs to the project and stands at no site yet."""
    query = select(Device).where(Device.project_id == project_id, Device.site_id.is_(None))
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
