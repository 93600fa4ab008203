"""The page of the regions: the tree, each node ready to be changed."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import clock, db, identity, pages
from service.core.errors import DeskError, Invalid, NotFound
from service.sites import queries, rules
from service.sites.model import Region
from service.sites.regions import actions
from service.sites.schemas import RegionForm, read

bp = Blueprint("regions", __name__)
PLACE = "/settings/regions"


def named(region: Region) -> str:
    """The region in the language of the page."""
    return pages.called(region)


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """Every region, ready to be changed."""
    return _page()


@bp.post(PLACE)
def add() -> ResponseReturnValue:
    """One more region."""
    return _changed(lambda session, by: actions.add(session, read(RegionForm, request.form), by=by, at=clock.now()), 0)


@bp.post(PLACE + "/<int:region_id>")
def change(region_id: int) -> ResponseReturnValue:
    """The region has this name and lies there."""
    form = read(RegionForm, request.form)
    return _changed(lambda session, by: actions.change(session, region_id, form, by=by, at=clock.now()), region_id)


@bp.post(PLACE + "/<int:region_id>/remove")
def remove(region_id: int) -> ResponseReturnValue:
    """The region is gone, unless something lies in it."""
    return _changed(lambda session, by: actions.remove(session, region_id, by=by, at=clock.now()), region_id)


def _changed(act: Callable[[Session, int], Any], at: int) -> ResponseReturnValue:
    person = identity.require_everywhere("staff.admin")
    try:
        with db.begin(person.scope) as session:
            act(session, person.staff_id)
    except NotFound:
        raise
    except DeskError as error:
        fields = error.fields if isinstance(error, Invalid) else {}
        return _page(at, fields or {"name": error.message}, error.status)
    flash(_("Saved."))
    return redirect(PLACE)


def _page(wrong_at: int = -1, fields: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    """The page; `fields` are the faults of the form of the region `wrong_at` (0: a new one), whose typed values stay."""
    person = identity.require("staff.admin")
    with db.begin(person.scope) as session:
        nodes = rules.tree(queries.regions(session))
        tallies = queries.rolled(nodes, queries.region_tallies(session))
    typed = request.form if fields else {}
    return render_template("sites/regions.html", nodes=nodes, tallies=tallies, named=named, wrong_at=wrong_at, fields=fields or {}, typed=typed), status
