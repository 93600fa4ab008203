"""The categories of customers and suppliers on screen: two trees, each name changed in its place."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import asked, clock, db, identity
from service.core.errors import Invalid
from service.parties import categories

bp = Blueprint("categories", __name__)
PLACE = "/settings/categories"
Change = Callable[[Session, int, datetime], object]


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """Both trees with how many parties stand in each category."""
    person = identity.require("party.setup")
    with db.begin(person.scope) as session:
        return _page(session)


def _page(session: Session, at: str = "", refusal: str = "") -> str:
    trees = {side: categories.tree(session, side) for side in categories.SIDES}
    return render_template("parties/categories.html", trees=trees, counts=categories.counts(session), wrong_at=at, refusal=refusal)


def _changed(change: Change, at: str, said: str = "") -> ResponseReturnValue:
    person, now = identity.require_everywhere("party.setup"), clock.now()
    try:
        with db.begin(person.scope) as session:
            change(session, person.staff_id, now)
    except (Invalid, categories.CategoryInUse) as error:
        with db.begin(person.scope) as session:
            return _page(session, at, error.message), error.status
    flash(said or _("Saved."))
    return redirect(PLACE)


@bp.post(PLACE)
def add() -> ResponseReturnValue:
    """One more category, below another one if that is chosen."""
    form = request.form
    side, parent = form.get("side", ""), form.get("parent_id", "")
    parent_id = asked.whole(parent)
    return _changed(lambda s, by, at: categories.add(s, side, form.get("name", ""), parent_id, by=by, at=at), f"new-{side}")


@bp.post(PLACE + "/<int:category_id>")
def rename(category_id: int) -> ResponseReturnValue:
    """The category is called otherwise."""
    name = request.form.get("name", "")
    return _changed(lambda s, by, at: categories.rename(s, category_id, name, by=by, at=at), str(category_id))


@bp.post(PLACE + "/<int:category_id>/usual")
def usual(category_id: int) -> ResponseReturnValue:
    """New parties get this one."""
    return _changed(lambda s, by, at: categories.make_usual(s, category_id, by=by, at=at), str(category_id))


@bp.post(PLACE + "/<int:category_id>/remove")
def remove(category_id: int) -> ResponseReturnValue:
    """The category is gone, unless it is in use."""
    return _changed(lambda s, by, at: categories.remove(s, category_id, by=by, at=at), str(category_id), _("Deleted."))
