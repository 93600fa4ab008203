"""The pages of the catalogue: the tree of categories, the list of products, and the form of one."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from service.catalogue import actions, queries
from service.catalogue.lists import PRODUCTS
from service.catalogue.queries import Product
from service.catalogue.schemas import ProductFacts
from service.core import asked, clock, db, identity, lists
from service.core.editing import Stale, differing
from service.core.errors import DeskError, Invalid, NotFound

bp = Blueprint("catalogue", __name__)
PLACE = "/settings/products"
NOTHING = ProductFacts("", "")
NAMES = {
    "code": _l("Code"), "name": _l("Name"), "model": _l("Model"), "unit": _l("Unit"), "warranty_months": _l("Months of warranty"),
    "serial_controlled": _l("Kept by serial"), "active": _l("May be chosen"),
}  # fmt: skip


@bp.get(PLACE)
def index() -> ResponseReturnValue:
    """The catalogue, narrowed by words and category."""
    return _index()


def _index(error: DeskError | None = None) -> ResponseReturnValue:
    person = identity.require("product.write")
    with db.begin(person.scope) as session:
        page, nodes = lists.page(session, PRODUCTS, person, request.args), queries.tree(session)
    fields = error.fields if isinstance(error, Invalid) else {}
    about = {"category": asked.number("category"), "refusal": error.message if error else ""}
    return render_template("catalogue/products.html", page=page, nodes=nodes, fields=fields, **about), error.status if error else 200


@bp.get(PLACE + "/new")
def new() -> ResponseReturnValue:
    """The form for another product."""
    identity.require("product.write")
    return _form(NOTHING, None)


@bp.post(PLACE)
def add() -> ResponseReturnValue:
    """The product is in the catalogue."""
    person = identity.require_everywhere("product.write")
    try:
        with db.begin(person.scope) as session:
            actions.add_product(session, _read(), by=person.staff_id, at=clock.now())
    except Invalid as error:
        return _form(_typed(), None, error)
    flash(_("Saved."))
    return redirect(PLACE)


@bp.get(PLACE + "/<int:product_id>")
def show(product_id: int) -> ResponseReturnValue:
    """One product as it is now."""
    row = _product(product_id)
    return _form(row, row)


@bp.post(PLACE + "/<int:product_id>")
def change(product_id: int) -> ResponseReturnValue:
    """The product is as the form says; who typed over an older one sees both."""
    person, version = identity.require_everywhere("product.write"), asked.whole(request.form.get("version", ""), 9) or 0
    try:
        with db.begin(person.scope) as session:
            actions.change_product(
                session, product_id, _read(), version=version, by=person.staff_id, at=clock.now()
            )
    except (Invalid, Stale) as error:
        return _form(_typed(), _product(product_id), error)
    flash(_("Saved."))
    return redirect(PLACE)


@bp.post(PLACE + "/<int:product_id>/remove")
def remove(product_id: int) -> ResponseReturnValue:
    """The product is gone, unless something is of it."""
    person = identity.require_everywhere("product.write")
    try:
        with db.begin(person.scope) as session:
            actions.remove_product(session, product_id, by=person.staff_id, at=clock.now())
    except actions.InUse as error:
        row = _product(product_id)
        return _form(row, row, error)
    flash(_("Deleted."))
    return redirect(PLACE)


@bp.post(PLACE + "/categories")
def add_category() -> ResponseReturnValue:
    """The category stands in the tree."""
    person, parent = identity.require_everywhere("product.write"), request.form.get("parent_id", "")
    try:
        with db.begin(person.scope) as session:
            parent_id = asked.whole(parent)
            actions.add_category(session, request.form.get("name", ""), parent_id, by=person.staff_id, at=clock.now())
    except Invalid as error:
        return _index(error)
    return redirect(PLACE)


@bp.post(PLACE + "/categories/<int:category_id>")
def rename_category(category_id: int) -> ResponseReturnValue:
    """The category has another name."""
    person = identity.require_everywhere("product.write")
    try:
        with db.begin(person.scope) as session:
            actions.rename_category(session, category_id, request.form.get("name", ""), by=person.staff_id, at=clock.now())
    except Invalid as error:
        return _index(error)
    return redirect(f"{PLACE}?category={category_id}")


@bp.post(PLACE + "/categories/<int:category_id>/remove")
def remove_category(category_id: int) -> ResponseReturnValue:
    """The category is gone, unless something is in it."""
    person = identity.require_everywhere("product.write")
    try:
        with db.begin(person.scope) as session:
            actions.remove_category(session, category_id, by=person.staff_id, at=clock.now())
    except actions.InUse as error:
        return _index(error)
    return redirect(PLACE)


def _product(product_id: int) -> Product:
    with db.begin(identity.require_everywhere("product.write").scope) as session:
        row = queries.product(session, product_id)
    if row is None:
        raise NotFound(_("There is no such product. Look for it in the catalogue."))
    return row


def _read() -> ProductFacts:
    months = request.form.get("warranty_months", "").strip()
    number = asked.whole(months, 4)
    if months and number is None:
        refusal = _("Months of warranty are a whole number from 0 to 600.")
        raise Invalid(refusal, {"warranty_months": refusal})
    return _typed(number)


def _typed(months: int | None = None) -> ProductFacts:
    form, category = request.form, request.form.get("category_id", "")
    return ProductFacts(
        **{name: " ".join(form.get(name, "").split())[:400] for name in ("code", "name", "model", "unit")},
        category_id=asked.whole(category),
        serial_controlled=form.get("serial_controlled") == "1",
        warranty_months=months,
        active=form.get("active") == "1",
    )


def _form(facts: ProductFacts | Product, row: Product | None, error: DeskError | None = None) -> ResponseReturnValue:
    with db.begin(identity.require_everywhere("product.write").scope) as session:
        nodes = queries.tree(session)
    months = facts.warranty_months if facts is row or error is None else request.form.get("warranty_months", facts.warranty_months)
    stale = isinstance(error, Stale) and row is not None
    page = render_template(
        "catalogue/product.html",
        **{"facts": facts, "months": months, "row": row, "nodes": nodes, "refusal": error.message if error else ""},
        fields=error.fields if isinstance(error, Invalid) else {},
        differs=differing(vars(row), vars(facts) | {"warranty_months": months}, NAMES) if stale else [],
    )
    return page, error.status if error else 200
