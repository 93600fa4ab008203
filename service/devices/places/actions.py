"""A device is put at a place, or taken from it."""

from datetime import datetime

from sqlalchemy.orm import Session

from service.core import audit
from service.devices.actions.holding import in_use, line, locked
from service.devices.model import Device


def place(
    session: Session, device_id: int, *, site_id: int | None, project_id: int | None, was: str | None, now: str | None, by: int | None, at: datetime,
    kind: str = "placed",
) -> bool:  # fmt: skip
    """The device stands at this site and belongs to this project, and its history names both places; False when it already did."""
    device = locked(session, device_id)
    in_use(device)
    old, new = {"site_id": device.site_id, "project_id": device.project_id}, {"site_id": site_id, "project_id": project_id}
    if old == new:
        return False
    device.site_id, device.project_id = site_id, project_id
    line(session, device, kind, by=by, at=at, old=was, new=now)
    audit.record(session, at=at, by=by, verb="placed", entity="device", entity_id=device_id, old=old, new=new, branch_id=device.branch_id)
    return True


def follow(session: Session, site_id: int, *, project_id: int | None) -> None:
    """Whatever stands at the site belongs to the site's project."""
    session.query(Device).where(Device.site_id == site_id, Device.project_id.is_distinct_from(project_id)).update(
        {Device.project_id: project_id}, synchronize_session=False
    )
