"""The register of retired devices: with reason, date and destination; out of the lists, never out of the history."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import audit
from service.core.errors import Invalid
from service.devices.actions.holding import in_use, line, locked, too_long, wrong
from service.devices.index import index
from service.devices.model import Device
from service.devices.schemas import Retirement


def retire(session: Session, device_id: int, how: Retirement, *, version: int, by: int, at: datetime) -> None:
    """The device is registered as retired."""
    row = locked(session, device_id, version)
    in_use(row)
    retired(session, row, how, by=by, at=at)
    session.flush()
    index(session, [device_id])


def retired(
    session: Session, row: Device, how: Retirement, *, by: int, at: datetime, ticket_id: int | None = None, swap_id: int | None = None
) -> None:
    """The locked device is in the register."""
    reason, destination = how.reason.strip(), how.destination.strip()
    faults = too_long(reason=reason, destination=destination)
    if not reason:
        faults["reason"] = _("Say why it is retired.")
    if faults:
        raise Invalid(next(iter(faults.values())), faults)
    before = row.state
    row.state, row.retired_on, row.retired_reason, row.retired_to = "retired", how.on, reason, destination
    row.site_id = row.project_id = None
    note = f"{reason} → {destination}" if destination else reason
    line(session, row, "retired", by=by, at=at, old=before, new=how.on.isoformat(), note=note, ticket_id=ticket_id, swap_id=swap_id)
    new = {"state": "retired", "retired_on": how.on, "reason": reason, "destination": destination}
    audit.record(session, at=at, by=by, verb="retired", entity="device", entity_id=row.id, old={"state": before}, new=new, branch_id=row.branch_id)


def bring_back(session: Session, device_id: int, reason: str, *, version: int, by: int, at: datetime) -> None:
    """The device is in use again; that it was retired, and why it came back, stays in its history."""
    row, why = locked(session, device_id, version), reason.strip()
    if row.state != "retired":
        raise wrong("reason", _("This device is not retired."))
    if not why:
        raise wrong("reason", _("Say why it comes back."))
    if too_long(reason=why):
        raise wrong("reason", too_long(reason=why)["reason"])
    old = {"state": "retired", "retired_on": row.retired_on, "reason": row.retired_reason, "destination": row.retired_to}
    row.state, row.retired_on, row.retired_reason, row.retired_to = "normal", None, "", ""
    session.flush()
    line(session, row, "brought back", by=by, at=at, old="retired", new="normal", note=why)
    audit.record(session, at=at, by=by, verb="brought back", entity="device", entity_id=device_id, old=old, new={"state": "normal", "reason": why}, branch_id=row.branch_id)
    index(session, [device_id])
