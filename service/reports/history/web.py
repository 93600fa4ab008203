"""The pages of the audit and of the system log: filters in the address, each line with what was before and after."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core import db, identity, lists
from service.core.lists import ListSpec
from service.reports.history import values, words
from service.reports.history.lists import AUDIT, LOG

bp = Blueprint("history", __name__)


@bp.get("/settings/audit")
def audit() -> ResponseReturnValue:
    """Who did what, when and from where, newest first."""
    return _page(AUDIT, "reports/audit.html")


@bp.get("/settings/log")
def log() -> ResponseReturnValue:
    """What happened at the door and in the machine room, newest first."""
    return _page(LOG, "reports/log.html")


def _page(spec: ListSpec, template: str) -> ResponseReturnValue:
    person = identity.require("audit.read")
    with db.begin(person.scope) as session:
        page = lists.page(session, spec, person, request.args)
    return render_template(template, page=page, changes=words.told, field_name=words.field, opens=words.opens, entities=words.ENTITIES, kinds=words.KINDS, name_of=values.thing)
