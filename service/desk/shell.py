"""What every page stands in: the places of the rail, the words of its scripts, and how figures read."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

from flask import Flask, request
from flask.blueprints import BlueprintSetupState
from flask_babel import get_timezone
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from service.calls import queries as calls
from service.core import clock, db, identity, masking
from service.core.identity import Identity
from service.desk import figures, words
from service.devices import queries as devices
from service.staff import queries as staff


@dataclass(frozen=True)
class Place:
    """One entry of the rail."""

    name: Any
    icon: str
    path: str
    permission: str

    @property
    def here(self) -> bool:
        """True while the page of this request is in this place."""
        room = "/dashboards" if self.path.startswith("/dashboards") else self.path
        return request.path == room or request.path.startswith(f"{room}/")


PLACES = (
    Place(_l("Desk"), "phone-call", "/desk", "desk.use"),
    Place(_l("Tickets"), "ticket", "/tickets", "ticket.read"),
    Place(_l("Calls"), "history", "/calls", "call.read"),
    Place(_l("Wallboard"), "layout-dashboard", "/wallboard", "floor.watch"),
    Place(_l("Audio"), "microphone", "/recordings", "recording.read"),
    Place(_l("Customers"), "users", "/customers", "party.read"),
    Place(_l("Devices"), "devices", "/devices", "device.read"),
    Place(_l("Upkeep"), "calendar-due", "/maintenance", "maintenance.read"),
    Place(_l("Sites"), "map-pin", "/sites", "site.read"),
    Place(_l("Boards"), "chart-bar", "/dashboards/calls", "board.calls"),
    Place(_l("Nights"), "moon-stars", "/nights", "night.read"),
)


@dataclass(frozen=True)
class Setting:
    """One entry of the menu at the person's face; without a permission it is everybody's."""

    name: Any
    icon: str
    path: str
    permission: str = ""
    everywhere: bool = False

    def open_to(self, person: Identity) -> bool:
        """The person may open it; what is the whole firm's is for those whose right holds in all branches."""
        if not self.permission:
            return True
        return person.may(self.permission) and (not self.everywhere or person.scope_for(self.permission).branches is None)


SETTINGS: tuple[tuple[Any, tuple[Setting, ...]], ...] = (
    (
        "",
        (
            Setting(_l("Scan a label"), "qrcode", "/scan", "party.read"),
            Setting(_l("Your password"), "lock", "/settings/password"),
            Setting(_l("Your security"), "shield-check", "/settings/security/me"),
        ),
    ),
    (
        _l("People"),
        (
            Setting(_l("People and roles"), "users", "/settings/people", "staff.admin"),
            Setting(_l("Shifts and leave"), "calendar", "/settings/shifts", "shift.plan"),
            Setting(_l("Sign-in and security"), "key", "/settings/security", "staff.admin", everywhere=True),
        ),
    ),
    (
        _l("Master data"),
        (
            Setting(_l("Products"), "database", "/settings/products", "product.write"),
            Setting(_l("Categories"), "list-details", "/settings/categories", "party.setup"),
            Setting(_l("Regions"), "map-2", "/settings/regions", "staff.admin"),
            Setting(_l("Imports"), "file-text", "/settings/imports", "import"),
        ),
    ),
    (
        _l("Telephony"),
        (
            Setting(_l("How calls are measured"), "chart-bar", "/settings/kpi", "board.calls"),
            Setting(_l("Opening hours"), "clock", "/settings/hours", "staff.admin"),
            Setting(_l("Examine the switches"), "tool", "/settings/doctor", "staff.admin"),
        ),
    ),
    (
        _l("Records"),
        (
            Setting(_l("Audit"), "history", "/settings/audit", "audit.read"),
            Setting(_l("System log"), "note", "/settings/log", "audit.read"),
        ),
    ),
)


def settings_of(person: Identity) -> list[tuple[Any, list[Setting]]]:
    """What the person may set, under its headings; a heading with nothing below it is left out."""
    kept = [(head, [one for one in group if one.open_to(person)]) for head, group in SETTINGS]
    return [(head, group) for head, group in kept if group]


def registered(state: BlueprintSetupState) -> None:
    """The app that takes the desk's blueprint gets the shell with it."""
    assert isinstance(state.app, Flask)
    install(state.app)


def install(app: Flask) -> None:
    """Templates of this app know the shell and write figures as the firm reads them."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    settings = app.config["RINGDESK"]
    switches = [switch.name for switch in settings.switches]
    app.jinja_env.globals.update(reason=devices.said, label=words.label, script_words=script_words, switches=switches)
    app.jinja_env.globals.update(pause_reasons=settings.pause_reasons, order_key=lambda: secrets.token_urlsafe(16))
    app.jinja_env.filters.update(
        money=figures.money,
        quantity=figures.quantity,
        clock=figures.clock,
        stamp=figures.stamp,
        day=figures.day,
        span=figures.span,
        wait=figures.wait,
        took=figures.took,
        initials=figures.initials,
    )
    app.jinja_env.tests["digits_alone"] = masking.digits_alone
    app.jinja_env.filters.update(masking.FILTERS | masking.amounts(figures.money))
    app.context_processor(context)


def context() -> dict[str, Any]:
    """What the templates of this request know besides what their view gives them."""
    person, now = identity.current(), clock.now()
    return {
        "now": now,
        "places": [place for place in PLACES if person and person.may(place.permission)],
        "settings": settings_of(person) if person else [],
        "zone": str(get_timezone()),
        "theme": person.theme if person else request.cookies.get("theme", "auto"),
        "when": lambda moment: figures.when(moment, now),
        "time_left": lambda due, since, done: figures.time_left(due, since, done, now),
        "forged": lambda: forged(person) if person and person.may("staff.admin") else [],
        "own_phone": lambda: own_phone(person) if person else OwnPhone(None, None),
    }


def forged(person: Identity) -> list[tuple[str, int, Any]]:
    """The switches into whose stream a caller has written lately: whoever looks after them sees it on each page."""
    with db.begin(person.scope) as session:
        return calls.forged_lately(session, at=clock.now())


@dataclass(frozen=True)
class OwnPhone:
    """Where the person sits, and their state there; no state without a seat."""

    seat: tuple[str, str] | None
    agent: dict[str, object] | None


def own_phone(person: Identity) -> OwnPhone:
    """The phone in front of the person now."""
    with db.begin(person.scope) as session:
        seat = staff.extension_of(session, person.staff_id, clock.now())
        return OwnPhone(seat, calls.agent_now(session, person.staff_id) if seat else None)


def script_words() -> Markup:
    """The sentences of the page's scripts, as JSON that cannot end its own block."""
    content = json.dumps({key: str(value) for key, value in words.SCRIPT.items()}, ensure_ascii=False)
    for sign, code in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        content = content.replace(sign, code)
    return Markup(content)  # noqa: S704 - only our own sentences, and no sign that HTML could take for its own
