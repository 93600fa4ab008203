"""Which device, customer, product and place each row of a table means, and what is wrong with it."""

import re
import string
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.catalogue import queries as catalogue
from service.core import locks
from service.core.intake.target import Row, Values
from service.core.intake.values import folded
from service.devices.importing.fields import Places
from service.devices.model import Device
from service.parties import queries as parties

SPELLING = re.compile(rf"[\s{re.escape(string.punctuation)}‐-―−]")


def spelled(serial: str) -> str:
    """One spelling of a serial, as the database's `ringdesk_serial` has it."""
    return SPELLING.sub("", unicodedata.normalize("NFKC", serial)).lower()


def find(session: Session, rows: Sequence[Row], places: Places) -> None:
    """Each row knows its customer, product, site and project, and its device by number, else by serial."""
    _customers(session, rows)
    _products(session, rows)
    _places(session, rows, places)
    locks.hold_many(session, "device serial", {spelled(row.values["serial"]) for row in rows if row.values.get("serial")})
    by_number, by_serial = _numbered(session, rows), _serials(session, rows)
    seen: dict[str, dict[str, str]] = {}
    for row in rows:
        _placed(row, by_number.get(row.values.get("number") or ""), by_serial.get(row.values.get("serial") or "", []))
        _sound(row)
        _once(row, seen)
    _say_whose(session, rows)


def _customers(session: Session, rows: Sequence[Row]) -> None:
    meant = parties.meant(session, {row.values["party"] for row in rows if row.values.get("party")})
    for row in rows:
        ids = meant.get(row.values.get("party") or "", [])
        if len(ids) == 1:
            row.leads["party"] = ids[0]
        elif row.values.get("party"):
            row.refuse("party", "party_several" if ids else "party_unknown", number=len(ids))


def _products(session: Session, rows: Sequence[Row]) -> None:
    """By code, by name or by name and model; a row without a product may still be of one by its own name and model."""
    words = {folded(word) for row in rows for word in (row.values.get("product"), *_own(row.values)) if word}
    known: dict[str, list[catalogue.Product]] = catalogue.called(session, words)
    for row in rows:
        named = row.values.get("product")
        found = _fitting(row, known.get(folded(named), [])) if named else [one for word in _own(row.values) for one in known.get(folded(word), [])]
        if len(found) == 1:
            row.leads["product"] = found[0].id
            _described(row, found[0], named is not None)
        elif named:
            row.refuse("product", "product_several" if found else "product_unknown", number=len(found))


def _own(values: Values) -> list[str]:
    return [f"{values['name']} {values['model']}"] if values.get("name") and values.get("model") and not values.get("product") else []


def _fitting(row: Row, found: Sequence[catalogue.Product]) -> list[catalogue.Product]:
    """The product with the code itself; of several that are called so those of the row's model."""
    typed, model = folded(row.values["product"]), folded(row.values.get("model") or "")
    coded = [one for one in found if folded(one.code) == typed]
    return coded or [one for one in found if len(found) == 1 or folded(one.model) == model]


def _described(row: Row, product: catalogue.Product, named: bool) -> None:
    if named:
        row.values["product"] = product.code
        row.names |= {"name": product.name, "model": product.model}
    if product.serial_controlled and not row.values.get("serial") and not row.values.get("number"):
        row.refuse("serial", "serial_needed", product=product.name)


def _places(session: Session, rows: Sequence[Row], places: Places) -> None:
    wanted = [{row.values[name] for row in rows if row.values.get(name)} for name in ("site", "project")]
    if not any(wanted):
        return
    sites, projects = places.ids(session, *wanted)
    for row in rows:
        site, project = row.values.get("site"), row.values.get("project")
        if site and site in sites:
            row.leads["site"], of, whose = sites[site]
            if whose and whose != row.leads.get("party", whose):
                row.refuse("site", "site_elsewhere")
            row.leads |= {"project": of} if of else {}
        elif site:
            row.refuse("site", "site_unknown")
        if project and project in projects:
            row.leads["project"] = projects[project]
        elif project:
            row.refuse("project", "project_unknown")


# ---- the device itself


