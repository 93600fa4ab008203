"""Customers are found: by name, pinyin initials, number or phone."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core import db, identity, lists
from service.parties import queries
from service.parties.lists import CUSTOMERS

bp = Blueprint("parties", __name__)


@bp.get("/customers")
def customers() -> ResponseReturnValue:
    """All customers, page by page, or those that fit what was typed."""
    person = identity.require("party.read")
    with db.begin(person.scope) as session:
        page = lists.page(session, CUSTOMERS, person, request.args)
    return render_template("lists/page.html", page=page)


@bp.get("/customers/found")
def found() -> ResponseReturnValue:
    """The first customers that fit, for the search field of the bar, of a call or of a new ticket."""
    person = identity.require("party.read")
    typed = request.args.get("q", "").strip()[:100]
    with db.begin(person.scope) as session:
        rows = queries.search(session, typed, 8)
    return render_template("parties/found.html", rows=rows, typed=typed, wanted=request.args.get("as", ""))
