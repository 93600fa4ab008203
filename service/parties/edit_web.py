"""A party's form: new or stored, with everything below it on one page; two who edit the same see each other."""

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from service.core import asked, clock, db, identity
from service.core.editing import Stale, differing
from service.core.errors import Forbidden, Invalid, NotFound
from service.core.identity import Identity
from service.parties import actions, archive, forms, queries, rules
from service.parties.actions import LooksAlike
from service.parties.forms import Typed
from service.staff import queries as staff

bp = Blueprint("party_forms", __name__)


@bp.get("/customers/new")
def new() -> ResponseReturnValue:
    """An empty form; `role` says what the party is first of all."""
    person = identity.require("party.write")
    with db.begin(person.scope) as session:
        typed = forms.blank(request.args.get("role", ""), archive.usual(session), archive.usual(session, "vendor"))
        typed.values["branch_id"] = str(person.branch_id)
        return _page(session, person, typed, key=secrets.token_urlsafe(16))


@bp.post("/customers")
def create() -> ResponseReturnValue:
    """The party is on file; a look-alike is shown first, and the same form twice is one party."""
    person, typed = identity.require("party.write"), forms.from_request(request.form)
    key, anyway = request.form.get("request_key", "")[:64], request.form.get("anyway") == "1"
    with db.begin(person.scope) as session:
        try:
            draft, branch = forms.to_draft(typed, person), _branch(person, typed)
            with session.begin_nested():
                made = actions.create(session, draft, by=person.staff_id, branch_id=branch, at=clock.now(), request_key=key or None, anyway=anyway)
        except Invalid as error:
            return _page(session, person, typed, key=key, fields=error.fields, refusal=error.message), 422
        except LooksAlike as error:
            return _page(session, person, typed, key=key, refusal=error.message, alike=error.alike), 422
    flash(_("Saved."))
    return redirect(f"/customers/{made}")


def _branch(person: Identity, typed: Typed) -> int:
    branch = asked.whole(typed.get("branch_id"), 9) or person.place
    if not person.scope.covers(branch):
        raise Forbidden(_("This branch is not one of yours. Choose another."))
    return branch


@bp.get("/customers/<int:party_id>/edit")
def edit(party_id: int) -> ResponseReturnValue:
    """The stored party, ready to be changed."""
    person = identity.require("party.write")
    with db.begin(person.scope) as session:
        card = _card(session, party_id)
        if card.party.id != party_id:
            return redirect(f"/customers/{card.party.id}/edit")
        return _page(session, person, forms.from_card(card, person), card=card)


@bp.post("/customers/<int:party_id>")
def change(party_id: int) -> ResponseReturnValue:
    """The party is as the form says; when another one saved it meanwhile, both are shown."""
    person, typed = identity.require("party.write"), forms.from_request(request.form)
    version = _version()
    with db.begin(person.scope) as session:
        card = _card(session, party_id)
        try:
            draft = forms.to_draft(typed, person, card)
            with session.begin_nested():
                actions.change(session, party_id, draft, version=version, by=person.staff_id, at=clock.now())
        except Invalid as error:
            session.expire_all()
            return _page(session, person, typed, card=_card(session, party_id), version=version, fields=error.fields, refusal=error.message), 422
        except Stale as error:
            session.expire_all()
            return _both(session, person, typed, party_id, error.message)
    flash(_("Saved."))
    return redirect(f"/customers/{party_id}")


def _both(session: Session, person: Identity, typed: Typed, party_id: int, refusal: str) -> ResponseReturnValue:
    """What was typed stays in the form; beside it stands, field by field, what the other one saved."""
    card = _card(session, party_id)
    mine, theirs = typed.flat(), forms.from_card(card, person).flat()
    names = [name for name in {**theirs, **mine} if name not in ("branch_id", "preferred") and not name.endswith("-of")]
    mine, theirs = ({name: values.get(name, "").strip() for name in names} for values in (mine, theirs))
    differs = differing(theirs, mine, {name: name.split("-")[0] for name in names})
    return _page(session, person, typed, card=card, refusal=refusal, differs=differs), 409


def _version() -> int:
    typed = request.form.get("version", "")
    return asked.whole(typed, 9) or 0


def _card(session: Session, party_id: int) -> queries.Card:
    card = queries.card(session, party_id)
    if card is None:
        raise NotFound(_("There is no such customer in your branches. Search by name or number."))
    return card


