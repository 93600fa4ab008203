"""By which policy calls are measured: its versions, and a new one with a look at what it would say."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.calls.kpi import actions, queries, rules
from service.calls.kpi.measures import BEGINNING, Measures, figures
from service.core import asked, clock, db, identity, kpi_words
from service.core import kpi as kpis
from service.core.errors import Invalid
from service.core.identity import Identity
from service.core.kpi import FORMULAS, Policy
from service.staff import queries as staff

bp = Blueprint("kpi", __name__)
LOOK_BACK = timedelta(days=30)


@bp.get("/settings/kpi")
def show() -> str:
    """The versions, newest first."""
    return _page(identity.require("board.calls"))


@bp.post("/settings/kpi")
def add() -> ResponseReturnValue:
    """A new version is in force from its first day on; with `preview` nothing is added, and the page says what it would say."""
    person, proposed, at = identity.require("kpi.set"), _typed(request.form), clock.now()
    try:
        if "preview" in request.form:
            actions.refuse(proposed, at=at)
            return _page(person, proposed)
        with db.begin(person.scope) as session:
            version = actions.add(session, proposed, request.form.get("note", ""), by=person.staff_id, at=at)
    except Invalid as error:
        return _page(person, proposed, error), error.status
    flash(_("Policy %(version)s measures calls from %(day)s on.", version=version, day=proposed.valid_from.isoformat()))
    return redirect("/settings/kpi")


def _page(person: Identity, proposed: Policy | None = None, wrong: Invalid | None = None) -> str:
    today = clock.local(clock.now()).date()
    with db.begin(person.scope) as session:
        versions = queries.versions(session)
        people = staff.names(session, {one.set_by_id for one in versions if one.set_by_id})
        found = queries.stretches(session)
        preview = _preview(session, found, proposed) if proposed and not wrong else None
    now = kpis.of_day(found, today)
    values = proposed or Policy(**asdict(now) | {"valid_from": today + timedelta(days=1)})
    return render_template(
        "calls/kpi.html",
        **{"versions": versions, "people": people, "now_policy": now, "today": today, "values": values, "preview": preview},
        **{"fields": wrong.fields if wrong else {}, "refusal": wrong.message if wrong else "", "note": request.form.get("note", "")},
        **{"formulas": FORMULAS, "formula_names": kpi_words.NAMES, "formula": kpi_words.formula, "bounds": rules.BOUNDS, "first": today + timedelta(days=1)},
    )


def _preview(session: Session, found: tuple[kpis.Stretch, ...], proposed: Policy) -> dict[str, Any]:
    """The calls of the last weeks by the policies of their days, and as if by this one."""
    at = clock.now()
    span = {"since": at - LOOK_BACK, "until": at}
    before = figures(session, Measures(queries.measured_by(found)), **span)
    after = figures(session, Measures((queries.Since(BEGINNING, proposed),)), **span)
    return {"before": before, "after": after, "told": kpi_words.level((proposed,), after), "days": LOOK_BACK.days}


def _typed(given: Mapping[str, str]) -> Policy:
    """What was typed; a number that is none is out of all bounds, a day that is none is long past."""
    numbers = {name: _whole(given.get(name, "")) for name in rules.BOUNDS}
    return Policy(version=0, valid_from=_day(given.get("valid_from", "")), level_formula=given.get("level_formula", ""), **numbers)


def _whole(text: str) -> int:
    found = asked.whole(text, 5)
    return -1 if found is None else found


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return date.min
    return day if day.year < 9999 else date.min
