"""The device's page: what it is, its warranty, parts and holders, and everything that happened to it in one line of time."""

from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import asked, clock, db, identity
from service.core.errors import NotFound
from service.desk import figures, history
from service.desk.history import History
from service.devices import queries as devices
from service.maintenance import queries as maintenance
from service.parties import queries as parties
from service.staff import queries as staff

bp = Blueprint("device", __name__)
PAGE = 30


@dataclass(frozen=True)
class DevicePage:
    """Everything the page of one device shows; `names` names every customer on it."""

    covered: devices.Covered
    gone: list[devices.DeviceComponent]
    holdings: list[devices.DeviceHolding]
    history: History
    names: dict[int, str]
    plans: list[maintenance.MaintenancePlan]
    branches: dict[int, str]


@bp.get("/devices/<int:device_id>")
def show(device_id: int) -> ResponseReturnValue:
    """The device with its facts and its history, paged by the last line seen."""
    person, place = identity.require("device.read"), asked.place("until")
    with db.begin(person.scope) as session:
        page = _page(session, device_id, history.mark(place))
    more = asked.again((), until=asked.marked(*history.place(page.history.more))) if page.history.more else ""
    return render_template("devices/device.html", page=page, device=page.covered.device, more=more, earlier=place, rhythm=maintenance.rhythm)


def _page(session: Session, device_id: int, until: history.Mark | None) -> DevicePage:
    device = devices.device(session, device_id)
    if device is None:
        raise NotFound(_("There is no such device in your branches. Look for its serial or number."))
    covered = devices.covered(session, [device], figures.local(clock.now()).date())[device_id]
    holdings = devices.holdings(session, device_id)
    told = history.read(session, device_id, until=until, limit=PAGE)
    names = parties.names(session, {device.party_id} | {one.party_id for one in holdings})
    return DevicePage(covered, devices.taken_out(session, device_id), holdings, told, names, maintenance.plans_of(session, device_id), staff.branch_names(session))
