"""What the forms of devices send, read with care: a wrong date or number has its sentence beside its field."""

from datetime import date
from decimal import Decimal, InvalidOperation

from flask import request
from flask_babel import gettext as _

from service.core import asked, clock
from service.core.errors import Invalid
from service.core.quantity import quantity
from service.devices.schemas import ComponentFacts, DeviceFacts, Fate, Holder, Retirement, Work


def text(name: str, longest: int = 2000) -> str:
    """Typed words without blanks at their ends."""
    return request.values.get(name, "").strip()[:longest]


def number(name: str) -> int | None:
    """A whole number that PostgreSQL can hold, else nothing."""
    return asked.whole(request.values.get(name, "")) or None


def day(name: str) -> date | None:
    """A day of a believable year, or nothing where nothing was typed."""
    typed = text(name)
    if not typed:
        return None
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        found = date.min
    if not 1970 <= found.year <= 2200:
        raise _wrong(name, _("Type a day such as 2026-11-23."))
    return found


def reading(name: str) -> Decimal | None:
    """What a meter shows; nothing where nothing was typed."""
    typed = text(name, 40).replace(",", "")
    if not typed:
        return None
    try:
        found = quantity(typed) if len(typed) < 24 else Decimal("NaN")
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise _wrong(name, _("A reading is a number from 0 on."))
    return found


def device_facts() -> DeviceFacts:
    """The device as typed."""
    return DeviceFacts(
        name=text("name"),
        model=text("model"),
        serial=text("serial"),
        product_id=number("product_id"),
        produced_on=day("produced_on"),
        installed_on=day("installed_on"),
        warranty_from=day("warranty_from"),
        warranty_until=day("warranty_until"),
        state=text("state", 20) or "normal",
    )


def holder(contacts: dict[str, int]) -> Holder:
    """Where the device is; a person who is on file under exactly this name is that contact."""
    person = text("holder")
    return Holder(number("party_id") or 0, text("department"), person, text("place"), contact_id=contacts.get(person))


def component_facts() -> ComponentFacts:
    """The component as typed; fitted today where no day is typed."""
    dates = day("produced_on"), day("fitted_on") or today(), day("warranty_from"), day("warranty_until")
    return ComponentFacts(text("name"), text("serial"), number("product_id"), *dates)


def work() -> Work:
    """When, by whom, with which readings, for which ticket."""
    key, done = text("request_key", 64) or None, day("done_on") or today()
    return Work(done, text("person"), text("remarks", 5000), reading("original_reading"), reading("current_reading"), number("ticket"), key)


def retirement() -> Retirement:
    """Why, since when and where to."""
    return Retirement(text("reason"), day("retired_on") or day("done_on") or today(), text("destination"))


def fate() -> Fate:
    """What becomes of the old device."""
    state = text("fate", 20) or "normal"
    return Fate(state, retirement() if state == "retired" else None)


def today() -> date:
    """The firm's day."""
    return clock.local(clock.now()).date()


def _wrong(name: str, words: str) -> Invalid:
    return Invalid(words, {name: words})
