"""The week on screen: who works when, who is away, and the shifts there are."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from service.core import asked, clock, db, identity
from service.core.errors import DeskError, Invalid
from service.core.identity import Identity
from service.staff import edits, queries
from service.staff.forms import day, number, whole, words
from service.staff.shifts import actions, rules
from service.staff.shifts import queries as shifts
from service.staff.shifts.actions import Away, Cell, Kind

bp = Blueprint("shifts", __name__)
PLACE = "/settings/shifts"
CELL = re.compile(r"cell-(\d{1,9})-(\d{4}-\d\d-\d\d)-(\d{0,9})")
FAULTS = (Invalid, edits.Overtaken, actions.PlanChanged)


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """One week of one branch."""
    return _page(identity.require("shift.plan"))


@bp.post(PLACE)
def plan() -> ResponseReturnValue:
    """The days that were changed are planned so."""
    return _changed("week", _planned)


def _planned(session: Session, me: Identity, at: datetime) -> str:
    count = actions.plan(session, list(_cells()), within=me.scope, by=me.staff_id, at=at)
    return ngettext("%(num)s day is planned anew.", "%(num)s days are planned anew.", count)


def _cells() -> Iterator[Cell]:
    for name, value in request.form.items():
        found = CELL.fullmatch(name)
        if found:
            try:
                on = date.fromisoformat(found[2])
            except ValueError:
                continue
            yield Cell(int(found[1]), on, int(found[3]) if found[3] else None, asked.whole(value, 9))


@bp.post(f"{PLACE}/copy")
def copy() -> ResponseReturnValue:
    """Free days are as they were a week before."""

    def copied(session: Session, me: Identity, at: datetime) -> str:
        week = shifts.week(session, _monday(request.form.get("week", "")), me.scope, branch_id=whole("branch") or me.branch_id, department_id=whole("department"))
        people = [line.staff_id for line in week.lines]
        count = actions.copy(session, week.days[0], people, within=me.scope, by=me.staff_id, at=at)
        return ngettext("%(num)s day is planned as a week before.", "%(num)s days are planned as a week before.", count)

    return _changed("week", copied)


@bp.post(f"{PLACE}/leave")
def leave() -> ResponseReturnValue:
    """The person is away."""

    def entered(session: Session, me: Identity, at: datetime) -> str:
        away = Away(number("staff_id"), words("kind"), _moment("since"), _moment("until"), words("reason"))
        actions.enter_leave(session, away, within=me.scope, by=me.staff_id, at=at)
        return _("Saved.")

    return _changed("leave", entered)


@bp.post(f"{PLACE}/leave/<int:leave_id>/withdraw")
def withdraw(leave_id: int) -> ResponseReturnValue:
    """The person is not away."""

    def withdrawn(session: Session, me: Identity, at: datetime) -> str:
        actions.withdraw_leave(session, leave_id, by=me.staff_id, at=at)
        return _("The leave is withdrawn.")

    return _changed("leave", withdrawn)


@bp.post(f"{PLACE}/kinds")
def define() -> ResponseReturnValue:
    """The shift is there."""
    identity.require_everywhere("shift.plan")

    def defined(session: Session, me: Identity, at: datetime) -> str:
        actions.define(session, _kind(), by=me.staff_id, at=at)
        return _("Saved.")

    return _changed("kind-new", defined)


@bp.post(f"{PLACE}/kinds/<int:kind_id>")
def redefine(kind_id: int) -> ResponseReturnValue:
    """The shift is as the form says."""
    identity.require_everywhere("shift.plan")

    def redefined(session: Session, me: Identity, at: datetime) -> str:
        actions.redefine(session, kind_id, _kind(), version=number("version"), by=me.staff_id, at=at)
        return _("Saved.")

    return _changed(f"kind-{kind_id}", redefined)


def _kind() -> Kind:
    return Kind(words("name"), rules.minutes(words("begins")), rules.minutes(words("ends")), whole("break_minutes"), words("name_en"),
                request.form.get("active") == "1")


def _moment(name: str) -> datetime | None:
    """A day, from its beginning or, as the end of a leave, to its end, unless a time stands beside it."""
    on, at = day(name), rules.minutes(words(f"{name}_time"))
    if on is None:
        return None
    return rules.moment(on, at if at is not None else rules.DAY if name == "until" else 0)


def _changed(where: str, change: Callable[[Session, Identity, datetime], str]) -> ResponseReturnValue:
    """The change is made and told; a fault is shown at its form, and what was typed stays."""
    me = identity.require("shift.plan")
    try:
        with db.begin(me.scope) as session:
            said = change(session, me, clock.now())
    except FAULTS as error:
        return _page(me, where, error)
    flash(said)
    kept = {name: request.form[name] for name in ("week", "branch", "department") if request.form.get(name, "").strip()}
    return redirect(f"{PLACE}?{'&'.join(f'{name}={_safe(value)}' for name, value in kept.items())}#{where}")


def _safe(value: str) -> str:
    return re.sub(r"[^0-9-]", "", value)[:10]


def _monday(typed: str) -> date:
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        found = clock.local(clock.now()).date()
    return rules.monday(found if 1970 <= found.year < 9000 else clock.local(clock.now()).date())


def _page(me: Identity, where: str = "", error: DeskError | None = None) -> ResponseReturnValue:
    given = request.form if error else request.args
    monday = _monday(given.get("week", ""))
    branch_id, department_id = whole("branch", given) or me.branch_id, whole("department", given)
    with db.begin(me.scope) as session:
        week = shifts.week(session, monday, me.scope, branch_id=branch_id, department_id=department_id)
        page = render_template(
            "staff/shifts.html", week=week, monday=monday, branch_id=branch_id, department_id=department_id,
            kinds=shifts.kinds(session, all_=True), leaves=actions.LEAVES, told=rules.told, today=clock.local(clock.now()).date(),
            before=_again(monday - timedelta(days=7)), after=_again(monday + timedelta(days=7)), **_choices(session, me, branch_id),
            where=where, error=error, fields=error.fields if isinstance(error, Invalid) else {}, typed=request.form if error else {},
            everywhere=me.scope.branches is None, lasts=lambda away: rules.lasts(away.since, away.until),
        )
    return page, error.status if error else 200


def _choices(session: Session, me: Identity, branch_id: int) -> dict[str, Any]:
    return {
        "branches": [one for one in queries.branches(session).values() if me.scope.covers(one.id) and (one.active or one.id == branch_id)],
        "units": [one for one in queries.departments(session).values() if one.branch_id == branch_id and one.active],
    }


def _again(monday: date) -> str:
    kept = asked.kept(("branch", "department"))
    return f"{PLACE}?week={monday.isoformat()}" + "".join(f"&{name}={_safe(value)}" for name, value in kept.items())
