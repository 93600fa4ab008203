"""Customers and suppliers: the list, finding one, and the warning that somebody may be on file already."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from service.core import asked, db, identity, lists
from service.parties import forms, queries, rules
from service.parties.duplicates import Asked
from service.parties.lists import CUSTOMERS

bp = Blueprint("parties", __name__)


@bp.get("/customers")
def customers() -> ResponseReturnValue:
    """All parties, page by page, or those that fit what was typed and chosen."""
    person = identity.require("party.read")
    with db.begin(person.scope) as session:
        page = lists.page(session, CUSTOMERS, person, request.args)
    return render_template("parties/customers.html", page=page, roles=rules.ROLES, role=request.args.get("role", ""))


@bp.get("/customers/found")
def found() -> ResponseReturnValue:
    """The first customers that fit, for the search field of the bar, of a call or of a new ticket."""
    person = identity.require("party.read")
    typed = request.args.get("q", "").strip()[:100]
    with db.begin(person.scope) as session:
        rows = queries.search(session, typed, 8, reader=person)
    return render_template("parties/found.html", rows=rows, typed=typed, wanted=request.args.get("as", ""), but=asked.number("but"))


@bp.get("/customers/alike")
def alike() -> ResponseReturnValue:
    """Who may be on file already, while a new party is being typed; `as` says what taking one means there."""
    person = identity.require("party.read")
    with db.begin(person.scope) as session:
        rows = queries.alike(session, _asked())
    return render_template("parties/alike.html", rows=rows, take=request.args.get("as", "")[:40])


def _asked() -> Asked:
    """What the form says so far: its own fields, or the rows of the long form."""
    typed = forms.from_request(request.args)
    numbers = [row.get("raw", "") for row in typed.rows.get("phone", {}).values() if not row.get("gone")]
    accounts = [row.get("account", "").strip() for row in typed.rows.get("account", {}).values() if not row.get("gone")]
    own = [request.args.get(name, "") for name in ("phone", "new_phone")]
    name = request.args.get("new_name") or typed.get("name")
    tax = request.args.get("new_tax_number") or typed.get("tax_number")
    numbers = [one[:80] for one in [*numbers, *own] if one and len(one.strip()) > 6]
    return Asked(name[:200], tuple(numbers[:50]), tax[:40], tuple(accounts[:20]), asked.number("but"))