def _page(session: Session, person: Identity, typed: Typed, *, card: queries.Card | None = None, version: int | None = None, **more: Any) -> str:
    branches = {one.id: one for one in staff.branches(session).values() if person.scope.covers(one.id)}
    plain = {"fields": {}, "refusal": "", "alike": [], "differs": [], "key": ""}
    return render_template(
        "parties/form.html",
        **plain | more,
        typed_party=typed,
        card=card,
        version=version or (card.party.version if card else 0),
        branches=branches,
        **_choices(session),
    )


def _choices(session: Session) -> dict[str, Any]:
    return {
        "trees": {side: queries.tree(session, side) for side in ("customer", "vendor")},
        "roles": rules.ROLES,
        "grades": rules.GRADES,
        "labels": rules.LABELS,
        "settlements": rules.SETTLEMENTS,
    }


@bp.get("/customers/rows/<any(department, contact, phone, mail, contract, account):kind>")
def row(kind: str) -> ResponseReturnValue:
    """One more empty row for the form that is open; what stands in it already is not touched."""
    identity.require("party.write")
    owner = request.args.get("of", "")[:19]
    key = forms.fresh_key()
    rows = {kind: {key: {"of": owner, "active": "1"}}}
    if kind == "contact":
        rows["phone"] = {forms.fresh_key(): {"of": key, "label": "mobile"}}
    typed = Typed({}, [], rows)
    values = rows[kind][key]
    return render_template("parties/row.html", kind=kind, key=key, row=values, owner=owner, typed_party=typed, fields={}, labels=rules.LABELS)


# ---- inside the registration of a ticket


@bp.get("/customers/quick")
def quick_form() -> ResponseReturnValue:
    """The few fields of a new customer, or of a new contact of `party`, for a ticket that is being written."""
    identity.require("party.write")
    return _quick({}, {}, asked.number("party"))


def _quick(values: dict[str, str], fields: dict[str, str], party_id: int | None, **more: Any) -> str:
    key = values.get("new_key") or secrets.token_urlsafe(16)
    plain = {"refusal": "", "alike": []}
    return render_template("parties/quick.html", values=values, fields=fields, party_id=party_id, key=key, at=asked.number("at"), **plain | more)


@bp.post("/customers/quick")
def quick() -> ResponseReturnValue:
    """The customer is on file and the ticket is theirs; the form of the ticket stays as it was typed."""
    person, values = identity.require("party.write"), _values()
    fresh = actions.NewParty(
        values.get("new_name", ""), values.get("new_phone", ""), values.get("new_contact", ""), values.get("new_kind", ""),
        values.get("new_address", ""), department=values.get("new_department", ""), request_key=values.get("new_key", "")[:64] or None,
    )  # fmt: skip
    anyway = values.get("new_anyway") == "1"
    with db.begin(person.scope) as session:
        try:
            with session.begin_nested():
                made = actions.create_party(session, fresh, by=person.staff_id, branch_id=person.place, at=clock.now(), anyway=anyway)
        except LooksAlike as error:
            return _quick(values, {}, None, refusal=error.message, alike=error.alike), 422
        except Invalid as error:
            return _quick(values, error.fields or {"name": error.message}, None), 422
        contact = next(iter(queries.main_contacts(session, [made]).values()), None)
    return render_template("parties/made.html", party_id=made, contact_id=contact.id if contact else "")


@bp.post("/customers/<int:party_id>/contacts")
def add_contact(party_id: int) -> ResponseReturnValue:
    """The person is a contact of the customer, and chosen in the ticket that is being written."""
    person, values = identity.require("party.write"), _values()
    said = {name: values.get(f"new_{name}", "") for name in ("title", "department", "phone")}
    fresh = actions.NewContact(values.get("new_contact", ""), label="mobile", **said)
    with db.begin(person.scope) as session:
        try:
            with session.begin_nested():
                made = actions.add_contact(session, party_id, fresh, by=person.staff_id, at=clock.now())
        except Invalid as error:
            return _quick(values, error.fields or {"name": error.message}, party_id), 422
    return render_template("parties/made.html", party_id=party_id, contact_id=made)


def _values() -> dict[str, str]:
    return {name: value for name, value in request.form.items() if name.startswith("new_")}
