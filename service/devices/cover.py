"""Warranty in words: what counts, until when, and by which rule."""

from collections.abc import Mapping
from datetime import date

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.catalogue.queries import Product
from service.devices import rules
from service.devices.model import Device, DeviceComponent
from service.devices.rules import Decision as Decision

RESULT: Mapping[str, LazyString] = {"in": _l("In warranty"), "out": _l("Out of warranty"), "unknown": _l("Warranty not known")}
CHARGE: Mapping[str, LazyString] = {"free": _l("Free"), "payable": _l("Payable")}


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
    until = decision.until.isoformat() if decision.until else ""
    match decision.rule:
        case "own":
            return _("Until %(day)s, as agreed for it.", day=until)
        case "start":
            return _("Until %(day)s: %(months)s months from the start of its warranty.", day=until, months=decision.months)
        case "installed":
            return _("Until %(day)s: %(months)s months of the product from the installation.", day=until, months=decision.months)
        case "produced":
            return _("Until %(day)s: %(months)s months of the product from the production.", day=until, months=decision.months)
        case "early":
            return _("It begins only on %(day)s.", day=decision.starts.isoformat() if decision.starts else "")
        case "none":
            return _("The product carries no warranty.")
        case "months":
            return _("There is no end date, and the product says no months.")
    return _("There is no end date, and no start, installation or production date.")
