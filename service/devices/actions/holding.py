"""What every change of a device does: lock it, refuse an old form, write a line of its history, say who holds it now."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.core import db, editing
from service.core.errors import DeskError, Invalid, NotFound
from service.devices import effects
from service.devices.model import Device, DeviceComponent, DeviceEvent, DeviceHolding
from service.devices.schemas import Holder
from service.parties import queries as parties

LONGEST = {"name": 120, "model": 120, "serial": 80, "place": 200, "department": 100, "holder": 100, "reason": 500, "remarks": 2000,
           "person": 100, "destination": 200, "number": 40, "kind": 40}  # fmt: skip


class AlreadyRetired(DeskError):
    """The device is in the register of retired devices."""


def wrong(field: str, words: str) -> Invalid:
    """A refusal of one field."""
    return Invalid(words, {field: words})


def too_long(**values: str) -> dict[str, str]:
    """A sentence for each of the texts that is longer than it may be."""
    return {
        name: _("At most %(count)s letters.", count=LONGEST[name]) for name, value in values.items() if len(value) > LONGEST[name]
    }


def locked(session: Session, device_id: int, version: int | None = None) -> Device:
    """The device, ours until the transaction ends; refused when it was changed since that version."""
    row = db.locked(session, Device, device_id)
    if row is None:
        raise NotFound(_("There is no such device in your branches. Look for its serial or number."))
    if version is not None:
        editing.fresh(row.version, version)
    return row


def in_use(row: Device) -> None:
    """Refused for a retired device."""
    if row.state == "retired":
        raise AlreadyRetired(_("Device %(number)s is retired. Bring it back first.", number=row.number))


def line(
    session: Session,
    row: Device,
    kind: str,
    *,
    by: int | None,
    at: datetime,
    old: str | None = None,
    new: str | None = None,
    note: str = "",
    swap_id: int | None = None,
    ticket_id: int | None = None,
) -> None:
    """The device's history says it."""
    session.add(
        DeviceEvent(
            device_id=row.id, at=at, by_id=by, kind=kind, old=old, new=new, note=note, swap_id=swap_id, ticket_id=ticket_id, branch_id=row.branch_id
        )
    )


def holder_of(row: Device) -> Holder:
    """Who has the device now."""
    return Holder(row.party_id, row.department, row.holder, row.place, row.department_id, row.contact_id)


def branch_for(session: Session, holder: Holder) -> int:
    """The branch of the customer; a contact of somebody else is refused."""
    card = parties.card(session, holder.party_id)
    if card is None:
        raise wrong("party_id", _("This customer is not in your branches. Search again or ask the branch that owns it."))
    if holder.contact_id and holder.contact_id not in {contact.id for contact in card.contacts}:
        raise wrong("contact_id", _("This contact belongs to another customer. Choose one from the list."))
    faults = too_long(department=holder.department, holder=holder.holder, place=holder.place)
    if faults:
        raise Invalid(next(iter(faults.values())), faults)
    return card.party.branch_id


def hand_over(session: Session, row: Device, holder: Holder, branch_id: int, *, reason: str, by: int | None, at: datetime) -> None:
    """The device is with this holder from now on; who had it before keeps an end. Its parts follow it into its branch; what another customer takes stands at no site of the former one."""
    session.execute(
        update(DeviceHolding).where(DeviceHolding.device_id == row.id, DeviceHolding.ended_at.is_(None)).values(ended_at=at)
    )
    if row.branch_id != branch_id:
        effects.left(session, row.id, by=by, at=at)
        session.execute(update(DeviceComponent).where(DeviceComponent.device_id == row.id).values(branch_id=branch_id))
    if row.party_id != holder.party_id:
        row.site_id = row.project_id = None  # the place is the former customer's
    for name in ("party_id", "department", "holder", "place", "department_id", "contact_id"):
        setattr(row, name, getattr(holder, name))
    row.branch_id = branch_id
    session.flush()
    begin(session, row, reason=reason, by=by, at=at)


def begin(session: Session, row: Device, *, reason: str, by: int | None, at: datetime) -> None:
    """A holding begins as the device stands."""
    session.add(
        DeviceHolding(
            device_id=row.id, began_at=at, party_id=row.party_id, department_id=row.department_id, department=row.department,
            contact_id=row.contact_id, holder=row.holder, place=row.place, by_id=by, reason=reason, branch_id=row.branch_id,
        )
    )
    session.flush()


def told(session: Session, row: Device | Holder) -> str:
    """Customer, department, person and place in one line."""
    name = parties.names(session, {row.party_id}).get(row.party_id, "")
    return " · ".join(part for part in (name, row.department, row.holder, row.place) if part)


def named(row: Device | DeviceComponent) -> str:
    """A device or a part in a line of history."""
    return f"{row.name} · SN {row.serial}" if row.serial else row.name


def same_request(session: Session, model: type[Device], request_key: str | None) -> int | None:
    """The device of the same form, if it was sent before."""
    return session.scalars(select(model.id).where(model.request_key == request_key)).first() if request_key else None
