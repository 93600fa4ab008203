"""The page of the audit: filters in the address, each line with what was before and after."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core import db, identity, lists
from service.reports.history import words
from service.reports.history.lists import AUDIT

bp = Blueprint("history", __name__)


@bp.get("/settings/audit")
def audit() -> ResponseReturnValue:
    """Who did what, when and from where, newest first."""
    person = identity.require("audit.read")
    with db.begin(person.scope) as session:
        page = lists.page(session, AUDIT, person, request.args)
    return render_template("reports/audit.html", page=page, changes=words.told, field_name=words.field, opens=words.opens, entities=words.ENTITIES)
