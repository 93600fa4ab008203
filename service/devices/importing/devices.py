"""What a table of devices means: the same rows come of it as of the form, many at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import audit, numbers, search
from service.core.intake import sql
from service.core.intake.target import Field, Into, Made, Row, Values
from service.core.intake.values import folded
from service.devices.importing import finding
from service.devices.importing.fields import COLUMNS, FIELDS, HELD, LED, SENTENCES, STANDARD, TYPES, Nowhere, Places
from service.devices.index import KIND, index
from service.devices.model import Device
from service.parties import queries as parties

WRITTEN = COLUMNS | {"contact_id": "bigint", **dict.fromkeys(LED.values(), "bigint")}
_CHANGED = text("update device set version = version + 1 where id = any(:ids)")
_END = text("update device_holding set ended_at = :at where device_id = any(:ids) and ended_at is null")
_BEGIN = text("""
    insert into device_holding (device_id, began_at, party_id, department_id, department, contact_id, holder, place, by_id, branch_id)
    select id, :at, party_id, department_id, department, contact_id, holder, place, :by, branch_id from device where id = any(:ids) returning id, device_id
""")
_EVENTS = {"device_id": "bigint", "at": "timestamptz", "by_id": "bigint", "kind": "text", "old": "text", "new": "text", "branch_id": "bigint"}
_UNWRITTEN = text("select ringdesk_device_unimported(:ids)")


@dataclass(frozen=True)
class Devices:
    """Devices at customers that are known already."""

    places: Places = field(default_factory=Nowhere)
    name: str = "devices"
    permission: str = "device.write"
    icon: str = "devices"
    title: Any = _l("Devices")
    fields: tuple[Field, ...] = FIELDS
    tables: tuple[str, ...] = ("device_holding", "device")
    clears: tuple[tuple[str, str], ...] = ()
    issue: None = None
    address: str = "/devices/{id}"
    sentences: Mapping[str, Any] = field(default_factory=lambda: SENTENCES)

    def key(self, values: Values) -> str:
        """Its number, else its serial with its product or model: makers count on their own."""
        if values.get("number"):
            return f"n:{folded(values['number'])}"
        serial = finding.spelled(values.get("serial") or "")
        return f"s:{serial}|{folded(values.get('product') or values.get('model') or '')}" if serial else ""

    def find(self, session: Session, rows: Sequence[Row], into: Into) -> None:
        """By number; else by serial, at the customer or of the same kind."""
        finding.find(session, rows, self.places)

    def current(self, session: Session, asked: Mapping[int, Values]) -> dict[int, Values]:
        """Devices in a row's values; the customer is what they were found by."""
        rows = session.scalars(select(Device).where(Device.id.in_(asked)).execution_options(populate_existing=True)).all()
        products = catalogue.by_ids(session, {row.product_id for row in rows if row.product_id})
        sites, projects = self.places.numbers(session, {row.site_id for row in rows if row.site_id}, {row.project_id for row in rows if row.project_id})
        return {
            row.id: {name: _plain(getattr(row, name)) for name in COLUMNS} | {
                "product": products[row.product_id].code if row.product_id else "", "site": sites.get(row.site_id or 0, ""), "project": projects.get(row.project_id or 0, ""),
            }
            for row in rows
        }

    def create(self, session: Session, rows: Sequence[Row], into: Into) -> list[Made | None]:
        """The devices exist at their customers, in the customers' branches, each with its holder and the first line of its history; None where another branch has the number."""
        typed = {row.values["number"] for row in rows if row.values.get("number")}
        taken = iter(numbers.take_many(session, "DEV", sum(not row.values.get("number") for row in rows), into.at, Device, typed))
        ids_of_parties = {row.leads["party"] for row in rows}
        branches, people = parties.homes(session, ids_of_parties), parties.people(session, {row.leads["party"] for row in rows if row.values.get("holder")})
        given = [
            STANDARD | {name: row.names[name] for name in row.names} | {name: row.values[name] for name in COLUMNS if row.values.get(name) not in (None, "")}
            | {column: row.leads.get(name) for name, column in LED.items()}
            | {"number": row.values.get("number") or next(taken), "party_id": row.leads["party"], "contact_id": people.get((row.leads["party"], row.values.get("holder") or "")),
               "created_at": into.at.isoformat(), "branch_id": branches[row.leads["party"]]}
            for row in rows
        ]
        ids = {row.number: row.id for row in sql.insert(session, "device", TYPES, given, told="id, number", conflict="on conflict (number) do nothing")}
        made = {device_id: {"device": [device_id]} for device_id in ids.values()}
        for row in session.execute(_BEGIN, {"ids": list(made), "at": into.at, "by": into.by}):
            made[row.device_id]["device_holding"] = [row.id]
        names = parties.names(session, ids_of_parties)
        lines = [_line(ids[one["number"]], "imported", None, _told(names[one["party_id"]], one), one["branch_id"]) for one in given if one["number"] in ids]
        for row in _written(session, lines, into):
            made[row.device_id]["device_event"] = [row.id]
        return [Made(ids[one["number"]], made[ids[one["number"]]]) if one["number"] in ids else None for one in given]

    def update(self, session: Session, changes: Mapping[int, Values], into: Into, asked: Mapping[int, Values]) -> dict[int, dict[str, list[int]]]:
        """The columns are set; a new holder begins where one was named, and the history says what was before. Whoever edits an old form hears of it."""
        devices = {row.id: row for row in session.scalars(select(Device).where(Device.id.in_(changes)).order_by(Device.id).with_for_update().execution_options(populate_existing=True))}
        homes = {row.id: (row.party_id, row.branch_id) for row in devices.values()}
        old = self.current(session, asked)
        sql.update(session, "device", WRITTEN, self._columns(session, changes, homes))
        session.execute(_CHANGED, {"ids": list(changes)})
        for row in devices.values():
            session.expire(row)
        moved = [device_id for device_id, values in changes.items() if values.keys() & set(HELD)]
        if moved:
            session.execute(_END, {"ids": moved, "at": into.at})
            session.execute(_BEGIN, {"ids": moved, "at": into.at, "by": into.by})
        names = parties.names(session, {party_id for party_id, _branch in homes.values()})
        lines = [line for device_id, values in changes.items() for line in _history(device_id, old[device_id], values, names[homes[device_id][0]], homes[device_id][1])]
        _written(session, lines, into)
        told = [(device_id, {name: old[device_id].get(name) for name in values}, dict(values), homes[device_id][1]) for device_id, values in changes.items()]
        audit.record_many(session, at=into.at, by=into.by, verb="changed", entity="device", told=told)
        return {device_id: {} for device_id in changes}

    def index(self, session: Session, ids: Sequence[int]) -> None:
        """Found by name, model, number, serial."""
        index(session, ids)

    def forget(self, session: Session, ids: Sequence[int]) -> Callable[[], None]:
        """The line that says they were imported goes with them; found no more."""
        session.execute(_UNWRITTEN, {"ids": list(ids)})
        return lambda: search.drop(session, KIND, ids)

    def _columns(self, session: Session, changes: Mapping[int, Values], homes: Mapping[int, tuple[int, int]]) -> dict[int, Values]:
        """The columns of the device that these values are."""
        people = parties.people(session, {homes[device_id][0] for device_id, values in changes.items() if values.get("holder")})
        products = catalogue.by_codes(session, {values["product"] for values in changes.values() if values.get("product")})
        sites, projects = self.places.ids(session, _all(changes, "site"), _all(changes, "project"))
        found: dict[int, Values] = {}
        for device_id, values in changes.items():
            columns = {name: value for name, value in values.items() if name in COLUMNS}
            if "holder" in values:
                columns["contact_id"] = people.get((homes[device_id][0], values["holder"]))
            if "product" in values:
                columns["product_id"] = products[values["product"]].id if values["product"] else None
            if "site" in values:
                columns["site_id"], of, _party = sites.get(values["site"], (None, None, None))
                columns |= {"project_id": of} if of else {}
            if "project" in values:
                columns["project_id"] = projects.get(values["project"])
            found[device_id] = columns
        return found