def _numbered(session: Session, rows: Sequence[Row]) -> dict[str, Device]:
    wanted = {row.values["number"] for row in rows if row.values.get("number")}
    return {one.number: one for one in session.scalars(select(Device).where(Device.number.in_(wanted)))} if wanted else {}


def _serials(session: Session, rows: Sequence[Row]) -> dict[str, list[Device]]:
    """Devices by each serial as it was typed, in whatever spelling they have it."""
    typed = sorted({row.values["serial"] for row in rows if row.values.get("serial")})
    if not typed:
        return {}
    given = func.unnest(typed).table_valued("typed").render_derived()
    found: dict[str, list[Device]] = defaultdict(list)
    query = select(given.c.typed, Device).join(Device, Device.serial_key == func.ringdesk_serial(given.c.typed)).where(Device.serial_key != "")
    for word, device in session.execute(query.order_by(Device.id)):
        found[word].append(device)
    return found


def _placed(row: Row, numbered: Device | None, alike: Sequence[Device]) -> None:
    if row.values.get("number"):
        found = [numbered] if numbered else []
        twin = next((one for one in alike if numbered not in alike and _same_kind(row, one)), None)
        if twin is not None:
            row.refuse("serial", "serial_taken", device=twin.number)
    else:
        found = _of_row(row, alike)
    if len(found) > 1:
        row.refuse("serial", "serial_several", number=len(found))
    elif found and found[0].party_id != row.leads.get("party", found[0].party_id):
        row.leads["elsewhere"] = found[0].party_id
        row.refuse("number" if row.values.get("number") else "serial", "device_elsewhere", device=found[0].number, customer="")
    elif found and found[0].state == "retired":
        row.refuse("number" if row.values.get("number") else "serial", "device_retired", device=found[0].number)
    elif found:
        row.entity_id = found[0].id


def _of_row(row: Row, alike: Sequence[Device]) -> list[Device]:
    """Those with the serial that are this customer's, narrowed by product or model; else those of the same kind, wherever they stand."""
    here = [one for one in alike if one.party_id == row.leads.get("party")]
    same = [one for one in here if _same_kind(row, one)]
    return same or here or [one for one in alike if _same_kind(row, one)]


def _same_kind(row: Row, device: Device) -> bool:
    if device.product_id and row.leads.get("product"):
        return device.product_id == row.leads["product"]
    model = folded(row.values.get("model") or row.names.get("model") or "")
    # A row that names no kind, or a device that has none, may be the same one: better asked than put on file twice.
    return not (model or row.leads.get("product")) or not (device.model or device.product_id) or folded(device.model) == model


def _sound(row: Row) -> None:
    said = row.values
    if not said.get("number") and not spelled(said.get("serial") or ""):
        row.refuse("serial", "serial_missing")
    if not said.get("name") and not row.names.get("name") and not row.entity_id:
        row.refuse("name", "name_missing")
    if said.get("warranty_from") and said.get("warranty_until") and said["warranty_until"] < said["warranty_from"]:
        row.refuse("warranty_until", "warranty_days")


def _once(row: Row, seen: dict[str, dict[str, str]]) -> None:
    """Two new rows with one serial are two devices only when both say of which kind, and the kinds differ."""
    serial = spelled(row.values.get("serial") or "")
    if not serial or row.entity_id or row.wrong:
        return
    kind, others = str(row.leads.get("product") or folded(row.values.get("model") or "")), seen.setdefault(serial, {})
    twin = next((called for other, called in others.items() if not kind or not other or other == kind), None)
    if twin is not None:
        return row.refuse("serial", "serial_taken", device=twin)
    others.setdefault(kind, row.values.get("number") or row.values["serial"])


def _say_whose(session: Session, rows: Sequence[Row]) -> None:
    """Who has the device already is named."""
    moved = [row for row in rows if "elsewhere" in row.leads]
    names: Mapping[int, str] = parties.names(session, {row.leads["elsewhere"] for row in moved})
    for row in moved:
        at = next(at for at, one in enumerate(row.wrong) if one.code == "device_elsewhere")
        last = row.wrong.pop(at)
        row.refuse(last.field, last.code, device=last.facts["device"], customer=names.get(row.leads["elsewhere"], "—"))
