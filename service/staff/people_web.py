"""The pages of people: who works here, what they may do, and one's own password."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import zip_longest

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from service.core import clock, db, identity, lists, masking
from service.core.editing import Differing
from service.core.errors import DeskError, Invalid
from service.core.identity import Identity
from service.core.pages import called, label
from service.staff import actions, edits, people, queries, rules
from service.staff.forms import day, number, whole, wholes, words
from service.staff.lists import PEOPLE
from service.staff.model import Branch, Department, Role
from service.staff.people import Person

bp = Blueprint("people", __name__)
NOBODY = Person("", "", (), 0, "branch")


@bp.get("/settings/people")
def index() -> ResponseReturnValue:
    """Everybody who may sign in or once could."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        page = lists.page(session, PEOPLE, me, request.args)
    return render_template("staff/people.html", page=page)


@bp.get("/settings/people/new")
def new() -> ResponseReturnValue:
    """The form for somebody who begins here."""
    identity.require("staff.admin")
    return _form(NOBODY, None)


@bp.post("/settings/people")
def engage() -> ResponseReturnValue:
    """The person is there; their first password is shown on the page that follows, once."""
    me, who = identity.require("staff.admin"), _read()
    try:
        with db.begin(me.scope) as session:
            who = replace(who, phone=masking.typed_phone(me, who.phone))
            staff_id, password = people.engage(session, who, by=me.staff_id, at=clock.now(), within=me.scope)
    except DeskError as error:
        return _form(who, None, error)
    return _form(who, staff_id, password=password)


@bp.get("/settings/people/<int:staff_id>")
def show(staff_id: int) -> ResponseReturnValue:
    """One person as they are now."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        who, version = people.person(session, staff_id, within=me.scope), people.version(session, staff_id)
    return _form(who, staff_id, version=version)


@bp.post("/settings/people/<int:staff_id>")
def change(staff_id: int) -> ResponseReturnValue:
    """The person is as the form says."""
    me, who, version = identity.require("staff.admin"), _read(), whole("version")
    try:
        with db.begin(me.scope) as session:
            stored = people.person(session, staff_id, within=me.scope).phone
            who = replace(who, phone=masking.typed_phone(me, who.phone, stored))
            people.change(session, staff_id, who, by=me.staff_id, at=clock.now(), version=version, within=me.scope, address=request.remote_addr or "")
    except (Invalid, people.LastAdministrator, edits.Overtaken) as error:
        return _form(who, staff_id, error, version=version or 0)
    flash(_("Saved."))
    return redirect(f"/settings/people/{staff_id}")


@bp.post("/settings/people/<int:staff_id>/password")
def reset(staff_id: int) -> ResponseReturnValue:
    """The person has a new password, shown once, and is signed out everywhere."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        password = people.new_password(session, staff_id, by=me.staff_id, at=clock.now(), within=me.scope)
        who, version = people.person(session, staff_id), people.version(session, staff_id)
    return _form(who, staff_id, password=password, version=version)


@bp.get("/settings/password")
def password() -> ResponseReturnValue:
    """The form for one's own password."""
    identity.require()
    return render_template("staff/password.html", fields={}, refusal="")


@bp.post("/settings/password")
def own_password() -> ResponseReturnValue:
    """One's own password is another, and other browsers have to sign in again."""
    me, form, now = identity.require(), request.form, clock.now()
    given = people.Passwords(form.get("old", ""), form.get("new", ""), form.get("again", ""))
    try:
        with db.begin(me.scope) as session:
            actions.refuse_guessing(session, me.username, request.remote_addr or "", at=now)
            people.own_password(session, me.staff_id, given, keep=me.session_id, at=now)
    except Invalid as error:
        if "old" in error.fields:
            with db.begin(me.scope) as session:
                actions.note_attempt(session, me.username, request.remote_addr or "", at=now)
        return render_template("staff/password.html", fields=error.fields, refusal=error.message), error.status
    flash(_("Your password has been changed. Other browsers have to sign in again."))
    return redirect("/settings/password")


def _read() -> Person:
    form = request.form
    pairs = zip_longest(form.getlist("at_role"), wholes("at_branch"))
    return Person(
        username=words("username").lower(),
        name=words("name"),
        roles=tuple(sorted(set(form.getlist("roles")))),
        branch_id=number("branch_id"),
        reach=form.get("reach", ""),
        active=form.get("active") == "1",
        kind=form.get("kind", "staff"),
        department_id=whole("department_id"),
        phone=words("phone"),
        valid_until=day("valid_until"),
        roles_at=tuple(sorted({(role, branch or 0) for role, branch in pairs if role})),
    )


def _covered(me: Identity, one: Differing) -> Differing:
    if one.name != "phone":
        return one
    return replace(one, saved=masking.shown_plain(me, str(one.saved)), typed=masking.shown_plain(me, str(one.typed)))


def _words(branches: Mapping[int, Branch], units: Mapping[int, Department]) -> dict[str, Callable[[str], object]]:
    """How the values of a person are said where two are compared."""

    def at(held: str) -> str:
        role, _sign, number = held.rpartition(" @")
        return _("%(role)s in %(branch)s", role=label("role", role), branch=place(number))

    def place(number: str) -> str:
        return called(branches[int(number)]) if number.isdigit() and int(number) in branches else number

    def unit(number: str) -> str:
        return called(units[int(number)]) if int(number) in units else number

    coded = {field: partial(label, table) for field, table in (("roles", "role"), ("reach", "reach"), ("kind", "person"))}
    return {**coded, "branch_id": place, "department_id": unit, "roles_at": at}


def _form(who: Person, staff_id: int | None, error: DeskError | None = None, *, password: str = "", version: int = 1) -> ResponseReturnValue:
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        branches = {one.id: one for one in queries.branches(session).values() if me.scope.covers(one.id)}
        units = queries.departments(session)
        carried = {*who.roles, *(name for name, _branch in who.roles_at)}
        roles = [row for row in session.scalars(select(Role).order_by(Role.id)) if row.active or row.name in carried]
    if isinstance(error, edits.Overtaken):
        version = error.version
        error.differences = [_covered(me, one) for one in error.differences]
        edits.in_words(error, _words(branches, units))
    who = replace(who, phone=masking.shown_plain(me, who.phone))
    page = render_template(
        "staff/person.html", who=who, staff_id=staff_id, branches=branches, units=units, roles=roles, reaches=rules.REACHES,
        kinds=people.KINDS, version=version, error=error, fields=error.fields if isinstance(error, Invalid) else {},
        refusal=error.message if error else "", password=password,
    )
    return page, error.status if error else 200
