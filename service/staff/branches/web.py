"""The pages of branches: the tree, and one branch's form."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import clock, db, identity
from service.core.errors import DeskError, Invalid, NotFound
from service.core.pages import called, label
from service.staff import edits, queries
from service.staff.branches import actions
from service.staff.branches.actions import Facts
from service.staff.forms import number, whole, words
from service.staff.model import Branch

bp = Blueprint("branches", __name__)
PLACE = "/settings/branches"


@dataclass(frozen=True)
class Leaf:
    """A branch in the tree, so many steps below the headquarters."""

    branch: Branch
    depth: int
    people: int


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """The tree of all branches."""
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        rows = list(_tree(queries.branches(session), queries.people_by_branch(session)))
    return render_template("staff/branches.html", rows=rows, everywhere=me.scope.branches is None)


def _tree(branches: dict[int, Branch], people: dict[int, int]) -> Iterator[Leaf]:
    def below(parent: int | None, depth: int) -> Iterator[Leaf]:
        for one in sorted((b for b in branches.values() if b.parent_id == parent), key=lambda b: (not b.active, b.code)):
            yield Leaf(one, depth, people.get(one.id, 0))
            yield from below(one.id, depth + 1)

    yield from below(None, 0)


@bp.get(f"{PLACE}/new")
def new() -> ResponseReturnValue:
    """The form for a branch that opens."""
    identity.require_everywhere("staff.admin")
    return _form(Facts("", "", parent_id=whole("parent", request.args)), None)


@bp.post(PLACE)
def create() -> ResponseReturnValue:
    """The branch is there."""
    me, facts = identity.require_everywhere("staff.admin"), _read()
    try:
        with db.begin(me.scope) as session:
            actions.create(session, facts, by=me.staff_id, at=clock.now())
    except Invalid as error:
        return _form(facts, None, error)
    flash(_("Saved."))
    return redirect(PLACE)


@bp.get(f"{PLACE}/<int:branch_id>")
def show(branch_id: int) -> ResponseReturnValue:
    """One branch as it is."""
    me = identity.require_everywhere("staff.admin")
    with db.begin(me.scope) as session:
        row = _of(session, branch_id)
    return _form(actions.described(row), branch_id, version=row.version)


@bp.post(f"{PLACE}/<int:branch_id>")
def change(branch_id: int) -> ResponseReturnValue:
    """The branch is as the form says."""
    me, facts, version = identity.require_everywhere("staff.admin"), _read(), number("version")
    try:
        with db.begin(me.scope) as session:
            actions.change(session, branch_id, facts, version=version, by=me.staff_id, at=clock.now())
    except (Invalid, actions.StillUsed, edits.Overtaken) as error:
        return _form(replace(facts, active=True) if isinstance(error, actions.StillUsed) else facts, branch_id, error, version=version)
    flash(_("Saved."))
    return redirect(PLACE)


def _of(session: Session, branch_id: int) -> Branch:
    row = queries.branches(session).get(branch_id)
    if row is None:
        raise NotFound(_("There is no such branch. Look for it in the list of branches."))
    return row


def _read() -> Facts:
    plain = {name: words(name) for name in ("name", "name_en", "kind", "region", "hotline", "address")}
    return Facts(code=words("code").upper(), parent_id=whole("parent_id"), active=request.form.get("active") == "1", **plain)


def _form(facts: Facts, branch_id: int | None, error: DeskError | None = None, *, version: int = 1) -> ResponseReturnValue:
    me = identity.require("staff.admin")
    with db.begin(me.scope) as session:
        branches = queries.branches(session)
    if isinstance(error, edits.Overtaken):
        version = error.version
        places = {str(key): called(row) for key, row in branches.items()}
        edits.in_words(error, {"kind": partial(label, "branch"), "parent_id": lambda key: places.get(key, key)})
    page = render_template(
        "staff/branch.html", facts=facts, branch_id=branch_id, version=version, kinds=actions.KINDS, error=error,
        branches=[b for b in branches.values() if b.id != branch_id and (b.active or b.id == facts.parent_id)],
        fields=error.fields if isinstance(error, Invalid) else {}, refusal=error.message if error else "",
    )
    return page, error.status if error else 200
