"""The lists of devices: those in use, and the register of those that are retired."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import clock, lists
from service.core import search as finder
from service.core.identity import Identity
from service.core.lists import Action, Column, Empty, Filter, ListSpec
from service.devices import queries
from service.devices.model import Device
from service.devices.rules import CURRENT
from service.parties import queries as parties
from service.staff import queries as staff

NOBODY = "-"  # in an address: no department, or nobody named
STATES = {"normal": _l("In order"), "abnormal": _l("Out of order"), "repair": _l("In repair")}


def _today() -> date:
    return clock.local(clock.now()).date()


def _narrowed(session: Session, wanted: Mapping[str, Any], query: Select[Any]) -> Select[Any]:
    for name, column in (("party", Device.party_id), ("product", Device.product_id)):
        if name in wanted:
            query = query.where(column == int(wanted[name]))
    return query


def _in_use(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """Devices in use, narrowed by what is wanted."""
    query = _narrowed(session, wanted, select(Device).where(Device.state.in_(CURRENT)))
    for name, column in (("department", Device.department), ("holder", Device.holder)):
        if name in wanted:
            query = query.where(column == ("" if wanted[name] == NOBODY else wanted[name]))
    return queries.ending_soon(query, _today()) if wanted.get("soon") else query


def _retired(session: Session, wanted: Mapping[str, Any]) -> Select[Any]:
    """The register, narrowed by what is wanted."""
    return _narrowed(session, wanted, select(Device).where(Device.state == "retired"))


def _labels(session: Session, rows: Sequence[Device], wanted: Mapping[str, Any]) -> Mapping[str, Mapping[Any, Any]]:
    ids = {row.party_id for row in rows} | ({wanted["party"]} if "party" in wanted else set())
    covered = queries.covered(session, rows, _today())
    return {"parties": parties.names(session, ids), "covered": {row_id: one.decision for row_id, one in covered.items()}, "branches": staff.branch_names(session)}


def _products(session: Session) -> list[tuple[str, Any]]:
    return [(str(row.id), f"{row.name} {row.model}".strip()) for row in catalogue.choices(session)]


def _found(session: Session, typed: str, _person: Identity, among: Sequence[int] | None) -> list[int]:
    hits = finder.find(session, typed, kinds=["device"], most=finder.IN_LIST, phones="none", among=among)
    return [hit.ref_id for hit in hits]


FOUND = Filter("q", _l("Search"), find=_found, placeholder=_l("Serial, number, name or product"))
OF_PARTY = Filter("party", _l("Customer"), "number", form=False, names="parties")
NAME = Column("name", _l("Device"), lambda row, _told: f"{row.name} {row.model}".strip(), width=0, card="title")
SERIAL = Column("serial", _l("Serial"), lambda row, _told: row.serial, width=136, card="quiet")
BRANCH = Column("branch", _l("Branch"), lambda row, told: told.name("branches", row.branch_id), width=132, shown=False, card="quiet", across=True)
OF_BRANCH = Filter("branch", _l("Branch"), "choice", lambda key: Device.branch_id == int(key), staff.branch_choices, more=True, across=True)
NUMBER = Column("number", _l("No."), lambda row, _told: row.number, sort=Device.number, width=152, card="off", shown=False)
PARTY = Column("party", _l("Customer"), lambda row, told: told.name("parties", row.party_id), width=176, card="quiet")

DEVICES = lists.know(
    ListSpec(
        name="devices",
        title=_l("Devices"),
        address="/devices",
        permission="device.read",
        rows=_in_use,
        key=Device.id,
        link=lambda row: f"/devices/{row.id}",
        cells="devices/cells.html",
        columns=(
            NAME,
            NUMBER,
            SERIAL,
            PARTY,
            Column("department", _l("Department"), lambda row, _told: row.department, sort=Device.department, width=88, card="off"),
            Column("holder", _l("Person using it"), lambda row, _told: row.holder, sort=Device.holder, width=116, card="off"),
            Column("place", _l("Place"), lambda row, _told: row.place, width=120, card="off", shown=False),
            Column("warranty", _l("Warranty"), lambda row, told: told.labels["covered"][row.id].until, "date", width=152, card="labelled"),
            Column("state", _l("State"), lambda row, _told: str(STATES.get(row.state, row.state)), "state", Device.state, width=112, card="labelled"),
            BRANCH,
            Column("created", _l("Created"), lambda row, _told: row.created_at, "moment", Device.created_at, width=132, card="off", shown=False),
        ),
        filters=(
            FOUND,
            Filter("product", _l("Product"), "choice", options=_products),
            Filter("state", _l("State"), "choice", lambda code: Device.state == code, options=lambda _session: tuple(STATES.items())),
            Filter("soon", _l("Warranty ends within 60 days"), "flag"),
            OF_BRANCH,
            OF_PARTY,
            Filter("department", _l("Department"), form=False),
            Filter("holder", _l("Person using it"), form=False),
        ),
        sort="-created",
        labels=_labels,
        actions=(Action("labels", _l("Print labels"), "printer", "device.read", leads=("/labels", "device")),),
        empty=Empty("devices", _l("No device is on file"), _l("Put the first one on file, or type its serial at the intake of a ticket."), permission="device.write"),
    )
)

RETIRED = lists.know(
    ListSpec(
        name="retired-devices",
        title=_l("Retired devices"),
        address="/devices/retired",
        permission="device.read",
        rows=_retired,
        key=Device.id,
        link=lambda row: f"/devices/{row.id}",
        columns=(
            NAME,
            NUMBER,
            SERIAL,
            PARTY,
            BRANCH,
            Column("retired_on", _l("Retired on"), lambda row, _told: row.retired_on, "date", Device.retired_on, True, 116, card="labelled"),
            Column("reason", _l("Reason"), lambda row, _told: row.retired_reason, width=200, card="labelled"),
            Column("destination", _l("Where it went"), lambda row, _told: row.retired_to, width=160, card="labelled"),
        ),
        filters=(FOUND, Filter("product", _l("Product"), "choice", options=_products), OF_BRANCH, OF_PARTY),
        sort="-retired_on",
        labels=_labels,
        empty=Empty("devices", _l("No device is retired"), _l("A device is retired on its own page, or when it is swapped or taken away.")),
    )
)
