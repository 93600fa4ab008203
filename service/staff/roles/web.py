"""The pages of roles: the list, and one role's form with every permission in words."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from service.core import clock, db, identity
from service.core.errors import DeskError, Invalid
from service.core.pages import label
from service.staff import edits, rules
from service.staff.forms import number, whole, words
from service.staff.model import Role
from service.staff.roles import actions
from service.staff.roles.actions import Facts
from service.staff.roles.words import groups, spoken

bp = Blueprint("roles", __name__)
PLACE = "/settings/roles"
FAULTS = (Invalid, actions.RoleUsed, actions.LastAdministrator, edits.Overtaken)


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """All roles, with what they may do and how many people hold them."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        rows = session.scalars(select(Role).order_by(~Role.active, Role.id)).all()
        held = actions.holders(session)
    return render_template("staff/roles.html", rows=rows, held=held, shipped=rules.PERMISSIONS, everywhere=me.scope.branches is None)


@bp.get(f"{PLACE}/new")
def new() -> ResponseReturnValue:
    """The form for a role, empty or as a copy of another."""
    me, like = identity.require_everywhere("staff.admin"), whole("like", request.args)
    facts = Facts("")
    if like:
        with db.begin(me.scope) as session:
            source = actions.described(actions.role(session, like))
        facts = Facts("", source.description, source.reach, source.permissions)
    return _form(facts, None)


@bp.post(PLACE)
def create() -> ResponseReturnValue:
    """The role is there."""
    me, facts = identity.require_everywhere("staff.admin"), _read()
    try:
        with db.begin(me.scope) as session:
            actions.create(session, facts, by=me.staff_id, at=clock.now())
    except FAULTS as error:
        return _form(facts, None, error)
    flash(_("Saved."))
    return redirect(PLACE)


@bp.get(f"{PLACE}/<int:role_id>")
def show(role_id: int) -> ResponseReturnValue:
    """One role as it is."""
    me = identity.require_everywhere("staff.admin")
    with db.begin(me.scope) as session:
        row = actions.role(session, role_id)
        facts, version = actions.described(row), row.version
    return _form(facts, role_id, version=version)


@bp.post(f"{PLACE}/<int:role_id>")
def change(role_id: int) -> ResponseReturnValue:
    """The role is as the form says."""
    me, facts, version = identity.require_everywhere("staff.admin"), _read(), number("version")
    try:
        with db.begin(me.scope) as session:
            actions.change(session, role_id, facts, version=version, by=me.staff_id, at=clock.now())
    except FAULTS as error:
        return _form(facts, role_id, error, version=version)
    flash(_("Saved."))
    return redirect(PLACE)


@bp.post(f"{PLACE}/<int:role_id>/delete")
def delete(role_id: int) -> ResponseReturnValue:
    """The role is gone."""
    me = identity.require_everywhere("staff.admin")
    with db.begin(me.scope) as session:
        row = actions.role(session, role_id)
        facts, version = actions.described(row), row.version
    try:
        with db.begin(me.scope) as session:
            actions.delete(session, role_id, by=me.staff_id, at=clock.now())
    except actions.RoleUsed as error:
        return _form(facts, role_id, error, version=version)
    flash(_("Deleted."))
    return redirect(PLACE)


def _read() -> Facts:
    form = request.form
    chosen = tuple(sorted({code[:80] for code in form.getlist("permissions")}))
    return Facts(words("name"), words("description"), words("reach"), chosen, form.get("active") == "1")


def _form(facts: Facts, role_id: int | None, error: DeskError | None = None, *, version: int = 1) -> ResponseReturnValue:
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        told = groups(actions.codes(session))
        held = actions.holders(session).get(role_id or 0, 0)
    if isinstance(error, edits.Overtaken):
        version = error.version
        edits.in_words(error, {"reach": partial(label, "reach"), "permissions": lambda code: spoken([code])[0]})
    page = render_template(
        "staff/role.html", facts=facts, role_id=role_id, version=version, groups=told, reaches=rules.REACHES, held=held, error=error,
        shipped=facts.name in rules.PERMISSIONS, fields=error.fields if isinstance(error, Invalid) else {}, refusal=error.message if error else "",
    )
    return page, error.status if error else 200
