"""Warranty in words: what counts, until when, and by which rule."""

from collections.abc import Mapping
from datetime import date

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from service.catalogue.queries import Product
from service.devices import rules
from service.devices.model import Device, DeviceComponent
from service.devices.rules import Decision as Decision

RESULT: Mapping[str, LazyString] = {"in": _l("In warranty"), "out": _l("Out of warranty"), "unknown": _l("Warranty not known")}
CHARGE: Mapping[str, LazyString] = {"free": _l("Free of charge"), "payable": _l("Payable")}

BECAUSE: Mapping[str, LazyString] = {
    "own": _l("Until %(day)s, as agreed for it."),
    "start": _l("Until %(day)s: %(months)s months from the start of its warranty."),
    "installed": _l("Until %(day)s: %(months)s months of the product from the installation."),
    "produced": _l("Until %(day)s: %(months)s months of the product from the production."),
    "early": _l("It begins only on %(start)s."),
    "none": _l("The product carries no warranty."),
    "months": _l("There is no end date, and the product says no months."),
    "dates": _l("There is no end date, and no start, installation or production date."),
}


def of_device(device: Device, product: Product | None, on: date) -> Decision:
    """The device's warranty on that day."""
    months = product.warranty_months if product else None
    return rules.decide(rules.Cover(device.warranty_from, device.warranty_until, device.installed_on, device.produced_on, months), on)


def of_component(part: DeviceComponent, product: Product | None, on: date) -> Decision:
    """The component's own warranty on that day; the device's says nothing about it."""
    months = product.warranty_months if product else None
    return rules.decide(rules.Cover(part.warranty_from, part.warranty_until, part.fitted_on, part.produced_on, months), on)


def said(decision: Decision) -> str:
    """The reason as a sentence."""
    days = {name: value.isoformat() if value else "" for name, value in (("day", decision.until), ("start", decision.starts))}
    return str(BECAUSE[decision.rule]) % {**days, "months": decision.months}