def _all(changes: Mapping[int, Values], name: str) -> set[str]:
    return {values[name] for values in changes.values() if values.get(name)}


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _told(customer: str, values: Mapping[str, Any]) -> str:
    """Customer, department, person and place in one line, as the form writes it."""
    return " · ".join(part for part in (customer, *(values.get(name) or "" for name in HELD)) if part)


def _line(device_id: int, kind: str, old: str | None, new: str | None, branch_id: int) -> dict[str, Any]:
    return {"device_id": device_id, "kind": kind, "old": old, "new": new, "branch_id": branch_id}


def _history(device_id: int, old: Values, values: Values, customer: str, branch_id: int) -> Iterable[dict[str, Any]]:
    """One line for a new holder, one for a new state, one for all else."""
    if values.keys() & set(HELD):
        yield _line(device_id, "moved", _told(customer, old), _told(customer, old | values), branch_id)
    if "state" in values:
        yield _line(device_id, "state", old["state"], values["state"], branch_id)
    rest = [name for name in values if name not in (*HELD, "state")]
    if rest:
        yield _line(device_id, "imported", _said(old, rest), _said(values, rest), branch_id)


def _said(values: Values, names: Sequence[str]) -> str:
    return " · ".join(str(values[name]) for name in names if values.get(name)) or "—"


def _written(session: Session, lines: Sequence[Mapping[str, Any]], into: Into) -> Sequence[Any]:
    return sql.insert(session, "device_event", _EVENTS, [dict(line) | {"at": into.at.isoformat(), "by_id": into.by} for line in lines], told="id, device_id")
