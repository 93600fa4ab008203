"""Customers and suppliers: the list, finding one, and the warning that somebody may be on file already."""

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from service.core import asked, db, identity
from service.parties import forms, queries, rules
from service.parties.duplicates import Asked
from service.parties.queries import Wanted

bp = Blueprint("parties", __name__)
PAGE = 50
KEPT = ("q", "role", "category", "grade", "state", "tag")


@bp.get("/customers")
def customers() -> ResponseReturnValue:
    """The parties in the order of their names, narrowed by what the address says; of typed letters the closest."""
    person = identity.require("party.read")
    typed, wanted = request.args.get("q", "").strip()[:100], _wanted()
    with db.begin(person.scope) as session:
        rows = _closest(session, typed, wanted) if typed else list(queries.listed(session, wanted, after=_place(), limit=PAGE + 1))
        shown = rows[:PAGE]
        known = _around(session, [row.id for row in shown])
    last = shown[-1] if len(rows) > PAGE else None
    return render_template(
        "parties/customers.html",
        **known,
        rows=shown,
        typed=typed,
        wanted=wanted,
        roles=rules.ROLES,
        grades=rules.GRADES,
        kept=asked.kept(KEPT),
        more=asked.again(KEPT, after=f"{last.name_pinyin}|{last.id}") if last and not typed else "",
        first=asked.again(KEPT) if request.args.get("after") else "",
        without=lambda name: asked.again(KEPT, **{name: ""}),
    )


def _wanted() -> Wanted:
    kept = asked.kept(KEPT)
    return Wanted(
        role=kept.get("role", ""),
        category_id=asked.number("category"),
        grade=kept.get("grade", ""),
        state=kept.get("state", ""),
        tag=kept.get("tag", "")[: rules.LONGEST_TAG],
    )


def _closest(session: Session, typed: str, wanted: Wanted) -> list[Any]:
    """What fits the letters, closest first, within the same conditions."""
    ids = [row.id for row in queries.search(session, typed, 100)]
    fit = {row.id for row in queries.listed(session, wanted, limit=len(ids) or 1, among=ids)}
    return [row for row in queries.parties(session, ids) if row.id in fit][:PAGE]


def _place() -> tuple[str, int] | None:
    name, _bar, last = request.args.get("after", "")[:300].rpartition("|")
    return (name, int(last)) if last.isascii() and last.isdigit() and len(last) < 19 else None


def _around(session: Session, ids: list[int]) -> dict[str, Any]:
    return {
        "contacts": queries.main_contacts(session, ids),
        "categories": queries.category_names(session),
        "trees": {side: queries.tree(session, side) for side in ("customer", "vendor")},
    }


@bp.get("/customers/found")
def found() -> ResponseReturnValue:
    """The first customers that fit, for the search field of the bar, of a call or of a new ticket."""
    person = identity.require("party.read")
    typed = request.args.get("q", "").strip()[:100]
    with db.begin(person.scope) as session:
        rows = queries.search(session, typed, 8)
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
